/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The verbs that are connected to a monitor. What is sent is queued, so that a
 * slow reader stalls no one; only the owner, the `wherry run` in front of the
 * container, holds the output back when it does not read, as a pipe would.
 */
#include <poll.h>
#include <stdbool.h>

#include "base/text.h"
#include "runtime/frame.h"

#define CLIENTS_MAX 16
#define CLIENT_QUEUE_MAX (1u << 20) /* bytes; a slower client than that is let go */

struct client {
	int fd; /* -1: free */
	bool attached;
	struct text queue;
	size_t sent; /* of the queue */
	size_t received;
	struct {
		struct frame_header header;
		uint8_t data[4096]; /* frames from clients are short */
	} input;
};

struct clients {
	struct client rows[CLIENTS_MAX]; /* the first is the owner */
	int listen_fd;
};

/** What a client asked for; the frame is lent. */
typedef void client_request(void *context, struct client *client, enum frame_type type,
			    const uint8_t *data, size_t size);

/** Takes the owner's socket and makes it non-blocking. */
void clients_init(struct clients *clients, int listen_fd, int owner_fd);
void clients_release(struct clients *clients);
/** Accepts one that waits. */
void clients_accept(struct clients *clients);
/** Queues a frame for all, or for those attached. */
enum clients_whom { CLIENTS_ALL, CLIENTS_ATTACHED };
void clients_send(struct clients *clients, enum clients_whom whom, enum frame_type type,
		  const void *data, size_t size);
void clients_send_number(struct clients *clients, enum frame_type type, int32_t number,
			 const char *text);
/** True while the owner is behind by more than CLIENT_QUEUE_MAX. */
bool clients_must_wait(const struct clients *clients);
bool clients_owner_is_there(const struct clients *clients);
/** Fills at most CLIENTS_MAX + 1 entries, returns how many. */
size_t clients_poll(const struct clients *clients, bool take_input, struct pollfd *fds);
/** Does what poll found; fds as clients_poll filled them. */
void clients_handle(struct clients *clients, const struct pollfd *fds, size_t count,
		    client_request *request, void *context);
/** Writes out what is queued, waiting at most timeout_ms. */
void clients_flush(struct clients *clients, int timeout_ms);
/** Keeps their sockets open over exec: they see the end when that process ends. */
void clients_keep_over_exec(struct clients *clients);
