/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/loop.h"
#include "base/process.h"

#define OUTPUT_MAX 100000

/* Runs a line of shell; the output is the caller's. */
static int run_shell(const char *line, const char *input, int timeout_ms, char **ret_output,
		     int *ret_status, struct error *err)
{
	char *argv[] = { (char *)(uintptr_t) "sh", (char *)(uintptr_t) "-c",
			 (char *)(uintptr_t)line, NULL };
	struct process_spec spec = {
		.path = "/bin/sh", .argv = argv, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1
	};
	size_t size;
	return process_run(&spec, input, strlen(input), OUTPUT_MAX, timeout_ms, ret_output, &size,
			   ret_status, err);
}

static void exit_codes_and_output_are_collected(void **state)
{
	static const struct {
		const char *line, *input, *output;
		int status;
	} rows[] = {
		{ "cat", "in\n", "in\n", 0 },
		{ "exit 3", "", "", 3 },
		{ "kill -9 $$", "", "", 128 + 9 },
		{ "exit 0", "nobody reads this", "", 0 },
		{ "trap - PIPE; kill -PIPE $$", "", "", 128 + 13 },
		/* A grandchild that holds the output does not hold us. */
		{ "sleep 100 & echo $! >pid; echo now", "", "now\n", 0 },
	};
	char folder[32];
	auto_free char *pid = NULL;
	size_t size;
	struct error err;
	(void)state;
	make_folder(folder);
	assert_int_equal(chdir(folder), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		auto_free char *output = NULL;
		int status;
		MUST(run_shell(rows[i].line, rows[i].input, 20000, &output, &status, &err), err);
		CHECK_ROW(i, rows[i].line, status == rows[i].status);
		CHECK_ROW(i, rows[i].line, strcmp(output, rows[i].output) == 0);
	}
	MUST(file_read("pid", 20, &pid, &size, &err), err);
	kill((pid_t)strtol(pid, NULL, 10), SIGKILL);
	assert_int_equal(chdir("/"), 0);
	MUST(tree_remove(folder, &err), err);
}

static void long_output_is_cut_and_does_not_block(void **state)
{
	auto_free char *output = NULL;
	int status;
	struct error err;
	(void)state;
	MUST(run_shell("head -c 3000000 /dev/zero | tr '\\0' x", "", 20000, &output, &status, &err),
	     err);
	assert_int_equal(status, 0);
	assert_int_equal(strlen(output), OUTPUT_MAX);
}

static void time_is_limited(void **state)
{
	char *output;
	int status;
	struct error err;
	(void)state;
	uint64_t start_ms = clock_monotonic_ms();
	assert_int_equal(run_shell("exec sleep 100", "", 50, &output, &status, &err), -ETIMEDOUT);
	assert_true(clock_monotonic_ms() - start_ms < 10000);
}

