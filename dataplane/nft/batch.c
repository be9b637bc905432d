/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nft/batch.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define MESSAGE_MAX 61440 /* attributes have 16-bit lengths */
#define ANSWER_MAX 32768
#define SEND_BUFFER (8 << 20)

struct nft_batch {
	int fd;
	char table[NFT_NAME_MAXLEN];
	bool failed; /* memory ran out, or too many requests */
	size_t count;
	struct nl_msg *messages[NFT_BATCH_MAX + 2]; /* with begin and end */
};

static struct nl_msg *message_make(int type, int flags, uint8_t family, uint16_t resource)
{
	struct nfgenmsg header = { .nfgen_family = family,
				   .version = NFNETLINK_V0,
				   .res_id = htons(resource) };
	struct nl_msg *message = nlmsg_alloc_size(MESSAGE_MAX);
	if (!message)
		return NULL;
	if (!nlmsg_put(message, 0, 0, type, 0, NLM_F_REQUEST | flags) ||
	    nlmsg_append(message, &header, sizeof header, NLMSG_ALIGNTO) < 0) {
		nlmsg_free(message);
		return NULL;
	}
	return message;
}

static void batch_clear(struct nft_batch *batch)
{
	for (size_t i = 0; i < batch->count; i++)
		nlmsg_free(batch->messages[i]);
	batch->count = 0;
	batch->failed = false;
}

static void batch_put(struct nft_batch *batch, struct nl_msg *message)
{
	if (!message)
		batch->failed = true;
	else
		batch->messages[batch->count++] = message;
}

int nft_batch_open(int fd, const char *table, struct nft_batch **ret_batch, struct error *err)
{
	struct nft_batch *batch = calloc(1, sizeof *batch);
	if (!batch)
		return error_set(err, ENOMEM, "no memory for a transaction of nf_tables");
	batch->fd = fd;
	snprintf(batch->table, sizeof batch->table, "%s", table);
	*ret_batch = batch;
	return 0;
}

void nft_batch_free(struct nft_batch *batch)
{
	if (!batch)
		return;
	batch_clear(batch);
	free(batch);
}

struct nl_msg *nft_batch_add(struct nft_batch *batch, int type, int flags)
{
	if (batch->count == 0)
		batch_put(batch,
			  message_make(NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
	if (batch->count > NFT_BATCH_MAX)
		batch->failed = true;
	if (batch->failed)
		return NULL;
	struct nl_msg *message =
		message_make(NFNL_SUBSYS_NFTABLES << 8 | type, flags, NFPROTO_INET, 0);
	batch_put(batch, message);
	return message;
}

void nft_put_table(const struct nft_batch *batch, struct nl_msg *message, int attribute)
{
	nla_put_string(message, attribute, batch->table);
}

static int answers_read(int fd, const char *purpose, struct error *err)
{
	char answer[ANSWER_MAX] __attribute__((aligned(NLMSG_ALIGNTO)));
	ssize_t size;
	int result = 0;
	/* The kernel has dealt with the transaction when send returns: no waiting. */
	while ((size = recv(fd, answer, sizeof answer, MSG_DONTWAIT)) > 0) {
		struct nlmsghdr *header = (struct nlmsghdr *)answer;
		for (int left = (int)size; nlmsg_ok(header, left);
		     header = nlmsg_next(header, &left)) {
			const struct nlmsgerr *refusal = nlmsg_data(header);
			if (header->nlmsg_type == NLMSG_ERROR && refusal->error && result == 0)
				result = error_set_errno(err, -refusal->error, "nf_tables: %s",
							 purpose);
		}
	}
	return result;
}

int nft_batch_send(struct nft_batch *batch, const char *purpose, struct error *err)
{
	struct iovec parts[NFT_BATCH_MAX + 2];
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct msghdr header = { .msg_name = &kernel,
				 .msg_namelen = sizeof kernel,
				 .msg_iov = parts };
	if (batch->count == 0)
		return 0;
	batch_put(batch, message_make(NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
	if (batch->failed) {
		batch_clear(batch);
		return error_set(err, ENOMEM, "nf_tables: no room to %s", purpose);
	}
	for (size_t i = 0; i < batch->count; i++) {
		struct nlmsghdr *message = nlmsg_hdr(batch->messages[i]);
		message->nlmsg_seq = (uint32_t)i + 1;
		parts[i] = (struct iovec){ message, NLMSG_ALIGN(message->nlmsg_len) };
	}
	header.msg_iovlen = batch->count;
	ssize_t sent = sendmsg(batch->fd, &header, 0);
	int failure = errno;
	batch_clear(batch);
	if (sent < 0)
		return error_set_errno(err, failure, "nf_tables: %s", purpose);
	return answers_read(batch->fd, purpose, err);
}

int nft_socket(int *ret_fd, struct error *err)
{
	int size = SEND_BUFFER;
	auto_fd fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	if (fd < 0)
		return error_set_errno(err, errno, "this kernel has no nf_tables");
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

struct nl_msg *netfilter_question(uint8_t subsystem, int type, int flags, uint8_t family)
{
	return message_make(subsystem << 8 | type, flags, family, 0);
}

struct nl_msg *nft_question(int type, int flags)
{
	return netfilter_question(NFNL_SUBSYS_NFTABLES, type, flags, NFPROTO_INET);
}

/* 1: more is to come; 0: that was all. */
static int answer_read(const struct nlmsghdr *header, int *ret_result,
		       int (*visit)(const struct nlmsghdr *header, void *context,
				    struct error *err),
		       void *context, struct error *err)
{
	const struct nlmsgerr *refusal = nlmsg_data(header);
	if (header->nlmsg_type == NLMSG_DONE)
		return 0;
	if (header->nlmsg_type == NLMSG_ERROR) {
		if (refusal->error && *ret_result == 0)
			*ret_result = error_set_errno(err, -refusal->error, "nf_tables");
		return 0;
	}
	if (*ret_result == 0 && visit)
		*ret_result = visit(header, context, err);
	return 1;
}

int nft_ask(int fd, struct nl_msg *message,
	    int (*visit)(const struct nlmsghdr *header, void *context, struct error *err),
	    void *context, struct error *err)
{
	char answer[ANSWER_MAX] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	if (!message)
		return error_set(err, ENOMEM, "no memory to ask nf_tables");
	struct nlmsghdr *request = nlmsg_hdr(message);
	request->nlmsg_seq = 1;
	request->nlmsg_flags |= NLM_F_ACK;
	ssize_t size = sendto(fd, request, request->nlmsg_len, 0, (struct sockaddr *)&kernel,
			      sizeof kernel);
	nlmsg_free(message);
	if (size < 0)
		return error_set_errno(err, errno, "cannot ask nf_tables");
	int result = 0;
	for (int more = 1; more;) {
		size = recv(fd, answer, sizeof answer, 0);
		if (size < 0)
			return error_set_errno(err, errno, "nf_tables does not answer");
		struct nlmsghdr *header = (struct nlmsghdr *)answer;
		for (int left = (int)size; more && nlmsg_ok(header, left);
		     header = nlmsg_next(header, &left))
			more = answer_read(header, &result, visit, context, err);
	}
	return result;
}
