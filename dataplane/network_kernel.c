/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The gateway device is of kind bridge, so that tools that look for one find
 * it, and foreign members may join; containers are no ports of it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "attach.h"
#include "link/address.h"
#include "link/device.h"
#include "link/sysctl.h"
#include "network.h"
#include "state.h"
#include "uplinks.h"

/* The ifindex of our device if somebody gave it another name, which is mended; else 0. */
static uint32_t restore_name(struct dataplane *dataplane, const struct network_info *info)
{
	struct device device = { 0 };
	struct error ignored = { 0 };
	if (device_get(dataplane->netlink, info->device_ifindex, &device, &ignored) != 1 ||
	    strncmp(device.alias, GATEWAY_ALIAS, strlen(GATEWAY_ALIAS)) != 0 ||
	    strcmp(device.alias + strlen(GATEWAY_ALIAS), info->spec.name) != 0 ||
	    device_rename(dataplane->netlink, device.ifindex, info->spec.device, &ignored) < 0)
		return 0;
	return device.ifindex;
}

/* Makes the bridge, or takes one of this name; *ret_device tells what is there then. */
static int find_or_make(struct dataplane *dataplane, const struct network_info *info,
			struct device *ret_device, struct error *err)
{
	const char *name = info->spec.device;
	struct netlink *netlink = dataplane->netlink;
	uint32_t ifindex = device_index(netlink, name);
	if (ifindex == 0)
		ifindex = restore_name(dataplane, info);
	if (ifindex == 0) {
		struct error why = { 0 };
		int r = bridge_create(netlink, name, info->device_mac, info->spec.mtu, &why);
		if (r < 0 && r != -EEXIST) {
			*err = why;
			return r;
		}
		ifindex = device_index(netlink, name);
	}
	int r = device_get(netlink, ifindex, ret_device, err);
	if (r == 0)
		return error_set(err, ENODEV, "the device %s went while it was made", name);
	return r < 0 ? r : 0;
}

static int check_owner(const struct network_info *info, const struct device *device,
		       struct error *err)
{
	if (strcmp(device->kind, "bridge") != 0)
		return error_set(err, EBUSY,
				 "network %s: device %s is there already and no bridge: choose "
				 "another name",
				 info->spec.name, device->name);
	if (strncmp(device->alias, GATEWAY_ALIAS, strlen(GATEWAY_ALIAS)) == 0 &&
	    strcmp(device->alias + strlen(GATEWAY_ALIAS), info->spec.name) != 0)
		return error_set(err, EBUSY, "network %s: device %s belongs to the network %s",
				 info->spec.name, device->name,
				 device->alias + strlen(GATEWAY_ALIAS));
	return 0;
}

