/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An endpoint's devices, and the container's side of them. */
#include "endpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <sys/socket.h>

#include "attach.h"
#include "bandwidth.h"
#include "base/process.h"
#include "endpoint_route.h"
#include "endpoint_routed.h"
#include "link/address.h"
#include "link/device.h"
#include "link/leave.h"
#include "link/sysctl.h"
#include "uplinks.h"

/*
 * Order-preserving masquerade maps a client's port to one that many behind it:
 * a client whose range is as wide as the masquerade's never meets itself.
 */
#define CONTAINER_PORTS "49152 65535"

/*
 * Bytes of one TCP segment within the host (BIG TCP): three of the kernel's usual size, which
 * carry 1.7 times what one does. 128 to 512 KiB were tried on a busy machine: no size stood out.
 */
#define SEGMENT_BIG 196608

/* From this slot on settings are written by way of a procfs of our own: link/sysctl.c. */
#define OWN_SYSCTL_TREE_FROM 64

/* How long the kernel may take to end the devices of a namespace: looked at every 5 ms. */
#define ENDING_PAUSE_NS 5000000
#define ENDING_PAUSES 100

/* What has to be done inside the container's namespace, in one visit. */
struct visit {
	const struct endpoint_work *work;
	struct netlink *netlink;
};

/* Failures show in what follows: an address that cannot be given says why. */
static void set_container_sysctls(const struct endpoint_work *work)
{
	static const char *const with[][2] = {
		{ "accept_ra", "0" },  /* routes are given */
		{ "accept_dad", "0" }, /* and addresses are nobody else's: no second of waiting */
		{ "addr_gen_mode", "0" }, /* the link-local address that anti-spoof knows */
		{ "disable_ipv6", "0" },
	};
	const char *interface = work->info->interface;
	int tree_fd = work->sysctl_tree_fd;
	struct error ignored = { 0 };
	if (prefix_is_unset(work->info->address6)) {
		sysctl_device_set_at(tree_fd, "ipv6", interface, "disable_ipv6", "1", &ignored);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(with); i++)
		sysctl_device_set_at(tree_fd, "ipv6", interface, with[i][0], with[i][1], &ignored);
}

static int visit_container(void *context, struct error *err)
{
	struct visit *visit = context;
	struct error ignored = { 0 };

	set_container_sysctls(visit->work);
	if (visit->work->network->spec.masquerade)
		sysctl_set_at(visit->work->sysctl_tree_fd, "ipv4/ip_local_port_range",
			      CONTAINER_PORTS, &ignored);
	return netlink_open(-1, &visit->netlink, err);
}

static struct ip gateway_for(const struct endpoint_info *info, struct ip destination)
{
	return ip_is_v4(destination) ? info->gateway : info->gateway6;
}

static int queue_routes(struct netlink *netlink, const struct endpoint_work *work, uint32_t ifindex,
			struct error *err)
{
	const struct endpoint_info *info = work->info;
	const struct prefix everywhere[] = { { .ip = ip_from_v4((struct in_addr){ 0 }) },
					     { .length = 0 } };
	int r = 0;
	for (size_t i = 0; r == 0 && work->default_route && i < ARRAY_SIZE(everywhere); i++) {
		struct ip gateway = gateway_for(info, everywhere[i].ip);
		if (!ip_is_unset(gateway))
			r = route_queue_add(netlink, ifindex, everywhere[i], gateway, err);
	}
	for (size_t i = 0; r == 0 && i < work->route_count; i++)
		r = route_queue_add(netlink, ifindex, work->routes[i],
				    gateway_for(info, work->routes[i].ip), err);
	return r;
}

static int queue_container_side(struct netlink *netlink, const struct endpoint_work *work,
				struct error *err)
{
	struct prefix addresses[ENDPOINT_ADDRESSES_MAX];
	size_t count = endpoint_addresses(work->info, addresses);
	uint32_t ifindex = device_index(netlink, work->info->interface);

