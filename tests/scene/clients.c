/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Clients of a scene: a socket of the host's namespace, used from here. Every
 * wait has an end, and what came instead of an answer is the result.
 */
#include "private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/file.h"
#include "base/loop.h"
#include "base/process.h"

#define LINE_MAX_BYTES 128
#define PACKET_MAX 2048

struct target target_of(const char *address, uint16_t port)
{
	struct target target = { 0 };
	struct ip ip;
	struct error err;
	MUST(ip_parse(address, &ip, &err), err);
	target.is_v4 = ip_is_v4(ip);
	if (target.is_v4) {
		struct sockaddr_in v4 = { .sin_family = AF_INET,
					  .sin_port = htons(port),
					  .sin_addr = ip_to_v4(ip) };
		memcpy(&target.address, &v4, target.size = sizeof v4);
	} else {
		struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
		memcpy(&v6.sin6_addr, ip.bytes, sizeof ip.bytes);
		memcpy(&target.address, &v6, target.size = sizeof v6);
	}
	return target;
}

int await_socket(int fd, short events, uint64_t end_ms)
{
	struct pollfd wait = { .fd = fd, .events = events };
	for (;;) {
		uint64_t now_ms = clock_monotonic_ms();
		int left_ms = now_ms < end_ms ? (int)(end_ms - now_ms) : 0;
		int ready = poll(&wait, 1, left_ms);
		if (ready == 0)
			return -ETIMEDOUT;
		if (ready > 0)
			break;
	}
	int code = 0;
	socklen_t size = sizeof code;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size);
	return -code;
}

/* Binds before it connects, if the client has an address that it comes from. */
static int bind_first(int fd, const char *from)
{
	if (!from)
		return 0;
	struct target own = target_of(from, 0);
	return bind(fd, (const struct sockaddr *)&own.address, own.size) < 0 ? -errno : 0;
}

struct opening {
	struct scene *scene;
	const char *host, *from; /* from: NULL: not bound */
	int type, protocol;
	uint64_t end_ms;
};

static int open_client(const struct opening *opening, const struct target *target, int *ret_fd)
{
	struct error err;
	uint64_t end_ms = opening->end_ms;
	auto_fd fd = -1;
	MUST(netns_socket(scene_netns_fd(opening->scene, opening->host),
			  target->is_v4 ? AF_INET : AF_INET6, opening->type | SOCK_NONBLOCK,
			  opening->protocol, &fd, &err),
	     err);
	int bound = bind_first(fd, opening->from);
	if (bound < 0)
		return bound;
	int r = connect(fd, (const struct sockaddr *)&target->address, target->size);
	if (r < 0 && errno != EINPROGRESS)
		return -errno;
	r = r < 0 ? await_socket(fd, POLLOUT, end_ms) : 0;
	if (r == 0)
		*ret_fd = TAKE_FD(fd);
	return r;
}

/* "NAME ADDRESS PORT" into its parts. */
static int parse_reply(const char *line, struct scene_reply *ret)
{
	struct scene_reply reply;
	if (sscanf(line, "%31s %45s %hu", reply.server, reply.peer, &reply.peer_port) != 3)
		return -EBADMSG;
	*ret = reply;
	return 0;
}

/* Exactly one line or datagram; what has come so far stays if a stream is cut. */
static int receive_line(int fd, uint64_t end_ms, char line[LINE_MAX_BYTES])
{
	size_t size = 0;
	while (size == 0 || line[size - 1] != '\n') {
		int r = await_socket(fd, POLLIN, end_ms);
		if (r < 0)
			return r;
		ssize_t got = recv(fd, line + size, LINE_MAX_BYTES - 1 - size, 0);
		if (got < 0 && errno != EAGAIN)
			return -errno;
		if (got == 0)
			return -EPIPE;
		size += got > 0 ? (size_t)got : 0;
		line[size] = '\0';
	}
	return 0;
}

static int open_greeted(const struct opening *opening, const struct target *target,
			struct scene_reply *ret)
{
	char line[LINE_MAX_BYTES];
	auto_fd fd = -1;
	int r = open_client(opening, target, &fd);
	if (r == 0)
		r = receive_line(fd, opening->end_ms, line);
	if (r == 0)
		r = parse_reply(line, ret);
	return r < 0 ? r : TAKE_FD(fd);
}

