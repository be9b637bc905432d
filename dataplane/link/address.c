/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "link/address.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <string.h>
#include <time.h>

#define WAIT_STEPS 10000
#define WAIT_STEP_NS 500000

static int family_of(struct ip ip)
{
	return ip_is_v4(ip) ? AF_INET : AF_INET6;
}

/* In the length that the family has on the wire. */
static void put_ip(struct nl_msg *message, int type, struct ip ip)
{
	bool v4 = ip_is_v4(ip);
	nla_put(message, type, v4 ? 4 : 16, ip.bytes + (v4 ? 12 : 0));
}

static bool is_link_local(struct ip ip)
{
	return ip.bytes[0] == 0xfe && (ip.bytes[1] & 0xc0) == 0x80;
}

static struct nl_msg *address_message(int type, int flags, uint32_t ifindex, struct prefix prefix)
{
	bool v4 = ip_is_v4(prefix.ip);
	struct ifaddrmsg header = { .ifa_family = (uint8_t)family_of(prefix.ip),
				    .ifa_prefixlen = prefix.length,
				    .ifa_scope = is_link_local(prefix.ip) ? RT_SCOPE_LINK
									  : RT_SCOPE_UNIVERSE,
				    .ifa_index = ifindex };
	struct nl_msg *message = netlink_message(type, flags, &header, sizeof header);
	if (!message)
		return NULL;
	put_ip(message, IFA_LOCAL, prefix.ip);
	put_ip(message, IFA_ADDRESS, prefix.ip);
	/* Who has an address is known without asking the link. */
	if (type == RTM_NEWADDR && !v4)
		nla_put_u32(message, IFA_FLAGS, IFA_F_NODAD | IFA_F_PERMANENT);
	if (type == RTM_NEWADDR && v4 && prefix.length < 31)
		put_ip(message, IFA_BROADCAST, prefix_last(prefix));
	return message;
}

int address_queue_add(struct netlink *netlink, uint32_t ifindex, struct prefix prefix,
		      struct error *err)
{
	return netlink_queue(
		netlink, address_message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, ifindex, prefix),
		NETLINK_MAY_EXIST, err, "give the address %s", prefix_format(prefix).text);
}

int address_queue_delete(struct netlink *netlink, uint32_t ifindex, struct prefix prefix,
			 struct error *err)
{
	return netlink_queue(netlink, address_message(RTM_DELADDR, 0, ifindex, prefix),
			     NETLINK_MAY_LACK, err, "take away the address %s",
			     prefix_format(prefix).text);
}

int route_queue_add(struct netlink *netlink, uint32_t ifindex, struct prefix destination,
		    struct ip gateway, struct error *err)
{
	bool on_link = ip_is_unset(gateway);
	bool v4 = ip_is_v4(destination.ip);
	struct rtmsg header = { .rtm_family = (uint8_t)family_of(destination.ip),
				.rtm_dst_len = destination.length,
				.rtm_table = RT_TABLE_MAIN,
				.rtm_protocol = RTPROT_BOOT,
				.rtm_scope = on_link && v4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE,
				.rtm_type = RTN_UNICAST };
	struct nl_msg *message =
		netlink_message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, &header, sizeof header);
	if (message) {
		put_ip(message, RTA_DST, destination.ip);
		nla_put_u32(message, RTA_OIF, ifindex);
		if (!on_link)
			put_ip(message, RTA_GATEWAY, gateway);
	}
	return netlink_queue(netlink, message, NETLINK_STRICT, err, "add the route to %s",
			     prefix_format(destination).text);
}

static uint8_t whole_length(struct ip ip)
{
	return ip_is_v4(ip) ? 32 : 128;
}

int host_route_queue_add(struct netlink *netlink, const struct host_route *route, struct error *err)
{
	bool v4 = ip_is_v4(route->address);
	struct rtmsg header = { .rtm_family = (uint8_t)family_of(route->address),
				.rtm_dst_len = whole_length(route->address),
				.rtm_protocol = RTPROT_BOOT,
				.rtm_scope = v4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE,
				.rtm_type = RTN_UNICAST };
	struct nl_msg *message =
		netlink_message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, &header, sizeof header);
	if (message) {
		put_ip(message, RTA_DST, route->address);
		put_ip(message, RTA_PREFSRC, route->source);
		nla_put_u32(message, RTA_OIF, route->link);
		nla_put_u32(message, RTA_TABLE, route->table ? route->table : RT_TABLE_MAIN);
	}
	return netlink_queue(netlink, message, NETLINK_STRICT, err, "add the route to %s",
			     ip_format(route->address).text);
}

struct route_sight {
	uint8_t length; /* of a route to one address of the family */
	bool found;
};

static int see_route(const struct nlmsghdr *header, void *context, struct error *err)
{
	const struct rtmsg *info = NLMSG_DATA(header);
	struct route_sight *sight = context;
	(void)err;
	if (header->nlmsg_type == RTM_NEWROUTE)
		sight->found = info->rtm_dst_len == sight->length && info->rtm_type == RTN_UNICAST;
	return 0;
}

int host_route_look(struct netlink *netlink, struct ip address, struct error *err)
{
	struct route_sight sight = { .length = whole_length(address) };
	struct rtmsg header = { .rtm_family = (uint8_t)family_of(address),
				.rtm_dst_len = sight.length,
				.rtm_flags = RTM_F_FIB_MATCH };
	struct nl_msg *message = netlink_message(RTM_GETROUTE, 0, &header, sizeof header);
	if (message)
		put_ip(message, RTA_DST, address);
	int r = netlink_ask(netlink, message, see_route, &sight, err);
	return r < 0 ? r : sight.found;
}

