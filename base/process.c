/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs: started with nothing of ours but three descriptors, and collected. */
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/loop.h"
#include "base/text.h"

#define STEP 16384

static int add_descriptors(posix_spawn_file_actions_t *actions, const struct process_spec *spec)
{
	const int wanted[3] = { spec->stdin_fd, spec->stdout_fd, spec->stderr_fd };
	int code = 0;
	for (int i = 0; i < 3 && code == 0; i++)
		code = wanted[i] < 0 ? posix_spawn_file_actions_addopen(actions, i, "/dev/null",
									i ? O_WRONLY : O_RDONLY, 0)
				     : posix_spawn_file_actions_adddup2(actions, wanted[i], i);
	return code ? code : posix_spawn_file_actions_addclosefrom_np(actions, 3);
}

static int start_with(const struct process_spec *spec, posix_spawn_file_actions_t *actions,
		      pid_t *ret_pid)
{
	posix_spawnattr_t attributes;
	sigset_t all, none;
	sigfillset(&all);
	sigemptyset(&none);
	int code = posix_spawnattr_init(&attributes);
	if (code)
		return code;
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	code = posix_spawn(ret_pid, spec->path, actions, &attributes, spec->argv,
			   spec->envp ? spec->envp : environ);
	posix_spawnattr_destroy(&attributes);
	return code;
}

int process_start(const struct process_spec *spec, pid_t *ret_pid, int *ret_pidfd,
		  struct error *err)
{
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int code = posix_spawn_file_actions_init(&actions);
	if (code == 0) {
		code = add_descriptors(&actions, spec);
		if (code == 0)
			code = start_with(spec, &actions, &pid);
		posix_spawn_file_actions_destroy(&actions);
	}
	if (code)
		return error_set_errno(err, code, "cannot start %s", spec->path);
	/* The child is not collected yet, so that its pid is still its own. */
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0)
		return error_set_errno(err, errno, "cannot watch %s", spec->path);
	*ret_pid = pid;
	*ret_pidfd = pidfd;
	return 0;
}

int process_wait(pid_t pid, int *ret_status, struct error *err)
{
	int status;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return error_set_errno(err, errno, "cannot wait for process %d", (int)pid);
	*ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return 0;
}

/* A running program's two ends; -1 once closed. */
struct exchange {
	int in, out;
	const char *input;
	size_t input_left;
	struct text output;
	size_t output_max;
};

static void exchange_free(struct exchange *exchange)
{
	cleanup_fd(&exchange->in);
	cleanup_fd(&exchange->out);
	text_free(&exchange->output);
}

static void feed(struct exchange *exchange)
{
	ssize_t n = write(exchange->in, exchange->input, exchange->input_left);
	if (n > 0) {
		exchange->input += n;
		exchange->input_left -= (size_t)n;
	}
	/* A program may end without reading all: no fault of ours (EPIPE). */
	if (exchange->input_left == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		close(exchange->in);
		exchange->in = -1;
	}
}

static void drain(struct exchange *exchange)
{
	char step[STEP];
	ssize_t n = read(exchange->out, step, sizeof step);
	size_t room = exchange->output_max - exchange->output.size;
	if (n > 0)
		text_append_bytes(&exchange->output, step, (size_t)n < room ? (size_t)n : room);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		close(exchange->out);
		exchange->out = -1;
	}
}

/* Until the program has closed its output; -ETIMEDOUT. */
static int converse(struct exchange *exchange, int timeout_ms)
{
	uint64_t end = clock_monotonic_ms() + (uint64_t)(timeout_ms < 0 ? 0 : timeout_ms);
	while (exchange->out >= 0) {
		struct pollfd fds[2] = { { .fd = exchange->out, .events = POLLIN },
					 { .fd = exchange->in, .events = POLLOUT } };
		uint64_t now = clock_monotonic_ms();
		int left = timeout_ms < 0 ? -1 : now >= end ? 0 : (int)(end - now);
		int n = poll(fds, 2, left);
		if (n == 0)
			return -ETIMEDOUT;
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0 && fds[0].revents)
			drain(exchange);
		if (n > 0 && fds[1].revents)
			feed(exchange);
	}
	return 0;
}

