/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Links, addresses and routes by plain rtnetlink messages: the witness must
 * not see the machine through the eyes of whom it watches.
 */
#include "conformance.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/ip.h"

#define MESSAGE_MAX 2048
#define ANSWER_MAX 65536

struct message {
	_Alignas(8) char bytes[MESSAGE_MAX];
};

static struct nlmsghdr *head(struct message *message)
{
	return (struct nlmsghdr *)message->bytes;
}

static void begin(struct message *message, uint16_t type, uint16_t flags, const void *body,
		  size_t size)
{
	memset(message, 0, sizeof *message);
	head(message)->nlmsg_len = NLMSG_LENGTH((uint32_t)size);
	head(message)->nlmsg_type = type;
	head(message)->nlmsg_flags = NLM_F_REQUEST | flags;
	memcpy(NLMSG_DATA(head(message)), body, size);
}

static struct rtattr *put(struct message *message, uint16_t type, const void *data, size_t size)
{
	uint32_t at = NLMSG_ALIGN(head(message)->nlmsg_len);
	struct rtattr *attribute = (struct rtattr *)(message->bytes + at);
	attribute->rta_type = type;
	attribute->rta_len = (unsigned short)RTA_LENGTH(size);
	if (size)
		memcpy(RTA_DATA(attribute), data, size);
	head(message)->nlmsg_len = at + RTA_ALIGN(attribute->rta_len);
	return attribute;
}

static void close_nest(struct message *message, struct rtattr *nest)
{
	nest->rta_len = (unsigned short)(message->bytes + head(message)->nlmsg_len - (char *)nest);
}

/* One request in the current namespace: 0 or -errno. */
static int work_request(void *context, struct error *err)
{
	struct message *message = context;
	_Alignas(8) char answer[ANSWER_MAX];
	auto_fd fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	(void)err;
	head(message)->nlmsg_flags |= NLM_F_ACK;
	if (fd < 0 || send(fd, message->bytes, head(message)->nlmsg_len, 0) < 0)
		return -errno;
	ssize_t size = recv(fd, answer, sizeof answer, 0);
	const struct nlmsghdr *reply = (const struct nlmsghdr *)answer;
	if (size < (ssize_t)sizeof *reply || reply->nlmsg_type != NLMSG_ERROR)
		return -EIO;
	return ((const struct nlmsgerr *)NLMSG_DATA(reply))->error;
}

static int request(const char *netns, struct message *message)
{
	return inside(netns, work_request, message);
}

struct listing {
	uint16_t type;
	void (*take)(const struct nlmsghdr *message, void *context);
	void *context;
};

static int work_list(void *context, struct error *err)
{
	const struct listing *listing = context;
	struct message message;
	struct ifinfomsg body = { .ifi_family = AF_UNSPEC };
	_Alignas(8) char answer[ANSWER_MAX];
	auto_fd fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	(void)err;
	begin(&message, listing->type, NLM_F_DUMP, &body, sizeof body);
	if (fd < 0 || send(fd, message.bytes, head(&message)->nlmsg_len, 0) < 0)
		return -errno;
	for (;;) {
		ssize_t size = recv(fd, answer, sizeof answer, 0);
		if (size <= 0)
			return -EIO;
		for (struct nlmsghdr *at = (struct nlmsghdr *)answer; NLMSG_OK(at, size);
		     at = NLMSG_NEXT(at, size)) {
			if (at->nlmsg_type == NLMSG_DONE || at->nlmsg_type == NLMSG_ERROR)
				return 0;
			listing->take(at, listing->context);
		}
	}
}

static void read_attributes(const struct rtattr *at, int size, const struct rtattr **ret, int max)
{
	memset(ret, 0, sizeof *ret * (size_t)(max + 1));
	for (; RTA_OK(at, size); at = RTA_NEXT(at, size))
		if ((at->rta_type & NLA_TYPE_MASK) <= max)
			ret[at->rta_type & NLA_TYPE_MASK] = at;
}

