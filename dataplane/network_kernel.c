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
#include "masquerade.h"
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

/* bpf_fib_lookup asks for forwarding of the device that a packet comes from, in both families. */
static int set_all_sysctls(const char *device, bool v6, struct error *err)
{
	static const struct sysctl_setting common[] = { { "ipv4", "forwarding", "1" },
							/* Loose: some containers have a route by
							 * their own link (endpoint_attach). */
							{ "ipv4", "rp_filter", "2" },
							{ "ipv6", "accept_ra", "0" } };
	static const struct sysctl_setting without[] = { { "ipv6", "disable_ipv6", "1" } };
	static const struct sysctl_setting with[] = { { "ipv6", "disable_ipv6", "0" },
						      { "ipv6", "addr_gen_mode", "1" },
						      { "ipv6", "forwarding", "1" } };
	int r = sysctl_device_set_all(device, common, ARRAY_SIZE(common), err);
	if (r < 0)
		return r;
	return v6 ? sysctl_device_set_all(device, with, ARRAY_SIZE(with), err)
		  : sysctl_device_set_all(device, without, ARRAY_SIZE(without), err);
}

/* What the kernel asks neighbours from while no packet waits: its own would come with a carrier. */
static struct prefix link_local_of(struct mac mac)
{
	const uint8_t *m = mac.bytes;
	return (struct prefix){ { { 0xfe, 0x80, 0, 0, 0, 0, 0, 0, (uint8_t)(m[0] ^ 2), m[1], m[2],
				    0xff, 0xfe, m[3], m[4], m[5] } },
				64 };
}

static int queue_addresses(struct netlink *netlink, const struct network_info *info,
			   struct error *err)
{
	const struct network_spec *spec = &info->spec;
	struct prefix own = { spec->gateway, spec->subnet.length };
	struct prefix own6 = { spec->gateway6, spec->subnet6.length };
	int r = 0;
	if (!prefix_is_unset(spec->subnet))
		r = address_queue_add(netlink, info->device_ifindex, own, err);
	if (r < 0 || prefix_is_unset(spec->subnet6))
		return r;
	r = address_queue_add(netlink, info->device_ifindex, own6, err);
	return r < 0 ? r
		     : address_queue_add(netlink, info->device_ifindex,
					 link_local_of(info->device_mac), err);
}

static int prepare_device(struct dataplane *dataplane, struct network_info *info, struct error *err)
{
	struct device device = { 0 };
	char alias[sizeof GATEWAY_ALIAS + NETWORK_NAME_MAX];
	struct netlink *netlink = dataplane->netlink;

	int r = find_or_make(dataplane, info, &device, err);
	if (r == 0)
		r = check_owner(info, &device, err);
	if (r == 0)
		r = set_all_sysctls(device.name, !prefix_is_unset(info->spec.subnet6), err);
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
		r = device_queue_up(netlink, device.ifindex, err);
	if (r == 0)
		r = queue_addresses(netlink, info, err);
	return r < 0 ? r : netlink_flush(netlink, err);
}

uint16_t network_abi_flags(const struct network_spec *spec)
{
	return (uint16_t)((spec->masquerade ? NETWORK_MASQUERADE : 0) |
			  (masquerade_options_are_set(&spec->masquerade_options)
				   ? NETWORK_MASQUERADE_OPTIONS
				   : 0) |
			  (spec->internal ? NETWORK_INTERNAL : 0) |
			  (spec->routed ? NETWORK_ROUTED : 0) |
			  (spec->no_icc ? NETWORK_NO_ICC : 0) |
			  (spec->multicast ? NETWORK_MULTICAST : 0) |
			  (prefix_is_unset(spec->subnet) ? 0 : NETWORK_IPV4) |
			  (prefix_is_unset(spec->subnet6) ? 0 : NETWORK_IPV6));
}

/* Of the 128-bit form. */
static uint32_t long_length(struct prefix subnet)
{
	return (ip_is_v4(subnet.ip) ? 96u : 0u) + subnet.length;
}

static int put_subnet(struct dataplane *dataplane, struct prefix subnet, uint32_t id,
		      struct error *err)
{
	struct subnet_key key = { .prefix_length = long_length(subnet),
				  .address = abi_addr_of(subnet.ip) };
	if (prefix_is_unset(subnet))
		return 0;
	return map_put(&dataplane->maps, MAP_SUBNETS, &key, &id, err);
}

static int delete_subnet(struct dataplane *dataplane, struct prefix subnet, struct error *err)
{
	struct subnet_key key = { .prefix_length = long_length(subnet),
				  .address = abi_addr_of(subnet.ip) };
	if (prefix_is_unset(subnet))
		return 0;
	int r = map_delete(&dataplane->maps, MAP_SUBNETS, &key, err);
	return r < 0 ? r : 0;
}

static int put_entries(struct dataplane *dataplane, const struct network_info *info,
		       struct error *err)
{
	struct maps *maps = &dataplane->maps;
	const struct network_spec *spec = &info->spec;
	uint32_t id = info->id;
	struct network network = {
		.subnet = abi_addr_of(spec->subnet.ip),
		.gateway = abi_addr_of(spec->gateway),
		.prefix_length = long_length(spec->subnet),
		.subnet6 = abi_addr_of(spec->subnet6.ip),
		.gateway6 = abi_addr_of(spec->gateway6),
		.prefix_length6 = long_length(spec->subnet6),
		.gateway_ifindex = info->device_ifindex,
		.generation = 1,
		.flags = network_abi_flags(spec),
	};
	memcpy(network.gateway_mac, info->device_mac.bytes, MAC_SIZE);
	int r = masquerade_put(dataplane, info, err);
	if (r == 0)
		r = map_put(maps, MAP_NETWORKS, &id, &network, err);
	if (r == 0)
		r = map_put(maps, MAP_GATEWAYS, &info->device_ifindex, &id, err);
	if (r == 0)
		r = put_subnet(dataplane, spec->subnet, id, err);
	return r < 0 ? r : put_subnet(dataplane, spec->subnet6, id, err);
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
	uint32_t id = info->id, ifindex = info->device_ifindex;
	struct network none = { 0 };

	if (ifindex == 0)
		ifindex = device_index(dataplane->netlink, info->spec.device);
	int r = attach_device_end(dataplane, PROGRAM_TO_CONTAINER, FILTER_EGRESS, ifindex, err);
	if (r == 0)
		r = map_put(maps, MAP_NETWORKS, &id, &none, err);
	if (r == 0)
		r = delete_subnet(dataplane, info->spec.subnet, err);
	if (r == 0)
		r = delete_subnet(dataplane, info->spec.subnet6, err);
	if (r >= 0)
		r = map_delete(maps, MAP_GATEWAYS, &ifindex, err);
	if (r >= 0)
		r = masquerade_delete(dataplane, info->id, err);
	if (r >= 0)
		r = delete_device(dataplane, info, err);
	return r < 0 ? r : uplinks_refresh(dataplane, err);
}
