/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "endpoint_routed.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "link/address.h"
#include "link/device.h"
#include "link/neighbour.h"
#include "link/sysctl.h"
#include "nft/conntrack.h"

/* The host is a router now, as with any other NAT in the kernel. */
static int set_forwarding(const char *path, struct error *err)
{
	auto_fd fd = open(path, O_RDWR | O_CLOEXEC);
	char value = '0';
	if (fd < 0 || read(fd, &value, 1) != 1)
		return error_set_errno(err, errno, "cannot read %s", path);
	if (value != '0')
		return 0;
	if (pwrite(fd, "1", 1, 0) != 1)
		return error_set_errno(err, errno, "cannot write 1 to %s", path);
	return 0;
}

static int prepare_v4(const struct endpoint_info *info, struct error *err)
{
	static const struct sysctl_setting settings[] = {
		{ "ipv4", "forwarding", "1" },
		{ "ipv4", "route_localnet", "1" }, /* 127.0.0.1 and a published port */
		{ "ipv4", "send_redirects", "0" }, /* a hairpin leaves where it came in */
	};
	int r = sysctl_device_set_all(info->host_device, settings, ARRAY_SIZE(settings), err);
	return r < 0 ? r : set_forwarding("/proc/sys/net/ipv4/ip_forward", err);
}

static int prepare_v6(const struct endpoint_info *info, struct error *err)
{
	static const struct sysctl_setting settings[] = {
		{ "ipv6", "addr_gen_mode", "1" }, /* both ends have one MAC */
		{ "ipv6", "accept_ra", "0" },
		{ "ipv6", "disable_ipv6", "0" },
		{ "ipv6", "forwarding", "1" },
	};
	int r = sysctl_device_set_all(info->host_device, settings, ARRAY_SIZE(settings), err);
	return r < 0 ? r : set_forwarding("/proc/sys/net/ipv6/conf/all/forwarding", err);
}

static int queue_routes(struct dataplane *dataplane, const struct endpoint_info *info,
			const struct network_info *network, struct error *err)
{
	const struct host_route route = { .address = info->address.ip,
					  .link = info->host_ifindex,
					  .source = network->spec.gateway };
	const struct prefix alone = { info->address6.ip, 128 };
	const struct ip none = { 0 };
	int r = 0;
	if (!prefix_is_unset(info->address))
		r = host_route_queue_add(dataplane->netlink, &route, err);
	if (r == 0 && !prefix_is_unset(info->address6))
		r = route_queue_add(dataplane->netlink, info->host_ifindex, alone, none, err);
	return r;
}

int endpoint_attach_routed(struct dataplane *dataplane, const struct endpoint_info *info,
			   const struct network_info *network, struct error *err)
{
	int r = prefix_is_unset(info->address) ? 0 : prepare_v4(info, err);
	if (r == 0 && !prefix_is_unset(info->address6))
		r = prepare_v6(info, err);
	if (r == 0)
		r = device_queue_up(dataplane->netlink, info->host_ifindex, err);
	if (r == 0)
		r = queue_routes(dataplane, info, network, err);
	return r < 0 ? r : netlink_flush(dataplane->netlink, err);
}

static int queue_family(struct netlink *netlink, uint32_t ifindex, const struct endpoint_info *info,
			struct prefix subnet, struct ip gateway, struct error *err)
{
	const struct ip none = { 0 };
	const struct prefix alone = { gateway, ip_is_v4(gateway) ? 32 : 128 };
	int r = neighbour_queue_add(netlink, ifindex, gateway, info->mac, err);
	if (r == 0)
		r = route_queue_add(netlink, ifindex, alone, none, err);
	/* In the place of the route that came with the address. */
	return r < 0 ? r : route_queue_add(netlink, ifindex, subnet, gateway, err);
}

int endpoint_queue_routed_side(struct netlink *netlink, uint32_t ifindex,
			       const struct endpoint_work *work, struct error *err)
{
	const struct network_spec *spec = &work->network->spec;
	const struct endpoint_info *info = work->info;
	int r = 0;
	if (!prefix_is_unset(info->address))
		r = queue_family(netlink, ifindex, info, spec->subnet, spec->gateway, err);
	if (r == 0 && !prefix_is_unset(info->address6))
		r = queue_family(netlink, ifindex, info, spec->subnet6, spec->gateway6, err);
	return r;
}

int endpoint_end_routed(const struct endpoint_info *info, struct error *err)
{
	int r = prefix_is_unset(info->address) ? 0 : conntrack_end(info->address.ip, err);
	if (r == 0 && !prefix_is_unset(info->address6))
		r = conntrack_end(info->address6.ip, err);
	return r;
}
