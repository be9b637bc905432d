/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Containers that run and go on running: paused, joined, changed; and their ports. */
#include "kit.h"

#define STATE "wherry ps -a --format '{{.State}}'"

static void a_paused_container_stands_still_until_it_goes_on(void **state)
{
	struct scene *scene = *state;
	done(scene, "wherry run -d --name c --network none busybox sh -c "
		    "'while :; do date +%N >/t; done'");
	expect(scene, "wherry pause c", 0, "c\n");
	expect(scene, STATE "; wherry inspect -f '{{.State.Paused}}' c", 0, "paused\ntrue\n");
	done(scene, "wherry ps --format '{{.Status}}' | grep -q '(Paused)$'");
	done(scene, "R=/proc/$(wherry inspect -f '{{.State.Pid}}' c)/root/t; A=$(cat $R); "
		    "sleep 0.2; [ \"$(cat $R)\" = \"$A\" ]");
	expect_error(scene, "wherry pause c", 1, "wherry: pause: container c is paused already\n");
	expect_error(scene, "wherry exec c true", 125,
		     "wherry: exec: container c is paused: `wherry unpause c` first\n");
	expect(scene, "wherry unpause c", 0, "c\n");
	expect_error(scene, "wherry unpause c", 1, "wherry: unpause: container c is not paused\n");
	expect(scene, STATE "; wherry exec c echo heard", 0, "running\nheard\n");
}

static void a_paused_container_can_be_ended(void **state)
{
	static const char *const lines[] = { "wherry stop c && wherry rm c",
					     "wherry kill c; wherry rm c", "wherry rm -f c" };
	struct scene *scene = *state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		done(scene, "wherry run -d --name c --init --network none busybox sleep 100 && "
			    "wherry pause c");
		done(scene, lines[i]);
		expect(scene, "wherry ps -aq", 0, "");
	}
	done(scene, "wherry create --name c --network none busybox true");
	expect_error(scene, "wherry pause c", 1, "wherry: pause: container c does not run\n");
}

static void an_attached_verb_gets_the_output_and_the_exit_code(void **state)
{
	struct scene *scene = *state;
	done(scene, "wherry run -d -i --name c --network none busybox "
		    "sh -c 'read a; echo got $a; exit 5'");
	expect(scene, "echo word | wherry attach c", 5, "got word\n");
	expect_error(scene, "wherry attach c", 1,
		     "wherry: attach: container c does not run: `wherry start -a c` does both\n");
	done(scene, "wherry start c && wherry pause c");
	expect_error(scene, "wherry attach c", 1,
		     "wherry: attach: container c is paused: `wherry unpause c` first\n");
}

static void detach_keys_leave_a_container_that_runs_on(void **state)
{
	static const struct {
		const char *flags, *keys;
	} rows[] = { { "", "\\020\\021" }, { "--detach-keys ctrl-x,q", "\\030q" } };
	struct scene *scene = *state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char line[768];
		snprintf(line, sizeof line,
			 "{ until wherry ps -q | grep -q .; do :; done; until wherry logs c 2>&- | "
			 "grep -q ready; do :; done; printf '%s'; cat; } | timeout 60 script -qec "
			 "\"wherry run -it %s --name c --network none busybox sh -c 'echo ready; "
			 "exec sleep 100'\" /dev/null",
			 rows[i].keys, rows[i].flags);
		done(scene, line);
		expect(scene, STATE, 0, "running\n");
		snprintf(line, sizeof line,
			 "{ sleep 0.5; printf '%s'; cat; } | timeout 60 script -qec "
			 "\"wherry attach %s c\" /dev/null | grep -q detached",
			 rows[i].keys, rows[i].flags);
		done(scene, line);
		expect(scene, STATE "; wherry rm -f c", 0, "running\nc\n");
	}
	expect_error(scene, "wherry run --detach-keys ctrl-1 busybox true", 125,
		     "wherry: run: --detach-keys ctrl-1: the form is KEY,KEY… of a letter or ctrl- "
		     "and one of a-z @ [ \\ ] ^ _\n");
}

