/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "upstream.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"
#include "base/cleanup.h"
#include "base/loop.h"

#define LATE_MS 2000
#define BIG_COUNT 200

struct answer {
	size_t size;
	uint8_t data[DNS_MESSAGE_SIZE_MAX];
};

/* The one answer that is held back. */
struct late {
	uint64_t due_ms; /* 0: none */
	int fd;
	struct dns_address peer;
	struct answer answer;
};

struct server {
	int number;
	int udp, tcp;
	struct late late;
};

static bool begins(const struct dns_message *query, const char *label)
{
	size_t size = strlen(label);
	return query->name.wire[0] == size && memcmp(query->name.wire + 1, label, size) == 0;
}

static void answer_addresses(const struct dns_message *query, int number, enum dns_transport by,
			     struct answer *answer)
{
	struct dns_writer writer;
	struct dns_verdict verdict = { .cause = DNS_CAUSE_NONE };
	struct in_addr address = { .s_addr = htonl(0xc0000200u + (unsigned)number) };
	size_t count = begins(query, "big") ? BIG_COUNT : 1;
	size_t limit = by == DNS_TCP ? sizeof answer->data : DNS_UDP_SIZE_PLAIN;

	dns_writer_start(&writer, answer->data, limit, query, DNS_PARSE_OK);
	for (size_t i = 0; i < count; i++)
		if (!dns_write_address(&writer, &query->name, ip_from_v4(address), 60))
			break;
	answer->size = dns_writer_finish(&writer, query, &verdict);
}

static void answer_failure(const struct dns_message *query, struct answer *answer)
{
	struct dns_verdict verdict = { .rcode = DNS_RCODE_SERVER_FAILURE, .cause = DNS_CAUSE_NONE };
	answer->size =
		dns_write_verdict(answer->data, DNS_UDP_SIZE_PLAIN, query, DNS_PARSE_OK, &verdict);
}

static void send_to(int fd, const struct dns_address *peer, const struct answer *answer)
{
	(void)sendto(fd, answer->data, answer->size, 0, &peer->any, peer->size);
}

/* What this server does with a query that came by UDP. */
static void act(struct server *server, const struct dns_message *query,
		const struct dns_address *peer)
{
	struct answer answer;
	bool first = server->number == 1;

	if (begins(query, "drop12") || (first && begins(query, "drop1")))
		return;
	answer_addresses(query, server->number, DNS_UDP, &answer);
	if (first && begins(query, "fail1"))
		answer_failure(query, &answer);
	if (first && begins(query, "wrongname"))
		answer.data[DNS_HEADER_SIZE + 1] = 'x';
	if ((first && begins(query, "wrongid1")) || begins(query, "strayid")) {
		answer.data[0] ^= 0xff;
		send_to(server->udp, peer, &answer);
		answer.data[0] ^= 0xff;
		if (begins(query, "wrongid1"))
			return;
	}
	if (first && begins(query, "late1")) {
		server->late.peer = *peer;
		server->late.answer = answer;
		server->late.due_ms = clock_monotonic_ms() + LATE_MS;
		return;
	}
	send_to(server->udp, peer, &answer);
}

static void take_udp(struct server *server)
{
	uint8_t data[DNS_MESSAGE_SIZE_MAX];
	struct dns_message query;
	struct dns_address peer = { .size = sizeof peer.v6 };
	ssize_t size =
		recvfrom(server->udp, data, sizeof data, MSG_DONTWAIT, &peer.any, &peer.size);
	if (size > 0 && dns_message_parse(data, (size_t)size, &query) == DNS_PARSE_OK)
		act(server, &query, &peer);
}

static void take_tcp(struct server *server)
{
	uint8_t data[DNS_MESSAGE_SIZE_MAX], length[2];
	struct dns_message query;
	struct answer answer;
	auto_fd fd = accept(server->tcp, NULL, NULL);
	if (fd < 0 || recv(fd, length, 2, MSG_WAITALL) != 2)
		return;
	ssize_t size = recv(fd, data, dns_get16(length), MSG_WAITALL);
	if (size <= 0 || dns_message_parse(data, (size_t)size, &query) != DNS_PARSE_OK)
		return;
	answer_addresses(&query, server->number, DNS_TCP, &answer);
	dns_set16(length, (uint16_t)answer.size);
	(void)send(fd, length, 2, MSG_NOSIGNAL);
	(void)send(fd, answer.data, answer.size, MSG_NOSIGNAL);
}

static void send_late(struct server *server)
{
	if (!server->late.due_ms || clock_monotonic_ms() < server->late.due_ms)
		return;
	send_to(server->udp, &server->late.peer, &server->late.answer);
	server->late.due_ms = 0;
}

static void serve(struct server servers[2])
{
	for (;;) {
		struct pollfd waits[4];
		int timeout_ms = -1;
		for (size_t i = 0; i < 2; i++) {
			waits[2 * i] = (struct pollfd){ .fd = servers[i].udp, .events = POLLIN };
			waits[2 * i + 1] =
				(struct pollfd){ .fd = servers[i].tcp, .events = POLLIN };
			if (servers[i].late.due_ms)
				timeout_ms = 10;
		}
		poll(waits, 4, timeout_ms);
		for (size_t i = 0; i < 2; i++) {
			if (waits[2 * i].revents)
				take_udp(&servers[i]);
			if (waits[2 * i + 1].revents)
				take_tcp(&servers[i]);
			send_late(&servers[i]);
		}
	}
}

pid_t upstream_start(struct ip first, struct ip second)
{
	static struct server servers[2];
	struct ip ips[2] = { first, second };
	struct error err;
	for (size_t i = 0; i < 2; i++) {
		servers[i].number = (int)i + 1;
		if (dns_socket_listen(ips[i], DNS_UDP, &servers[i].udp, &err) < 0 ||
		    dns_socket_listen(ips[i], DNS_TCP, &servers[i].tcp, &err) < 0)
			return -1;
	}
	pid_t child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(servers);
	}
	for (size_t i = 0; i < 2; i++) {
		close(servers[i].udp);
		close(servers[i].tcp);
	}
	return child;
}
