/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tcp.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define LENGTH_SIZE 2
#define ACCEPT_PAUSE_MS 100 /* after running out of descriptors */
#define IN_SIZE (LENGTH_SIZE + DNS_QUERY_SIZE_MAX)

struct connection {
	struct connection *next, **link;
	struct dns_tcp *tcp;
	uint64_t number;
	struct dns_address peer;
	int fd;
	struct loop_source *source, *timer;
	bool broken; /* to be freed when its handler is through */
	size_t in_size;
	uint8_t *out;
	size_t out_size, out_sent, out_capacity;
	uint8_t in[IN_SIZE];
};

struct dns_tcp {
	struct loop *loop;
	struct loop_source *source, *resume;
	int fd;
	dns_query_handler *handler;
	void *context;
	uint64_t next_number;
	struct connection *connections;
	size_t count;
};

static void connection_free(struct connection *connection)
{
	*connection->link = connection->next;
	if (connection->next)
		connection->next->link = connection->link;
	connection->tcp->count--;
	loop_source_free(connection->source);
	loop_source_free(connection->timer);
	cleanup_fd(&connection->fd);
	free(connection->out);
	free(connection);
}

static void flush(struct connection *connection)
{
	while (connection->out_sent < connection->out_size) {
		ssize_t sent = send(connection->fd, connection->out + connection->out_sent,
				    connection->out_size - connection->out_sent,
				    MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0) {
			connection->broken |= errno != EAGAIN && errno != EINTR;
			break;
		}
		connection->out_sent += (size_t)sent;
	}
	if (connection->out_sent == connection->out_size)
		connection->out_sent = connection->out_size = 0;
	loop_fd_set_events(connection->source,
			   connection->out_size ? LOOP_READ | LOOP_WRITE : LOOP_READ);
}

static bool make_room(struct connection *connection, size_t size)
{
	size_t wanted = connection->out_size + size;
	if (wanted <= connection->out_capacity)
		return true;
	if (wanted > DNS_TCP_OUT_MAX)
		return false;
	uint8_t *out = realloc(connection->out, wanted);
	if (!out)
		return false;
	connection->out = out;
	connection->out_capacity = wanted;
	return true;
}

static void enqueue(struct connection *connection, const uint8_t *data, size_t size)
{
	if (connection->broken)
		return;
	if (!make_room(connection, LENGTH_SIZE + size)) {
		connection->broken = true;
		return;
	}
	uint8_t *to = connection->out + connection->out_size;
	dns_set16(to, (uint16_t)size);
	memcpy(to + LENGTH_SIZE, data, size);
	connection->out_size += LENGTH_SIZE + size;
}

/* Hands on the whole queries that have come; what is left moves to the front. */
static void take_queries(struct connection *connection)
{
	struct dns_tcp *tcp = connection->tcp;
	struct dns_origin origin = { .transport = DNS_TCP,
				     .connection = connection->number,
				     .peer = connection->peer };
	size_t at = 0;
	while (!connection->broken && connection->in_size - at >= LENGTH_SIZE) {
		size_t size = dns_get16(connection->in + at);
		if (size > DNS_QUERY_SIZE_MAX) {
			connection->broken = true;
			break;
		}
		if (connection->in_size - at - LENGTH_SIZE < size)
			break;
		tcp->handler(tcp->context, &origin, connection->in + at + LENGTH_SIZE, size);
		loop_timer_restart(connection->timer, DNS_TCP_IDLE_MS);
		at += LENGTH_SIZE + size;
	}
	connection->in_size -= at;
	memmove(connection->in, connection->in + at, connection->in_size);
}

static void on_connection(struct loop *loop, int fd, unsigned events, void *context)
{
	struct connection *connection = context;
	(void)loop;
	if (events & LOOP_READ) {
		ssize_t got = recv(fd, connection->in + connection->in_size,
				   IN_SIZE - connection->in_size, MSG_DONTWAIT);
		if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
			connection->broken = true;
		if (got > 0) {
			connection->in_size += (size_t)got;
			take_queries(connection);
		}
	}
	if (!connection->broken)
		flush(connection);
	if (connection->broken)
		connection_free(connection);
}

