/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A verb that stays with a process in a container: terminal in raw mode, its
 * size handed on, signals handed on, input and output carried.
 */
#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "detach_keys.h"

struct session;
enum session_terminal { SESSION_PLAIN, SESSION_TERMINAL };

/**
 * Blocks the signals that are handed on and, with SESSION_TERMINAL and a
 * terminal at descriptor 0, makes that raw. The caller ends it.
 */
int session_create(enum session_terminal terminal, struct session **ret_session, struct error *err);
/** Puts terminal and signals back; NULL is fine. */
void session_free(struct session *session);
static inline void session_freep(struct session **session)
{
	session_free(*session);
}
/** Size of our terminal; false if there is none. */
bool session_size(const struct session *session, unsigned short *ret_rows,
		  unsigned short *ret_columns);
/** Tells a monitor the size of our terminal; nothing without one. */
void session_send_size(const struct session *session, int socket_fd);
/** Readable when a signal came. */
int session_signal_fd(const struct session *session);
/** Takes a signal; 0 if there is none. SIGWINCH is one of them under a terminal. */
int session_take_signal(struct session *session);

/** Carries frames between a monitor's socket and our descriptors until FRAME_EXIT. */
struct session_carry {
	int socket_fd;
	int pidfd; /* of the first process: signals go there */
	bool input, output;
	struct detach_keys *keys; /* NULL: none */
};
#define SESSION_DETACHED 1 /* the user left by the keys; the container goes on */
/** 0 at its end, SESSION_DETACHED, or -errno (-EPIPE: its monitor was killed). */
int session_run(struct session *session, const struct session_carry *carry, int *ret_status,
		struct error *err);
struct session_pty {
	int terminal_fd, pidfd;
	bool input;
	struct detach_keys *keys; /* NULL: none */
};
/** Carries bytes between a pty of ours (exec) and our descriptors. 0 when the process has ended,
 * or SESSION_DETACHED. */
int session_run_pty(struct session *session, const struct session_pty *pty, struct error *err);