	int r = device_queue_up(netlink, 1, err); /* lo */
	if (r == 0)
		r = bandwidth_queue_inside(netlink, work->info, ifindex, err);
	if (r == 0)
		r = device_queue_up(netlink, ifindex, err);
	for (size_t i = 0; r == 0 && i < count; i++) {
		/* The route to the subnet that comes with it could not be replaced. */
		if (work->routed && !ip_is_v4(addresses[i].ip))
			addresses[i].length = 128;
		r = address_queue_add(netlink, ifindex, addresses[i], err);
	}
	if (r == 0 && work->routed)
		r = endpoint_queue_routed_side(netlink, ifindex, work, err);
	return r < 0 ? r : queue_routes(netlink, work, ifindex, err);
}

static int make_container_side(const struct endpoint_work *work, struct netlink **ret_netlink,
			       struct error *err)
{
	struct visit visit = { .work = work };
	int r = netns_run(work->netns_fd, visit_container, &visit, err);
	AUTO(netlink) netlink = visit.netlink;
	if (r == 0)
		r = queue_container_side(netlink, work, err);
	if (r == 0)
		r = netlink_flush(netlink, err);
	if (r == 0)
		*ret_netlink = TAKE(netlink);
	return r;
}

/* 0: the kernel's. A limit of bandwidth counts in small packets, so it keeps them small. */
static int choose_segment_max(struct dataplane *dataplane, const struct endpoint_work *work,
			      uint32_t *ret_bytes, struct error *err)
{
	const struct network_spec *spec = &work->network->spec;
	*ret_bytes = SEGMENT_BIG;
	if (spec->big_tcp == BIG_TCP_OFF || work->info->ingress.rate_bit_s ||
	    work->info->egress.rate_bit_s)
		*ret_bytes = 0;
	else if (spec->big_tcp == BIG_TCP_AUTO && !spec->internal)
		return uplinks_segment_max(dataplane, SEGMENT_BIG, ret_bytes, err);
	return 0;
}

static int make_pair(struct dataplane *dataplane, const struct endpoint_work *work,
		     struct error *err)
{
	struct endpoint_info *info = work->info;
	struct veth_spec spec = {
		.host_name = info->host_device,
		.peer_name = info->interface,
		.mac = info->mac,
		.peer_netns_fd = work->netns_fd,
		.mtu = info->mtu,
		.group = network_group(&dataplane->instance, info->network_id),
	};
	int r = choose_segment_max(dataplane, work, &spec.segment_max, err);
	if (r == 0)
		r = veth_create(dataplane->netlink, &spec, err);
	if (r < 0)
		return r;
	info->host_ifindex = device_index(dataplane->netlink, info->host_device);
	if (info->host_ifindex == 0)
		return error_set(err, ENODEV, "the device %s went while it was made",
				 info->host_device);
	return endpoint_prepare_link(info, work->sysctl_tree_fd, err);
}

int endpoint_attach(struct dataplane *dataplane, const struct endpoint_info *info,
		    const struct network_info *network, struct error *err)
{
	struct host_end_programs programs
		__attribute__((cleanup(host_end_programs_close))) = { -1, -1 };
	uint32_t ifindex = info->host_ifindex;
	if (dataplane->attach == ATTACH_NFT)
		return endpoint_attach_routed(dataplane, info, network, err);
	int r = host_end_programs_open(&dataplane->instance, &programs, err);
	if (r == 0)
		r = attach_queue_host_end(dataplane, ifindex, &programs, err);
	if (r == 0)
		r = bandwidth_queue_host(dataplane, info, err);
	if (r == 0)
		r = device_queue_up(dataplane->netlink, ifindex, err);
	if (r == 0)
		r = endpoint_queue_route(dataplane, info, network, err);
	return r < 0 ? r : netlink_flush(dataplane->netlink, err);
}

