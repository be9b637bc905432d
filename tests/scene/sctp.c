/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SCTP by hand, for kernels that have none: a client sends INIT, a server answers
 * with INIT ACK (RFC 9260 section 3.3). More of an association is not needed to
 * see who reaches whom, and as whom.
 */
#include "private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/file.h"
#include "base/loop.h"
#include "base/process.h"

#define CHUNK_INIT 1
#define CHUNK_INIT_ACK 2
#define CHUNK_ABORT 6
#define PARAMETER_COOKIE 7
#define INIT_BYTES 20
#define COOKIE_MAX 96
#define PACKET_MAX 2048
#define PORT_FIRST 40000 /* no flow of an earlier question is met */
#define PORT_COUNT 20000

struct sctp_packet {
	uint16_t source_port, destination_port;
	uint32_t tag, crc;
	uint8_t chunk, flags;
	uint16_t chunk_length;
	uint32_t initiate_tag, window;
	uint16_t streams_out, streams_in;
	uint32_t sequence;
	uint16_t parameter, parameter_length;
	char cookie[COOKIE_MAX];
};
#define PLAIN_BYTES offsetof(struct sctp_packet, parameter)
#define WITH_COOKIE_BYTES sizeof(struct sctp_packet)

bool sctp_is_there(void)
{
	auto_fd fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_SCTP);
	return fd >= 0;
}

/* CRC32c of all but the field itself (RFC 9260 appendix A), as it stands in the packet. */
static uint32_t crc_of(const uint8_t *packet, size_t size)
{
	uint32_t crc = 0xffffffff;
	for (size_t i = 0; i < size; i++) {
		crc ^= i >= 8 && i < 12 ? 0 : packet[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
	}
	return ~crc;
}

static bool is_v4(int fd)
{
	int family = 0;
	socklen_t size = sizeof family;
	getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size);
	return family == AF_INET;
}

/* 1 and the packet, if what comes next is whole; 0 if it is not, -errno. */
static int receive(int fd, struct sctp_packet *ret, struct sockaddr_storage *ret_peer)
{
	uint8_t data[PACKET_MAX];
	socklen_t peer_size = sizeof *ret_peer;
	ssize_t got = recvfrom(fd, data, sizeof data, 0, (struct sockaddr *)ret_peer, &peer_size);
	if (got < 0)
		return errno == EAGAIN ? 0 : -errno;
	/* A raw IPv4 socket shows the IP header. */
	size_t start = is_v4(fd) && got > 0 ? 4 * (size_t)(data[0] & 15) : 0;
	if ((size_t)got < start + PLAIN_BYTES)
		return 0;
	size_t size = (size_t)got - start;
	memset(ret, 0, sizeof *ret);
	memcpy(ret, data + start, size < sizeof *ret ? size : sizeof *ret);
	ret->cookie[sizeof ret->cookie - 1] = '\0';
	return ret->crc == crc_of(data + start, size);
}

static void serve(const struct service *service)
{
	struct sctp_packet question;
	struct sockaddr_storage peer;
	for (;;) {
		if (receive(service->fd, &question, &peer) <= 0 || question.chunk != CHUNK_INIT ||
		    question.destination_port != htons(service->port))
			continue;
		struct sctp_packet answer = {
			.source_port = question.destination_port,
			.destination_port = question.source_port,
			.tag = question.initiate_tag,
			.chunk = CHUNK_INIT_ACK,
			.chunk_length = htons(INIT_BYTES + 4 + COOKIE_MAX),
			.initiate_tag = htonl(2),
			.window = question.window,
			.streams_out = htons(1),
			.streams_in = htons(1),
			.parameter = htons(PARAMETER_COOKIE),
			.parameter_length = htons(4 + COOKIE_MAX),
		};
		struct ip ip = peer.ss_family == AF_INET
				       ? ip_from_v4(((struct sockaddr_in *)&peer)->sin_addr)
				       : ip_from_v6(&((struct sockaddr_in6 *)&peer)->sin6_addr);
		snprintf(answer.cookie, sizeof answer.cookie, "%s %s %u", service->host,
			 ip_format(ip).text, ntohs(question.source_port));
		answer.crc = crc_of((uint8_t *)&answer, sizeof answer);
		if (peer.ss_family == AF_INET6) /* a raw socket takes its protocol only */
			((struct sockaddr_in6 *)&peer)->sin6_port = 0;
		sendto(service->fd, &answer, sizeof answer, 0, (struct sockaddr *)&peer,
		       peer.ss_family == AF_INET ? sizeof(struct sockaddr_in)
						 : sizeof(struct sockaddr_in6));
	}
}