static void what_cannot_run_says_so(void **state)
{
	char *argv[] = { (char *)(uintptr_t) "x", NULL };
	struct process_spec spec = {
		.path = "/nowhere/x", .argv = argv, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1
	};
	pid_t pid;
	int pidfd;
	struct error err;
	(void)state;
	assert_int_equal(process_start(&spec, &pid, &pidfd, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/nowhere/x"));
	spec.path = "/etc/passwd";
	assert_int_equal(process_start(&spec, &pid, &pidfd, &err), -EACCES);
}

/* stdin at 1, stdout at 0: each at the place of the other. */
static void descriptors_may_stand_at_each_others_place(void **state)
{
	struct error err;
	int in[2], out[2], status, pidfd;
	char seen[16] = "";
	pid_t pid;
	(void)state;
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(write(in[1], "crossed", 7), 7);
	close(in[1]);
	pid = fork();
	if (pid == 0) {
		char *argv[] = { (char *)(uintptr_t) "cat", NULL };
		struct process_spec spec = { .path = "/bin/cat",
					     .argv = argv,
					     .stdin_fd = 1,
					     .stdout_fd = 0,
					     .stderr_fd = -1 };
		dup2(in[0], 1);
		dup2(out[1], 0);
		if (process_start(&spec, &pid, &pidfd, &err) < 0 ||
		    process_wait(pid, &status, &err) < 0)
			_exit(99);
		_exit(status);
	}
	close(out[1]);
	MUST(process_wait(pid, &status, &err), err);
	assert_int_equal(status, 0);
	assert_int_equal(read(out[0], seen, sizeof seen - 1), 7);
	assert_string_equal(seen, "crossed");
	close(in[0]);
	close(out[0]);
}

static void children_inherit_three_descriptors_and_no_signals(void **state)
{
	auto_free char *output = NULL;
	auto_fd inherited = open("/dev/null", O_RDONLY); /* without O_CLOEXEC */
	int status;
	struct error err;
	sigset_t blocked, before;
	(void)state;
	sigfillset(&blocked);
	signal(SIGHUP, SIG_IGN);
	sigprocmask(SIG_BLOCK, &blocked, &before);
	int r = run_shell("ls /proc/self/fd | wc -l;"
			  "sed -nE '/SigBlk|SigIgn/s/(.*:).*(.{7})$/\\1\\2/p' /proc/self/status",
			  "", 20000, &output, &status, &err);
	sigprocmask(SIG_SETMASK, &before, NULL);
	signal(SIGHUP, SIG_DFL);
	MUST(r, err);
	/* The fourth is the folder that ls lists. glibc keeps signals 32 and 33 for itself. */
	assert_string_equal(output, "4\nSigBlk:0000000\nSigIgn:0000000\n");
}

static void identity_outlives_neither_process_nor_zombie(void **state)
{
	struct process_identity own, child;
	struct error err;
	int ends[2];
	char byte, name[32];
	(void)state;
	MUST(process_identify(getpid(), &own, &err), err);
	assert_true(process_is_alive(own));
	own.start_time++;
	assert_false(process_is_alive(own));
	process_name(getpid(), name, sizeof name);
	assert_string_equal(name, "test-base-proce");
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid_t pid = fork();
	if (pid == 0) {
		close(ends[1]);
		_exit(read(ends[0], &byte, 1) != 0);
	}
	MUST(process_identify(pid, &child, &err), err);
	assert_true(process_is_alive(child));
	close(ends[1]);
	siginfo_t info;
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_false(process_is_alive(child)); /* a zombie still */
	waitpid(pid, NULL, 0);
	assert_int_equal(process_identify(pid, &child, &err), -ESRCH);
	process_name(pid, name, sizeof name);
	assert_string_equal(name, "?");
	close(ends[0]);
}

/* kill(2) returns while its victim still waits for the processor. */
static void a_killed_process_is_dead_at_once(void **state)
{
	(void)state;
	for (int i = 0; i < 200; i++) {
		struct process_identity child;
		struct error err;
		pid_t pid = fork();
		while (pid == 0)
			continue;
		MUST(process_identify(pid, &child, &err), err);
		assert_true(process_is_alive(child));
		kill(pid, SIGKILL);
		assert_false(process_is_alive(child));
		waitpid(pid, NULL, 0);
	}
}

static int note_place(void *context, struct error *err)
{
	int *seen = context;
	*seen = netns_is_own(seen[1]);
	return error_set(err, EPIPE, "as told");
}

static void namespaces_are_visited_and_left(void **state)
{
	struct error err;
	auto_fd own = -1;
	uint64_t own_cookie, other_cookie;
	(void)state;
	MUST(netns_open("/proc/thread-self/ns/net", &own, &err), err);
	assert_true(netns_is_own(own));
	if (unshare(CLONE_NEWNET) < 0)
		skip();
	assert_false(netns_is_own(own));
	int seen[2] = { 0, own };
	assert_int_equal(netns_run(own, note_place, seen, &err), -EPIPE);
	assert_true(seen[0]);
	assert_false(netns_is_own(own));
	auto_fd other = -1;
	MUST(netns_open("/proc/thread-self/ns/net", &other, &err), err);
	MUST(netns_cookie(own, &own_cookie, &err), err);
	MUST(netns_cookie(other, &other_cookie, &err), err);
	assert_true(own_cookie != other_cookie && other_cookie != 0);
	assert_int_equal(setns(own, CLONE_NEWNET), 0);
}

static void what_is_no_namespace_is_refused(void **state)
{
	static const struct {
		const char *path;
		int result;
	} rows[] = {
		{ "/nowhere", -ENOENT },
		{ "/etc/passwd", -EINVAL },
		{ "/proc/self/ns/mnt", -EINVAL },
		{ "/dev/null", -EINVAL },
		{ "/tmp", -EINVAL },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error err = { 0 };
		int fd;
		int r = netns_open(rows[i].path, &fd, &err);
		CHECK_ROW(i, rows[i].path, r == rows[i].result);
		CHECK_ROW(i, rows[i].path, strstr(err.text, rows[i].path));
	}
}

static void boots_have_an_identity(void **state)
{
	char first[37], second[37];
	struct error err;
	(void)state;
	MUST(boot_id(first, &err), err);
	MUST(boot_id(second, &err), err);
	assert_int_equal(strlen(first), 36);
	assert_string_equal(first, second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exit_codes_and_output_are_collected),
		cmocka_unit_test(long_output_is_cut_and_does_not_block),
		cmocka_unit_test(time_is_limited),
		cmocka_unit_test(what_cannot_run_says_so),
		cmocka_unit_test(descriptors_may_stand_at_each_others_place),
		cmocka_unit_test(children_inherit_three_descriptors_and_no_signals),
		cmocka_unit_test(identity_outlives_neither_process_nor_zombie),
		cmocka_unit_test(a_killed_process_is_dead_at_once),
		cmocka_unit_test(namespaces_are_visited_and_left),
		cmocka_unit_test(what_is_no_namespace_is_refused),
		cmocka_unit_test(boots_have_an_identity),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