/* When ADD returns, the first packet passes. */
static int wait_until_usable(struct netlink *inside, const struct endpoint_info *info,
			     struct error *err)
{
	struct prefix addresses[ENDPOINT_ADDRESSES_MAX];
	size_t count = endpoint_addresses(info, addresses);
	int r = 0;
	device_wait_for_carrier(inside, info->interface);
	for (size_t i = 0; r == 0 && i < count; i++)
		if (!ip_is_v4(addresses[i].ip))
			r = address_wait(inside, addresses[i].ip, err);
	return r;
}

int endpoint_realize(struct dataplane *dataplane, struct endpoint_work *work, struct error *err)
{
	struct endpoint_info *info = work->info;
	AUTO(netlink) inside = NULL;
	auto_fd tree_fd = info->slot < OWN_SYSCTL_TREE_FROM ? -1 : sysctl_tree_open();
	work->sysctl_tree_fd = tree_fd;
	int r = make_pair(dataplane, work, err);
	if (r >= 0)
		r = make_container_side(work, &inside, err);
	if (r == 0 && work->slot_used_before)
		r = endpoint_clear_counters(dataplane, info->slot, err);
	if (r == 0)
		r = endpoint_put_entries(dataplane, info, work->network, err);
	if (r == 0)
		r = endpoint_attach(dataplane, info, work->network, err);
	return r < 0 ? r : wait_until_usable(inside, info, err);
}

/* Somebody gave the host end another name: number and address tell it. */
static bool find_renamed(struct dataplane *dataplane, const struct endpoint_info *info,
			 struct device *ret_device)
{
	struct error ignored = { 0 };
	*ret_device = (struct device){ 0 };
	return device_index(dataplane->netlink, info->host_device) == 0 &&
	       device_get(dataplane->netlink, info->host_ifindex, ret_device, &ignored) == 1 &&
	       mac_equal(ret_device->mac, info->host_mac);
}

int endpoint_restore_name(struct dataplane *dataplane, const struct endpoint_info *info,
			  struct error *err)
{
	struct device device;
	if (!find_renamed(dataplane, info, &device))
		return 0;
	return device_rename(dataplane->netlink, info->host_ifindex, info->host_device, err);
}

int endpoint_unrealize(struct dataplane *dataplane, const struct endpoint_info *info,
		       enum endpoint_link_fate link, struct error *err)
{
	struct device device;
	int r = endpoint_delete_entries(dataplane, info, err);
	if (r == 0 && dataplane->attach == ATTACH_NFT)
		r = endpoint_end_routed(info, err);
	if (r < 0 || link != ENDPOINT_DELETE_LINK)
		return r;
	return device_delete_behind(
		dataplane->netlink,
		find_renamed(dataplane, info, &device) ? device.name : info->host_device, err);
}

bool endpoint_is_dead(struct dataplane *dataplane, const struct endpoint_info *info)
{
	struct device device;
	return device_index(dataplane->netlink, info->host_device) == 0 &&
	       !find_renamed(dataplane, info, &device);
}

bool endpoint_path_is_stale(const struct endpoint_info *info)
{
	struct error ignored = { 0 };
	uint64_t cookie = 0;
	auto_fd fd = -1;
	if (!info->netns_path[0])
		return false;
	int r = netns_open(info->netns_path, &fd, &ignored);
	if (r < 0)
		return r == -ENOENT || r == -EINVAL;
	return netns_cookie(fd, &cookie, &ignored) == 0 && cookie != info->netns_cookie;
}

bool endpoint_is_ending(struct dataplane *dataplane, const struct endpoint_info *info)
{
	const struct timespec pause = { .tv_nsec = ENDING_PAUSE_NS };
	if (endpoint_is_dead(dataplane, info))
		return true;
	if (!endpoint_path_is_stale(info))
		return false;
	for (int i = 0; i < ENDING_PAUSES; i++) {
		nanosleep(&pause, NULL);
		if (endpoint_is_dead(dataplane, info))
			return true;
	}
	return false;
}