void sctp_serve_by_hand(struct scene *scene, const char *host, uint16_t port)
{
	static const int families[] = { AF_INET, AF_INET6 };
	struct error err;
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		struct service service = { host, port, -1, serve };
		MUST(netns_socket(scene_netns_fd(scene, host), families[i], SOCK_RAW, IPPROTO_SCTP,
				  &service.fd, &err),
		     err);
		scene_serve(scene, &service);
	}
}

static int open_by_hand(struct scene *scene, const struct scene_question *question, int *ret_fd)
{
	struct target to = target_of(question->address, 0);
	struct error err;
	auto_fd fd = -1;
	MUST(netns_socket(scene_netns_fd(scene, question->host), to.is_v4 ? AF_INET : AF_INET6,
			  SOCK_RAW | SOCK_NONBLOCK, IPPROTO_SCTP, &fd, &err),
	     err);
	if (question->from) {
		struct target own = target_of(question->from, 0);
		if (bind(fd, (struct sockaddr *)&own.address, own.size) < 0)
			return -errno;
	}
	if (connect(fd, (struct sockaddr *)&to.address, to.size) < 0)
		return -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* What ICMP says of a host that has no SCTP is what its SCTP would: nobody is there. */
static int refusal(int r)
{
	return r == -ENOPROTOOPT || r == -EPROTO ? -ECONNREFUSED : r;
}

static int await_answer(int fd, const struct sctp_packet *init,
			const struct scene_question *question, struct scene_reply *ret)
{
	uint64_t end_ms = clock_monotonic_ms() + (uint64_t)question->timeout_ms;
	struct sctp_packet packet;
	struct sockaddr_storage peer;
	bool came_back = false;
	for (;;) {
		int r = await_socket(fd, POLLIN, end_ms);
		if (r == 0)
			r = receive(fd, &packet, &peer);
		/* The host has taken up its own INIT, and has nobody to give it to. */
		if (r < 0)
			return r == -ETIMEDOUT && came_back ? -ECONNREFUSED : refusal(r);
		if (r == 0)
			continue;
		if (!came_back && memcmp(&packet, init, PLAIN_BYTES) == 0) {
			came_back = true;
			if (question->own_ms)
				end_ms = clock_monotonic_ms() + (uint64_t)question->own_ms;
		}
		if (packet.source_port != init->destination_port ||
		    packet.destination_port != init->source_port ||
		    packet.tag != init->initiate_tag)
			continue;
		if (packet.chunk == CHUNK_ABORT)
			return -ECONNREFUSED;
		if (packet.chunk == CHUNK_INIT_ACK)
			return sscanf(packet.cookie, "%31s %45s %hu", ret->server, ret->peer,
				      &ret->peer_port) == 3
				       ? 0
				       : -EBADMSG;
	}
}

int sctp_ask_by_hand(struct scene *scene, const struct scene_question *question,
		     struct scene_reply *ret)
{
	uint64_t now_ms = clock_monotonic_ms();
	struct sctp_packet init = {
		.source_port = htons((uint16_t)(PORT_FIRST + now_ms % PORT_COUNT)),
		.destination_port = htons(question->port),
		.chunk = CHUNK_INIT,
		.chunk_length = htons(INIT_BYTES),
		.initiate_tag = htonl((uint32_t)now_ms | 1),
		.window = htonl(65536),
		.streams_out = htons(1),
		.streams_in = htons(1),
		.sequence = htonl(1),
	};
	auto_fd fd = -1;
	int r = open_by_hand(scene, question, &fd);
	if (r < 0)
		return r;
	init.crc = crc_of((uint8_t *)&init, PLAIN_BYTES);
	if (send(fd, &init, PLAIN_BYTES, 0) != (ssize_t)PLAIN_BYTES)
		return -errno;
	return await_answer(fd, &init, question, ret);
}
