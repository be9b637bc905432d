/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nb - a small network benchmark: one server and one client for five loads.
 *
 *   nb server [--addr A] [--port N] [--cpu N]
 *   nb client --mode M --addr A [--port N] [--bind A] [--duration S]
 *             [--size BYTES] [--cpu N] [--json] [--label TEXT]
 *
 * Modes: tcp_rr      one request and one reply at a time on one connection
 *        tcp_crr     connect, one request, one reply, close, and again
 *        udp_rr      one datagram there and one back at a time
 *        tcp_stream  bytes one way; the server reports how many arrived
 *        udp_pps     datagrams one way as fast as the sender can; the server
 *                    reports how many arrived
 *
 * One server answers all the modes on one TCP and one UDP port, so that a
 * scene is built once.  Every message starts with a header that carries a
 * sequence number, and its payload is a function of that number: both ends
 * check it, so a data path that loses, repeats or damages data fails here.
 *
 * Both ends are pinned to CPU 0 unless told otherwise.  A wakeup on another
 * CPU costs tens of microseconds on a virtual machine and would hide the
 * cost of the data path.
 *
 * Exit status: 0 done, 1 a run failed, 2 wrong usage.
 */
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAGIC 0x6e62656eu
#define MAX_MESSAGE 65000u
#define STREAM_CHUNK 65536u
#define SOCKET_BUFFER (16 << 20)
#define REPLY_TIMEOUT_MS 2000

enum op { OP_ECHO = 1, OP_STREAM, OP_FLOOD, OP_REPORT };

/* Network byte order on the wire. */
struct header {
	uint32_t magic;
	uint32_t op;
	uint32_t seq;
	uint32_t length; /* of the whole message, header included */
	uint64_t count;  /* in a report: bytes or datagrams received */
};

struct options {
	const char *mode, *addr, *bind, *port, *label;
	double duration;
	unsigned size;
	int cpu;
	bool json;
};

__attribute__((format(printf, 1, 2))) static _Noreturn void die(const char *format, ...)
{
	va_list args;

	fputs("nb: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void pin(int cpu)
{
	cpu_set_t set;

	if (cpu < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof set, &set))
		die("cannot pin to CPU %d: %s", cpu, strerror(errno));
}

static struct addrinfo *resolve(const char *addr, const char *port, int type, bool passive)
{
	struct addrinfo hints = {
		.ai_socktype = type,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | (passive ? AI_PASSIVE : 0),
	};
	struct addrinfo *list;
	int rc = getaddrinfo(addr, port, &hints, &list);

	if (rc)
		die("address %s port %s: %s", addr ? addr : "any", port, gai_strerror(rc));
	return list;
}

static unsigned char pattern(uint32_t seq, size_t at)
{
	return (unsigned char)(seq * 31u + at * 7u + 5u);
}

static void fill(unsigned char *message, enum op op, uint32_t seq, unsigned size)
{
	struct header h = {
		.magic = htonl(MAGIC), .op = htonl(op), .seq = htonl(seq), .length = htonl(size)
	};

	memcpy(message, &h, sizeof h);
	for (size_t i = sizeof h; i < size; i++)
		message[i] = pattern(seq, i);
}

/* The header in host order, or false when the message is not one of ours. */
static bool parse(const unsigned char *message, size_t size, struct header *h)
{
	if (size < sizeof *h)
		return false;
	memcpy(h, message, sizeof *h);
	h->magic = ntohl(h->magic);
	h->op = ntohl(h->op);
	h->seq = ntohl(h->seq);
	h->length = ntohl(h->length);
	h->count = be64toh(h->count);
	return h->magic == MAGIC && h->length >= sizeof *h && h->length <= MAX_MESSAGE;
}

static bool payload_ok(const unsigned char *message, uint32_t seq, size_t size)
{
	for (size_t i = sizeof(struct header); i < size; i++)
		if (message[i] != pattern(seq, i))
			return false;
	return true;
}

static bool write_all(int fd, const void *data, size_t size)
{
	const char *p = data;

	while (size) {
		ssize_t n = send(fd, p, size, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			struct pollfd w = { .fd = fd, .events = POLLOUT };

			if (poll(&w, 1, REPLY_TIMEOUT_MS) > 0)
				continue;
		}
		if (n <= 0)
			return false;
		p += n;
		size -= (size_t)n;
	}
	return true;
}

/* --- server ------------------------------------------------------------ */

struct connection {
	int fd;
	bool stream;
	uint64_t received; /* bytes after the stream's first header */
	size_t have;
	unsigned char buffer[MAX_MESSAGE];
};

static unsigned char scratch[STREAM_CHUNK];

static int open_server(const char *addr, const char *port, int type)
{
	struct addrinfo *ai = resolve(addr, port, type, true);
	int one = 1, buffer = SOCKET_BUFFER;
	int fd = socket(ai->ai_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (type == SOCK_DGRAM)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
	if (bind(fd, ai->ai_addr, ai->ai_addrlen))
		die("bind %s port %s: %s", addr, port, strerror(errno));
	if (type == SOCK_STREAM && listen(fd, 4096))
		die("listen: %s", strerror(errno));
	freeaddrinfo(ai);
	return fd;
}

static void watch(int epoll, int fd, void *what)
{
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = what };

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e))
		die("epoll: %s", strerror(errno));
}

