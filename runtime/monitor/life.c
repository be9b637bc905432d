/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "life.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/loop.h"

/* The container's ends of its three descriptors, closed when it has them. */
struct ends {
	int fds[3];
};

static void ends_close(struct ends *ends)
{
	for (int i = 0; i < 3; i++)
		cleanup_fd(&ends->fds[i]);
}

static int make_pipe(int *ret_read, int *ret_write)
{
	int fds[2];
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	*ret_read = fds[0];
	*ret_write = fds[1];
	return 0;
}

static int set_nonblocking(int fd)
{
	return fd < 0 ? 0 : fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static int make_pipes(struct life *life, bool interactive, struct ends *ends)
{
	int r = 0;
	if (interactive)
		r = make_pipe(&ends->fds[0], &life->input);
	else if ((ends->fds[0] = open("/dev/null", O_RDONLY | O_CLOEXEC)) < 0)
		r = -errno;
	for (int stream = 0; r == 0 && stream < LOG_STREAM_COUNT; stream++)
		r = make_pipe(&life->output[stream], &ends->fds[1 + stream]);
	if (r == 0)
		r = set_nonblocking(life->input);
	for (int stream = 0; r == 0 && stream < LOG_STREAM_COUNT; stream++)
		r = set_nonblocking(life->output[stream]);
	return r;
}

static void take_terminal(struct life *life)
{
	int fd = life->container.terminal_fd;
	set_nonblocking(fd);
	life->output[LOG_STDOUT] = dup(fd);
	life->input = dup(fd);
	fcntl(life->output[LOG_STDOUT], F_SETFD, FD_CLOEXEC);
	fcntl(life->input, F_SETFD, FD_CLOEXEC);
}

int life_create(const struct oci_spec *spec, bool interactive, struct life *ret_life,
		struct error *err)
{
	__attribute__((cleanup(ends_close))) struct ends ends = { { -1, -1, -1 } };
	struct life *life = ret_life;
	*life = (struct life){ .output = { -1, -1 }, .input = -1 };
	life->container.pidfd = life->container.start_fd = -1;
	life->container.status_fd = life->container.terminal_fd = -1;
	life->terminal = spec->process.terminal;
	int r = life->terminal ? 0 : make_pipes(life, interactive, &ends);
	if (r < 0)
		error_set_errno(err, -r, "pipes for the container");
	else
		r = oci_create(spec, ends.fds, &life->container, err);
	if (r < 0) {
		life->container.pid = 0;
		life_end(life);
		return r;
	}
	if (life->terminal)
		take_terminal(life);
	return 0;
}

int life_start(struct life *life, struct error *err)
{
	life->started_ms = clock_monotonic_ms();
	return oci_start(&life->container, err);
}

static void reap(struct life *life, int flags)
{
	int status;
	if (life->exited || life->container.pid <= 0)
		return;
	pid_t pid = waitpid(life->container.pid, &status, flags);
	if (pid != life->container.pid && !(pid < 0 && errno == ECHILD))
		return;
	life->exited = true;
	if (pid < 0)
		life->exit_code = 255; /* someone else has taken it */
	else
		life->exit_code =
			WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void life_end(struct life *life)
{
	if (life->container.pid > 0 && !life->exited) {
		kill(life->container.pid, SIGKILL);
		reap(life, 0);
	}
	if (life->container.pid > 0)
		oci_container_close(&life->container);
	life->container.pid = 0;
	for (int stream = 0; stream < LOG_STREAM_COUNT; stream++) {
		cleanup_fd(&life->output[stream]);
		life->output[stream] = -1;
	}
	cleanup_fd(&life->input);
	life->input = -1;
}

static void close_input(struct life *life)
{
	static const uint8_t end_of_transmission = 4;
	/* A terminal's input ends by its own byte, and the descriptor serves output too. */
	if (life->terminal)
		(void)!write(life->input, &end_of_transmission, 1);
	cleanup_fd(&life->input);
	life->input = -1;
	life->waiting_size = 0;
}

static void write_input(struct life *life)
{
	while (life->waiting_size) {
		ssize_t done = write(life->input, life->waiting, life->waiting_size);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0 && errno == EAGAIN)
			return;
		if (done < 0) {
			close_input(life);
			return;
		}
		life->waiting_size -= (size_t)done;
		memmove(life->waiting, life->waiting + done, life->waiting_size);
	}
	if (life->input_ends)
		close_input(life);
}

void life_take_input(struct life *life, const uint8_t *data, size_t size)
{
	if (life->input < 0 || size > sizeof life->waiting - life->waiting_size)
		return;
	memcpy(life->waiting + life->waiting_size, data, size);
	life->waiting_size += size;
	write_input(life);
}

void life_end_input(struct life *life)
{
	life->input_ends = true;
	if (life->input >= 0)
		write_input(life);
}

void life_resize(struct life *life, uint16_t rows, uint16_t columns)
{
	struct winsize size = { .ws_row = rows, .ws_col = columns };
	if (life->terminal && life->output[LOG_STDOUT] >= 0)
		(void)ioctl(life->output[LOG_STDOUT], TIOCSWINSZ, &size);
}

size_t life_poll(const struct life *life, bool take_output, struct pollfd *fds)
{
	size_t count = 0;
	for (int stream = 0; take_output && stream < LOG_STREAM_COUNT; stream++)
		if (life->output[stream] >= 0)
			fds[count++] =
				(struct pollfd){ .fd = life->output[stream], .events = POLLIN };
	if (life->input >= 0 && life->waiting_size)
		fds[count++] = (struct pollfd){ .fd = life->input, .events = POLLOUT };
	if (!life->exited && life->container.pidfd >= 0)
		fds[count++] = (struct pollfd){ .fd = life->container.pidfd, .events = POLLIN };
	return count;
}

size_t life_read(struct life *life, int stream, uint8_t *data, size_t size)
{
	if (life->output[stream] < 0)
		return 0;
	ssize_t got = read(life->output[stream], data, size);
	if (got > 0)
		return (size_t)got;
	/* A terminal whose other end is closed gives EIO. */
	if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
		cleanup_fd(&life->output[stream]);
		life->output[stream] = -1;
	}
	return 0;
}

void life_handle(struct life *life)
{
	if (life->input >= 0 && life->waiting_size)
		write_input(life);
	reap(life, WNOHANG);
}
