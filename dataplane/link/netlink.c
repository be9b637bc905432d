/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "link/netlink.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define PURPOSE_MAX 96
#define ANSWER_MAX 65536 /* the kernel fills at most 32 KiB of a dump into one datagram */

struct request {
	struct nl_msg *message;
	enum netlink_tolerance tolerance;
	char purpose[PURPOSE_MAX];
};
struct netlink {
	int fd;
	uint32_t sequence;
	size_t count;
	struct request queue[NETLINK_QUEUE_MAX];
	char answer[ANSWER_MAX] __attribute__((aligned(NLMSG_ALIGNTO)));
};

static void queue_clear(struct netlink *netlink)
{
	for (size_t i = 0; i < netlink->count; i++)
		nlmsg_free(netlink->queue[i].message);
	netlink->count = 0;
}

int netlink_open(int fd, struct netlink **ret_netlink, struct error *err)
{
	auto_fd own = fd;
	int on = 1, size = 1 << 20;
	/* The kernel answers before send returns: an answer that is lost never comes. */
	const struct timeval patience = { .tv_sec = 10 };

	if (own < 0)
		own = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (own < 0)
		return error_set_errno(err, errno, "cannot open a netlink socket");
	AUTO(netlink) netlink = malloc(sizeof *netlink);
	if (!netlink)
		return error_set(err, ENOMEM, "no memory for a netlink socket");
	netlink->fd = -1;
	netlink->sequence = 1;
	netlink->count = 0;
	setsockopt(own, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
	setsockopt(own, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
	setsockopt(own, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof on);
	setsockopt(own, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	setsockopt(own, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	netlink->fd = TAKE_FD(own);
	*ret_netlink = TAKE(netlink);
	return 0;
}

void netlink_free(struct netlink *netlink)
{
	if (!netlink)
		return;
	queue_clear(netlink);
	cleanup_fd(&netlink->fd);
	free(netlink);
}

int netlink_fd(const struct netlink *netlink)
{
	return netlink->fd;
}

struct nl_msg *netlink_message(int type, int flags, const void *header, size_t size)
{
	struct nl_msg *message = nlmsg_alloc_simple(type, flags | NLM_F_REQUEST);
	if (message && nlmsg_append(message, (void *)(uintptr_t)header, size, NLMSG_ALIGNTO) < 0) {
		nlmsg_free(message);
		message = NULL;
	}
	return message;
}

int netlink_queue(struct netlink *netlink, struct nl_msg *message, enum netlink_tolerance tolerance,
		  struct error *err, const char *purpose, ...)
{
	if (!message)
		return error_set(err, ENOMEM, "no memory for a netlink request");
	if (netlink->count == NETLINK_QUEUE_MAX) {
		int r = netlink_flush(netlink, err);
		if (r < 0) {
			nlmsg_free(message);
			return r;
		}
	}
	struct request *request = &netlink->queue[netlink->count++];
	va_list list;
	va_start(list, purpose);
	vsnprintf(request->purpose, sizeof request->purpose, purpose, list);
	va_end(list);
	request->message = message;
	request->tolerance = tolerance;
	return 0;
}

static bool is_tolerated(enum netlink_tolerance tolerance, int code)
{
	if (tolerance == NETLINK_MAY_EXIST)
		return code == EEXIST;
	if (tolerance == NETLINK_DEVICE_MAY_LACK)
		return code == ENODEV;
	if (tolerance == NETLINK_MAY_LACK)
		return code == ENODEV || code == ENOENT || code == ESRCH || code == EADDRNOTAVAIL ||
		       code == EINVAL;
	return tolerance == NETLINK_ANY_RESULT;
}

/* The kernel's own words for the failure, or NULL. */
static const char *extended_text(const struct nlmsghdr *header)
{
	if (!(header->nlmsg_flags & NLM_F_ACK_TLVS))
		return NULL;
	size_t skip = sizeof(struct nlmsgerr);
	if (!(header->nlmsg_flags & NLM_F_CAPPED)) {
		const struct nlmsgerr *answer = NLMSG_DATA(header);
		skip += answer->msg.nlmsg_len - sizeof(struct nlmsghdr);
	}
	if (NLMSG_LENGTH(skip) > header->nlmsg_len)
		return NULL;
	struct nlattr *attribute =
		nlmsg_find_attr((struct nlmsghdr *)(uintptr_t)header, (int)skip, NLMSGERR_ATTR_MSG);
	return attribute ? nla_get_string(attribute) : NULL;
}

static int failure(const struct nlmsghdr *header, const char *purpose, struct error *err)
{
	const struct nlmsgerr *answer = NLMSG_DATA(header);
	const char *words = extended_text(header);
	int code = answer->error < 0 ? -answer->error : EPROTO;
	if (words)
		return error_set_errno(err, code, "cannot %s: %s", purpose, words);
	return error_set_errno(err, code, "cannot %s", purpose);
}

/* One datagram, over EINTR; -ENOBUFS means that answers were lost. */
static ssize_t receive(struct netlink *netlink, struct error *err)
{
	for (;;) {
		ssize_t size = recv(netlink->fd, netlink->answer, sizeof netlink->answer, 0);
		if (size >= 0)
			return size;
		if (errno != EINTR)
			return error_set_errno(err, errno, "cannot read from netlink");
	}
}

/* Counts the answers of one datagram; keeps the first failure in err. */
static size_t take_answers(struct netlink *netlink, ssize_t size, uint32_t first, int *result,
			   struct error *err)
{
	size_t taken = 0;
	int rest = (int)size;
	for (struct nlmsghdr *h = (struct nlmsghdr *)netlink->answer; nlmsg_ok(h, rest);
	     h = nlmsg_next(h, &rest)) {
		uint32_t index = h->nlmsg_seq - first;
		if (h->nlmsg_type != NLMSG_ERROR || index >= netlink->count)
			continue;
		taken++;
		const struct nlmsgerr *answer = NLMSG_DATA(h);
		const struct request *request = &netlink->queue[index];
		if (answer->error && *result == 0 &&
		    !is_tolerated(request->tolerance, -answer->error))
			*result = failure(h, request->purpose, err);
	}
	return taken;
}

int netlink_flush(struct netlink *netlink, struct error *err)
{
	struct iovec parts[NETLINK_QUEUE_MAX];
	uint32_t first = netlink->sequence;
	int result = 0;

	if (netlink->count == 0)
		return 0;
	for (size_t i = 0; i < netlink->count; i++) {
		struct nlmsghdr *header = nlmsg_hdr(netlink->queue[i].message);
		header->nlmsg_seq = netlink->sequence++;
		header->nlmsg_pid = 0;
		header->nlmsg_flags |= NLM_F_ACK;
		parts[i] = (struct iovec){ header, NLMSG_ALIGN(header->nlmsg_len) };
	}
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct msghdr message = { .msg_name = &kernel,
				  .msg_namelen = sizeof kernel,
				  .msg_iov = parts,
				  .msg_iovlen = netlink->count };
	if (sendmsg(netlink->fd, &message, 0) < 0)
		result = error_set_errno(err, errno, "cannot write to netlink");
	for (size_t done = 0; result != -EIO && done < netlink->count;) {
		struct error lost = { 0 };
		ssize_t size = receive(netlink, &lost);
		if (size < 0) {
			if (result == 0)
				*err = lost;
			result = (int)size;
			break;
		}
		done += take_answers(netlink, size, first, &result, err);
	}
	queue_clear(netlink);
	return result;
}

/* Returns 1 when the answer is complete, 0 for more, below 0 on failure or visit's result. */
static int visit_answers(struct netlink *netlink, ssize_t size, bool dump,
			 int (*visit)(const struct nlmsghdr *header, void *context,
				      struct error *err),
			 void *context, int *result, struct error *err)
{
	int rest = (int)size;
	for (struct nlmsghdr *h = (struct nlmsghdr *)netlink->answer; nlmsg_ok(h, rest);
	     h = nlmsg_next(h, &rest)) {
		if (h->nlmsg_seq != netlink->sequence)
			continue;
		if (h->nlmsg_type == NLMSG_DONE)
			return 1;
		if (h->nlmsg_type == NLMSG_ERROR) {
			const struct nlmsgerr *answer = NLMSG_DATA(h);
			if (answer->error && *result == 0)
				*result = failure(h, "read from netlink", err);
			return 1;
		}
		if (*result == 0)
			*result = visit(h, context, err);
		if (!dump)
			return 1;
	}
	return 0;
}

int netlink_ask(struct netlink *netlink, struct nl_msg *message,
		int (*visit)(const struct nlmsghdr *header, void *context, struct error *err),
		void *context, struct error *err)
{
	if (!message)
		return error_set(err, ENOMEM, "no memory for a netlink request");
	struct nlmsghdr *header = nlmsg_hdr(message);
	bool dump = header->nlmsg_flags & NLM_F_DUMP;
	header->nlmsg_seq = ++netlink->sequence;
	header->nlmsg_pid = 0;
	ssize_t sent = send(netlink->fd, header, header->nlmsg_len, 0);
	nlmsg_free(message);
	if (sent < 0)
		return error_set_errno(err, errno, "cannot write to netlink");
	int result = 0;
	for (int done = 0; !done;) {
		ssize_t size = receive(netlink, err);
		if (size < 0)
			return (int)size;
		done = visit_answers(netlink, size, dump, visit, context, &result, err);
	}
	netlink->sequence++;
	return result;
}