static uint32_t number(const struct rtattr *attribute)
{
	return attribute ? *(const uint32_t *)RTA_DATA(attribute) : 0;
}

struct wanted_link {
	const char *name;
	struct link_facts facts;
	struct words *lines;
};

static void read_kind(const struct rtattr *info, char *ret, size_t size)
{
	const struct rtattr *inner[IFLA_INFO_MAX + 1];
	if (!info)
		return;
	read_attributes(RTA_DATA(info), (int)RTA_PAYLOAD(info), inner, IFLA_INFO_MAX);
	if (inner[IFLA_INFO_KIND])
		snprintf(ret, size, "%s", (const char *)RTA_DATA(inner[IFLA_INFO_KIND]));
}

static void take_link(const struct nlmsghdr *message, void *context)
{
	struct wanted_link *wanted = context;
	const struct ifinfomsg *body = NLMSG_DATA(message);
	const struct rtattr *at[IFLA_MAX + 1];
	read_attributes(IFLA_RTA(body), (int)IFLA_PAYLOAD(message), at, IFLA_MAX);
	const char *name = at[IFLA_IFNAME] ? RTA_DATA(at[IFLA_IFNAME]) : "";
	struct link_facts facts = { .index = body->ifi_index,
				    .flags = body->ifi_flags,
				    .mtu = (int)number(at[IFLA_MTU]),
				    .txqlen = (int)number(at[IFLA_TXQLEN]),
				    .promiscuity = (int)number(at[IFLA_PROMISCUITY]) };
	if (at[IFLA_ADDRESS] && RTA_PAYLOAD(at[IFLA_ADDRESS]) == MAC_SIZE) {
		struct mac mac;
		memcpy(mac.bytes, RTA_DATA(at[IFLA_ADDRESS]), MAC_SIZE);
		snprintf(facts.mac, sizeof facts.mac, "%s", mac_format(mac).text);
	}
	read_kind(at[IFLA_LINKINFO], facts.kind, sizeof facts.kind);
	struct error err;
	if (wanted->lines)
		words_append_format(wanted->lines, &err, "link %s %s mtu %d %s%s%s", name,
				    facts.kind, facts.mtu, facts.flags & IFF_UP ? "up" : "down",
				    facts.flags & IFF_PROMISC ? " promisc" : "",
				    facts.flags & IFF_ALLMULTI ? " allmulti" : "");
	else if (text_equal(name, wanted->name))
		wanted->facts = facts;
}

struct link_facts link_read(const char *netns, const char *name)
{
	struct wanted_link wanted = { .name = name };
	struct listing listing = { RTM_GETLINK, take_link, &wanted };
	inside(netns, work_list, &listing);
	return wanted.facts;
}

static void name_of(uint32_t index, char name[IF_NAMESIZE])
{
	if (!if_indextoname(index, name))
		snprintf(name, IF_NAMESIZE, "%u", index);
}

static void take_address(const struct nlmsghdr *message, void *context)
{
	const struct ifaddrmsg *body = NLMSG_DATA(message);
	const struct rtattr *at[IFA_MAX + 1];
	char text[INET6_ADDRSTRLEN] = "", name[IF_NAMESIZE];
	struct error err;
	read_attributes(IFA_RTA(body), (int)IFA_PAYLOAD(message), at, IFA_MAX);
	const struct rtattr *address = at[IFA_LOCAL] ? at[IFA_LOCAL] : at[IFA_ADDRESS];
	if (!address)
		return;
	inet_ntop(body->ifa_family, RTA_DATA(address), text, sizeof text);
	/* The kernel makes these by itself, and later. */
	if (strncmp(text, "fe80:", 5) == 0)
		return;
	name_of(body->ifa_index, name);
	words_append_format(context, &err, "address %s %s/%d", name, text, body->ifa_prefixlen);
}

