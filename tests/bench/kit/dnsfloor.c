/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dnsfloor - the least that a DNS server can do: the floor of the item dns.
 *
 *   dnsfloor --addr A --port N --cpu N
 *
 * It answers every query with one A record, 10.88.1.1, without looking at the
 * name: one receive and one send for each query, no table, no cache.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define HEADER 12
#define LARGEST 512

/* Where the question ends, or 0 when the query is not a plain question. */
static size_t question_end(const unsigned char *query, size_t size)
{
	size_t at = HEADER;

	if (size < HEADER || (query[2] & 0xf8) || query[4] || query[5] != 1)
		return 0;
	while (at < size && query[at] && query[at] < 64)
		at += (size_t)query[at] + 1;
	return at + 5 <= size && !query[at] ? at + 5 : 0;
}

static size_t answer(unsigned char *message, size_t size)
{
	static const unsigned char record[] = { 0xc0, HEADER, 0, 1, 0,  1,  0, 0,
						0,    60,     0, 4, 10, 88, 1, 1 };
	size_t end = question_end(message, size);

	if (!end || end + sizeof record > LARGEST)
		return 0;
	message[2] = (unsigned char)(0x84 | (message[2] & 1));
	message[3] = 0;
	message[6] = 0;
	message[7] = 1;
	memset(message + 8, 0, 4);
	memcpy(message + end, record, sizeof record);
	return end + sizeof record;
}

int main(int argc, char **argv)
{
	struct sockaddr_in own = { .sin_family = AF_INET }, from;
	unsigned char message[LARGEST];
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	cpu_set_t set;

	if (argc != 7 || inet_pton(AF_INET, argv[2], &own.sin_addr) != 1) {
		fputs("usage: dnsfloor --addr A --port N --cpu N\n", stderr);
		return 2;
	}
	own.sin_port = htons((unsigned short)strtoul(argv[4], NULL, 10));
	CPU_ZERO(&set);
	CPU_SET((int)strtol(argv[6], NULL, 10), &set);
	sched_setaffinity(0, sizeof set, &set);
	if (fd < 0 || bind(fd, (struct sockaddr *)&own, sizeof own)) {
		fprintf(stderr, "dnsfloor: %s port %s: %s\n", argv[2], argv[4], strerror(errno));
		return 1;
	}
	puts("ready");
	fflush(stdout);
	for (;;) {
		socklen_t length = sizeof from;
		ssize_t n =
			recvfrom(fd, message, sizeof message, 0, (struct sockaddr *)&from, &length);
		size_t reply = n > 0 ? answer(message, (size_t)n) : 0;

		if (reply)
			sendto(fd, message, reply, 0, (struct sockaddr *)&from, length);
	}
}