static int ask_stream(const struct opening *opening, const struct target *target,
		      struct scene_reply *ret)
{
	int fd = open_greeted(opening, target, ret);
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static int ask_datagram(const struct opening *opening, const struct target *target,
			struct scene_reply *ret)
{
	char line[LINE_MAX_BYTES];
	auto_fd fd = -1;
	int r = open_client(opening, target, &fd);
	if (r < 0)
		return r;
	if (send(fd, "?", 1, 0) < 0)
		return -errno;
	r = receive_line(fd, opening->end_ms, line);
	return r < 0 ? r : parse_reply(line, ret);
}

int scene_ask(struct scene *scene, const struct scene_question *question, struct scene_reply *ret)
{
	struct target target = target_of(question->address, question->port);
	struct opening opening = {
		.scene = scene,
		.host = question->host,
		.from = question->from,
		.type = question->protocol == IPPROTO_UDP ? SOCK_DGRAM : SOCK_STREAM,
		.protocol = question->protocol,
		.end_ms = clock_monotonic_ms() + (uint64_t)question->timeout_ms,
	};
	if (question->protocol == IPPROTO_SCTP && !sctp_is_there())
		return sctp_ask_by_hand(scene, question, ret);
	return question->protocol == IPPROTO_UDP ? ask_datagram(&opening, &target, ret)
						 : ask_stream(&opening, &target, ret);
}

int scene_tcp_request(struct scene *scene, const char *host, const char *address, uint16_t port,
		      int timeout_ms, struct scene_reply *ret)
{
	return scene_ask(scene,
			 &(struct scene_question){ .host = host,
						   .address = address,
						   .port = port,
						   .protocol = IPPROTO_TCP,
						   .timeout_ms = timeout_ms },
			 ret);
}

int scene_tcp_open(struct scene *scene, const char *host, const char *address, uint16_t port,
		   struct scene_reply *ret)
{
	struct target target = target_of(address, port);
	struct opening opening = { .scene = scene,
				   .host = host,
				   .type = SOCK_STREAM,
				   .end_ms = clock_monotonic_ms() + SCENE_WAIT_MS };
	return open_greeted(&opening, &target, ret);
}

int scene_tcp_echo(int fd, const char *text, int timeout_ms)
{
	uint64_t end_ms = clock_monotonic_ms() + (uint64_t)timeout_ms;
	char data[PACKET_MAX];
	size_t size = strlen(text), got = 0;
	assert_true(size <= sizeof data);
	if (send(fd, text, size, MSG_NOSIGNAL) != (ssize_t)size)
		return -errno;
	while (got < size) {
		int r = await_socket(fd, POLLIN, end_ms);
		if (r < 0)
			return r;
		ssize_t n = recv(fd, data + got, size - got, 0);
		if (n == 0)
			return -EPIPE;
		if (n < 0 && errno != EAGAIN)
			return -errno;
		got += n > 0 ? (size_t)n : 0;
	}
	return memcmp(data, text, size) == 0 ? 0 : -EBADMSG;
}

int scene_udp_request(struct scene *scene, const char *host, const char *address, uint16_t port,
		      int timeout_ms, struct scene_reply *ret)
{
	return scene_ask(scene,
			 &(struct scene_question){ .host = host,
						   .address = address,
						   .port = port,
						   .protocol = IPPROTO_UDP,
						   .timeout_ms = timeout_ms },
			 ret);
}

static uint16_t checksum(const void *data, size_t size)
{
	const uint8_t *bytes = data;
	uint32_t sum = 0;
	for (size_t i = 0; i + 1 < size; i += 2)
		sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
	sum = (sum >> 16) + (sum & 0xffff);
	sum += sum >> 16;
	return htons((uint16_t)~sum);
}

static int send_echo(int fd, bool is_v4, uint16_t id)
{
	struct icmphdr request = { .type = is_v4 ? ICMP_ECHO : ICMPV6_ECHO_REQUEST };
	request.un.echo.id = htons(id);
	request.un.echo.sequence = htons(1);
	if (is_v4) /* ICMPv6's is the kernel's work */
		request.checksum = checksum(&request, sizeof request);
	return send(fd, &request, sizeof request, 0) < 0 ? -errno : 0;
}

/* Whether a received packet is the answer to `id`. A raw IPv4 socket shows the IP header. */
static bool is_answer(const uint8_t *packet, size_t size, bool is_v4, uint16_t id)
{
	size_t offset = is_v4 && size > 0 ? 4 * (size_t)(packet[0] & 15) : 0;
	struct icmphdr answer;
	if (size < offset + sizeof answer)
		return false;
	memcpy(&answer, packet + offset, sizeof answer);
	return answer.type == (is_v4 ? ICMP_ECHOREPLY : ICMPV6_ECHO_REPLY) &&
	       answer.un.echo.id == htons(id);
}

int scene_ping(struct scene *scene, const char *host, const char *address, int timeout_ms)
{
	uint64_t end_ms = clock_monotonic_ms() + (uint64_t)timeout_ms;
	struct target target = target_of(address, 0);
	uint16_t id = (uint16_t)getpid();
	uint8_t packet[PACKET_MAX];
	int on = 1;
	auto_fd fd = -1;
	struct opening opening = { .scene = scene,
				   .host = host,
				   .type = SOCK_RAW,
				   .protocol = target.is_v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6,
				   .end_ms = end_ms };
	int r = open_client(&opening, &target, &fd);
	if (r < 0)
		return r;
	/* ICMP errors become errors of the socket. */
	setsockopt(fd, target.is_v4 ? IPPROTO_IP : IPPROTO_IPV6,
		   target.is_v4 ? IP_RECVERR : IPV6_RECVERR, &on, sizeof on);
	r = send_echo(fd, target.is_v4, id);
	while (r == 0) {
		r = await_socket(fd, POLLIN, end_ms);
		if (r < 0)
			return r;
		ssize_t got = recv(fd, packet, sizeof packet, 0);
		if (got > 0 && is_answer(packet, (size_t)got, target.is_v4, id))
			return 0;
		if (got < 0 && errno != EAGAIN)
			return -errno;
	}
	return r;
}

/* --- claims --- */

typedef int request_function(struct scene *scene, const char *host, const char *address,
			     uint16_t port, int timeout_ms, struct scene_reply *ret);

static void assert_answer(struct scene *scene, request_function *request,
			  const char *const from_to[2], uint16_t port, const char *server,
			  const char *peer)
{
	struct scene_reply reply;
	int r = request(scene, from_to[0], from_to[1], port, SCENE_WAIT_MS, &reply);
	if (r < 0)
		fail_msg("%s to %s:%u: %s", from_to[0], from_to[1], port, strerror(-r));
	if (!text_equal(reply.server, server) || (peer && !text_equal(reply.peer, peer)))
		fail_msg("%s to %s:%u: answered by %s, which saw %s; wanted: %s, %s", from_to[0],
			 from_to[1], port, reply.server, reply.peer, server, peer ? peer : "any");
}

static void assert_silence(struct scene *scene, request_function *request,
			   const char *const from_to[2], uint16_t port)
{
	struct scene_reply reply;
	if (request(scene, from_to[0], from_to[1], port, SCENE_QUIET_MS, &reply) == 0)
		fail_msg("%s to %s:%u: answered by %s, which saw %s; wanted: no answer", from_to[0],
			 from_to[1], port, reply.server, reply.peer);
}

void scene_assert_tcp(struct scene *scene, const char *host, const char *address, uint16_t port,
		      const char *server, const char *peer)
{
	const char *const from_to[2] = { host, address };
	assert_answer(scene, scene_tcp_request, from_to, port, server, peer);
}

void scene_assert_udp(struct scene *scene, const char *host, const char *address, uint16_t port,
		      const char *server, const char *peer)
{
	const char *const from_to[2] = { host, address };
	assert_answer(scene, scene_udp_request, from_to, port, server, peer);
}

void scene_assert_no_tcp(struct scene *scene, const char *host, const char *address, uint16_t port)
{
	const char *const from_to[2] = { host, address };
	assert_silence(scene, scene_tcp_request, from_to, port);
}

void scene_assert_no_udp(struct scene *scene, const char *host, const char *address, uint16_t port)
{
	const char *const from_to[2] = { host, address };
	assert_silence(scene, scene_udp_request, from_to, port);
}

void scene_assert_ping(struct scene *scene, const char *host, const char *address)
{
	int r = scene_ping(scene, host, address, SCENE_WAIT_MS);
	if (r < 0)
		fail_msg("ping from %s to %s: %s", host, address, strerror(-r));
}

void scene_assert_no_ping(struct scene *scene, const char *host, const char *address)
{
	if (scene_ping(scene, host, address, SCENE_QUIET_MS) == 0)
		fail_msg("ping from %s to %s: answered; wanted: no answer", host, address);
}
