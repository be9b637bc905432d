/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "uplinks.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <string.h>

#include "attach.h"
#include "firewall.h"
#include "link/address.h"
#include "link/device.h"
#include "state.h"

#define MTU_DEFAULT 1500

struct addresses {
	struct address *items;
	size_t count, capacity;
	uint64_t fingerprint;
};

static void addresses_release(struct addresses *addresses)
{
	free(addresses->items);
}

static void mix(uint64_t *hash, const void *data, size_t size)
{
	const uint8_t *bytes = data;
	for (size_t i = 0; i < size; i++)
		*hash = (*hash ^ bytes[i]) * 1099511628211ull;
}

static int keep_address(const struct address *address, void *context, struct error *err)
{
	struct addresses *all = context;
	if (all->count == all->capacity) {
		size_t capacity = all->capacity ? all->capacity * 2 : 16;
		struct address *items = realloc(all->items, capacity * sizeof *items);
		if (!items)
			return error_set(err, ENOMEM, "no memory for the host's addresses");
		all->items = items;
		all->capacity = capacity;
	}
	all->items[all->count++] = *address;
	mix(&all->fingerprint, &address->ifindex, sizeof address->ifindex);
	mix(&all->fingerprint, address->prefix.ip.bytes, sizeof address->prefix.ip.bytes);
	mix(&all->fingerprint, &address->prefix.length, 1);
	mix(&all->fingerprint, &address->scope, 1);
	mix(&all->fingerprint, &address->flags, sizeof address->flags);
	return 0;
}

/* What nobody outside answers to; temporary addresses of IPv6 count as secondary. */
#define FLAGS_UNFIT (IFA_F_SECONDARY | IFA_F_DEPRECATED | IFA_F_DADFAILED)

static bool is_uplink_address(const struct address *address)
{
	return address->scope == RT_SCOPE_UNIVERSE && !ip_is_loopback(address->prefix.ip) &&
	       !(address->flags & FLAGS_UNFIT);
}

/* The first of the family that the device has; all zero if it has none. */
static struct abi_addr address_of_device(const struct addresses *all, uint32_t ifindex, bool v4)
{
	for (size_t i = 0; i < all->count; i++)
		if (all->items[i].ifindex == ifindex && is_uplink_address(&all->items[i]) &&
		    ip_is_v4(all->items[i].prefix.ip) == v4)
			return abi_addr_of(all->items[i].prefix.ip);
	return (struct abi_addr){ 0 };
}

/* A link-local address is that of many hosts, each on its link. */
static bool is_locals_address(const struct address *address)
{
	return ip_is_v4(address->prefix.ip) || address->scope != RT_SCOPE_LINK;
}

