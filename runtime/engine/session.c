/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "runtime/frame.h"

#define INPUT_SIZE \
	(4096 - DETACH_KEYS_MAX) /* with held-back keys: what a monitor takes in one frame */

struct session {
	enum session_terminal terminal;
	bool raw;
	struct termios before;
	sigset_t mask_before;
	int signal_fd;
};

static const int carried_signals[] = { SIGINT,  SIGTERM, SIGHUP,  SIGQUIT,
				       SIGUSR1, SIGUSR2, SIGCONT, SIGWINCH };

static int block_signals(struct session *session, struct error *err)
{
	sigset_t mask;
	sigemptyset(&mask);
	for (size_t i = 0; i < ARRAY_SIZE(carried_signals); i++)
		sigaddset(&mask, carried_signals[i]);
	sigprocmask(SIG_BLOCK, &mask, &session->mask_before);
	session->signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	return session->signal_fd < 0 ? error_set_errno(err, errno, "signals") : 0;
}

static void make_raw(struct session *session)
{
	struct termios raw;
	if (session->terminal != SESSION_TERMINAL || tcgetattr(STDIN_FILENO, &raw) < 0)
		return;
	session->before = raw;
	cfmakeraw(&raw);
	session->raw = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
}

int session_create(enum session_terminal terminal, struct session **ret_session, struct error *err)
{
	struct session *session = calloc(1, sizeof *session);
	if (!session)
		return error_set(err, ENOMEM, "no memory for a session");
	session->terminal = terminal;
	session->signal_fd = -1;
	int r = block_signals(session, err);
	if (r < 0) {
		session_free(session);
		return r;
	}
	make_raw(session);
	*ret_session = session;
	return 0;
}

void session_free(struct session *session)
{
	if (!session)
		return;
	if (session->raw)
		(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &session->before);
	if (session->signal_fd >= 0) {
		while (session_take_signal(session))
			continue;
		close(session->signal_fd);
	}
	sigprocmask(SIG_SETMASK, &session->mask_before, NULL);
	free(session);
}

bool session_size(const struct session *session, unsigned short *ret_rows,
		  unsigned short *ret_columns)
{
	struct winsize size;
	if (session->terminal != SESSION_TERMINAL || ioctl(STDIN_FILENO, TIOCGWINSZ, &size) < 0)
		return false;
	*ret_rows = size.ws_row;
	*ret_columns = size.ws_col;
	return true;
}

void session_send_size(const struct session *session, int socket_fd)
{
	unsigned short rows, columns;
	if (!session_size(session, &rows, &columns))
		return;
	uint16_t size[2] = { rows, columns };
	(void)frame_send(socket_fd, FRAME_RESIZE, size, sizeof size);
}

int session_signal_fd(const struct session *session)
{
	return session->signal_fd;
}

int session_take_signal(struct session *session)
{
	struct signalfd_siginfo info;
	return read(session->signal_fd, &info, sizeof info) == sizeof info ? (int)info.ssi_signo
									   : 0;
}

static void send_signal(int pidfd, int signal)
{
	if (pidfd >= 0)
		(void)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}

static void hand_on_signals(struct session *session, const struct session_carry *carry)
{
	int signal;
	while ((signal = session_take_signal(session))) {
		if (signal == SIGWINCH)
			session_send_size(session, carry->socket_fd);
		else
			send_signal(carry->pidfd, signal);
	}
}

enum input { INPUT_MORE, INPUT_OVER, INPUT_DETACH };

static enum input hand_on_input(const struct session *session, const struct session_carry *carry)
{
	uint8_t data[INPUT_SIZE], passed[INPUT_SIZE + DETACH_KEYS_MAX];
	ssize_t got = read(STDIN_FILENO, data, sizeof data);
	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return INPUT_MORE;
	if (got <= 0) {
		(void)frame_send(carry->socket_fd, FRAME_STDIN_END, NULL, 0);
		return INPUT_OVER;
	}
	size_t size = (size_t)got;
	bool leave = false;
	if (carry->keys && session->raw)
		leave = detach_keys_scan(carry->keys, data, (size_t)got, passed, &size);
	else
		memcpy(passed, data, size);
	if (size && frame_send(carry->socket_fd, FRAME_STDIN, passed, size) < 0)
		return INPUT_OVER;
	return leave ? INPUT_DETACH : INPUT_MORE;
}

/* 1 at the container's end. */
static int take_frame(const struct session_carry *carry, struct frame *frame, int *ret_status,
		      struct error *err)
{
	int r = frame_receive(carry->socket_fd, frame);
	if (r < 0)
		return error_set_errno(err, -r, "the container's monitor");
	if (r == 0)
		return error_set(err, EPIPE, "the container's monitor is gone (killed?)");
	switch (frame->type) {
	case FRAME_STDOUT:
	case FRAME_STDERR:
		/* A reader that is gone is not the container's fault: it runs on. */
		if (carry->output)
			(void)fd_write_all(frame->type == FRAME_STDOUT ? STDOUT_FILENO
								       : STDERR_FILENO,
					   frame->data, frame->size);
		return 0;
	case FRAME_EXIT:
		*ret_status = frame_number(frame);
		return 1;
	case FRAME_FAILED:
		*ret_status = 128;
		return error_set(err, frame_number(frame) > 0 ? frame_number(frame) : EIO, "%.*s",
				 (int)(frame->size > 4 ? frame->size - 4 : 0),
				 (const char *)frame->data + 4);
	default:
		return 0;
	}
}

