/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "udp.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define BATCH_SIZE 32 /* datagrams a system call */
#define ROUNDS_MAX 8  /* batches a turn of the loop: others get theirs */

struct datagram {
	struct dns_address peer;
	size_t size;
	uint8_t data[DNS_UDP_SIZE_EDNS];
};

struct dns_udp {
	struct loop_source *source;
	int fd;
	bool in_batch; /* answers are collected */
	dns_query_handler *handler;
	void *context;
	size_t out_count;
	struct datagram out[BATCH_SIZE];
	struct datagram in[BATCH_SIZE];
};

static int receive(struct dns_udp *udp)
{
	struct mmsghdr messages[BATCH_SIZE];
	struct iovec vectors[BATCH_SIZE];
	for (size_t i = 0; i < BATCH_SIZE; i++) {
		struct datagram *in = &udp->in[i];
		vectors[i] = (struct iovec){ .iov_base = in->data, .iov_len = sizeof in->data };
		messages[i] = (struct mmsghdr){ .msg_hdr = { .msg_name = &in->peer.any,
							     .msg_namelen = sizeof in->peer.v6,
							     .msg_iov = &vectors[i],
							     .msg_iovlen = 1 } };
	}
	int count = recvmmsg(udp->fd, messages, BATCH_SIZE, MSG_DONTWAIT, NULL);
	for (int i = 0; i < count; i++) {
		udp->in[i].peer.size = messages[i].msg_hdr.msg_namelen;
		udp->in[i].size = messages[i].msg_len;
	}
	return count < 0 ? 0 : count;
}

static void flush(struct dns_udp *udp)
{
	struct mmsghdr messages[BATCH_SIZE];
	struct iovec vectors[BATCH_SIZE];
	for (size_t i = 0; i < udp->out_count; i++) {
		struct datagram *out = &udp->out[i];
		vectors[i] = (struct iovec){ .iov_base = out->data, .iov_len = out->size };
		messages[i] = (struct mmsghdr){ .msg_hdr = { .msg_name = &out->peer.any,
							     .msg_namelen = out->peer.size,
							     .msg_iov = &vectors[i],
							     .msg_iovlen = 1 } };
	}
	/* An error concerns the first message only: pass over it and go on. */
	for (size_t sent = 0; sent < udp->out_count;) {
		int r = sendmmsg(udp->fd, messages + sent, (unsigned)(udp->out_count - sent),
				 MSG_DONTWAIT);
		sent += r > 0 ? (size_t)r : 1;
	}
	udp->out_count = 0;
}

static void on_readable(struct loop *loop, int fd, unsigned events, void *context)
{
	struct dns_udp *udp = context;
	(void)loop;
	(void)fd;
	(void)events;
	int count = BATCH_SIZE;
	for (int round = 0; round < ROUNDS_MAX && count == BATCH_SIZE; round++) {
		count = receive(udp);
		udp->in_batch = true;
		for (int i = 0; i < count; i++) {
			struct dns_origin origin = { .transport = DNS_UDP,
						     .peer = udp->in[i].peer };
			udp->handler(udp->context, &origin, udp->in[i].data, udp->in[i].size);
		}
		udp->in_batch = false;
		flush(udp);
	}
}

int dns_udp_create(struct loop *loop, struct ip ip, dns_query_handler *handler, void *context,
		   struct dns_udp **ret_udp, struct error *err)
{
	AUTO(dns_udp) udp = calloc(1, sizeof *udp);
	if (!udp)
		return error_set(err, ENOMEM, "no memory for a dns socket");
	udp->fd = -1;
	udp->handler = handler;
	udp->context = context;
	int r = dns_socket_listen(ip, DNS_UDP, &udp->fd, err);
	if (r == 0)
		r = loop_add_fd(loop, udp->fd, LOOP_READ, on_readable, udp, &udp->source, err);
	if (r < 0)
		return r;
	*ret_udp = TAKE(udp);
	return 0;
}

void dns_udp_send(struct dns_udp *udp, const struct dns_address *peer, const uint8_t *data,
		  size_t size)
{
	assert(size <= DNS_UDP_SIZE_EDNS);
	if (!udp->in_batch) {
		(void)sendto(udp->fd, data, size, MSG_DONTWAIT, &peer->any, peer->size);
		return;
	}
	/* At most one answer a query: there is a place for each. */
	assert(udp->out_count < BATCH_SIZE);
	struct datagram *out = &udp->out[udp->out_count++];
	out->peer = *peer;
	out->size = size;
	memcpy(out->data, data, size);
}

void dns_udp_free(struct dns_udp *udp)
{
	if (!udp)
		return;
	loop_source_free(udp->source);
	cleanup_fd(&udp->fd);
	free(udp);
}