static void drop(struct connection *c)
{
	close(c->fd);
	free(c);
}

static void finish_stream(struct connection *c)
{
	unsigned char reply[sizeof(struct header)];
	uint64_t count = htobe64(c->received);

	fill(reply, OP_REPORT, 0, sizeof reply);
	memcpy(reply + offsetof(struct header, count), &count, sizeof count);
	write_all(c->fd, reply, sizeof reply);
}

/* One byte in 4096 is checked: enough to see reordering, cheap enough not
 * to be what is measured. */
static bool stream_ok(const struct connection *c, size_t n)
{
	uint64_t at = (c->received + 4095) & ~(uint64_t)4095;

	for (; at < c->received + n; at += 4096)
		if (scratch[at - c->received] != (unsigned char)(at >> 12))
			return false;
	return true;
}

static void serve_stream(struct connection *c)
{
	ssize_t n = recv(c->fd, scratch, sizeof scratch, 0);

	if (n > 0 && stream_ok(c, (size_t)n)) {
		c->received += (uint64_t)n;
		return;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n == 0)
		finish_stream(c);
	else if (n > 0)
		fprintf(stderr, "nb: damaged stream near byte %" PRIu64 "\n", c->received);
	drop(c);
}

static void serve_connection(struct connection *c)
{
	struct header h;
	ssize_t n;

	if (c->stream) {
		serve_stream(c);
		return;
	}
	n = recv(c->fd, c->buffer + c->have, sizeof c->buffer - c->have, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		drop(c);
		return;
	}
	c->have += (size_t)n;
	if (c->have < sizeof h)
		return;
	if (!parse(c->buffer, c->have, &h)) {
		drop(c);
		return;
	}
	if (h.op == OP_STREAM) {
		c->stream = true; /* the client waits before it sends more */
		write_all(c->fd, c->buffer, sizeof h);
		return;
	}
	if (c->have < h.length)
		return;
	if (c->have > h.length || !payload_ok(c->buffer, h.seq, h.length) ||
	    !write_all(c->fd, c->buffer, h.length)) {
		drop(c);
		return;
	}
	c->have = 0;
}

static void accept_all(int epoll, int listener)
{
	int one = 1, fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		struct connection *c = calloc(1, sizeof *c);

		if (!c)
			die("no memory");
		c->fd = fd;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		watch(epoll, fd, c);
	}
}

static void serve_datagrams(int fd)
{
	static uint64_t flood;
	struct sockaddr_storage from;
	unsigned char *message = scratch;

	for (int i = 0; i < 256; i++) {
		socklen_t length = sizeof from;
		ssize_t n =
			recvfrom(fd, message, STREAM_CHUNK, 0, (struct sockaddr *)&from, &length);
		struct header h;
		uint64_t count;

		if (n < 0)
			return;
		if (!parse(message, (size_t)n, &h) || (size_t)n != h.length ||
		    !payload_ok(message, h.seq, (size_t)n))
			continue;
		if (h.op == OP_FLOOD) {
			flood++;
			continue;
		}
		if (h.op == OP_ECHO)
			flood = 0; /* each flood begins with one echo */
		if (h.op == OP_REPORT) {
			count = htobe64(flood);
			memcpy(message + offsetof(struct header, count), &count, sizeof count);
		}
		sendto(fd, message, (size_t)n, 0, (struct sockaddr *)&from, length);
	}
}

