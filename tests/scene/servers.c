/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Servers of a scene: a process each. The socket listens before the process
 * is forked, so that a client may come at once.
 */
#include "private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "base/file.h"
#include "base/process.h"

#define CONNECTIONS_MAX 256
#define DATAGRAM_MAX 65536

/* "NAME ADDRESS PORT\n", the client as the server sees it. */
static size_t describe(const char *name, const struct sockaddr_in6 *peer, char *out, size_t size)
{
	struct ip ip = ip_from_v6(&peer->sin6_addr);
	int written =
		snprintf(out, size, "%s %s %u\n", name, ip_format(ip).text, ntohs(peer->sin6_port));
	return (size_t)written;
}

/* One socket for both families: IPv4 clients come as ::ffff:a.b.c.d. */
static int open_server(struct scene *scene, const char *host, const int kind[2], uint16_t port)
{
	int fd, on = 1, off = 0;
	struct error err;
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	MUST(netns_socket(scene_netns_fd(scene, host), AF_INET6, kind[0], kind[1], &fd, &err), err);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
	MUST_ERRNO(bind(fd, (struct sockaddr *)&any, sizeof any) == 0, "bind of a server");
	if (kind[0] == SOCK_STREAM)
		MUST_ERRNO(listen(fd, 128) == 0, "listen");
	return fd;
}

void scene_serve(struct scene *scene, const struct service *service)
{
	pid_t parent = getpid(), pid = fork();
	MUST_ERRNO(pid >= 0, "fork");
	if (pid > 0) {
		close(service->fd);
		scene_keep_process(scene, pid);
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	if (getppid() == parent)
		service->serve(service);
	_exit(1);
}

static void greet(struct pollfd *fds, size_t *count, const char *name)
{
	struct sockaddr_in6 peer;
	socklen_t size = sizeof peer;
	char line[SCENE_NAME_MAX + IP_TEXT_MAX + 16];
	int fd = accept(fds[0].fd, (struct sockaddr *)&peer, &size);
	if (fd < 0)
		return;
	if (*count == CONNECTIONS_MAX ||
	    fd_write_all(fd, line, describe(name, &peer, line, sizeof line)) < 0)
		close(fd);
	else
		fds[(*count)++] = (struct pollfd){ .fd = fd, .events = POLLIN };
}

static bool echo(int fd)
{
	char data[4096];
	ssize_t got = recv(fd, data, sizeof data, 0);
	return got > 0 && fd_write_all(fd, data, (size_t)got) == 0;
}

static void serve_stream(const struct service *service)
{
	struct pollfd fds[CONNECTIONS_MAX] = { { .fd = service->fd, .events = POLLIN } };
	size_t count = 1;
	for (;;) {
		if (poll(fds, count, -1) < 0)
			continue;
		for (size_t i = count - 1; i > 0; i--) {
			if (!fds[i].revents || echo(fds[i].fd))
				continue;
			close(fds[i].fd);
			fds[i] = fds[--count];
		}
		if (fds[0].revents)
			greet(fds, &count, service->host);
	}
}

static void serve_udp(const struct service *service)
{
	char data[DATAGRAM_MAX], line[SCENE_NAME_MAX + IP_TEXT_MAX + 16];
	for (;;) {
		struct sockaddr_in6 peer;
		socklen_t size = sizeof peer;
		if (recvfrom(service->fd, data, sizeof data, 0, (struct sockaddr *)&peer, &size) <
		    0)
			continue; /* an ICMP error of an earlier answer */
		sendto(service->fd, line, describe(service->host, &peer, line, sizeof line), 0,
		       (struct sockaddr *)&peer, size);
	}
}

void scene_tcp_server(struct scene *scene, const char *host, uint16_t port)
{
	const int kind[2] = { SOCK_STREAM, IPPROTO_TCP };
	scene_serve(scene, &(struct service){ host, port, open_server(scene, host, kind, port),
					      serve_stream });
}

void scene_udp_server(struct scene *scene, const char *host, uint16_t port)
{
	const int kind[2] = { SOCK_DGRAM, IPPROTO_UDP };
	scene_serve(scene, &(struct service){ host, port, open_server(scene, host, kind, port),
					      serve_udp });
}

void scene_sctp_server(struct scene *scene, const char *host, uint16_t port)
{
	const int kind[2] = { SOCK_STREAM, IPPROTO_SCTP };
	if (sctp_is_there())
		scene_serve(scene,
			    &(struct service){ host, port, open_server(scene, host, kind, port),
					       serve_stream });
	else
		sctp_serve_by_hand(scene, host, port);
}