static void limits_and_policy_change_while_it_runs(void **state)
{
	struct scene *scene = *state;
	done(scene, "wherry run -d --name c --pids-limit 50 --network none busybox sleep 100");
	expect(scene, "wherry update --pids-limit 3 --restart on-failure:1 c", 0, "c\n");
	expect(scene, "wherry inspect -f '{{.HostConfig.RestartPolicy.Name}}' c", 0,
	       "on-failure:1\n");
	assert_int_not_equal(
		shell(scene, "wherry exec c sh -c 'sleep 5 & sleep 5 & sleep 5 & sleep 5 & wait'"),
		0);
	done(scene, "kill -9 $(wherry inspect -f '{{.State.Pid}}' c)");
	done(scene,
	     "timeout 20 sh -c 'until [ \"$(wherry inspect -f '{{.RestartCount}}' c)\" = 1 ]; "
	     "do :; done'");
	expect_error(scene, "wherry update c", 1,
		     "wherry: update: nothing to change: --memory, --cpus, --pids-limit or "
		     "--restart\n");
	expect_error(scene, "wherry update --restart perhaps c 2>&1 >&- | grep -c perhaps >&2", 0,
		     "1\n");
}

static void published_ports_are_shown(void **state)
{
	struct scene *scene = *state;
	done(scene, "wherry run -d --name c -p 8080:80 -p 192.0.2.1:53:53/udp busybox sleep 100");
	expect(scene, "wherry port c | sort", 0,
	       "53/udp -> 192.0.2.1:53\n80/tcp -> 0.0.0.0:8080\n");
	expect(scene, "wherry port c 80; wherry port c 53/udp", 0, "0.0.0.0:8080\n192.0.2.1:53\n");
	expect_error(scene, "wherry port c 53", 1,
		     "wherry: port: container c publishes no port 53\n");
}

static void changed_files_are_listed_and_all_are_exported(void **state)
{
	static const char *const before_start[] = { "wherry start -a c", "wherry start c" };
	struct scene *scene = *state;
	done(scene, "wherry create --name c -v v:/data busybox "
		    "sh -c 'rm /etc/group; echo x >>/etc/passwd; mkdir -p /new; echo y >/new/f; "
		    "echo z >/data/f; echo ok; sleep 0.3'");
	for (size_t i = 0; i < ARRAY_SIZE(before_start); i++) {
		done(scene, before_start[i]);
		done(scene, "until wherry logs c | grep -q ok; do :; done");
		expect(scene, "wherry diff c", 0,
		       "C /etc\nD /etc/group\nC /etc/passwd\nA /new\nA /new/f\n");
		expect(scene,
		       "wherry export c | tar -tf - | grep -E '^(./)?(new|etc|data|bin/sh$)' | "
		       "grep -v -E 'etc/(hosts|hostname|resolv.conf)'",
		       0, "bin/sh\ndata\netc\netc/passwd\nnew\nnew/f\n");
	}
	done(scene, "wherry export -o $D/c.tar c && tar -xOf $D/c.tar new/f | grep -qx y && "
		    "! ls $WHERRY_ROOT/var/lib/wherry/containers/* | grep -q export");
	expect_error(scene, "wherry export -o $D/no/c.tar c 2>&1 | sed 's,--output .*/no,,' >&2", 0,
		     "wherry: export: /c.tar: No such file or directory\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ENGINE(a_paused_container_stands_still_until_it_goes_on),
		ENGINE(a_paused_container_can_be_ended),
		ENGINE(an_attached_verb_gets_the_output_and_the_exit_code),
		ENGINE(detach_keys_leave_a_container_that_runs_on),
		ENGINE(limits_and_policy_change_while_it_runs),
		ENGINE(published_ports_are_shown),
		ENGINE(changed_files_are_listed_and_all_are_exported),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
