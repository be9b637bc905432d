/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "attempt.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#define LENGTH_SIZE 2 /* of the prefix on TCP, RFC 1035 section 4.2.2 */
#define STRAYS_MAX 64 /* datagrams looked at in one turn of the loop */

struct dns_attempt {
	struct dns_attempt_spec spec;
	struct loop_source *source;
	int fd;
	uint16_t id;
	size_t out_size, out_sent; /* TCP: the query with its length */
	size_t in_size, in_wanted; /* TCP: bytes of the answer with its length */
	uint8_t *in;               /* TCP: the answer with its length, once that is known */
	uint8_t in_length[LENGTH_SIZE];
	uint8_t out[]; /* length, query with our id */
};

static void finish(struct dns_attempt *attempt, const struct dns_message *reply)
{
	/* Nothing more may come: the handler decides how long the attempt lives. */
	loop_fd_set_events(attempt->source, 0);
	attempt->spec.handler(attempt->spec.context, attempt, reply);
}

enum verdict { VERDICT_ANSWER, VERDICT_STRAY, VERDICT_FAILURE };

static enum verdict check(const struct dns_attempt *attempt, const uint8_t *data, size_t size,
			  struct dns_message *ret_reply)
{
	enum dns_parse parsed = dns_message_parse(data, size, ret_reply);
	if (parsed == DNS_PARSE_SHORT || ret_reply->id != attempt->id ||
	    !(ret_reply->flags & DNS_FLAG_RESPONSE))
		return VERDICT_STRAY;
	if (parsed == DNS_PARSE_OK)
		return dns_question_equal(ret_reply, attempt->spec.query) ? VERDICT_ANSWER
									  : VERDICT_STRAY;
	/* Old servers answer what they do not understand by a bare header with an error. */
	return size == DNS_HEADER_SIZE && ret_reply->flags & DNS_MASK_RCODE ? VERDICT_FAILURE
									    : VERDICT_STRAY;
}

