/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting programs, and waiting for them. A child gets three descriptors, no
 * blocked or ignored signals, and nothing else of ours.
 */
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "base/file.h"
#include "base/text.h"

#define STANDARD_FDS 3
#define OUTPUT_STEP 16384

/*
 * The plan of descriptors. A descriptor that stands at another one's place
 * (stdout_fd 0, say) is moved up first, so that no dup2 overwrites a source.
 */
static int plan_descriptors(const struct process_spec *spec, int moved[STANDARD_FDS],
			    posix_spawn_file_actions_t *actions)
{
	const int wanted[STANDARD_FDS] = { spec->stdin_fd, spec->stdout_fd, spec->stderr_fd };
	int r = 0;
	for (int i = 0; i < STANDARD_FDS && r == 0; i++) {
		int from = wanted[i];
		if (from >= 0 && from < STANDARD_FDS && from != i) {
			moved[i] = fcntl(from, F_DUPFD_CLOEXEC, STANDARD_FDS);
			if (moved[i] < 0)
				return errno;
			from = moved[i];
		}
		if (from < 0)
			r = posix_spawn_file_actions_addopen(actions, i, "/dev/null",
							     i == 0 ? O_RDONLY : O_WRONLY, 0);
		else
			r = posix_spawn_file_actions_adddup2(actions, from, i);
	}
	return r ? r : posix_spawn_file_actions_addclosefrom_np(actions, STANDARD_FDS);
}

static int plan_signals(posix_spawnattr_t *attributes)
{
	sigset_t set;
	sigfillset(&set);
	int r = posix_spawnattr_setsigdefault(attributes, &set);
	sigemptyset(&set);
	if (r == 0)
		r = posix_spawnattr_setsigmask(attributes, &set);
	if (r == 0)
		r = posix_spawnattr_setflags(attributes,
					     POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	return r;
}

/* Returns 0 or a positive errno, as posix_spawn does. */
static int spawn(const struct process_spec *spec, int moved[STANDARD_FDS], pid_t *ret_pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	if (posix_spawn_file_actions_init(&actions))
		return ENOMEM;
	if (posix_spawnattr_init(&attributes)) {
		posix_spawn_file_actions_destroy(&actions);
		return ENOMEM;
	}
	int r = plan_descriptors(spec, moved, &actions);
	if (r == 0)
		r = plan_signals(&attributes);
	if (r == 0)
		r = posix_spawn(ret_pid, spec->path, &actions, &attributes, spec->argv,
				spec->envp ? spec->envp : environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return r;
}

int process_start(const struct process_spec *spec, pid_t *ret_pid, int *ret_pidfd,
		  struct error *err)
{
	int moved[STANDARD_FDS] = { -1, -1, -1 };
	pid_t pid = -1;
	int r = spawn(spec, moved, &pid);
	for (int i = 0; i < STANDARD_FDS; i++)
		cleanup_fd(&moved[i]);
	if (r)
		return error_set_errno(err, r, "cannot run %s", spec->path);
	/* Not reaped yet, so the pid is still this child's. */
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0) {
		int code = errno;
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		if (code == ENOSYS)
			return error_set(err, ENOSYS,
					 "cannot watch %s: this kernel has no pidfd_open(2), which "
					 "Linux 5.3 and later have",
					 spec->path);
		return error_set_errno(err, code, "cannot watch %s", spec->path);
	}
	*ret_pid = pid;
	*ret_pidfd = pidfd;
	return 0;
}

int process_wait(pid_t pid, int *ret_status, struct error *err)
{
	int status;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return error_set_errno(err, errno, "cannot wait for process %d", pid);
	*ret_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	return 0;
}

/* Input as a file in memory: no pipe to feed, and no SIGPIPE from who does not read. */
static int input_file(const char *input, size_t size, int *ret_fd, struct error *err)
{
	auto_fd fd = memfd_create("input", MFD_CLOEXEC);
	if (fd < 0)
		return error_set_errno(err, errno, "cannot hold the input in memory");
	int r = fd_write_all(fd, input, size);
	if (r < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return error_set_errno(err, r < 0 ? -r : errno, "cannot hold the input in memory");
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Takes what is in the pipe now. Returns false at its end. */
static bool take_output(int fd, size_t output_max, struct text *output)
{
	char buffer[OUTPUT_STEP];
	for (;;) {
		ssize_t got = read(fd, buffer, sizeof buffer);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 && errno == EAGAIN;
		size_t room = output_max - output->size;
		text_append_bytes(output, buffer, (size_t)got < room ? (size_t)got : room);
	}
}

/*
 * Until the child has ended: the end of its output alone says nothing, and
 * its own children may hold the pipe open for ever. False: time ran out.
 */
static bool collect(int pidfd, int output_fd, int timeout_ms, size_t output_max,
		    struct text *output)
{
	int64_t end = now_ms() + timeout_ms;
	struct pollfd fds[] = {
		{ .fd = pidfd, .events = POLLIN },
		{ .fd = output_fd, .events = POLLIN },
	};
	for (;;) {
		int64_t left = timeout_ms < 0 ? -1 : end - now_ms();
		if (timeout_ms >= 0 && left <= 0)
			return false;
		poll(fds, ARRAY_SIZE(fds), (int)left);
		bool ended = fds[0].revents;
		if (fds[1].fd >= 0 && !take_output(output_fd, output_max, output))
			fds[1].fd = -1;
		if (ended)
			return true;
	}
}

int process_run(const struct process_spec *spec, const char *input, size_t input_size,
		size_t output_max, int timeout_ms, char **ret_output, size_t *ret_output_size,
		int *ret_status, struct error *err)
{
	auto_fd stdin_fd = -1;
	int r = input_file(input, input_size, &stdin_fd, err);
	if (r < 0)
		return r;
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_set_errno(err, errno, "cannot make a pipe");
	auto_fd output_fd = ends[0];
	auto_fd child_end = ends[1];
	fcntl(output_fd, F_SETFL, O_NONBLOCK);

	struct process_spec child = *spec;
	child.stdin_fd = stdin_fd;
	child.stdout_fd = child_end;
	pid_t pid;
	auto_fd pidfd = -1;
	r = process_start(&child, &pid, &pidfd, err);
	if (r < 0)
		return r;
	close(TAKE_FD(child_end));

	auto_text output = { 0 };
	bool in_time = collect(pidfd, output_fd, timeout_ms, output_max, &output);
	if (!in_time)
		kill(pid, SIGKILL);
	int status;
	r = process_wait(pid, &status, err);
	if (r < 0)
		return r;
	if (!in_time)
		return error_set(err, ETIMEDOUT, "%s has not ended within %d ms", spec->path,
				 timeout_ms);
	size_t size = output.size;
	r = text_take(&output, ret_output, err);
	if (r < 0)
		return r;
	*ret_output_size = size;
	*ret_status = status;
	return 0;
}