static int see_own(const struct nlmsghdr *header, void *context, struct error *err)
{
	const struct rtmsg *info = NLMSG_DATA(header);
	(void)err;
	if (header->nlmsg_type == RTM_NEWROUTE)
		*(bool *)context = info->rtm_type == RTN_LOCAL;
	return 0;
}

int address_wait(struct netlink *netlink, struct ip address, struct error *err)
{
	struct rtmsg header = { .rtm_family = AF_INET6,
				.rtm_dst_len = 128,
				.rtm_flags = RTM_F_FIB_MATCH };
	for (int i = 0; i < WAIT_STEPS; i++) {
		struct nl_msg *message = netlink_message(RTM_GETROUTE, 0, &header, sizeof header);
		struct error why = { 0 };
		bool own = false;
		if (message)
			nla_put(message, RTA_DST, sizeof address.bytes, address.bytes);
		int r = netlink_ask(netlink, message, see_own, &own, &why);
		if (own)
			return 0;
		if (r < 0 && r != -ENETUNREACH) {
			*err = why;
			return r;
		}
		nanosleep(&(struct timespec){ .tv_nsec = WAIT_STEP_NS }, NULL);
	}
	return error_set(err, ETIMEDOUT, "the address %s does not become usable",
			 ip_format(address).text);
}

struct walk {
	int (*visit_address)(const struct address *, void *, struct error *);
	int (*visit_route)(const struct route *, void *, struct error *);
	void *context;
};

/* An attribute that lacks is the family's zero: that of a default route. */
static struct ip read_ip(struct nlattr *attribute, int family)
{
	struct in_addr v4 = { 0 };
	struct in6_addr v6 = { 0 };
	if (family == AF_INET6) {
		if (attribute && nla_len(attribute) == sizeof v6)
			memcpy(&v6, nla_data(attribute), sizeof v6);
		return ip_from_v6(&v6);
	}
	if (attribute && nla_len(attribute) == sizeof v4)
		memcpy(&v4, nla_data(attribute), sizeof v4);
	return ip_from_v4(v4);
}

static bool is_ip(int family)
{
	return family == AF_INET || family == AF_INET6;
}

static int visit_address(const struct nlmsghdr *header, void *context, struct error *err)
{
	struct nlattr *parts[IFA_MAX + 1] = { 0 };
	const struct ifaddrmsg *info = NLMSG_DATA(header);
	const struct walk *walk = context;

	if (header->nlmsg_type != RTM_NEWADDR || !is_ip(info->ifa_family))
		return 0;
	nlmsg_parse((struct nlmsghdr *)(uintptr_t)header, sizeof *info, parts, IFA_MAX, NULL);
	struct nlattr *own = parts[IFA_LOCAL] ? parts[IFA_LOCAL] : parts[IFA_ADDRESS];
	struct address address = {
		.ifindex = info->ifa_index,
		.prefix = { read_ip(own, info->ifa_family), info->ifa_prefixlen },
		.scope = info->ifa_scope,
		.flags = parts[IFA_FLAGS] ? nla_get_u32(parts[IFA_FLAGS]) : info->ifa_flags,
	};
	return walk->visit_address(&address, walk->context, err);
}

int address_each(struct netlink *netlink,
		 int (*visit)(const struct address *address, void *context, struct error *err),
		 void *context, struct error *err)
{
	struct ifaddrmsg header = { .ifa_family = AF_UNSPEC };
	struct walk walk = { .visit_address = visit, .context = context };
	return netlink_ask(netlink,
			   netlink_message(RTM_GETADDR, NLM_F_DUMP, &header, sizeof header),
			   visit_address, &walk, err);
}

static int visit_route(const struct nlmsghdr *header, void *context, struct error *err)
{
	struct nlattr *parts[RTA_MAX + 1] = { 0 };
	const struct rtmsg *info = NLMSG_DATA(header);
	const struct walk *walk = context;

	if (header->nlmsg_type != RTM_NEWROUTE || !is_ip(info->rtm_family) ||
	    info->rtm_table != RT_TABLE_MAIN)
		return 0;
	nlmsg_parse((struct nlmsghdr *)(uintptr_t)header, sizeof *info, parts, RTA_MAX, NULL);
	struct route route = {
		.destination = { read_ip(parts[RTA_DST], info->rtm_family), info->rtm_dst_len },
		.gateway = read_ip(parts[RTA_GATEWAY], info->rtm_family),
		.ifindex = parts[RTA_OIF] ? nla_get_u32(parts[RTA_OIF]) : 0,
		.metric = parts[RTA_PRIORITY] ? nla_get_u32(parts[RTA_PRIORITY]) : 0,
		.type = info->rtm_type,
		.table = info->rtm_table,
	};
	return walk->visit_route(&route, walk->context, err);
}

int route_each(struct netlink *netlink,
	       int (*visit)(const struct route *route, void *context, struct error *err),
	       void *context, struct error *err)
{
	struct rtmsg header = { .rtm_family = AF_UNSPEC, .rtm_table = RT_TABLE_MAIN };
	struct walk walk = { .visit_route = visit, .context = context };
	return netlink_ask(netlink,
			   netlink_message(RTM_GETROUTE, NLM_F_DUMP, &header, sizeof header),
			   visit_route, &walk, err);
}
