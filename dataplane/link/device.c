/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "link/device.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <linux/veth.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

/* Of IPv4, since 6.3; older kernels pass over it. Debian 12's headers do not know it. */
#define LINK_GSO_IPV4_MAX_SIZE 63

static void put_u32(struct nl_msg *message, int type, uint32_t value)
{
	nla_put_u32(message, type, value);
}

static void put_basics(struct nl_msg *message, const char *name, struct mac mac, uint32_t mtu)
{
	nla_put_string(message, IFLA_IFNAME, name);
	nla_put(message, IFLA_ADDRESS, MAC_SIZE, mac.bytes);
	if (mtu)
		put_u32(message, IFLA_MTU, mtu);
}

static void put_veth_basics(struct nl_msg *message, const struct veth_spec *spec, const char *name)
{
	put_basics(message, name, spec->mac, spec->mtu);
	put_u32(message, IFLA_NUM_TX_QUEUES, 1);
	put_u32(message, IFLA_NUM_RX_QUEUES, 1);
	if (spec->segment_max) {
		put_u32(message, IFLA_GSO_MAX_SIZE, spec->segment_max);
		put_u32(message, LINK_GSO_IPV4_MAX_SIZE, spec->segment_max);
	}
}

int veth_create(struct netlink *netlink, const struct veth_spec *spec, struct error *err)
{
	const struct ifinfomsg peer_header = { 0 };
	struct ifinfomsg header = { .ifi_flags = IFF_NOARP, .ifi_change = IFF_NOARP };
	struct nl_msg *message =
		netlink_message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &header, sizeof header);
	if (message) {
		put_veth_basics(message, spec, spec->host_name);
		put_u32(message, IFLA_GROUP, spec->group);
		struct nlattr *info = nla_nest_start(message, IFLA_LINKINFO);
		nla_put_string(message, IFLA_INFO_KIND, "veth");
		struct nlattr *data = nla_nest_start(message, IFLA_INFO_DATA);
		struct nlattr *peer = nla_nest_start(message, VETH_INFO_PEER);
		nlmsg_append(message, (void *)(uintptr_t)&peer_header, sizeof peer_header,
			     NLMSG_ALIGNTO);
		put_veth_basics(message, spec, spec->peer_name);
		put_u32(message, IFLA_NET_NS_FD, (uint32_t)spec->peer_netns_fd);
		nla_nest_end(message, peer);
		nla_nest_end(message, data);
		nla_nest_end(message, info);
	}
	int r = netlink_queue(netlink, message, NETLINK_STRICT, err,
			      "make %s in the container (module veth)", spec->peer_name);
	return r < 0 ? r : netlink_flush(netlink, err);
}

int bridge_create(struct netlink *netlink, const char *name, struct mac mac, uint32_t mtu,
		  struct error *err)
{
	struct ifinfomsg header = { 0 };
	struct nl_msg *message =
		netlink_message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &header, sizeof header);
	if (message) {
		put_basics(message, name, mac, mtu);
		struct nlattr *info = nla_nest_start(message, IFLA_LINKINFO);
		nla_put_string(message, IFLA_INFO_KIND, "bridge");
		nla_nest_end(message, info);
	}
	int r = netlink_queue(netlink, message, NETLINK_STRICT, err,
			      "make the device %s (module bridge)", name);
	return r < 0 ? r : netlink_flush(netlink, err);
}

uint32_t device_index(const struct netlink *netlink, const char *name)
{
	struct ifreq request = { 0 };
	snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
	if (ioctl(netlink_fd(netlink), SIOCGIFINDEX, &request) < 0)
		return 0;
	return (uint32_t)request.ifr_ifindex;
}

static void copy_text(char *to, size_t size, struct nlattr *from)
{
	if (from)
		snprintf(to, size, "%.*s", nla_len(from), (const char *)nla_data(from));
}

static void read_kind(struct nlattr *linkinfo, char *ret_kind, size_t size)
{
	struct nlattr *parts[IFLA_INFO_MAX + 1] = { 0 };
	if (linkinfo && nla_parse_nested(parts, IFLA_INFO_MAX, linkinfo, NULL) == 0)
		copy_text(ret_kind, size, parts[IFLA_INFO_KIND]);
}

static void read_device(const struct nlmsghdr *header, struct device *ret)
{
	struct nlattr *parts[IFLA_MAX + 1] = { 0 };
	const struct ifinfomsg *info = NLMSG_DATA(header);

	nlmsg_parse((struct nlmsghdr *)(uintptr_t)header, sizeof *info, parts, IFLA_MAX, NULL);
	*ret = (struct device){ .ifindex = (uint32_t)info->ifi_index,
				.type = info->ifi_type,
				.flags = info->ifi_flags };
	copy_text(ret->name, sizeof ret->name, parts[IFLA_IFNAME]);
	copy_text(ret->alias, sizeof ret->alias, parts[IFLA_IFALIAS]);
	read_kind(parts[IFLA_LINKINFO], ret->kind, sizeof ret->kind);
	if (parts[IFLA_ADDRESS] && nla_len(parts[IFLA_ADDRESS]) == MAC_SIZE)
		memcpy(ret->mac.bytes, nla_data(parts[IFLA_ADDRESS]), MAC_SIZE);
	if (parts[IFLA_MTU])
		ret->mtu = nla_get_u32(parts[IFLA_MTU]);
	if (parts[IFLA_GSO_MAX_SIZE])
		ret->segment_max = nla_get_u32(parts[IFLA_GSO_MAX_SIZE]);
	if (parts[IFLA_MASTER])
		ret->master = nla_get_u32(parts[IFLA_MASTER]);
	if (parts[IFLA_GROUP])
		ret->group = nla_get_u32(parts[IFLA_GROUP]);
}