static int put_locals(struct dataplane *dataplane, const struct addresses *all, struct error *err)
{
	uint32_t one = 1;
	for (size_t i = 0; i < all->count; i++) {
		struct abi_addr key = abi_addr_of(all->items[i].prefix.ip);
		if (!is_locals_address(&all->items[i]))
			continue;
		int r = map_put(&dataplane->maps, MAP_LOCALS, &key, &one, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool is_local(const struct addresses *all, struct abi_addr key)
{
	for (size_t i = 0; i < all->count; i++)
		if (ip_equal(all->items[i].prefix.ip, ip_of_abi(key)))
			return true;
	return false;
}

/* Deleting the key that a walk stands on would send the walk to the start: look ahead first. */
static int drop_old_locals(struct dataplane *dataplane, const struct addresses *all,
			   struct error *err)
{
	struct abi_addr key, next;
	int more = map_next(&dataplane->maps, MAP_LOCALS, NULL, &key, err);
	while (more == 1) {
		more = map_next(&dataplane->maps, MAP_LOCALS, &key, &next, err);
		if (more < 0)
			return more;
		if (!is_local(all, key)) {
			int r = map_delete(&dataplane->maps, MAP_LOCALS, &key, err);
			if (r < 0)
				return r;
		}
		key = next;
	}
	return more;
}

/*
 * What outside sees as the source. One that was chosen and is not the host's (any
 * more) would get no answers: then there is none, and packets are dropped by name.
 */
static struct abi_addr source_of_device(const struct uplink_rules *rules,
					const struct addresses *all, const struct device *device,
					bool v4)
{
	struct ip chosen = uplink_source_of(rules, device->name, v4);
	if (ip_is_unset(chosen))
		return address_of_device(all, device->ifindex, v4);
	return is_local(all, abi_addr_of(chosen)) ? abi_addr_of(chosen) : (struct abi_addr){ 0 };
}

/* 1 if the device, which has a fit address, is an uplink now, 0 if not. */
static int put_uplink(struct dataplane *dataplane, const struct uplink_rules *rules,
		      const struct addresses *all, uint32_t ifindex, struct error *err)
{
	struct device device;
	int r = device_get(dataplane->netlink, ifindex, &device, err);
	if (r <= 0)
		return r;
	enum uplink_kind kind = uplink_kind_of(rules, &device);
	if (kind == UPLINK_NONE)
		return 0;
	struct uplink uplink = {
		.masquerade = source_of_device(rules, all, &device, true),
		.masquerade6 = source_of_device(rules, all, &device, false),
		.mtu = (uint16_t)(device.mtu > UINT16_MAX ? UINT16_MAX : device.mtu),
		.segment_max = device.segment_max,
	};
	memcpy(uplink.mac, device.mac.bytes, MAC_SIZE);
	firewall_keep_open(dataplane, &device, &uplink);
	r = map_put(&dataplane->maps, MAP_UPLINKS, &device.ifindex, &uplink, err);
	if (r == 0)
		r = attach_device(dataplane,
				  kind == UPLINK_BARE ? PROGRAM_FROM_BARE_UPLINK
						      : PROGRAM_FROM_UPLINK,
				  FILTER_INGRESS, device.ifindex, err);
	/* It went between the two: its address will not be there at the next look. */
	if (r == -ENODEV)
		return 0;
	return r < 0 ? r : 1;
}

static bool seen_before(const struct addresses *all, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (all->items[i].ifindex == all->items[index].ifindex &&
		    is_uplink_address(&all->items[i]))
			return true;
	return false;
}

struct uplink_set {
	uint32_t ifindexes[UPLINK_MAX];
	size_t count;
};

static int put_uplinks(struct dataplane *dataplane, const struct addresses *all,
		       struct uplink_set *set, struct error *err)
{
	struct uplink_rules rules __attribute__((cleanup(uplink_rules_release))) = { 0 };
	int known = uplink_rules_read(&dataplane->instance, &rules, err);
	if (known < 0)
		return known;
	for (size_t i = 0; i < all->count; i++) {
		if (!is_uplink_address(&all->items[i]) || seen_before(all, i))
			continue;
		int r = put_uplink(dataplane, &rules, all, all->items[i].ifindex, err);
		if (r < 0)
			return r;
		if (r == 1 && set->count < ARRAY_SIZE(set->ifindexes))
			set->ifindexes[set->count++] = all->items[i].ifindex;
	}
	return 0;
}

static bool is_in(const struct uplink_set *set, uint32_t ifindex)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->ifindexes[i] == ifindex)
			return true;
	return false;
}

int uplink_detach(struct dataplane *dataplane, uint32_t ifindex, struct error *err)
{
	int r = attach_device_end(dataplane, PROGRAM_FROM_UPLINK, FILTER_INGRESS, ifindex, err);
	if (r < 0 || dataplane->attach != ATTACH_TCX)
		return r;
	return attach_device_end(dataplane, PROGRAM_FROM_BARE_UPLINK, FILTER_INGRESS, ifindex, err);
}

static int drop_old_uplinks(struct dataplane *dataplane, const struct uplink_set *set,
			    struct error *err)
{
	uint32_t key, next;
	int more = map_next(&dataplane->maps, MAP_UPLINKS, NULL, &key, err);
	while (more == 1) {
		more = map_next(&dataplane->maps, MAP_UPLINKS, &key, &next, err);
		if (more < 0)
			return more;
		if (!is_in(set, key)) {
			int r = firewall_close(dataplane, key, err);
			if (r == 0)
				r = uplink_detach(dataplane, key, err);
			if (r == 0)
				r = map_delete(&dataplane->maps, MAP_UPLINKS, &key, err);
			if (r < 0)
				return r;
		}
		key = next;
	}
	return more;
}

static int keep_fingerprint(struct dataplane *dataplane, uint64_t fingerprint, struct error *err)
{
	AUTO(store_txn) txn = NULL;
	int r = store_begin(dataplane->store, STORE_WRITE, &txn, err);
	if (r == 0)
		r = meta_put(txn, META_ADDRESSES, fingerprint, err);
	return r < 0 ? r : store_commit(&txn, err);
}

static int is_known(struct dataplane *dataplane, uint64_t fingerprint, struct error *err)
{
	uint64_t known = 0;
	AUTO(store_txn) txn = NULL;
	int r = store_begin(dataplane->store, STORE_READ, &txn, err);
	if (r == 0)
		r = meta_get(txn, META_ADDRESSES, &known, err);
	return r < 0 ? r : known == fingerprint;
}

static int apply(struct dataplane *dataplane, const struct addresses *all, struct error *err)
{
	struct uplink_set set = { .count = 0 };
	int r = put_locals(dataplane, all, err);
	if (r == 0)
		r = drop_old_locals(dataplane, all, err);
	if (r == 0)
		r = put_uplinks(dataplane, all, &set, err);
	if (r == 0)
		r = drop_old_uplinks(dataplane, &set, err);
	return r < 0 ? r : keep_fingerprint(dataplane, all->fingerprint, err);
}

int uplinks_check(struct dataplane *dataplane, struct error *err)
{
	struct addresses all __attribute__((
		cleanup(addresses_release))) = { .fingerprint = 14695981039346656037ull };
	int r = address_each(dataplane->netlink, keep_address, &all, err);
	if (r == 0)
		r = is_known(dataplane, all.fingerprint, err);
	return r != 0 ? (r < 0 ? r : 0) : uplinks_refresh(dataplane, err);
}

int uplinks_refresh(struct dataplane *dataplane, struct error *err)
{
	auto_fd lock = -1;
	struct addresses all __attribute__((
		cleanup(addresses_release))) = { .fingerprint = 14695981039346656037ull };
	int r = instance_lock(&dataplane->instance, "uplinks.lock", &lock, err);
	if (r == 0)
		r = address_each(dataplane->netlink, keep_address, &all, err);
	return r < 0 ? r : apply(dataplane, &all, err);
}

int uplinks_each(struct dataplane *dataplane,
		 int (*visit)(const struct device *device, void *context, struct error *err),
		 void *context, struct error *err)
{
	struct addresses all __attribute__((cleanup(addresses_release))) = { 0 };
	struct uplink_rules rules __attribute__((cleanup(uplink_rules_release))) = { 0 };
	int r = uplink_rules_read(&dataplane->instance, &rules, err);
	if (r == 0)
		r = address_each(dataplane->netlink, keep_address, &all, err);
	for (size_t i = 0; r == 0 && i < all.count; i++) {
		struct device device;
		if (!is_uplink_address(&all.items[i]) || seen_before(&all, i))
			continue;
		r = device_get(dataplane->netlink, all.items[i].ifindex, &device, err);
		if (r == 1)
			r = uplink_kind_of(&rules, &device) == UPLINK_NONE
				    ? 0
				    : visit(&device, context, err);
	}
	return r;
}

/* What all uplinks have in common, as far as the maps know them. */
struct least {
	uint32_t mtu, segment_max; /* 0: there is no uplink */
};

static int survey_uplinks(struct dataplane *dataplane, struct least *ret_least, struct error *err)
{
	uint32_t key, *previous = NULL;
	struct uplink uplink;
	int r;
	while ((r = map_next(&dataplane->maps, MAP_UPLINKS, previous, &key, err)) == 1) {
		previous = &key;
		r = map_get(&dataplane->maps, MAP_UPLINKS, &key, &uplink, err);
		if (r < 0)
			return r;
		if (r == 1 && (ret_least->mtu == 0 || uplink.mtu < ret_least->mtu))
			ret_least->mtu = uplink.mtu;
		if (r == 1 &&
		    (ret_least->segment_max == 0 || uplink.segment_max < ret_least->segment_max))
			ret_least->segment_max = uplink.segment_max;
	}
	return r;
}

int uplinks_mtu(struct dataplane *dataplane, uint32_t *ret_mtu, struct error *err)
{
	struct least least = { 0 };
	int r = survey_uplinks(dataplane, &least, err);
	*ret_mtu = least.mtu ? least.mtu : MTU_DEFAULT;
	return r;
}

int uplinks_segment_max(struct dataplane *dataplane, uint32_t most, uint32_t *ret_bytes,
			struct error *err)
{
	struct least least = { 0 };
	int r = survey_uplinks(dataplane, &least, err);
	*ret_bytes = least.mtu && least.segment_max < most ? least.segment_max : most;
	return r;
}