static void take_route(const struct nlmsghdr *message, void *context)
{
	const struct rtmsg *body = NLMSG_DATA(message);
	const struct rtattr *at[RTA_MAX + 1];
	char to[INET6_ADDRSTRLEN], via[INET6_ADDRSTRLEN] = "-", name[IF_NAMESIZE] = "-";
	struct error err;
	if (body->rtm_family != AF_INET && body->rtm_family != AF_INET6)
		return;
	read_attributes(RTM_RTA(body), (int)RTM_PAYLOAD(message), at, RTA_MAX);
	uint32_t table = at[RTA_TABLE] ? number(at[RTA_TABLE]) : body->rtm_table;
	snprintf(to, sizeof to, "%s", body->rtm_family == AF_INET ? "0.0.0.0" : "::");
	if (at[RTA_DST])
		inet_ntop(body->rtm_family, RTA_DATA(at[RTA_DST]), to, sizeof to);
	if (table == RT_TABLE_LOCAL || strncmp(to, "fe80:", 5) == 0 || strncmp(to, "ff", 2) == 0)
		return;
	if (at[RTA_GATEWAY])
		inet_ntop(body->rtm_family, RTA_DATA(at[RTA_GATEWAY]), via, sizeof via);
	if (at[RTA_OIF])
		name_of(number(at[RTA_OIF]), name);
	words_append_format(
		context, &err, "route %s/%d via %s dev %s table %u priority %u scope %d", to,
		body->rtm_dst_len, via, name, table, number(at[RTA_PRIORITY]), body->rtm_scope);
}

static int work_list_all(void *context, struct error *err)
{
	struct wanted_link links = { .lines = context };
	struct listing listings[] = { { RTM_GETLINK, take_link, &links },
				      { RTM_GETADDR, take_address, context },
				      { RTM_GETROUTE, take_route, context } };
	for (size_t i = 0; i < ARRAY_SIZE(listings); i++)
		work_list(&listings[i], err);
	return 0;
}

void net_list(const char *netns, struct words *ret)
{
	inside(netns, work_list_all, ret);
}

bool net_has(const char *netns, const char *start_of_line)
{
	auto_words lines = { 0 };
	net_list(netns, &lines);
	for (size_t i = 0; i < lines.count; i++)
		if (text_starts_with(lines.items[i], start_of_line))
			return true;
	return false;
}

int link_make(const char *netns, const char *name, const char *kind)
{
	struct message message;
	struct ifinfomsg body = { 0 };
	begin(&message, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &body, sizeof body);
	put(&message, IFLA_IFNAME, name, strlen(name) + 1);
	struct rtattr *info = put(&message, IFLA_LINKINFO, NULL, 0);
	put(&message, IFLA_INFO_KIND, kind, strlen(kind));
	close_nest(&message, info);
	return request(netns, &message);
}

int link_make_pair(const char *netns, const char *name, const char *peer, const char *peer_netns)
{
	struct message message;
	struct ifinfomsg body = { 0 };
	char path[PATH_MAX_BYTES];
	auto_fd fd = -1;
	begin(&message, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &body, sizeof body);
	put(&message, IFLA_IFNAME, name, strlen(name) + 1);
	struct rtattr *info = put(&message, IFLA_LINKINFO, NULL, 0);
	put(&message, IFLA_INFO_KIND, "veth", 4);
	struct rtattr *data = put(&message, IFLA_INFO_DATA, NULL, 0);
	struct rtattr *other = put(&message, VETH_INFO_PEER, &body, sizeof body);
	put(&message, IFLA_IFNAME, peer, strlen(peer) + 1);
	if (peer_netns) {
		snprintf(path, sizeof path, "/run/netns/%s", peer_netns);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		put(&message, IFLA_NET_NS_FD, &fd, sizeof fd);
	}
	close_nest(&message, other);
	close_nest(&message, data);
	close_nest(&message, info);
	return request(netns, &message);
}

static int change_link(const char *netns, const char *name, struct message *message, uint16_t type,
		       struct ifinfomsg body)
{
	struct link_facts facts = link_read(netns, name);
	if (!facts.index)
		return -ENODEV;
	body.ifi_index = facts.index;
	begin(message, type, 0, &body, sizeof body);
	return 0;
}

