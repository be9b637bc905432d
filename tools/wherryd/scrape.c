/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scrape.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/text.h"
#include "dataplane/metrics.h"

#define SOCKET_NAME "metrics.sock"
#define CLIENTS_MAX 8
#define CLIENT_MS 5000 /* for the whole exchange; then it is cut off */
#define REQUEST_MAX 8192

struct client {
	struct scrape *scrape;
	int fd; /* -1: the place is free */
	struct loop_source *source, *timer;
	char request[REQUEST_MAX];
	size_t request_size;
	struct text answer;
	size_t sent;
};

struct scrape {
	struct loop *loop;           /* lent */
	struct dataplane *dataplane; /* lent */
	const struct log *log;       /* lent */
	int run_fd, unix_fd, inet_fd;
	struct loop_source *unix_source, *inet_source;
	struct client clients[CLIENTS_MAX];
};

static void client_end(struct client *client)
{
	loop_source_free(TAKE(client->source));
	loop_source_free(TAKE(client->timer));
	if (client->fd >= 0)
		close(TAKE_FD(client->fd));
	text_free(&client->answer);
	client->answer = (struct text){ 0 };
	client->request_size = client->sent = 0;
}

static void on_timeout(struct loop *loop, void *context)
{
	(void)loop;
	client_end(context);
}

static void make_answer(struct client *client)
{
	auto_free char *page = NULL;
	struct error err;
	if (metrics_format(client->scrape->dataplane, &page, &err) < 0) {
		text_append(&client->answer,
			    "HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/plain\r\n"
			    "Content-Length: %zu\r\nConnection: close\r\n\r\n%s\n",
			    strlen(err.text) + 1, err.text);
		return;
	}
	text_append(&client->answer,
		    "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\n"
		    "Content-Length: %zu\r\nConnection: close\r\n\r\n",
		    strlen(page));
	text_append_bytes(&client->answer, page, strlen(page));
}