struct walk {
	int (*visit)(const struct device *device, void *context, struct error *err);
	void *context;
};

static int visit_link(const struct nlmsghdr *header, void *context, struct error *err)
{
	const struct walk *walk = context;
	if (header->nlmsg_type != RTM_NEWLINK)
		return 0;
	struct device device;
	read_device(header, &device);
	return walk->visit(&device, walk->context, err);
}

static int keep_device(const struct device *device, void *context, struct error *err)
{
	(void)err;
	*(struct device *)context = *device;
	return 0;
}

int device_get(struct netlink *netlink, uint32_t ifindex, struct device *ret_device,
	       struct error *err)
{
	struct ifinfomsg header = { .ifi_index = (int)ifindex };
	struct walk walk = { keep_device, ret_device };
	if (ifindex == 0)
		return 0;
	struct nl_msg *message = netlink_message(RTM_GETLINK, 0, &header, sizeof header);
	if (message)
		put_u32(message, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	struct error why = { 0 };
	int r = netlink_ask(netlink, message, visit_link, &walk, &why);
	if (r == -ENODEV)
		return 0;
	if (r < 0) {
		*err = why;
		return r;
	}
	return 1;
}

int device_each(struct netlink *netlink,
		int (*visit)(const struct device *device, void *context, struct error *err),
		void *context, struct error *err)
{
	struct ifinfomsg header = { 0 };
	struct walk walk = { visit, context };
	struct nl_msg *message = netlink_message(RTM_GETLINK, NLM_F_DUMP, &header, sizeof header);
	if (message)
		put_u32(message, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	return netlink_ask(netlink, message, visit_link, &walk, err);
}

int device_queue_up(struct netlink *netlink, uint32_t ifindex, struct error *err)
{
	struct ifinfomsg header = { .ifi_index = (int)ifindex,
				    .ifi_flags = IFF_UP,
				    .ifi_change = IFF_UP };
	return netlink_queue(netlink, netlink_message(RTM_NEWLINK, 0, &header, sizeof header),
			     NETLINK_STRICT, err, "bring up device %u", ifindex);
}

int device_queue_mark(struct netlink *netlink, uint32_t ifindex, const char *alias, uint32_t group,
		      struct error *err)
{
	struct ifinfomsg header = { .ifi_index = (int)ifindex };
	struct nl_msg *message = netlink_message(RTM_NEWLINK, 0, &header, sizeof header);
	if (message) {
		put_u32(message, IFLA_GROUP, group);
		if (alias)
			nla_put(message, IFLA_IFALIAS, (int)strlen(alias), alias);
	}
	return netlink_queue(netlink, message, NETLINK_STRICT, err, "mark device %u", ifindex);
}

int device_queue_mtu(struct netlink *netlink, uint32_t ifindex, uint32_t mtu, struct error *err)
{
	struct ifinfomsg header = { .ifi_index = (int)ifindex };
	struct nl_msg *message = netlink_message(RTM_NEWLINK, 0, &header, sizeof header);
	if (message)
		put_u32(message, IFLA_MTU, mtu);
	return netlink_queue(netlink, message, NETLINK_STRICT, err,
			     "set the MTU of device %u to %u", ifindex, mtu);
}

int device_rename(struct netlink *netlink, uint32_t ifindex, const char *name, struct error *err)
{
	struct ifinfomsg header = { .ifi_index = (int)ifindex, .ifi_change = IFF_UP };
	struct nl_msg *down = netlink_message(RTM_NEWLINK, 0, &header, sizeof header);
	int r = netlink_queue(netlink, down, NETLINK_STRICT, err, "bring down device %u", ifindex);
	header.ifi_change = 0;
	struct nl_msg *message = netlink_message(RTM_NEWLINK, 0, &header, sizeof header);
	if (message)
		nla_put_string(message, IFLA_IFNAME, name);
	if (r == 0)
		r = netlink_queue(netlink, message, NETLINK_STRICT, err, "name device %u %s",
				  ifindex, name);
	else
		nlmsg_free(message);
	return r < 0 ? r : netlink_flush(netlink, err);
}

int device_delete(struct netlink *netlink, const char *name, struct error *err)
{
	struct ifinfomsg header = { 0 };
	struct nl_msg *message = netlink_message(RTM_DELLINK, 0, &header, sizeof header);
	if (message)
		nla_put_string(message, IFLA_IFNAME, name);
	int r = netlink_queue(netlink, message, NETLINK_MAY_LACK, err, "delete the device %s",
			      name);
	return r < 0 ? r : netlink_flush(netlink, err);
}

int device_delete_group(struct netlink *netlink, uint32_t group, struct error *err)
{
	struct ifinfomsg header = { 0 };
	struct nl_msg *message = netlink_message(RTM_DELLINK, 0, &header, sizeof header);
	if (message)
		put_u32(message, IFLA_GROUP, group);
	int r = netlink_queue(netlink, message, NETLINK_MAY_LACK, err,
			      "delete the devices of group %u", group);
	return r < 0 ? r : netlink_flush(netlink, err);
}

void device_wait_for_carrier(const struct netlink *netlink, const char *name)
{
	struct ethtool_value link = { .cmd = ETHTOOL_GLINK };
	struct ifreq request = { .ifr_data = (char *)&link };
	snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
	/* A kernel that cannot tell notes it by itself, a little later. */
	(void)!ioctl(netlink_fd(netlink), SIOCETHTOOL, &request);
}
