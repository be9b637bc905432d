/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From creation to the end: two steps, exec, terminal, init, and what failure leaves.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kit.h"

/* A container that runs "pause", and what is needed to end it. */
static void start_waiting(struct box *box, struct oci_container *ret_container)
{
	static const int stdio[3] = { -1, 1, 2 };
	box_command(box, "pause");
	MUST(oci_create(&box->spec, stdio, ret_container, &box->err), box->err);
	MUST(oci_start(ret_container, &box->err), box->err);
}

static void end(struct box *box, struct oci_container *container)
{
	kill(container->pid, SIGKILL);
	waitpid(container->pid, NULL, 0);
	oci_container_close(container);
	MUST(oci_cleanup(&box->spec, &box->err), box->err);
}

static int exec_inside(struct box *box, pid_t init, const char *words)
{
	int ends[2];
	struct oci_container started;
	struct oci_process process = box->spec.process;
	process.args = (struct words){ 0 };
	MUST(words_split(words, ' ', &process.args, &box->err), box->err);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	int stdio[3] = { -1, ends[1], 2 };
	int r = oci_exec(&box->spec, init, &process, stdio, &started, &box->err);
	close(ends[1]);
	if (r == 0) {
		box_read(box, ends[0]);
		waitpid(started.pid, &box->status, 0);
		oci_container_close(&started);
	}
	close(ends[0]);
	words_free(&process.args);
	return r;
}

static void the_exit_code_is_the_programs(void **state)
{
	struct box *box = *state;
	box_command(box, "exit 7");
	MUST(box_run(box), box->err);
	assert_true(WIFEXITED(box->status) && WEXITSTATUS(box->status) == 7);
}

static void a_created_container_waits_and_has_a_network_namespace(void **state)
{
	struct box *box = *state;
	struct oci_container container;
	static const int stdio[3] = { -1, 1, 2 };
	box_command(box, "exit 0");
	MUST(oci_create(&box->spec, stdio, &container, &box->err), box->err);
	char path[64], theirs[64] = "", ours[64] = "";
	snprintf(path, sizeof path, "/proc/%d/ns/net", (int)container.pid);
	assert_true(readlink(path, theirs, sizeof theirs - 1) > 0);
	assert_true(readlink("/proc/self/ns/net", ours, sizeof ours - 1) > 0);
	assert_string_not_equal(theirs, ours);
	assert_int_equal(waitpid(container.pid, NULL, WNOHANG), 0);
	MUST(oci_start(&container, &box->err), box->err);
	assert_int_equal(waitpid(container.pid, NULL, 0), container.pid);
	oci_container_close(&container);
	MUST(oci_cleanup(&box->spec, &box->err), box->err);
}

/* A creator that dies between the two steps leaves no process waiting for ever. */
static void a_container_that_nobody_can_start_ends(void **state)
{
	struct box *box = *state;
	struct oci_container container;
	static const int stdio[3] = { -1, 1, 2 };
	int status;
	box_command(box, "exit 0");
	MUST(oci_create(&box->spec, stdio, &container, &box->err), box->err);
	oci_container_close(&container);
	assert_int_equal(waitpid(container.pid, &status, 0), container.pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 127);
	MUST(oci_cleanup(&box->spec, &box->err), box->err);
}

static void a_command_that_cannot_run_is_told_by_its_code(void **state)
{
	static const struct {
		const char *command;
		int code;
		const char *text;
	} rows[] = {
		{ "nothing", ENOENT, "exec: \"nothing\": executable file not found in $PATH" },
		{ "/no/thing", ENOENT, "exec: \"/no/thing\": no such file or directory" },
		{ "/etc", EACCES, "exec: \"/etc\": permission denied" },
		{ "/plain", EACCES, "exec: \"/plain\": permission denied" },
		{ "/empty", ENOEXEC, "exec: \"/empty\": exec format error" },
	};
	struct box *box = *state;
	char path[PATH_MAX];
	box_path(box, "plain", path, sizeof path);
	close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
	box_path(box, "empty", path, sizeof path);
	close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0755));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		words_free(&box->spec.process.args);
		MUST(words_append(&box->spec.process.args, rows[i].command, &box->err), box->err);
		int r = box_run(box);
		CHECK_ROW(i, rows[i].command,
			  r == -rows[i].code && strcmp(box->err.text, rows[i].text) == 0);
	}
}

