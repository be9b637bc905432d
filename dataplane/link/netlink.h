/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * One rtnetlink socket: requests are queued and go to the kernel in one send,
 * each with its purpose, so that an error says what was being done. libnl
 * builds the messages; no caches, no callbacks.
 */
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

#define NETLINK_QUEUE_MAX 16 /* requests of one send; over it, they go out earlier */

struct netlink;

/** Takes over fd, a NETLINK_ROUTE socket (-1: one of the calling thread's namespace is made). */
int netlink_open(int fd, struct netlink **ret_netlink, struct error *err);
void netlink_free(struct netlink *netlink);
DEFINE_FREEP(netlink)
/** The socket, lent: any interface ioctl works on it. */
int netlink_fd(const struct netlink *netlink);

/** A new request with its family header; NULL when memory ran out, which netlink_queue reports. */
struct nl_msg *netlink_message(int type, int flags, const void *header, size_t size);

/* An errno that is no failure of this request: the thing is there, or gone, already. */
enum netlink_tolerance {
	NETLINK_STRICT = 0,
	NETLINK_MAY_EXIST, /* EEXIST */
	NETLINK_MAY_LACK,  /* ENODEV, ENOENT, ESRCH, EADDRNOTAVAIL, EINVAL of a missing qdisc */
	NETLINK_DEVICE_MAY_LACK, /* ENODEV only */
	NETLINK_ANY_RESULT,      /* its failure changes nothing */
};
/** Queues message, which is taken also on failure. purpose is formatted: "bring up eth0". */
int netlink_queue(struct netlink *netlink, struct nl_msg *message, enum netlink_tolerance tolerance,
		  struct error *err, const char *purpose, ...)
	__attribute__((format(printf, 5, 6)));
/** Sends what is queued and reads all answers; the first failure is reported. */
int netlink_flush(struct netlink *netlink, struct error *err);
/**
 * Sends one request (flags decide whether it is a dump) and hands each answer
 * to visit; a non-zero result of visit ends the walk and is returned.
 */
int netlink_ask(struct netlink *netlink, struct nl_msg *message,
		int (*visit)(const struct nlmsghdr *header, void *context, struct error *err),
		void *context, struct error *err);
