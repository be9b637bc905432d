/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/events.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "base/cleanup.h"

#define EVENTS_ALL                                                                       \
	(DATAPLANE_EVENT_LINK | DATAPLANE_EVENT_LINK_REMOVED | DATAPLANE_EVENT_ADDRESS | \
	 DATAPLANE_EVENT_ROUTE | DATAPLANE_EVENT_FILTER_REMOVED)
#define READS_MAX 64 /* datagrams a call: a storm must not hold the caller */

static unsigned event_of(unsigned type)
{
	switch (type) {
	case RTM_NEWLINK:
		return DATAPLANE_EVENT_LINK;
	case RTM_DELLINK:
		return DATAPLANE_EVENT_LINK_REMOVED;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		return DATAPLANE_EVENT_ADDRESS;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		return DATAPLANE_EVENT_ROUTE;
	case RTM_DELQDISC:
	case RTM_DELTFILTER:
		return DATAPLANE_EVENT_FILTER_REMOVED;
	default:
		return 0;
	}
}

static unsigned events_of(const void *data, size_t size)
{
	unsigned events = 0;
	/* The header's own macros compare signed with unsigned. */
	for (size_t at = 0; size - at >= sizeof(struct nlmsghdr);) {
		const struct nlmsghdr *message = (const void *)((const char *)data + at);
		if (message->nlmsg_len < sizeof *message || message->nlmsg_len > size - at)
			break;
		events |= event_of(message->nlmsg_type);
		size_t step = NLMSG_ALIGN(message->nlmsg_len);
		at = step > size - at ? size : at + step;
	}
	return events;
}

int dataplane_events_open(int *ret_fd, struct error *err)
{
	/* Routes of IPv6 are left out: each address of each veth makes three of them. */
	struct sockaddr_nl address = { .nl_family = AF_NETLINK,
				       .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR |
						    RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE |
						    RTMGRP_TC };
	auto_fd fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	if (fd < 0)
		return error_set_errno(err, errno, "cannot make a netlink socket");
	if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0)
		return error_set_errno(err, errno, "cannot listen to netlink events");
	*ret_fd = TAKE_FD(fd);
	return 0;
}

unsigned dataplane_events_read(int fd)
{
	/* Aligned as the headers in it; a message of a link has up to a few KiB. */
	struct nlmsghdr buffer[32768 / sizeof(struct nlmsghdr)];
	unsigned events = 0;
	for (int i = 0; i < READS_MAX; i++) {
		ssize_t size = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
		if (size < 0 && errno == ENOBUFS)
			return EVENTS_ALL; /* the kernel dropped some: any may have been */
		if (size <= 0)
			return events;
		events |= events_of(buffer, (size_t)size);
	}
	return events;
}
