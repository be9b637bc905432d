/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Traffic with an answer: a server that says whom it saw, and clients that
 * wait a second for it. Servers die with the world.
 */
#include "conformance.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <linux/icmp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <signal.h>
#include <unistd.h>

#define ANSWER_WAIT_MS 1000

struct endpoint {
	int type; /* SOCK_STREAM, SOCK_DGRAM */
	struct sockaddr_storage address;
	socklen_t size;
	char *reply;
};

static bool make_address(const char *text, int port, struct sockaddr_storage *ret, socklen_t *size)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;
	memset(ret, 0, sizeof *ret);
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)port);
		*size = sizeof *v4;
		return true;
	}
	if (inet_pton(AF_INET6, text, &v6->sin6_addr) != 1)
		return false;
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons((uint16_t)port);
	*size = sizeof *v6;
	return true;
}

static void name_peer(const struct sockaddr_storage *peer, char *ret, size_t size)
{
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)peer;
	char text[INET6_ADDRSTRLEN] = "?";
	inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof text);
	snprintf(ret, size, "%s", text_starts_with(text, "::ffff:") ? text + 7 : text);
}

static void answer_stream(int fd)
{
	struct sockaddr_storage peer;
	socklen_t size = sizeof peer;
	char text[64];
	auto_fd client = accept(fd, (struct sockaddr *)&peer, &size);
	if (client < 0)
		return;
	name_peer(&peer, text, sizeof text);
	if (send(client, text, strlen(text), MSG_NOSIGNAL) < 0)
		return;
}

static void answer_datagram(int fd)
{
	struct sockaddr_storage peer;
	socklen_t size = sizeof peer;
	char text[64], ignored[16];
	if (recvfrom(fd, ignored, sizeof ignored, 0, (struct sockaddr *)&peer, &size) < 0)
		return;
	name_peer(&peer, text, sizeof text);
	if (sendto(fd, text, strlen(text), 0, (struct sockaddr *)&peer, size) < 0)
		return;
}

static int listen_on(int type, int port)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
	int one = 1, zero = 0;
	auto_fd fd = socket(AF_INET6, type | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof zero);
	if (fd < 0 || bind(fd, (struct sockaddr *)&any, sizeof any) < 0 ||
	    (type == SOCK_STREAM && listen(fd, 64) < 0))
		return -1;
	return TAKE_FD(fd);
}

static int work_serve(void *context, struct error *err)
{
	const int *port = context;
	struct pollfd wait[2] = { { listen_on(SOCK_STREAM, *port), POLLIN, 0 },
				  { listen_on(SOCK_DGRAM, *port), POLLIN, 0 } };
	(void)err;
	if (wait[0].fd < 0 || wait[1].fd < 0)
		return -errno;
	pid_t pid = fork();
	if (pid != 0)
		return pid < 0 ? -errno : 0;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		if (poll(wait, 2, -1) < 0)
			_exit(0);
		if (wait[0].revents)
			answer_stream(wait[0].fd);
		if (wait[1].revents)
			answer_datagram(wait[1].fd);
	}
}

void serve(struct world *world, const char *netns, int port)
{
	int r = inside(netns, work_serve, &port);
	if (r < 0) {
		show(world, "%s", strerror(-r));
		claim(world, false, "the witness can listen on port %d", port);
	}
}

static bool wait_for(int fd, short events)
{
	struct pollfd wait = { fd, events, 0 };
	return poll(&wait, 1, ANSWER_WAIT_MS) == 1 && (wait.revents & events);
}

static int work_ask(void *context, struct error *err)
{
	struct endpoint *endpoint = context;
	auto_fd fd = socket(endpoint->address.ss_family,
			    endpoint->type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int error = 0;
	socklen_t error_size = sizeof error;
	(void)err;
	if (fd < 0 || (connect(fd, (struct sockaddr *)&endpoint->address, endpoint->size) < 0 &&
		       errno != EINPROGRESS))
		return -ECONNREFUSED;
	if (!wait_for(fd, POLLOUT) ||
	    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_size) < 0 || error)
		return -ECONNREFUSED;
	if (endpoint->type == SOCK_DGRAM && send(fd, "?", 1, MSG_NOSIGNAL) < 0)
		return -ECONNREFUSED;
	if (!wait_for(fd, POLLIN))
		return -ETIMEDOUT;
	ssize_t size = recv(fd, endpoint->reply, 63, 0);
	if (size <= 0)
		return -ECONNRESET;
	endpoint->reply[size] = '\0';
	return 0;
}

bool ask(const char *netns, const char *protocol, const char *address, int port, char reply[64])
{
	struct endpoint endpoint = { .type = text_equal(protocol, "udp") ? SOCK_DGRAM : SOCK_STREAM,
				     .reply = reply };
	reply[0] = '\0';
	return make_address(address, port, &endpoint.address, &endpoint.size) &&
	       inside(netns, work_ask, &endpoint) == 0;
}

static uint16_t checksum(const void *data, size_t size)
{
	const uint16_t *words = data;
	uint32_t sum = 0;
	for (; size > 1; size -= 2)
		sum += *words++;
	sum = (sum >> 16) + (sum & 0xffff);
	return (uint16_t) ~(sum + (sum >> 16));
}

static int work_ping(void *context, struct error *err)
{
	struct endpoint *endpoint = context;
	bool v4 = endpoint->address.ss_family == AF_INET;
	auto_fd fd = socket(endpoint->address.ss_family, SOCK_RAW | SOCK_CLOEXEC,
			    v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
	struct icmphdr echo = { .type = v4 ? ICMP_ECHO : ICMP6_ECHO_REQUEST,
				.un.echo.id = htons((uint16_t)getpid()) };
	(void)err;
	echo.checksum = v4 ? checksum(&echo, sizeof echo) : 0;
	if (fd < 0 || sendto(fd, &echo, sizeof echo, 0, (struct sockaddr *)&endpoint->address,
			     endpoint->size) < 0)
		return -EHOSTUNREACH;
	for (int64_t end = now_ms() + ANSWER_WAIT_MS; now_ms() < end;) {
		uint8_t packet[256];
		if (!wait_for(fd, POLLIN))
			return -ETIMEDOUT;
		ssize_t size = recv(fd, packet, sizeof packet, 0);
		size_t at = v4 && size > 0 ? (size_t)(packet[0] & 15) * 4 : 0;
		if (size >= (ssize_t)(at + sizeof echo) &&
		    packet[at] == (v4 ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY) &&
		    memcmp(packet + at + 4, &echo.un.echo.id, 2) == 0)
			return 0;
	}
	return -ETIMEDOUT;
}

bool ping(const char *netns, const char *address)
{
	struct endpoint endpoint = { 0 };
	return make_address(address, 0, &endpoint.address, &endpoint.size) &&
	       inside(netns, work_ping, &endpoint) == 0;
}
