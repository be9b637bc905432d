/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Messages between the caller and the process that becomes the container, over
 * a socket that closes by itself when the program starts: the end of the
 * stream is the news that exec has worked.
 */
#include <stdint.h>

#include "base/error.h"

enum sync_kind {
	SYNC_NAMESPACES = 1, /* up: they exist; SYNC_GO is awaited */
	SYNC_READY,          /* up: all but exec is done; with the terminal's descriptor if any */
	SYNC_FAILED,         /* up: with an error */
	SYNC_GO,             /* down */
};

/** A pair of sockets, both closed on exec. */
int sync_open(int ret_fds[2], struct error *err);
/** Sends a message; fd is passed along unless it is -1. 0 or -errno (no text). */
int sync_send(int socket_fd, enum sync_kind kind, int fd);
/** Sends SYNC_FAILED with the error. */
void sync_send_error(int socket_fd, const struct error *error);
/**
 * Receives one: its kind, 0 at the end of the stream, or -errno. SYNC_FAILED
 * comes back as the error that was sent. *ret_fd: a descriptor that came
 * along, else untouched; may be NULL where none is awaited.
 */
int sync_receive(int socket_fd, int *ret_fd, struct error *err);

/** A socket at `path` (any length) at which others may start the container. */
int sync_listen(const char *path, int *ret_fd, struct error *err);
/** Connects to it. 1: nobody listens any more. */
int sync_connect(const char *path, int *ret_fd, struct error *err);
