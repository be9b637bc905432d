/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CHECK: is all of an endpoint still there? Nothing is changed. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "attach.h"
#include "bandwidth.h"
#include "base/process.h"
#include "endpoint.h"
#include "endpoint_route.h"
#include "link/address.h"
#include "link/device.h"
#include "masquerade.h"

static int missing(const struct endpoint_info *info, struct error *err, const char *what)
{
	return error_set(err, ENOENT, "container %.64s, interface %s: %s", info->container_id,
			 info->interface, what);
}

/* 1 if both directions have filters: the blocks', which are seen at the device. */
static int check_programs(struct dataplane *dataplane, uint32_t ifindex, struct error *err)
{
	static const enum filter_place places[] = { FILTER_INGRESS, FILTER_EGRESS };
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		if (dataplane->attach == ATTACH_NFT)
			return 0;
		struct filter_spec spec = { .place = places[i], .target = ifindex };
		bool ours;
		unsigned others;
		int r = filter_look(dataplane->netlink, &spec, &ours, &others, err);
		if (r < 0)
			return r;
		if (!ours && others == 0)
			return 0;
	}
	return 1;
}

static int check_host_end(struct dataplane *dataplane, const struct endpoint_info *info,
			  struct error *err)
{
	struct device device;
	uint32_t ifindex = device_index(dataplane->netlink, info->host_device);
	if (ifindex == 0 || ifindex != info->host_ifindex)
		return missing(info, err, "its device on the host is gone");
	int r = device_get(dataplane->netlink, ifindex, &device, err);
	if (r < 0)
		return r;
	if (r == 0 || !(device.flags & IFF_UP))
		return missing(info, err, "its device on the host is down");
	r = check_programs(dataplane, ifindex, err);
	if (r == 0)
		return missing(info, err, "no program is attached to its device on the host");
	if (r > 0)
		r = bandwidth_look_host(dataplane, info, err);
	return r == 0 ? missing(info, err, "the limit of what it receives is gone")
		      : (r < 0 ? r : 0);
}

static int check_route(struct dataplane *dataplane, const struct endpoint_info *info,
		       struct error *err)
{
	int r = endpoint_look_route(dataplane, info, err);
	return r == 0 ? missing(info, err, "the host has no route to its address")
		      : (r < 0 ? r : 0);
}

static int check_entries(struct dataplane *dataplane, const struct endpoint_info *info,
			 const struct network_info *network, struct error *err)
{
	struct maps *maps = &dataplane->maps;
	struct source wanted = endpoint_source(info, network), source;
	struct prefix addresses[ENDPOINT_ADDRESSES_MAX];
	size_t count = endpoint_addresses(info, addresses);
	struct endpoint endpoint;
	struct slot slot;
	uint16_t port = 0;
	char text[64];

	int r = map_get(maps, MAP_SLOTS, &info->slot, &slot, err);
	if (r >= 0 && (r == 0 || slot.generation != info->generation))
		return missing(info, err, "its slot is not in the kernel's table");
	if (r >= 0)
		r = map_get(maps, MAP_SOURCES, &info->host_ifindex, &source, err);
	if (r >= 0 && (r == 0 || memcmp(&source, &wanted, sizeof source) != 0))
		return missing(info, err, "its device is not in the kernel's table of sources");
	for (size_t i = 0; r >= 0 && i < count; i++) {
		struct endpoint_key key = { .address = abi_addr_of(addresses[i].ip),
					    .network = info->network_id };
		r = map_get(maps, MAP_ENDPOINTS, &key, &endpoint, err);
		if (r == 0 || (r == 1 && endpoint.generation != info->generation))
			return missing(info, err,
				       "its address is not in the kernel's table of endpoints");
	}
	if (r >= 0)
		r = publish_verify(dataplane, info, &port, err);
	if (r == 0) {
		snprintf(text, sizeof text, "its published port %u is not in the kernel", port);
		return missing(info, err, text);
	}
	return r < 0 ? r : 0;
}

struct inside {
	const struct endpoint_info *info;
	struct netlink *netlink;
	uint32_t ifindex;
	unsigned seen; /* a bit for each address that is there */
};

static int see_address(const struct address *address, void *context, struct error *err)
{
	struct inside *inside = context;
	struct prefix addresses[ENDPOINT_ADDRESSES_MAX];
	size_t count = endpoint_addresses(inside->info, addresses);
	(void)err;
	for (size_t i = 0; address->ifindex == inside->ifindex && i < count; i++)
		if (prefix_equal(address->prefix, addresses[i]))
			inside->seen |= 1u << i;
	return 0;
}

static int open_inside(void *context, struct error *err)
{
	struct inside *inside = context;
	return netlink_open(-1, &inside->netlink, err);
}

