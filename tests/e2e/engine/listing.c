/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Filters and templates of the lists, as Docker's users write them. */
#include "kit.h"

#define NAMES "--format '{{.Names}}' | sort | tr '\\n' ' '"

static void filters_of_ps_choose_containers(void **state)
{
	static const struct {
		const char *words, *names;
	} rows[] = {
		{ "-f name=one", "one " },
		{ "-a -f name=one -f name=two", "one two " },
		{ "-a -f name=tw -f status=exited", "two " },
		{ "-f exited=3", "two " },
		{ "-a -f exited=3 -f exited=0", "three two " },
		{ "-a -f label=a", "one two " },
		{ "-a -f label=a -f label=b=2", "two " },
		{ "-a -f volume=v", "one " },
		{ "-a -f volume=/data", "one " },
		{ "-a -f before=two", "one " },
		{ "-a -f since=one", "three two " },
		{ "-a -f ancestor=busybox", "one three two " },
		{ "-a -f ancestor=busybox:latest -f network=none", "one three two " },
		{ "-l", "three " },
		{ "-n 2", "three two " },
		{ "-a -f name=nosuch", "" },
	};
	struct scene *scene = *state;
	done(scene, "wherry run -d --name one -l a=1 -v v:/data --network none busybox sleep 1000; "
		    "wherry run --name two -l a=2 -l b=2 --network none busybox sh -c 'exit 3'; "
		    "wherry run --name three --network none busybox true");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char line[256];
		snprintf(line, sizeof line, "wherry ps %s " NAMES, rows[i].words);
		expect(scene, line, 0, rows[i].names);
	}
	done(scene, "wherry ps -s | head -1 | grep -q SIZE && wherry ps -s --format '{{.Size}}' | "
		    "grep -q B");
	expect_error(scene, "wherry ps -f colour=red", 1,
		     "wherry: ps: --filter colour=red: known are name=, status=, id=, label=, "
		     "network=, ancestor=, volume=, exited=, health=, before=, since=\n");
	expect_error(scene, "wherry ps -f since=ghost", 1,
		     "wherry: ps: --filter: no such container: ghost\n");
}

static void templates_go_through_lists_and_maps(void **state)
{
	struct scene *scene = *state;
	done(scene, "wherry network create --subnet 10.77.0.0/24 n && "
		    "wherry run -d --name c --network n -l k=v -p 8080:80 busybox sleep 1000");
	expect(scene,
	       "wherry inspect -f '{{range $n, $v := .NetworkSettings.Networks}}{{$n}} "
	       "{{$v.IPAddress}}{{end}}' c; "
	       "wherry inspect -f '{{range .Config.Cmd}}<{{.}}>{{end}}' c; "
	       "wherry inspect -f '{{join .Config.Cmd \" \"}} {{.Config.Cmd}}' c; "
	       "wherry inspect -f '{{(index (index .NetworkSettings.Ports \"80/tcp\") "
	       "0).HostPort}}' c; "
	       "wherry inspect -f '{{index .Config.Labels \"k\"}}' c",
	       0, "n 10.77.0.2\n<sleep><1000>\nsleep 1000 [sleep 1000]\n8080\nv\n");
	expect(scene, "wherry ps --format 'table {{.Names}}\\t{{upper .State}}'", 0,
	       "NAMES   STATE\nc       RUNNING\n");
	expect(scene,
	       "wherry network ls -f name=n --format '{{.Name}}'; "
	       "wherry network ls -q -f driver=none; wherry network ls -f label=x -q",
	       0, "n\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ENGINE(filters_of_ps_choose_containers),
		ENGINE(templates_go_through_lists_and_maps),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