static void a_failed_creation_leaves_nothing(void **state)
{
	struct box *box = *state;
	box_command(box, "id");
	MUST(oci_spec_add_mount(&box->spec, "bind", "/no/such/source", "/mnt", "bind", &box->err),
	     box->err);
	assert_int_equal(box_run(box), -ENOENT);
	assert_non_null(strstr(box->err.text, "/no/such/source"));
	assert_false(kit_group_exists(box->spec.cgroup_path));
	assert_true(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
}

static void exec_joins_all_namespaces_and_groups(void **state)
{
	struct box *box = *state;
	struct oci_container container;
	start_waiting(box, &container);
	static const char *const names[] = { "mnt", "pid", "uts", "ipc", "net", "cgroup" };
	MUST(exec_inside(box, container.pid, "inside namespaces"), box->err);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char path[64], link[64] = "";
		snprintf(path, sizeof path, "/proc/%d/ns/%s", (int)container.pid, names[i]);
		assert_true(readlink(path, link, sizeof link - 1) > 0);
		CHECK_ROW(i, names[i], strstr(box->output, link));
	}
	MUST(exec_inside(box, container.pid, "inside status"), box->err);
	assert_non_null(strstr(box->output, "CapEff:\t00000000a80425fb"));
	assert_non_null(strstr(box->output, "Seccomp:\t2"));
	MUST(exec_inside(box, container.pid, "inside show /proc/self/cgroup"), box->err);
	/* A process of another group would see "/../…" here. */
	assert_true(strstr(box->output, "pids:/\n") || strcmp(box->output, "0::/\n") == 0);
	MUST(exec_inside(box, container.pid, "inside descriptors"), box->err);
	assert_string_equal(box->output, "0\n1\n2\n");
	assert_int_equal(exec_inside(box, container.pid, "nothing"), -ENOENT);
	end(box, &container);
}

static void exec_finds_a_container_that_has_ended_gone(void **state)
{
	struct box *box = *state;
	struct oci_container container;
	start_waiting(box, &container);
	pid_t pid = container.pid;
	end(box, &container);
	assert_int_equal(exec_inside(box, pid, "inside id"), -ESRCH);
}

static void exec_does_not_wait_for_a_paused_container(void **state)
{
	struct box *box = *state;
	struct oci_container container;
	start_waiting(box, &container);
	MUST(oci_pause(&box->spec, &box->err), box->err);
	assert_true(oci_is_paused(&box->spec));
	assert_int_equal(exec_inside(box, container.pid, "inside id"), -EBUSY);
	MUST(oci_resume(&box->spec, &box->err), box->err);
	assert_false(oci_is_paused(&box->spec));
	MUST(exec_inside(box, container.pid, "inside id"), box->err);
	end(box, &container);
}

static void an_init_reaps_and_passes_the_exit_code(void **state)
{
	struct box *box = *state;
	box->spec.init = true;
	assert_string_equal(box_output(box, "orphan"), "reaped\n");
	assert_string_equal(box_output(box, "id"), "0 0 2\n");
	box_command(box, "exit 9");
	MUST(box_run(box), box->err);
	assert_true(WIFEXITED(box->status) && WEXITSTATUS(box->status) == 9);
	words_free(&box->spec.process.args);
	MUST(words_append(&box->spec.process.args, "nothing", &box->err), box->err);
	assert_int_equal(box_run(box), -ENOENT);
}

static void without_an_init_orphans_stay(void **state)
{
	assert_string_equal(box_output(*state, "orphan"), "zombie\n");
}