static int check_device(struct inside *inside, struct error *err)
{
	struct device device;
	inside->ifindex = device_index(inside->netlink, inside->info->interface);
	if (inside->ifindex == 0)
		return missing(inside->info, err, "the container has no such interface");
	int r = device_get(inside->netlink, inside->ifindex, &device, err);
	if (r < 0)
		return r;
	if (r == 0 || !(device.flags & IFF_UP))
		return missing(inside->info, err, "the interface is down");
	if (!mac_equal(device.mac, inside->info->mac))
		return missing(inside->info, err, "the interface has another MAC address");
	struct prefix addresses[ENDPOINT_ADDRESSES_MAX];
	size_t count = endpoint_addresses(inside->info, addresses);
	r = address_each(inside->netlink, see_address, inside, err);
	for (size_t i = 0; r == 0 && i < count; i++) {
		char what[64 + PREFIX_TEXT_MAX];
		snprintf(what, sizeof what, "the interface has not its address %s",
			 prefix_format(addresses[i]).text);
		if (!(inside->seen & 1u << i))
			return missing(inside->info, err, what);
	}
	if (r == 0)
		r = bandwidth_look_inside(inside->netlink, inside->info, inside->ifindex, err);
	return r == 0 ? missing(inside->info, err, "the limit of what it sends is gone")
		      : (r < 0 ? r : 0);
}

static int check_container_side(const struct endpoint_info *info, struct error *err)
{
	struct inside inside = { .info = info };
	auto_fd fd = -1;
	if (!info->netns_path[0])
		return 0;
	int r = netns_open(info->netns_path, &fd, err);
	if (r < 0)
		return r;
	r = netns_run(fd, open_inside, &inside, err);
	AUTO(netlink) netlink = inside.netlink;
	return r < 0 ? r : check_device(&inside, err);
}

static int check_network_entries(struct dataplane *dataplane, const struct network_info *network,
				 struct error *err)
{
	struct maps *maps = &dataplane->maps;
	struct network found;
	uint32_t id = network->id, owner = 0;
	int r = map_get(maps, MAP_NETWORKS, &id, &found, err);
	if (r >= 0 && (r == 0 || found.gateway_ifindex != network->device_ifindex ||
		       found.flags != network_abi_flags(&network->spec)))
		return error_set(err, ENOENT,
				 "network %s: it is not in the kernel's table of networks",
				 network->spec.name);
	if (r >= 0)
		r = map_get(maps, MAP_GATEWAYS, &network->device_ifindex, &owner, err);
	if (r >= 0 && (r == 0 || owner != id))
		return error_set(err, ENOENT,
				 "network %s: %s is not in the kernel's table of gateways",
				 network->spec.name, network->spec.device);
	return r < 0 ? r : masquerade_check(dataplane, network, err);
}

int network_check(struct dataplane *dataplane, const struct network_info *network,
		  struct error *err)
{
	struct device device;
	uint32_t ifindex = device_index(dataplane->netlink, network->spec.device);
	if (ifindex == 0 || ifindex != network->device_ifindex)
		return error_set(err, ENOENT, "network %s: its device %s is gone",
				 network->spec.name, network->spec.device);
	int r = device_get(dataplane->netlink, ifindex, &device, err);
	if (r == 0 || (r == 1 && !(device.flags & IFF_UP)))
		return error_set(err, ENOENT, "network %s: its device %s is down",
				 network->spec.name, network->spec.device);
	if (r > 0)
		r = attach_device_check(dataplane, PROGRAM_TO_CONTAINER, FILTER_EGRESS, ifindex,
					err);
	if (r == 0)
		return error_set(err, ENOENT, "network %s: no program is attached to %s",
				 network->spec.name, network->spec.device);
	return r < 0 ? r : check_network_entries(dataplane, network, err);
}

int endpoint_check_host(struct dataplane *dataplane, const struct endpoint_info *info,
			struct error *err)
{
	struct network_info network;
	int r = network_find(dataplane->store, info->network, &network, err);
	if (r == 0)
		return error_set(err, ENOENT, "there is no network %s", info->network);
	if (r > 0)
		r = check_host_end(dataplane, info, err);
	return r < 0 ? r : check_entries(dataplane, info, &network, err);
}

int endpoint_check(struct dataplane *dataplane, const char *container_id, const char *interface,
		   struct error *err)
{
	struct endpoint_info info __attribute__((cleanup(endpoint_info_release))) = { 0 };
	struct network_info network;
	int r = endpoint_find(dataplane->store, container_id, interface, &info, err);
	if (r == 0 || (r == 1 && info.state != ENDPOINT_READY))
		return error_set(err, ENOENT, "container %.64s has no interface %s", container_id,
				 interface);
	if (r > 0)
		r = network_find(dataplane->store, info.network, &network, err);
	if (r == 0)
		return error_set(err, ENOENT, "there is no network %s", info.network);
	if (r > 0)
		r = network_check(dataplane, &network, err);
	if (r == 0)
		r = check_host_end(dataplane, &info, err);
	if (r == 0)
		r = check_route(dataplane, &info, err);
	if (r == 0)
		r = check_entries(dataplane, &info, &network, err);
	return r < 0 ? r : check_container_side(&info, err);
}
