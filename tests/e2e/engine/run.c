/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `run`: what goes in and comes out of a container. */
#include "kit.h"

#define RUN "wherry run --rm --network none "

static void exit_codes_are_the_commands_own(void **state)
{
	static const struct {
		const char *line;
		int status;
	} rows[] = {
		{ RUN "busybox true", 0 },
		{ RUN "busybox sh -c 'exit 7'", 7 },
		{ RUN "--init busybox sh -c 'kill -TERM $$'", 143 },
		{ RUN "--entrypoint false busybox", 1 },
	};
	struct scene *scene = *state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		expect(scene, rows[i].line, rows[i].status, "");
}

static void output_and_input_are_carried_whole(void **state)
{
	struct scene *scene = *state;
	expect(scene, "echo hello | " RUN "-i busybox cat", 0, "hello\n");
	expect(scene, "head -c 3000000 /dev/zero | " RUN "-i busybox wc -c", 0, "3000000\n");
	expect(scene, RUN "busybox head -c 3000000 /dev/zero | wc -c", 0, "3000000\n");
	expect(scene, RUN "busybox sh -c 'echo out; echo err >&2' 2>/dev/null", 0, "out\n");
}

static void flags_reach_the_process(void **state)
{
	static const struct {
		const char *flags, *command, *output;
	} rows[] = {
		{ "-e A=1 -e B", "sh -c 'echo $A-$B'", "1-two\n" },
		{ "-w /tmp", "pwd", "/tmp\n" },
		{ "-u app", "id -u", "1000\n" },
		{ "-u 12:34", "sh -c 'id -u; id -g'", "12\n34\n" },
		{ "--hostname box", "hostname", "box\n" },
		{ "--read-only", "sh -c 'touch /x 2>/dev/null || echo refused'", "refused\n" },
		{ "--tmpfs /run", "sh -c 'touch /run/x && echo done'", "done\n" },
		{ "-v vol:/data", "sh -c 'echo kept >/data/f'", "" },
		{ "-v vol:/data:ro", "sh -c 'cat /data/f; touch /data/g 2>/dev/null || echo ro'",
		  "kept\nro\n" },
		{ "--add-host peer:10.9.9.9", "grep peer /etc/hosts", "10.9.9.9\tpeer\n" },
		{ "--cap-drop CHOWN", "sh -c 'chown 1 /tmp 2>/dev/null || echo refused'",
		  "refused\n" },
		{ "--security-opt no-new-privileges", "grep NoNewPrivs /proc/self/status",
		  "NoNewPrivs:\t1\n" },
	};
	struct scene *scene = *state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		auto_text line = { 0 };
		text_append(&line, "export B=two; " RUN "%s busybox %s", rows[i].flags,
			    rows[i].command);
		expect(scene, line.data, 0, rows[i].output);
	}
}

static void a_container_with_rm_leaves_nothing(void **state)
{
	struct scene *scene = *state;
	done(scene, "wherry run --rm busybox true");
	settle_links(scene);
	auto_free char *before = scene_snapshot(scene);
	done(scene, "wherry run --rm -p 8080:80 -v /anonymous busybox true");
	expect(scene, "wherry ps -aq", 0, "");
	settle_links(scene);
	scene_assert_unchanged(scene, before);
}

static void a_command_that_cannot_run_says_so_and_leaves_nothing(void **state)
{
	struct scene *scene = *state;
	expect_error(scene, "wherry run --network none busybox nonsense", 127,
		     "wherry: run: exec: \"nonsense\": executable file not found in $PATH\n");
	expect_error(scene, "wherry run --network none busybox /etc/passwd", 126,
		     "wherry: run: exec: \"/etc/passwd\": permission denied\n");
	expect(scene, "wherry ps -aq", 0, "");
}

static void exec_runs_in_the_container(void **state)
{
	struct scene *scene = *state;
	done(scene, "wherry run -d --name c --network none --hostname box busybox sleep 100");
	expect(scene, "wherry exec c hostname", 0, "box\n");
	expect(scene, "echo in | wherry exec -i -e A=1 c sh -c 'cat; echo $A; exit 5'", 5,
	       "in\n1\n");
	expect(scene, "wherry exec -u app -w /tmp c sh -c 'id -u; pwd'", 0, "1000\n/tmp\n");
	expect_error(scene, "wherry exec c nonsense", 127,
		     "wherry: exec: exec: \"nonsense\": executable file not found in $PATH\n");
}

static void a_terminal_has_its_size_before_the_first_byte(void **state)
{
	struct scene *scene = *state;
	const char *output =
		done(scene, "script -qec 'stty rows 33 cols 77; wherry run -it --rm --network none "
			    "busybox stty size' /dev/null </dev/null");
	assert_non_null(strstr(output, "33 77\r\n"));
}

static void explain_tells_the_steps_and_does_the_verb(void **state)
{
	struct scene *scene = *state;
	assert_int_equal(shell(scene, "wherry explain run --rm busybox echo done"), 0);
	assert_string_equal(scene_output(scene), "done\n");
	assert_non_null(strstr(scene_errors(scene), "link pair: "));
	assert_non_null(strstr(scene_errors(scene), "the program runs\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ENGINE(exit_codes_are_the_commands_own),
		ENGINE(output_and_input_are_carried_whole),
		ENGINE(flags_reach_the_process),
		ENGINE(a_container_with_rm_leaves_nothing),
		ENGINE(a_command_that_cannot_run_says_so_and_leaves_nothing),
		ENGINE(exec_runs_in_the_container),
		ENGINE(a_terminal_has_its_size_before_the_first_byte),
		ENGINE(explain_tells_the_steps_and_does_the_verb),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
