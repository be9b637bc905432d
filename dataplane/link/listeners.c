/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "link/listeners.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "link/netlink.h"

#define STATE_UNCONNECTED 7 /* of UDP: TCP_CLOSE */
#define STATE_LISTEN 10

struct walk {
	int (*visit)(const struct listener *listener, void *context, struct error *err);
	void *context;
};

static int visit_socket(const struct nlmsghdr *header, void *context, struct error *err)
{
	struct nlattr *parts[INET_DIAG_MAX + 1] = { 0 };
	const struct inet_diag_msg *info = NLMSG_DATA(header);
	const struct walk *walk = context;
	struct listener listener = { .port = ntohs(info->id.idiag_sport),
				     .inode = info->idiag_inode };

	if (header->nlmsg_type != SOCK_DIAG_BY_FAMILY)
		return 0;
	if (info->idiag_family == AF_INET)
		listener.address = ip_from_v4((struct in_addr){ info->id.idiag_src[0] });
	else
		memcpy(listener.address.bytes, info->id.idiag_src, sizeof listener.address.bytes);
	nlmsg_parse((struct nlmsghdr *)(uintptr_t)header, sizeof *info, parts, INET_DIAG_MAX, NULL);
	if (parts[INET_DIAG_SKV6ONLY])
		listener.v6_only = nla_get_u8(parts[INET_DIAG_SKV6ONLY]);
	return walk->visit(&listener, walk->context, err);
}

static int walk_family(struct netlink *netlink, uint8_t family, uint8_t protocol, struct walk *walk,
		       struct error *err)
{
	const struct inet_diag_req_v2 request = {
		.sdiag_family = family,
		.sdiag_protocol = protocol,
		.idiag_states = 1u << (protocol == IPPROTO_TCP ? STATE_LISTEN : STATE_UNCONNECTED),
	};
	return netlink_ask(
		netlink, netlink_message(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &request, sizeof request),
		visit_socket, walk, err);
}

int listener_each(uint8_t protocol,
		  int (*visit)(const struct listener *listener, void *context, struct error *err),
		  void *context, struct error *err)
{
	AUTO(netlink) netlink = NULL;
	struct walk walk = { visit, context };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	if (fd < 0)
		return error_set_errno(err, errno, "cannot make a netlink socket");
	int r = netlink_open(fd, &netlink, err);
	if (r == 0)
		r = walk_family(netlink, AF_INET, protocol, &walk, err);
	return r != 0 ? r : walk_family(netlink, AF_INET6, protocol, &walk, err);
}