static _Noreturn void server(const struct options *o)
{
	const char *addr = o->addr ? o->addr : "0.0.0.0";
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	int tcp = open_server(addr, o->port, SOCK_STREAM);
	int udp = open_server(addr, o->port, SOCK_DGRAM);
	struct epoll_event events[64];

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	watch(epoll, tcp, &tcp);
	watch(epoll, udp, &udp);
	puts("ready");
	fflush(stdout);
	for (;;) {
		int n = epoll_wait(epoll, events, 64, -1);

		for (int i = 0; i < n; i++) {
			if (events[i].data.ptr == &tcp)
				accept_all(epoll, tcp);
			else if (events[i].data.ptr == &udp)
				serve_datagrams(udp);
			else
				serve_connection(events[i].data.ptr);
		}
	}
}

/* --- client ------------------------------------------------------------ */

struct result {
	const char *unit;
	double value;
	uint64_t operations, lost;
	double p50_us, p99_us, seconds;
};

/* A histogram of latency: 64 steps for each doubling, under 1.6 % error. */
#define STEPS 64
static uint64_t histogram[64 * STEPS];

static unsigned slot(uint64_t ns)
{
	unsigned top;

	if (ns < STEPS)
		return (unsigned)ns;
	top = 63u - (unsigned)__builtin_clzll(ns);
	return (top - 5) * STEPS + (unsigned)((ns >> (top - 6)) & (STEPS - 1));
}

static double slot_us(unsigned s)
{
	unsigned top = s / STEPS;

	if (!top)
		return s / 1e3;
	return (double)(((uint64_t)STEPS + s % STEPS) << (top - 1)) / 1e3;
}

static double percentile(uint64_t total, double share)
{
	uint64_t want = (uint64_t)((double)total * share), seen = 0;

	for (unsigned i = 0; i < 64 * STEPS; i++) {
		seen += histogram[i];
		if (seen > want)
			return slot_us(i);
	}
	return 0;
}

static int dial(const struct options *o, int type)
{
	struct addrinfo *ai = resolve(o->addr, o->port, type, false);
	struct timeval limit = { .tv_sec = REPLY_TIMEOUT_MS / 1000 };
	int one = 1, buffer = SOCKET_BUFFER;
	int fd = socket(ai->ai_family, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
	if (type == SOCK_STREAM)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	else
		setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof buffer);
	if (o->bind) {
		struct addrinfo *local = resolve(o->bind, "0", type, false);

		if (bind(fd, local->ai_addr, local->ai_addrlen))
			die("bind %s: %s", o->bind, strerror(errno));
		freeaddrinfo(local);
	}
	if (connect(fd, ai->ai_addr, ai->ai_addrlen))
		die("%s: connect %s port %s: %s", o->mode, o->addr, o->port, strerror(errno));
	freeaddrinfo(ai);
	return fd;
}

static void expect(const struct options *o, int fd, enum op op, uint32_t seq, unsigned size,
		   struct header *h)
{
	unsigned char reply[MAX_MESSAGE];
	ssize_t n = recv(fd, reply, size, MSG_WAITALL);

	if (n < 0)
		die("%s: no reply from %s port %s: %s", o->mode, o->addr, o->port,
		    errno == EAGAIN ? "timed out" : strerror(errno));
	if ((size_t)n != size)
		die("%s: the connection ended after %zd of %u bytes", o->mode, n, size);
	if (!parse(reply, (size_t)n, h) || h->seq != seq || h->op != op ||
	    !payload_ok(reply, seq, size))
		die("%s: reply %" PRIu32 " is damaged", o->mode, seq);
}