static void on_datagram(struct loop *loop, int fd, unsigned events, void *context)
{
	struct dns_attempt *attempt = context;
	uint8_t data[DNS_MESSAGE_SIZE_MAX];
	(void)loop;
	(void)events;

	for (int i = 0; i < STRAYS_MAX; i++) {
		ssize_t size = recv(fd, data, sizeof data, 0);
		if (size < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		struct dns_message reply;
		/* An ICMP error arrives here: the server is not there. */
		enum verdict verdict =
			size < 0 ? VERDICT_FAILURE : check(attempt, data, (size_t)size, &reply);
		if (verdict == VERDICT_STRAY)
			continue;
		finish(attempt, verdict == VERDICT_ANSWER ? &reply : NULL);
		return;
	}
}

/* 1: all is sent; 0: later; -errno. */
static int send_rest(struct dns_attempt *attempt)
{
	while (attempt->out_sent < attempt->out_size) {
		ssize_t sent = send(attempt->fd, attempt->out + attempt->out_sent,
				    attempt->out_size - attempt->out_sent, MSG_NOSIGNAL);
		if (sent < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		attempt->out_sent += (size_t)sent;
	}
	return 1;
}

static int start_answer(struct dns_attempt *attempt)
{
	attempt->in_wanted = dns_get16(attempt->in_length);
	attempt->in_size = 0;
	attempt->in = malloc(attempt->in_wanted + 1);
	return attempt->in ? 0 : -ENOMEM;
}

/* 1: the answer is whole; 0: later; -errno. */
static int receive_rest(struct dns_attempt *attempt)
{
	for (;;) {
		uint8_t *to = attempt->in ? attempt->in : attempt->in_length;
		size_t wanted = attempt->in ? attempt->in_wanted : LENGTH_SIZE;
		if (attempt->in_size == wanted) {
			if (attempt->in)
				return 1;
			int r = start_answer(attempt);
			if (r < 0)
				return r;
			continue;
		}
		ssize_t got =
			recv(attempt->fd, to + attempt->in_size, wanted - attempt->in_size, 0);
		if (got < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		if (got == 0)
			return -ECONNRESET;
		attempt->in_size += (size_t)got;
	}
}

static void on_stream(struct loop *loop, int fd, unsigned events, void *context)
{
	struct dns_attempt *attempt = context;
	struct dns_message reply;
	(void)loop;
	(void)fd;
	(void)events;

	int r = send_rest(attempt);
	if (r == 1) {
		loop_fd_set_events(attempt->source, LOOP_READ);
		r = receive_rest(attempt);
	}
	if (r == 0)
		return;
	bool answered =
		r > 0 && check(attempt, attempt->in, attempt->in_size, &reply) == VERDICT_ANSWER;
	finish(attempt, answered ? &reply : NULL);
}

static int random_id(uint16_t *ret_id)
{
	return getrandom(ret_id, sizeof *ret_id, 0) == sizeof *ret_id ? 0 : -EIO;
}

static struct dns_attempt *make(const struct dns_attempt_spec *spec)
{
	const struct dns_message *query = spec->query;
	struct dns_attempt *attempt = calloc(1, sizeof *attempt + LENGTH_SIZE + query->size);
	if (!attempt)
		return NULL;
	attempt->spec = *spec;
	attempt->fd = -1;
	attempt->out_size = LENGTH_SIZE + query->size;
	memcpy(attempt->out + LENGTH_SIZE, query->data, query->size);
	dns_set16(attempt->out, (uint16_t)query->size);
	/* The hop to the upstream is ours: an answer there must not need fragments either. */
	if (query->has_edns && query->edns_payload > DNS_UDP_SIZE_EDNS)
		dns_set16(attempt->out + LENGTH_SIZE + query->edns_offset + 2, DNS_UDP_SIZE_EDNS);
	return attempt;
}

static int send_datagram(const struct dns_attempt *attempt)
{
	size_t size = attempt->out_size - LENGTH_SIZE;
	return send(attempt->fd, attempt->out + LENGTH_SIZE, size, 0) < 0 ? -errno : 0;
}

int dns_attempt_start(struct loop *loop, const struct dns_attempt_spec *spec,
		      struct dns_attempt **ret_attempt, struct error *err)
{
	struct dns_address address =
		dns_address_make(spec->upstream.ip, DNS_PORT, spec->upstream.scope);
	bool tcp = spec->transport == DNS_TCP;
	AUTO(dns_attempt) attempt = make(spec);
	if (!attempt)
		return error_set(err, ENOMEM, "no memory for a dns query");
	int r = random_id(&attempt->id);
	if (r == 0)
		r = dns_socket_connect(&address, spec->transport, &attempt->fd);
	if (r < 0)
		return error_set_errno(err, -r, "dns server %s", ip_format(spec->upstream.ip).text);
	dns_set16(attempt->out + LENGTH_SIZE, attempt->id);
	r = loop_add_fd(loop, attempt->fd, tcp ? LOOP_WRITE : LOOP_READ,
			tcp ? on_stream : on_datagram, attempt, &attempt->source, err);
	if (r < 0)
		return r;
	if (!tcp && (r = send_datagram(attempt)) < 0)
		return error_set_errno(err, -r, "dns server %s", ip_format(spec->upstream.ip).text);
	*ret_attempt = TAKE(attempt);
	return 0;
}

size_t dns_attempt_upstream(const struct dns_attempt *attempt)
{
	return attempt->spec.upstream_index;
}

enum dns_transport dns_attempt_transport(const struct dns_attempt *attempt)
{
	return attempt->spec.transport;
}

void dns_attempt_free(struct dns_attempt *attempt)
{
	if (!attempt)
		return;
	loop_source_free(attempt->source);
	cleanup_fd(&attempt->fd);
	free(attempt->in);
	free(attempt);
}