/* Gate: nothing of a request matters but where its head ends. 1 when it has, 0 not yet. */
static int read_request(struct client *client)
{
	ssize_t size = recv(client->fd, client->request + client->request_size,
			    sizeof client->request - client->request_size, MSG_DONTWAIT);
	if (size < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (size == 0)
		return -EPIPE;
	client->request_size += (size_t)size;
	if (memmem(client->request, client->request_size, "\r\n\r\n", 4))
		return 1;
	return client->request_size < sizeof client->request ? 0 : -EMSGSIZE;
}

/* 1 when all is sent. */
static int send_answer(struct client *client)
{
	ssize_t size = send(client->fd, client->answer.data + client->sent,
			    client->answer.size - client->sent, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (size < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	client->sent += (size_t)size;
	return client->sent == client->answer.size;
}

static void on_client(struct loop *loop, int fd, unsigned events, void *context)
{
	struct client *client = context;
	int r = 0;
	(void)loop;
	(void)fd;
	if (!client->answer.size && (events & LOOP_READ)) {
		r = read_request(client);
		if (r == 1) {
			make_answer(client);
			loop_fd_set_events(client->source, LOOP_WRITE);
			r = client->answer.failed ? -ENOMEM : 0;
		}
	} else if (client->answer.size) {
		r = send_answer(client);
	}
	if (r != 0)
		client_end(client);
}

static void on_connection(struct loop *loop, int fd, unsigned events, void *context)
{
	struct scrape *scrape = context;
	struct error err;
	(void)events;
	auto_fd peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	for (size_t i = 0; peer >= 0 && i < CLIENTS_MAX; i++) {
		struct client *client = &scrape->clients[i];
		if (client->fd >= 0)
			continue;
		client->fd = TAKE_FD(peer);
		if (loop_add_fd(loop, client->fd, LOOP_READ, on_client, client, &client->source,
				&err) < 0 ||
		    loop_add_timer(loop, CLIENT_MS, 0, on_timeout, client, &client->timer, &err) <
			    0)
			client_end(client);
		return;
	}
}

static int listen_unix(struct scrape *scrape, const struct instance *instance, struct error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	scrape->run_fd = open(instance->run, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (scrape->run_fd < 0)
		return error_set_errno(err, errno, "%s", instance->run);
	/* By way of the descriptor: a path under a long root is too long for an address. */
	snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", scrape->run_fd,
		 SOCKET_NAME);
	(void)unlinkat(scrape->run_fd, SOCKET_NAME, 0);
	scrape->unix_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t before = umask(077);
	int r = scrape->unix_fd < 0
			? -1
			: bind(scrape->unix_fd, (struct sockaddr *)&address, sizeof address);
	umask(before);
	if (r < 0 || listen(scrape->unix_fd, CLIENTS_MAX) < 0)
		return error_set_errno(err, errno, "metrics at %s/%s", instance->run, SOCKET_NAME);
	return loop_add_fd(scrape->loop, scrape->unix_fd, LOOP_READ, on_connection, scrape,
			   &scrape->unix_source, err);
}

static int bind_inet(int fd, struct ip ip, uint16_t port)
{
	if (ip_is_v4(ip)) {
		struct sockaddr_in address = { .sin_family = AF_INET,
					       .sin_port = htons(port),
					       .sin_addr = ip_to_v4(ip) };
		return bind(fd, (struct sockaddr *)&address, sizeof address);
	}
	struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	memcpy(&address.sin6_addr, ip.bytes, sizeof ip.bytes);
	return bind(fd, (struct sockaddr *)&address, sizeof address);
}

static int listen_inet(struct scrape *scrape, const struct instance *instance, struct error *err)
{
	struct ip ip;
	uint16_t port;
	int on = 1, r = metrics_place(instance, &ip, &port, err);
	if (r <= 0)
		return r;
	scrape->inet_fd = socket(ip_is_v4(ip) ? AF_INET : AF_INET6,
				 SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (scrape->inet_fd >= 0)
		setsockopt(scrape->inet_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (scrape->inet_fd < 0 || bind_inet(scrape->inet_fd, ip, port) < 0 ||
	    listen(scrape->inet_fd, CLIENTS_MAX) < 0)
		return error_set_errno(err, errno, "metrics at %s port %u", ip_format(ip).text,
				       port);
	return loop_add_fd(scrape->loop, scrape->inet_fd, LOOP_READ, on_connection, scrape,
			   &scrape->inet_source, err);
}

int scrape_create(struct loop *loop, struct dataplane *dataplane, const struct instance *instance,
		  const struct log *log, struct scrape **ret_scrape, struct error *err)
{
	struct error trouble;
	struct scrape *scrape = calloc(1, sizeof *scrape);
	if (!scrape)
		return error_set(err, ENOMEM, "no memory for metrics");
	*scrape = (struct scrape){ .loop = loop,
				   .dataplane = dataplane,
				   .log = log,
				   .run_fd = -1,
				   .unix_fd = -1,
				   .inet_fd = -1 };
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		scrape->clients[i].scrape = scrape;
		scrape->clients[i].fd = -1;
	}
	if (listen_unix(scrape, instance, &trouble) < 0)
		log_write(log, LOG_LEVEL_WARNING, "%s", trouble.text);
	if (listen_inet(scrape, instance, &trouble) < 0)
		log_write(log, LOG_LEVEL_WARNING, "%s", trouble.text);
	*ret_scrape = scrape;
	return 0;
}

void scrape_free(struct scrape *scrape)
{
	if (!scrape)
		return;
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		client_end(&scrape->clients[i]);
	loop_source_free(scrape->unix_source);
	loop_source_free(scrape->inet_source);
	if (scrape->unix_fd >= 0)
		(void)unlinkat(scrape->run_fd, SOCKET_NAME, 0);
	cleanup_fd(&scrape->unix_fd);
	cleanup_fd(&scrape->inet_fd);
	cleanup_fd(&scrape->run_fd);
	free(scrape);
}