static void exchange(const struct options *o, int fd, uint32_t seq)
{
	unsigned char request[MAX_MESSAGE];
	struct header h;

	fill(request, OP_ECHO, seq, o->size);
	if (!write_all(fd, request, o->size))
		die("%s: send: %s", o->mode, strerror(errno));
	expect(o, fd, OP_ECHO, seq, o->size, &h);
}

static struct result transactions(const struct options *o, int type, bool reconnect)
{
	uint64_t length = (uint64_t)(o->duration * 1e9), count = 0;
	int fd = reconnect ? -1 : dial(o, type);
	uint64_t start = now_ns(), before = start, after;

	do {
		if (reconnect)
			fd = dial(o, type);
		exchange(o, fd, (uint32_t)count);
		if (reconnect)
			close(fd);
		after = now_ns();
		histogram[slot(after - before)]++;
		before = after;
		count++;
	} while (after - start < length);
	if (!reconnect)
		close(fd);
	return (struct result){
		.unit = reconnect ? "conn/s" : "trans/s",
		.value = (double)count * 1e9 / (double)(after - start),
		.operations = count,
		.p50_us = percentile(count, 0.5),
		.p99_us = percentile(count, 0.99),
		.seconds = (double)(after - start) / 1e9,
	};
}

static struct result stream(const struct options *o)
{
	static unsigned char chunk[16][STREAM_CHUNK];
	unsigned char first[sizeof(struct header)];
	uint64_t length = (uint64_t)(o->duration * 1e9), start, sent = 0;
	int fd = dial(o, SOCK_STREAM);
	struct header h;
	double seconds;

	/* Byte 4096*k of the stream is k modulo 256: 16 chunks are one turn. */
	for (unsigned k = 0; k < 256; k++)
		chunk[k / 16][(k % 16) * 4096] = (unsigned char)k;
	fill(first, OP_STREAM, 0, sizeof first);
	if (!write_all(fd, first, sizeof first))
		die("tcp_stream: send: %s", strerror(errno));
	expect(o, fd, OP_STREAM, 0, sizeof first, &h);
	start = now_ns();
	for (unsigned i = 0; now_ns() - start < length; i++) {
		if (!write_all(fd, chunk[i % 16], STREAM_CHUNK))
			die("tcp_stream: send: %s", strerror(errno));
		sent += STREAM_CHUNK;
	}
	shutdown(fd, SHUT_WR);
	expect(o, fd, OP_REPORT, 0, sizeof h, &h);
	seconds = (double)(now_ns() - start) / 1e9;
	close(fd);
	if (h.count != sent)
		die("tcp_stream: %" PRIu64 " bytes sent, %" PRIu64 " received", sent, h.count);
	return (struct result){ .unit = "MB/s",
				.value = (double)sent / 1e6 / seconds,
				.operations = sent / STREAM_CHUNK,
				.seconds = seconds };
}

/* Asks for the count, which queues behind what is still on its way, and waits
 * until the answer can be read.  A data path that drops under load may drop
 * the question: it is asked again, and the time is then the first question's. */
static double ask_report(int fd, uint64_t start)
{
	unsigned char message[sizeof(struct header)];
	struct pollfd w = { .fd = fd, .events = POLLIN };
	double asked = (double)(now_ns() - start) / 1e9;

	fill(message, OP_REPORT, 0, sizeof message);
	for (int i = 0; i < 10; i++) {
		send(fd, message, sizeof message, 0);
		if (poll(&w, 1, 200) > 0)
			return i ? asked : (double)(now_ns() - start) / 1e9;
	}
	die("udp_pps: the server does not report");
}

static struct result flood(const struct options *o)
{
	uint64_t length = (uint64_t)(o->duration * 1e9), sent = 0, start;
	unsigned char message[MAX_MESSAGE];
	int fd = dial(o, SOCK_DGRAM);
	struct header h;
	double seconds;