static void an_init_forwards_signals(void **state)
{
	struct box *box = *state;
	struct oci_container container;
	int ends[2];
	char line[8] = "";
	box->spec.init = true;
	box_command(box, "term");
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	int stdio[3] = { -1, ends[1], 2 };
	MUST(oci_create(&box->spec, stdio, &container, &box->err), box->err);
	MUST(oci_start(&container, &box->err), box->err);
	close(ends[1]);
	assert_int_equal(read(ends[0], line, 6), 6); /* "ready\n" */
	kill(container.pid, SIGTERM);
	box_read(box, ends[0]);
	close(ends[0]);
	assert_string_equal(box->output, "signal 15\n");
	end(box, &container);
}

static void an_init_does_not_show_how_it_was_called(void **state)
{
	struct box *box = *state;
	box->spec.init = true;
	const char *seen = box_output(box, "show /proc/1/cmdline");
	assert_string_equal(seen, "wherry-init");
	/* That of others is readable by root only with its capabilities, and this is one. */
	assert_string_equal(box_output(box, "show /proc/1/environ"), "EACCES\n");
}

static void a_terminal_is_the_containers_own(void **state)
{
	struct box *box = *state;
	struct oci_container container;
	struct winsize size = { 0 };
	static const int stdio[3] = { -1, -1, -1 };
	box->spec.process.terminal = true;
	box->spec.process.terminal_rows = 33;
	box->spec.process.terminal_columns = 77;
	box_command(box, "terminal");
	MUST(oci_create(&box->spec, stdio, &container, &box->err), box->err);
	assert_true(container.terminal_fd >= 0);
	assert_int_equal(ioctl(container.terminal_fd, TIOCGWINSZ, &size), 0);
	assert_true(size.ws_row == 33 && size.ws_col == 77);
	MUST(oci_start(&container, &box->err), box->err);
	box_read(box, container.terminal_fd);
	assert_string_equal(box->output, "111\r\ncontrolling\r\nconsole\r\n");
	waitpid(container.pid, NULL, 0);
	oci_container_close(&container);
	MUST(oci_cleanup(&box->spec, &box->err), box->err);
}

/* CVE-2019-5736: what runs before the program is a file of the host, seen in /proc. */
static void the_runtimes_program_cannot_be_written(void **state)
{
	struct box *box = *state;
	struct oci_container container;
	static const int stdio[3] = { -1, 1, 2 };
	struct statvfs status;
	char path[64];
	box_command(box, "exit 0");
	MUST(oci_create(&box->spec, stdio, &container, &box->err), box->err);
	snprintf(path, sizeof path, "/proc/%d/exe", (int)container.pid);
	assert_int_equal(statvfs(path, &status), 0);
	assert_true(status.f_flag & ST_RDONLY);
	end(box, &container);
}

static void two_containers_are_strangers(void **state)
{
	struct box *box = *state;
	struct oci_container container;
	start_waiting(box, &container);
	MUST(exec_inside(box, container.pid, "inside list /proc"), box->err);
	char own[16];
	snprintf(own, sizeof own, "%d\n", (int)getpid());
	assert_null(strstr(box->output, own));
	end(box, &container);
}

int main(int argc, char **argv)
{
	(void)argc;
	kit_begin(argv);
#define ROW(name) cmocka_unit_test_setup_teardown(name, box_setup, box_teardown)
	const struct CMUnitTest tests[] = {
		ROW(the_exit_code_is_the_programs),
		ROW(a_created_container_waits_and_has_a_network_namespace),
		ROW(a_container_that_nobody_can_start_ends),
		ROW(a_command_that_cannot_run_is_told_by_its_code),
		ROW(a_failed_creation_leaves_nothing),
		ROW(exec_joins_all_namespaces_and_groups),
		ROW(exec_finds_a_container_that_has_ended_gone),
		ROW(exec_does_not_wait_for_a_paused_container),
		ROW(an_init_reaps_and_passes_the_exit_code),
		ROW(without_an_init_orphans_stay),
		ROW(an_init_forwards_signals),
		ROW(an_init_does_not_show_how_it_was_called),
		ROW(a_terminal_is_the_containers_own),
		ROW(the_runtimes_program_cannot_be_written),
		ROW(two_containers_are_strangers),
	};
	return cmocka_run_group_tests_name("oci-life", tests, NULL, NULL);
}
