/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the maps hold of an endpoint. */
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include "bandwidth.h"
#include "endpoint.h"
#include "endpoint_route.h"
#include "link/device.h"

/* length is that of the 128-bit form. */
static struct abi_addr mask_of(unsigned length)
{
	struct abi_addr mask;
	memset(mask.bytes, 0xff, sizeof mask.bytes);
	for (unsigned bit = length; bit < 128; bit++)
		mask.bytes[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
	return mask;
}

static struct source_family family_of(struct prefix address, struct prefix subnet,
				      struct ip gateway)
{
	if (prefix_is_unset(address))
		return (struct source_family){ 0 };
	return (struct source_family){
		.address = abi_addr_of(address.ip),
		.subnet_mask = mask_of((ip_is_v4(address.ip) ? 96u : 0u) + subnet.length),
		.subnet = abi_addr_of(subnet.ip),
		.gateway = abi_addr_of(gateway),
	};
}

/* Of the families, those that the endpoint has an address of. */
static uint16_t source_flags(const struct endpoint_info *info, const struct network_info *network)
{
	uint16_t flags = network_abi_flags(&network->spec);
	if (prefix_is_unset(info->address))
		flags &= (uint16_t)~NETWORK_IPV4;
	if (prefix_is_unset(info->address6))
		flags &= (uint16_t)~NETWORK_IPV6;
	return flags;
}

struct source endpoint_source(const struct endpoint_info *info, const struct network_info *network)
{
	const struct network_spec *spec = &network->spec;
	struct source source = {
		.v4 = family_of(info->address, spec->subnet, spec->gateway),
		.v6 = family_of(info->address6, spec->subnet6, spec->gateway6),
		.slot = info->slot,
		.generation = info->generation,
		.gateway_ifindex = network->device_ifindex,
		.network = network->id,
		.flags = (uint16_t)(source_flags(info, network) | bandwidth_flags(info) |
				    (endpoint_has_link6(info) ? ENDPOINT_LINK6 : 0)),
	};
	memcpy(source.mac, info->mac.bytes, MAC_SIZE);
	memcpy(source.gateway_mac, network->device_mac.bytes, MAC_SIZE);
	publish_served(info, source.served);
	return source;
}

static struct endpoint_key endpoint_key(const struct endpoint_info *info, struct ip ip)
{
	return (struct endpoint_key){ .address = abi_addr_of(ip), .network = info->network_id };
}

/* A container of several networks asks the first of them that resolves names. */
static int put_netns(struct dataplane *dataplane, const struct endpoint_info *info,
		     const struct network_info *network, struct error *err)
{
	struct netns netns = { .resolver = abi_addr_of(network->spec.gateway), .slot = info->slot },
		     found;
	/* 127.0.0.11 leads to an address of its own family only. */
	if (!network->spec.dns || info->netns_cookie == 0 || prefix_is_unset(info->address))
		return 0;
	int r = map_get(&dataplane->maps, MAP_NETNS, &info->netns_cookie, &found, err);
	if (r != 0)
		return r < 0 ? r : 0;
	return map_put(&dataplane->maps, MAP_NETNS, &info->netns_cookie, &netns, err);
}

static int put_addresses(struct dataplane *dataplane, const struct endpoint_info *info,
			 const struct endpoint *endpoint, struct error *err)
{
	struct prefix addresses[ENDPOINT_ADDRESSES_MAX];
	size_t count = endpoint_addresses(info, addresses);
	int r = 0;
	for (size_t i = 0; r == 0 && i < count; i++) {
		struct endpoint_key key = endpoint_key(info, addresses[i].ip);
		r = map_put(&dataplane->maps, MAP_ENDPOINTS, &key, endpoint, err);
	}
	return r;
}

int endpoint_put_entries(struct dataplane *dataplane, const struct endpoint_info *info,
			 const struct network_info *network, struct error *err)
{
	struct maps *maps = &dataplane->maps;
	struct slot slot = { .generation = info->generation,
			     .ifindex = info->host_ifindex,
			     .network = info->network_id };
	struct source source = endpoint_source(info, network);
	struct endpoint endpoint = { .ifindex = info->host_ifindex,
				     .slot = info->slot,
				     .generation = info->generation,
				     .flags = source.flags };
	memcpy(endpoint.mac, info->mac.bytes, MAC_SIZE);

	int r = map_put(maps, MAP_SLOTS, &info->slot, &slot, err);
	if (r == 0)
		r = map_put(maps, MAP_SOURCES, &info->host_ifindex, &source, err);
	if (r == 0)
		r = put_addresses(dataplane, info, &endpoint, err);
	if (r == 0)
		r = put_netns(dataplane, info, network, err);
	return r < 0 ? r : publish_put(dataplane, info, err);
}

struct refresh {
	struct dataplane *dataplane;
	const struct network_info *network;
};

static int refresh_entries(const struct endpoint_info *info, void *context, struct error *err)
{
	struct refresh *refresh = context;
	if (info->state != ENDPOINT_READY)
		return 0;
	int r = endpoint_put_entries(refresh->dataplane, info, refresh->network, err);
	/* A gateway address that was gone took the routes along. */
	if (r == 0)
		r = endpoint_queue_route(refresh->dataplane, info, refresh->network, err);
	return r < 0 ? r : netlink_flush(refresh->dataplane->netlink, err);
}

int endpoint_refresh_network(struct dataplane *dataplane, const struct network_info *network,
			     struct error *err)
{
	struct refresh refresh = { dataplane, network };
	return endpoint_each(dataplane->store, NULL, network->spec.name, refresh_entries, &refresh,
			     err);
}

int endpoint_clear_counters(struct dataplane *dataplane, uint32_t slot, struct error *err)
{
	int cpus = libbpf_num_possible_cpus();
	auto_free struct slot_stats *zeros = calloc(cpus > 0 ? (size_t)cpus : 1, sizeof *zeros);
	if (!zeros)
		return error_set(err, ENOMEM, "no memory for counters");
	int r = map_put(&dataplane->maps, MAP_SLOT_STATS, &slot, zeros, err);
	for (uint32_t reason = 0; r >= 0 && reason < DROP_REASON_COUNT; reason++) {
		struct drop_key key = { .reason = reason, .slot = slot };
		r = map_delete(&dataplane->maps, MAP_DROPS, &key, err);
	}
	return r < 0 ? r : 0;
}

static int delete_addresses(struct dataplane *dataplane, const struct endpoint_info *info,
			    struct error *err)
{
	struct prefix addresses[ENDPOINT_ADDRESSES_MAX];
	size_t count = endpoint_addresses(info, addresses);
	struct endpoint found;
	int r = 0;
	for (size_t i = 0; r >= 0 && i < count; i++) {
		struct endpoint_key key = endpoint_key(info, addresses[i].ip);
		r = map_get(&dataplane->maps, MAP_ENDPOINTS, &key, &found, err);
		if (r == 1 && found.slot == info->slot && found.generation == info->generation)
			r = map_delete(&dataplane->maps, MAP_ENDPOINTS, &key, err);
	}
	return r < 0 ? r : 0;
}

static int delete_source(struct dataplane *dataplane, const struct endpoint_info *info,
			 struct error *err)
{
	uint32_t ifindex = info->host_ifindex;
	if (ifindex == 0)
		ifindex = device_index(dataplane->netlink, info->host_device);
	if (ifindex == 0)
		return 0;
	int r = map_delete(&dataplane->maps, MAP_SOURCES, &ifindex, err);
	return r < 0 ? r : 0;
}

/* The container's other networks: the next one resolves its names from now on. */
static int pass_netns_on(const struct endpoint_info *other, void *context, struct error *err)
{
	struct refresh *refresh = context;
	struct network_info network;
	if (other->state != ENDPOINT_READY)
		return 0;
	int r = network_find(refresh->dataplane->store, other->network, &network, err);
	return r == 1 ? put_netns(refresh->dataplane, other, &network, err) : r;
}

static int delete_netns(struct dataplane *dataplane, const struct endpoint_info *info,
			struct error *err)
{
	struct refresh refresh = { .dataplane = dataplane };
	struct netns found;
	if (info->netns_cookie == 0)
		return 0;
	int r = map_get(&dataplane->maps, MAP_NETNS, &info->netns_cookie, &found, err);
	if (r != 1 || found.slot != info->slot)
		return r < 0 ? r : 0;
	r = map_delete(&dataplane->maps, MAP_NETNS, &info->netns_cookie, err);
	return r < 0 ? r
		     : endpoint_each(dataplane->store, info->container_id, NULL, pass_netns_on,
				     &refresh, err);
}

/* Generation 0 ends all flows of the endpoint at once. */
static int free_slot(struct dataplane *dataplane, const struct endpoint_info *info,
		     struct error *err)
{
	struct slot found, none = { 0 };
	int r = map_get(&dataplane->maps, MAP_SLOTS, &info->slot, &found, err);
	if (r == 1 && found.generation == info->generation)
		r = map_put(&dataplane->maps, MAP_SLOTS, &info->slot, &none, err);
	return r < 0 ? r : 0;
}

int endpoint_delete_entries(struct dataplane *dataplane, const struct endpoint_info *info,
			    struct error *err)
{
	int r = delete_addresses(dataplane, info, err);
	if (r == 0)
		r = delete_source(dataplane, info, err);
	if (r == 0)
		r = publish_delete(dataplane, info, err);
	if (r == 0)
		r = delete_netns(dataplane, info, err);
	return r < 0 ? r : free_slot(dataplane, info, err);
}
