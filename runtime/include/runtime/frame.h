/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What wherry-monitor and its clients say to each other over a stream socket:
 * frames of a header and at most FRAME_SIZE_MAX bytes. The first client is the
 * owner, the verb that started the monitor: it makes the network between
 * FRAME_CREATED and FRAME_START, and clears up after FRAME_EXIT. Once it is
 * gone, the monitor has both done by a hidden verb.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define FRAME_SIZE_MAX 65536 /* bytes of payload */

enum frame_type {
	FRAME_CREATED = 1, /* to the owner: int32 pid; namespaces are there, the program waits */
	FRAME_START,       /* from the owner: go on */
	FRAME_STARTED,     /* to all */
	FRAME_FAILED,      /* to all: int32 errno, text; nothing runs */
	FRAME_STDIN,       /* from a client */
	FRAME_STDIN_END,   /* from a client: no more input */
	FRAME_STDOUT,      /* to those attached */
	FRAME_STDERR,      /* to those attached */
	FRAME_RESIZE,      /* from a client: uint16 rows, columns */
	FRAME_ATTACH,      /* from a client: send me the output */
	FRAME_STOP,        /* from a client: do not start it again */
	FRAME_EXIT,        /* to all: int32 exit code; the last life is over */
	FRAME_CLEANED,     /* from the owner: I have cleared up, just end */
};

struct frame_header {
	uint8_t type;
	uint8_t unused[3]; /* zero */
	uint32_t size;     /* of the payload; host order: one machine */
};

/* A frame as received. */
struct frame {
	enum frame_type type;
	size_t size;
	uint8_t data[FRAME_SIZE_MAX];
};

/** Writes a whole frame to a blocking socket. 0 or -errno (no text). */
int frame_send(int fd, enum frame_type type, const void *data, size_t size);
/** Sends an int32 and, if it is not NULL, a text behind it. */
int frame_send_number(int fd, enum frame_type type, int32_t number, const char *text);
/** Reads a whole frame from a blocking socket. 1, or 0 at the end, or -errno (-EPROTO: nonsense).
 */
int frame_receive(int fd, struct frame *ret_frame);
/** The int32 at the payload's beginning; -1 if it is too short. */
int32_t frame_number(const struct frame *frame);

/** Listens in, or connects to, the socket DIR/NAME, whatever the length of DIR. */
int frame_listen(const char *dir, const char *name, int *ret_fd, struct error *err);
/** -ENOENT or -ECONNREFUSED: nobody is there. */
int frame_connect(const char *dir, const char *name, int *ret_fd, struct error *err);

#define MONITOR_SOCKET "monitor.sock" /* in the container's run directory */