int session_run(struct session *session, const struct session_carry *carry, int *ret_status,
		struct error *err)
{
	bool input = carry->input;
	auto_free struct frame *frame = malloc(sizeof *frame);
	if (!frame)
		return error_set(err, ENOMEM, "no memory for a session");
	session_send_size(session, carry->socket_fd);
	for (;;) {
		struct pollfd fds[] = {
			{ .fd = carry->socket_fd, .events = POLLIN },
			{ .fd = session->signal_fd, .events = POLLIN },
			/* While the monitor does not take more, input waits with us. */
			{ .fd = input ? STDIN_FILENO : -1, .events = POLLIN },
		};
		if (poll(fds, 3, -1) < 0 && errno != EINTR)
			return error_set_errno(err, errno, "poll");
		if (fds[1].revents)
			hand_on_signals(session, carry);
		if (fds[0].revents) {
			int r = take_frame(carry, frame, ret_status, err);
			if (r != 0)
				return r < 0 ? r : 0;
		}
		if (!fds[2].revents)
			continue;
		/* Not into a full socket: output would then wait for input. */
		struct pollfd room = { .fd = carry->socket_fd, .events = POLLOUT };
		if (poll(&room, 1, 0) <= 0 || !(room.revents & POLLOUT)) {
			(void)poll(fds, 2, 10);
			continue;
		}
		enum input more = hand_on_input(session, carry);
		if (more == INPUT_DETACH)
			return SESSION_DETACHED;
		input = more == INPUT_MORE;
	}
}

/* Bytes from one descriptor to another; false at the end of the first. */
static bool carry_bytes(int from, int to)
{
	char data[16384];
	ssize_t got = read(from, data, sizeof data);
	if (got < 0)
		return errno == EINTR || errno == EAGAIN;
	if (got == 0)
		return false;
	return fd_write_all(to, data, (size_t)got) == 0;
}

static void set_pty_size(const struct session *session, int terminal_fd)
{
	struct winsize size = { 0 };
	if (session_size(session, &size.ws_row, &size.ws_col))
		(void)ioctl(terminal_fd, TIOCSWINSZ, &size);
}

/* Input goes to the terminal, but for the keys that leave it. */
static enum input pass_input(const struct session_pty *pty)
{
	uint8_t data[4096], passed[sizeof data + DETACH_KEYS_MAX];
	size_t size = 0;
	ssize_t got = read(STDIN_FILENO, data, sizeof data);
	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return INPUT_MORE;
	if (got <= 0)
		return INPUT_OVER;
	if (!pty->keys)
		return fd_write_all(pty->terminal_fd, data, (size_t)got) == 0 ? INPUT_MORE
									      : INPUT_OVER;
	bool left = detach_keys_scan(pty->keys, data, (size_t)got, passed, &size);
	if (size && fd_write_all(pty->terminal_fd, passed, size) < 0)
		return INPUT_OVER;
	return left ? INPUT_DETACH : INPUT_MORE;
}

int session_run_pty(struct session *session, const struct session_pty *pty, struct error *err)
{
	static const char end_of_transmission = 4;
	int terminal_fd = pty->terminal_fd, pidfd = pty->pidfd;
	bool input = pty->input, ended = false;
	for (;;) {
		struct pollfd fds[] = {
			{ .fd = terminal_fd, .events = POLLIN },
			{ .fd = session->signal_fd, .events = POLLIN },
			{ .fd = input ? STDIN_FILENO : -1, .events = POLLIN },
			{ .fd = ended ? -1 : pidfd, .events = POLLIN },
		};
		/* After the end: what the terminal still holds, and no waiting. */
		int count = poll(fds, 4, ended ? 0 : -1);
		if (count < 0 && errno != EINTR)
			return error_set_errno(err, errno, "poll");
		for (int signal; fds[1].revents && (signal = session_take_signal(session));) {
			if (signal == SIGWINCH)
				set_pty_size(session, terminal_fd);
			else
				send_signal(pidfd, signal);
		}
		enum input more = fds[2].revents ? pass_input(pty) : INPUT_MORE;
		if (more == INPUT_DETACH)
			return SESSION_DETACHED;
		if (more == INPUT_OVER) {
			input = false;
			(void)!write(terminal_fd, &end_of_transmission, 1);
		}
		if (fds[0].revents && !carry_bytes(terminal_fd, STDOUT_FILENO))
			return 0;
		if (ended && !fds[0].revents)
			return 0;
		if (fds[3].revents)
			ended = true;
	}
}
