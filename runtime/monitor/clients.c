/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "clients.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/loop.h"

static void client_drop(struct client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	text_free(&client->queue);
	*client = (struct client){ .fd = -1 };
}

static void client_write(struct client *client)
{
	while (client->sent < client->queue.size) {
		ssize_t sent = send(client->fd, client->queue.data + client->sent,
				    client->queue.size - client->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0 && errno == EAGAIN)
			return;
		if (sent < 0) {
			client_drop(client);
			return;
		}
		client->sent += (size_t)sent;
	}
	text_free(&client->queue);
	client->queue = (struct text){ 0 };
	client->sent = 0;
}

static void client_queue(struct client *client, bool is_owner, enum frame_type type,
			 const void *data, size_t size)
{
	struct frame_header header = { .type = (uint8_t)type, .size = (uint32_t)size };
	if (!is_owner && client->queue.size - client->sent > CLIENT_QUEUE_MAX) {
		client_drop(client);
		return;
	}
	if (client->sent > client->queue.size / 2) {
		client->queue.size -= client->sent;
		memmove(client->queue.data, client->queue.data + client->sent, client->queue.size);
		client->sent = 0;
	}
	text_append_bytes(&client->queue, &header, sizeof header);
	text_append_bytes(&client->queue, data, size);
	if (client->queue.failed)
		client_drop(client);
	else
		client_write(client);
}

/* Hands on the whole frames of the input buffer. */
static void client_parse(struct client *client, client_request *request, void *context)
{
	struct frame_header *header = &client->input.header;
	while (client->fd >= 0 && client->received >= sizeof *header) {
		if (header->size > sizeof client->input.data) {
			client_drop(client);
			return;
		}
		size_t whole = sizeof *header + header->size;
		if (client->received < whole)
			return;
		request(context, client, header->type, client->input.data, header->size);
		if (client->fd < 0)
			return;
		client->received -= whole;
		memmove(&client->input, (char *)&client->input + whole, client->received);
	}
}

static void client_read(struct client *client, client_request *request, void *context)
{
	/* One read: what it brings may fill the container's input. */
	ssize_t got = recv(client->fd, (char *)&client->input + client->received,
			   sizeof client->input - client->received, MSG_DONTWAIT);
	if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
		client_drop(client);
		return;
	}
	if (got > 0) {
		client->received += (size_t)got;
		client_parse(client, request, context);
	}
}

void clients_init(struct clients *clients, int listen_fd, int owner_fd)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		clients->rows[i] = (struct client){ .fd = -1 };
	clients->listen_fd = listen_fd;
	clients->rows[0].fd = owner_fd;
	if (owner_fd >= 0)
		fcntl(owner_fd, F_SETFD, FD_CLOEXEC);
}

void clients_release(struct clients *clients)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		client_drop(&clients->rows[i]);
	if (clients->listen_fd >= 0)
		close(clients->listen_fd);
	clients->listen_fd = -1;
}

void clients_accept(struct clients *clients)
{
	int fd = accept4(clients->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	for (size_t i = 1; fd >= 0 && i < CLIENTS_MAX; i++) {
		if (clients->rows[i].fd >= 0)
			continue;
		clients->rows[i].fd = fd;
		return;
	}
	if (fd >= 0)
		close(fd);
}

void clients_send(struct clients *clients, enum clients_whom whom, enum frame_type type,
		  const void *data, size_t size)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *client = &clients->rows[i];
		if (client->fd >= 0 && (whom == CLIENTS_ALL || client->attached))
			client_queue(client, i == 0, type, data, size);
	}
}

void clients_send_number(struct clients *clients, enum frame_type type, int32_t number,
			 const char *text)
{
	char data[sizeof number + ERROR_TEXT_MAX];
	size_t size = text ? strnlen(text, ERROR_TEXT_MAX) : 0;
	memcpy(data, &number, sizeof number);
	if (size)
		memcpy(data + sizeof number, text, size);
	clients_send(clients, CLIENTS_ALL, type, data, sizeof number + size);
}

bool clients_must_wait(const struct clients *clients)
{
	const struct client *owner = &clients->rows[0];
	return owner->fd >= 0 && owner->queue.size - owner->sent > CLIENT_QUEUE_MAX;
}

bool clients_owner_is_there(const struct clients *clients)
{
	return clients->rows[0].fd >= 0;
}

size_t clients_poll(const struct clients *clients, bool take_input, struct pollfd *fds)
{
	size_t count = 0;
	fds[count++] = (struct pollfd){ .fd = clients->listen_fd, .events = POLLIN };
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		const struct client *client = &clients->rows[i];
		if (client->fd < 0)
			continue;
		short events = take_input ? POLLIN : 0;
		if (client->queue.size > client->sent)
			events |= POLLOUT;
		fds[count++] = (struct pollfd){ .fd = client->fd, .events = events };
	}
	return count;
}

static struct client *find_client(struct clients *clients, int fd)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (clients->rows[i].fd == fd)
			return &clients->rows[i];
	return NULL;
}

void clients_handle(struct clients *clients, const struct pollfd *fds, size_t count,
		    client_request *request, void *context)
{
	for (size_t i = 1; i < count; i++) {
		struct client *client = fds[i].revents ? find_client(clients, fds[i].fd) : NULL;
		if (!client)
			continue;
		if (fds[i].revents & POLLOUT)
			client_write(client);
		if (client->fd >= 0 && (fds[i].revents & POLLIN))
			client_read(client, request, context);
		else if (client->fd >= 0 && (fds[i].revents & (POLLHUP | POLLERR)))
			client_drop(client);
	}
	if (count && (fds[0].revents & POLLIN))
		clients_accept(clients);
}

void clients_flush(struct clients *clients, int timeout_ms)
{
	uint64_t end = clock_monotonic_ms() + (uint64_t)timeout_ms;
	for (;;) {
		struct pollfd fds[CLIENTS_MAX];
		nfds_t count = 0;
		for (size_t i = 0; i < CLIENTS_MAX; i++) {
			struct client *client = &clients->rows[i];
			if (client->fd >= 0)
				client_write(client);
			if (client->fd >= 0 && client->queue.size > client->sent)
				fds[count++] =
					(struct pollfd){ .fd = client->fd, .events = POLLOUT };
		}
		uint64_t now = clock_monotonic_ms();
		if (!count || now >= end || poll(fds, count, (int)(end - now)) <= 0)
			return;
	}
}

void clients_keep_over_exec(struct clients *clients)
{
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		if (clients->rows[i].fd >= 0)
			fcntl(clients->rows[i].fd, F_SETFD, 0);
}
