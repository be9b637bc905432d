/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `wherry stats` and `wherry top`: numbers and columns of what runs. */
#include "kit.h"

#define BUSY "wherry run -d --name c -m 64m busybox sh -c 'while :; do :; done'"

static void numbers_are_those_of_the_container(void **state)
{
	struct scene *scene = *state;
	done(scene, BUSY " && wherry create --name idle --network none busybox true");
	done(scene,
	     "wherry stats --no-stream | grep -Eq 'CONTAINER ID +NAME +CPU % +MEM USAGE / LIMIT "
	     "+MEM % +NET I/O +BLOCK I/O +PIDS'");
	expect(scene, "wherry stats --no-stream --format '{{.Name}} {{.PIDs}}'", 0, "c 1\n");
	expect(scene, "wherry stats -a --no-stream --format '{{.Name}} {{.PIDs}}' | sort", 0,
	       "c 1\nidle 0\n");
	done(scene, "wherry stats --no-stream --format '{{.CPUPerc}}' c | grep -Eq '[1-9].*%$'");
	done(scene, "wherry stats --no-stream -o json c | grep -q '\"MemoryBytes\": [1-9]'");
	done(scene, "wherry exec c sh -c 'dd if=/dev/zero of=/dev/null bs=1M count=1' 2>&-; "
		    "ping -c 1 -s 1000 $(wherry inspect -f '{{range .NetworkSettings.Networks}}"
		    "{{.IPAddress}}{{end}}' c 2>&- || echo 127.0.0.1) >/dev/null; "
		    "wherry stats --no-stream --format '{{.NetIO}}' c | grep -q B");
	done(scene, "wherry stats c | head -4 | grep -c '^[0-9a-f]' | grep -qx 2");
	expect_error(scene, "wherry stats ghost", 1, "wherry: stats: no such container: ghost\n");
	expect_error(scene, "wherry stats --no-stream -o xml c", 1,
		     "wherry: stats: -o xml: is neither table nor json\n");
}

static void processes_have_the_columns_of_ps(void **state)
{
	struct scene *scene = *state;
	done(scene,
	     "wherry run -d --name c --network none busybox sh -c 'sleep 1000 & sleep 2000'");
	done(scene, "until wherry top c | grep -q 'sleep 2000'; do :; done");
	expect(scene, "wherry top c | head -1 | tr -s ' '; wherry top c | grep -c sleep", 0,
	       "UID PID PPID C STIME TTY TIME CMD\n2\n");
	expect(scene, "wherry top c | awk '/sleep 1000$/ { print $1, $6, $8, $9 }'", 0,
	       "root ? sleep 1000\n");
	expect(scene, "wherry top c -o pid,comm | awk 'NR > 1 { print $2 }' | sort", 0,
	       "sleep\nsleep\n");
	expect_error(scene, "wherry top c -o comm", 1,
		     "wherry: top: ps: the column PID is needed to know whose a process is\n");
	expect_error(scene, "wherry top c --nonsense", 1,
		     "wherry: top: ps does not take these options: status 1\n");
	done(scene, "wherry stop -t 0 c");
	expect_error(scene, "wherry top c", 1, "wherry: top: container c does not run\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ENGINE(numbers_are_those_of_the_container),
		ENGINE(processes_have_the_columns_of_ps),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