static int set_sysctls(const char *device, struct error *err)
{
	static const char *const rows[][3] = {
		{ "ipv4", "forwarding", "1" }, /* bpf_fib_lookup asks for it */
		/* Loose: some containers have a route by their own link (endpoint_attach). */
		{ "ipv4", "rp_filter", "2" },
		{ "ipv6", "accept_ra", "0" },
		{ "ipv6", "disable_ipv6", "1" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int r = sysctl_device_set(rows[i][0], device, rows[i][1], rows[i][2], err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int prepare_device(struct dataplane *dataplane, struct network_info *info, struct error *err)
{
	struct device device = { 0 };
	char alias[sizeof GATEWAY_ALIAS + NETWORK_NAME_MAX];
	struct netlink *netlink = dataplane->netlink;
	struct prefix own = { info->spec.gateway, info->spec.subnet.length };

	int r = find_or_make(dataplane, info, &device, err);
	if (r == 0)
		r = check_owner(info, &device, err);
	if (r == 0)
		r = set_sysctls(device.name, err);
	if (r < 0)
		return r;
	info->device_mac = device.mac;
	info->device_ifindex = device.ifindex;
	snprintf(alias, sizeof alias, "%s%s", GATEWAY_ALIAS, info->spec.name);
	/* The alias first: an address without it would make the device an uplink. */
	r = device_queue_mark(netlink, device.ifindex, alias,
			      network_group(&dataplane->instance, 0), err);
	if (r == 0 && device.mtu != info->spec.mtu)
		r = device_queue_mtu(netlink, device.ifindex, info->spec.mtu, err);
	if (r == 0)
		r = address_queue_add(netlink, device.ifindex, own, err);
	if (r == 0)
		r = device_queue_up(netlink, device.ifindex, err);
	return r < 0 ? r : netlink_flush(netlink, err);
}

uint16_t network_abi_flags(const struct network_spec *spec)
{
	return (uint16_t)((spec->masquerade ? NETWORK_MASQUERADE : 0) |
			  (spec->internal ? NETWORK_INTERNAL : 0) |
			  (spec->routed ? NETWORK_ROUTED : 0) |
			  (spec->no_icc ? NETWORK_NO_ICC : 0));
}

static struct subnet_key subnet_key_of(const struct network_info *info)
{
	return (struct subnet_key){
		.prefix_length = 96u + info->spec.subnet.length,
		.address = abi_addr_of(info->spec.subnet.ip),
	};
}

static int put_entries(struct dataplane *dataplane, const struct network_info *info,
		       struct error *err)
{
	struct maps *maps = &dataplane->maps;
	struct subnet_key subnet = subnet_key_of(info);
	uint32_t id = info->id;
	struct network network = {
		.subnet = subnet.address,
		.gateway = abi_addr_of(info->spec.gateway),
		.prefix_length = subnet.prefix_length,
		.gateway_ifindex = info->device_ifindex,
		.generation = 1,
		.flags = network_abi_flags(&info->spec),
	};
	memcpy(network.gateway_mac, info->device_mac.bytes, MAC_SIZE);
	int r = map_put(maps, MAP_NETWORKS, &id, &network, err);
	if (r == 0)
		r = map_put(maps, MAP_GATEWAYS, &info->device_ifindex, &id, err);
	if (r == 0)
		r = map_put(maps, MAP_SUBNETS, &subnet, &id, err);
	return r;
}

int network_realize(struct dataplane *dataplane, struct network_info *info, struct error *err)
{
	int r = prepare_device(dataplane, info, err);
	if (r == 0)
		r = put_entries(dataplane, info, err);
	if (r == 0)
		r = attach_device(dataplane, PROGRAM_TO_CONTAINER, FILTER_EGRESS,
				  info->device_ifindex, err);
	return r < 0 ? r : uplinks_refresh(dataplane, err);
}

static int delete_device(struct dataplane *dataplane, const struct network_info *info,
			 struct error *err)
{
	struct device device = { 0 };
	uint32_t ifindex = device_index(dataplane->netlink, info->spec.device);
	int r = device_get(dataplane->netlink, ifindex, &device, err);
	/* A device that somebody else made in the meantime under this name stays. */
	if (ifindex == 0 || r <= 0 || strncmp(device.alias, GATEWAY_ALIAS, strlen(GATEWAY_ALIAS)))
		return r < 0 ? r : 0;
	return device_delete(dataplane->netlink, device.name, err);
}

int network_unrealize(struct dataplane *dataplane, const struct network_info *info,
		      struct error *err)
{
	struct maps *maps = &dataplane->maps;
	struct subnet_key subnet = subnet_key_of(info);
	uint32_t id = info->id, ifindex = info->device_ifindex;
	struct network none = { 0 };

	if (ifindex == 0)
		ifindex = device_index(dataplane->netlink, info->spec.device);
	int r = attach_device_end(dataplane, PROGRAM_TO_CONTAINER, FILTER_EGRESS, ifindex, err);
	if (r == 0)
		r = map_put(maps, MAP_NETWORKS, &id, &none, err);
	if (r == 0)
		r = map_delete(maps, MAP_SUBNETS, &subnet, err);
	if (r >= 0)
		r = map_delete(maps, MAP_GATEWAYS, &ifindex, err);
	if (r >= 0)
		r = delete_device(dataplane, info, err);
	return r < 0 ? r : uplinks_refresh(dataplane, err);
}