int link_delete(const char *netns, const char *name)
{
	struct message message;
	int r = change_link(netns, name, &message, RTM_DELLINK, (struct ifinfomsg){ 0 });
	return r < 0 ? r : request(netns, &message);
}

int link_set_up(const char *netns, const char *name, bool up)
{
	struct message message;
	int r = change_link(
		netns, name, &message, RTM_NEWLINK,
		(struct ifinfomsg){ .ifi_flags = up ? IFF_UP : 0, .ifi_change = IFF_UP });
	return r < 0 ? r : request(netns, &message);
}

int link_set_mac(const char *netns, const char *name, const char *mac)
{
	struct message message;
	struct mac parsed;
	struct error err;
	int r = change_link(netns, name, &message, RTM_NEWLINK, (struct ifinfomsg){ 0 });
	if (r < 0 || (r = mac_parse(mac, &parsed, &err)) < 0)
		return r;
	put(&message, IFLA_ADDRESS, parsed.bytes, MAC_SIZE);
	return request(netns, &message);
}

int link_set_mtu(const char *netns, const char *name, int mtu)
{
	struct message message;
	int r = change_link(netns, name, &message, RTM_NEWLINK, (struct ifinfomsg){ 0 });
	if (r < 0)
		return r;
	put(&message, IFLA_MTU, &mtu, sizeof mtu);
	return request(netns, &message);
}

/* An address's bytes in its family's own length. */
static size_t family_bytes(struct ip ip, uint8_t ret[16])
{
	struct in_addr v4 = ip_to_v4(ip);
	if (!ip_is_v4(ip)) {
		memcpy(ret, ip.bytes, 16);
		return 16;
	}
	memcpy(ret, &v4, 4);
	return 4;
}

int address_set(const char *netns, const char *name, const char *prefix, bool there)
{
	struct message message;
	struct prefix parsed;
	struct error err;
	uint8_t bytes[16];
	int r = prefix_parse(prefix, &parsed, &err);
	if (r < 0)
		return r;
	struct ifaddrmsg body = { .ifa_family = ip_is_v4(parsed.ip) ? AF_INET : AF_INET6,
				  .ifa_prefixlen = parsed.length,
				  .ifa_index = (uint32_t)link_read(netns, name).index };
	size_t size = family_bytes(parsed.ip, bytes);
	begin(&message, there ? RTM_NEWADDR : RTM_DELADDR, there ? NLM_F_CREATE : 0, &body,
	      sizeof body);
	put(&message, IFA_LOCAL, bytes, size);
	put(&message, IFA_ADDRESS, bytes, size);
	return request(netns, &message);
}

int route_set(const char *netns, const char *name, const char *prefix, const char *via, bool there)
{
	struct message message;
	struct prefix parsed;
	struct ip gateway;
	struct error err;
	uint8_t bytes[16];
	int r = prefix_parse(prefix, &parsed, &err);
	if (r < 0)
		return r;
	struct rtmsg body = { .rtm_family = ip_is_v4(parsed.ip) ? AF_INET : AF_INET6,
			      .rtm_dst_len = parsed.length,
			      .rtm_table = RT_TABLE_MAIN,
			      .rtm_protocol = RTPROT_BOOT,
			      .rtm_type = RTN_UNICAST,
			      .rtm_scope = there ? RT_SCOPE_UNIVERSE : RT_SCOPE_NOWHERE };
	int index = link_read(netns, name).index;
	begin(&message, there ? RTM_NEWROUTE : RTM_DELROUTE, there ? NLM_F_CREATE : 0, &body,
	      sizeof body);
	size_t size = family_bytes(parsed.ip, bytes);
	if (parsed.length)
		put(&message, RTA_DST, bytes, size);
	put(&message, RTA_OIF, &index, sizeof index);
	if (via && ip_parse(via, &gateway, &err) == 0) {
		size = family_bytes(gateway, bytes);
		put(&message, RTA_GATEWAY, bytes, size);
	}
	return request(netns, &message);
}