	exchange(o, fd, 0); /* neighbours and flow are known from here on */
	start = now_ns();
	do {
		for (int i = 0; i < 32; i++) {
			fill(message, OP_FLOOD, (uint32_t)sent, o->size);
			if (send(fd, message, o->size, 0) < 0 && errno != ENOBUFS)
				die("udp_pps: send: %s", strerror(errno));
			sent++;
		}
	} while (now_ns() - start < length);
	seconds = ask_report(fd, start);
	expect(o, fd, OP_REPORT, 0, sizeof h, &h);
	close(fd);
	return (struct result){ .unit = "packets/s",
				.value = (double)h.count / seconds,
				.operations = h.count,
				.lost = sent - h.count,
				.seconds = seconds };
}

static void print(const struct options *o, const struct result *r)
{
	if (!o->json) {
		printf("%s %.1f %s, p50 %.1f us, p99 %.1f us, lost %" PRIu64 "\n", o->mode,
		       r->value, r->unit, r->p50_us, r->p99_us, r->lost);
		return;
	}
	printf("{\"label\":\"%s\",\"mode\":\"%s\",\"unit\":\"%s\","
	       "\"value\":%.3f,\"operations\":%" PRIu64 ",\"lost\":%" PRIu64
	       ",\"p50_us\":%.2f,\"p99_us\":%.2f,\"seconds\":%.4f}\n",
	       o->label, o->mode, r->unit, r->value, r->operations, r->lost, r->p50_us, r->p99_us,
	       r->seconds);
}

static int client(const struct options *o)
{
	struct result r;

	if (!strcmp(o->mode, "tcp_rr"))
		r = transactions(o, SOCK_STREAM, false);
	else if (!strcmp(o->mode, "tcp_crr"))
		r = transactions(o, SOCK_STREAM, true);
	else if (!strcmp(o->mode, "udp_rr"))
		r = transactions(o, SOCK_DGRAM, false);
	else if (!strcmp(o->mode, "tcp_stream"))
		r = stream(o);
	else if (!strcmp(o->mode, "udp_pps"))
		r = flood(o);
	else
		die("mode %s is not one of tcp_rr, tcp_crr, udp_rr, tcp_stream, udp_pps", o->mode);
	print(o, &r);
	return 0;
}

static int usage(void)
{
	fputs("usage: nb server [--addr A] [--port N] [--cpu N]\n"
	      "       nb client --mode tcp_rr|tcp_crr|udp_rr|tcp_stream|udp_pps --addr A\n"
	      "                 [--port N] [--bind A] [--duration S] [--size BYTES]\n"
	      "                 [--cpu N, -1 for none] [--json] [--label TEXT]\n",
	      stderr);
	return 2;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "mode", 1, NULL, 'm' }, { "addr", 1, NULL, 'a' },     { "bind", 1, NULL, 'b' },
		{ "port", 1, NULL, 'p' }, { "duration", 1, NULL, 'd' }, { "size", 1, NULL, 's' },
		{ "cpu", 1, NULL, 'c' },  { "json", 0, NULL, 'j' },     { "label", 1, NULL, 'l' },
		{ NULL, 0, NULL, 0 },
	};
	struct options o = { .port = "7777", .duration = 1, .size = 64, .label = "" };
	int c;

	if (argc < 2)
		return usage();
	while ((c = getopt_long(argc - 1, argv + 1, "", longs, NULL)) != -1) {
		switch (c) {
		case 'm':
			o.mode = optarg;
			break;
		case 'a':
			o.addr = optarg;
			break;
		case 'b':
			o.bind = optarg;
			break;
		case 'p':
			o.port = optarg;
			break;
		case 'd':
			o.duration = atof(optarg);
			break;
		case 's':
			o.size = (unsigned)(int)strtol(optarg, NULL, 10);
			break;
		case 'c':
			o.cpu = (int)strtol(optarg, NULL, 10);
			break;
		case 'j':
			o.json = true;
			break;
		case 'l':
			o.label = optarg;
			break;
		default:
			return usage();
		}
	}
	if (o.size < sizeof(struct header) || o.size > MAX_MESSAGE || o.duration <= 0)
		die("--size must be %zu to %u and --duration above 0", sizeof(struct header),
		    MAX_MESSAGE);
	pin(o.cpu);
	if (!strcmp(argv[1], "server"))
		server(&o);
	if (strcmp(argv[1], "client") || !o.mode || !o.addr)
		return usage();
	return client(&o);
}