static void on_idle(struct loop *loop, void *context)
{
	(void)loop;
	connection_free(context);
}

static bool has_room(const struct dns_tcp *tcp, const struct dns_address *peer)
{
	struct ip ip = dns_address_ip(peer);
	size_t of_client = 0;
	for (const struct connection *at = tcp->connections; at; at = at->next)
		of_client += ip_equal(dns_address_ip(&at->peer), ip);
	return tcp->count < DNS_TCP_CONNECTIONS_MAX && of_client < DNS_TCP_CLIENT_MAX;
}

static void connection_create(struct dns_tcp *tcp, int fd, const struct dns_address *peer)
{
	struct error ignored;
	struct connection *connection = calloc(1, sizeof *connection);
	if (!connection) {
		close(fd);
		return;
	}
	connection->tcp = tcp;
	connection->fd = fd;
	connection->peer = *peer;
	connection->number = ++tcp->next_number;
	connection->next = tcp->connections;
	connection->link = &tcp->connections;
	if (connection->next)
		connection->next->link = &connection->next;
	tcp->connections = connection;
	tcp->count++;
	if (loop_add_fd(tcp->loop, fd, LOOP_READ, on_connection, connection, &connection->source,
			&ignored) < 0 ||
	    loop_add_timer(tcp->loop, DNS_TCP_IDLE_MS, 0, on_idle, connection, &connection->timer,
			   &ignored) < 0)
		connection_free(connection);
}

static void on_resume(struct loop *loop, void *context)
{
	struct dns_tcp *tcp = context;
	(void)loop;
	loop_source_free(TAKE(tcp->resume));
	loop_fd_set_events(tcp->source, LOOP_READ);
}

/* Without this, a full descriptor table would have the loop spin. */
static void pause_accepting(struct dns_tcp *tcp)
{
	struct error ignored;
	if (tcp->resume)
		return;
	if (loop_add_timer(tcp->loop, ACCEPT_PAUSE_MS, 0, on_resume, tcp, &tcp->resume, &ignored) ==
	    0)
		loop_fd_set_events(tcp->source, 0);
}

static void on_acceptable(struct loop *loop, int fd, unsigned events, void *context)
{
	struct dns_tcp *tcp = context;
	struct dns_address peer = { .size = sizeof peer.v6 };
	(void)loop;
	(void)events;
	int accepted = accept4(fd, &peer.any, &peer.size, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (accepted < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
			pause_accepting(tcp);
		return;
	}
	if (has_room(tcp, &peer))
		connection_create(tcp, accepted, &peer);
	else
		close(accepted);
}

int dns_tcp_create(struct loop *loop, struct ip ip, dns_query_handler *handler, void *context,
		   struct dns_tcp **ret_tcp, struct error *err)
{
	AUTO(dns_tcp) tcp = calloc(1, sizeof *tcp);
	if (!tcp)
		return error_set(err, ENOMEM, "no memory for a dns socket");
	tcp->loop = loop;
	tcp->fd = -1;
	tcp->handler = handler;
	tcp->context = context;
	int r = dns_socket_listen(ip, DNS_TCP, &tcp->fd, err);
	if (r == 0)
		r = loop_add_fd(loop, tcp->fd, LOOP_READ, on_acceptable, tcp, &tcp->source, err);
	if (r < 0)
		return r;
	*ret_tcp = TAKE(tcp);
	return 0;
}

void dns_tcp_send(struct dns_tcp *tcp, uint64_t connection, const uint8_t *data, size_t size)
{
	struct connection *at = tcp->connections;
	while (at && at->number != connection)
		at = at->next;
	if (!at)
		return;
	enqueue(at, data, size);
	/* Its events decide: what can be sent goes out, what is broken is freed there. */
	loop_timer_restart(at->timer, DNS_TCP_IDLE_MS);
	loop_fd_set_events(at->source, LOOP_READ | LOOP_WRITE);
}

void dns_tcp_free(struct dns_tcp *tcp)
{
	if (!tcp)
		return;
	while (tcp->connections)
		connection_free(tcp->connections);
	loop_source_free(tcp->source);
	loop_source_free(tcp->resume);
	cleanup_fd(&tcp->fd);
	free(tcp);
}