static int open_pipes(struct exchange *exchange, int ret_child[2], struct error *err)
{
	int in[2], out[2];
	if (pipe2(in, O_CLOEXEC) < 0)
		return error_set_errno(err, errno, "no pipe");
	ret_child[0] = in[0];
	exchange->in = in[1];
	if (pipe2(out, O_CLOEXEC) < 0)
		return error_set_errno(err, errno, "no pipe");
	exchange->out = out[0];
	ret_child[1] = out[1];
	fcntl(exchange->in, F_SETFL, O_NONBLOCK);
	fcntl(exchange->out, F_SETFL, O_NONBLOCK);
	return 0;
}

static int start_piped(const struct process_spec *spec, struct exchange *exchange, pid_t *ret_pid,
		       struct error *err)
{
	int ends[2] = { -1, -1 };
	int r = open_pipes(exchange, ends, err);
	auto_fd child_in = ends[0], child_out = ends[1];
	auto_fd pidfd = -1;
	struct process_spec piped = *spec;
	piped.stdin_fd = child_in;
	piped.stdout_fd = child_out;
	return r < 0 ? r : process_start(&piped, ret_pid, &pidfd, err);
}

int process_run(const struct process_spec *spec, const char *input, size_t input_size,
		size_t output_max, int timeout_ms, char **ret_output, size_t *ret_output_size,
		int *ret_status, struct error *err)
{
	__attribute__((
		cleanup(exchange_free))) struct exchange exchange = { .in = -1,
								      .out = -1,
								      .input = input,
								      .input_left = input_size,
								      .output_max = output_max };
	struct sigaction ignore = { .sa_handler = SIG_IGN }, before;
	pid_t pid;
	int r = start_piped(spec, &exchange, &pid, err);
	if (r < 0)
		return r;
	sigaction(SIGPIPE, &ignore, &before);
	int talk = converse(&exchange, timeout_ms);
	sigaction(SIGPIPE, &before, NULL);
	if (talk < 0)
		kill(pid, SIGKILL);
	r = process_wait(pid, ret_status, err);
	if (r == 0 && talk < 0)
		return error_set_errno(err, -talk, "%s", spec->path);
	size_t size = exchange.output.size;
	if (r == 0)
		r = text_take(&exchange.output, ret_output, err);
	if (r == 0)
		*ret_output_size = size;
	return r;
}

/* Field 22 of /proc/PID/stat; the name in field 2 may hold anything but its last ')'. */
static int read_start_time(pid_t pid, uint64_t *ret_ticks)
{
	char path[32];
	auto_free char *data = NULL;
	size_t size;
	struct error ignored;
	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	if (file_read(path, 4096, &data, &size, &ignored) < 0)
		return -ESRCH;
	char *at = strrchr(data, ')');
	for (int field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	if (!at)
		return -ESRCH;
	*ret_ticks = strtoull(at, NULL, 10);
	return 0;
}

int process_identify(pid_t pid, struct process_identity *ret, struct error *err)
{
	uint64_t ticks;
	if (read_start_time(pid, &ticks) < 0)
		return error_set(err, ESRCH, "process %d is gone", (int)pid);
	*ret = (struct process_identity){ .pid = pid, .start_time = ticks };
	return 0;
}

bool process_is_alive(struct process_identity identity)
{
	uint64_t ticks;
	return identity.pid > 0 && read_start_time(identity.pid, &ticks) == 0 &&
	       ticks == identity.start_time;
}

void process_name(pid_t pid, char *ret_name, size_t size)
{
	char path[32];
	auto_free char *data = NULL;
	size_t length;
	struct error ignored;
	snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
	if (file_read(path, 256, &data, &length, &ignored) < 0)
		snprintf(ret_name, size, "?");
	else
		snprintf(ret_name, size, "%.*s", (int)strcspn(data, "\n"), data);
}

int boot_id(char ret_id[37], struct error *err)
{
	auto_free char *data = NULL;
	size_t size;
	int r = file_read("/proc/sys/kernel/random/boot_id", 64, &data, &size, err);
	if (r < 0)
		return r;
	snprintf(ret_id, 37, "%.36s", data);
	return 0;
}
