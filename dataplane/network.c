/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Networks as they are wanted: made, found, taken away. Changes are made under a lock. */
#include "network.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "endpoint.h"
#include "link/device.h"
#include "masquerade.h"
#include "record.h"
#include "state.h"
#include "uplinks.h"

static int check_names(const struct network_spec *spec, struct error *err)
{
	if (!text_is_name(spec->name, NETWORK_NAME_MAX - 1))
		return error_set(err, EINVAL,
				 "network name \"%s\" must be of letters, digits, _ . - and begin "
				 "with a letter or digit",
				 spec->name);
	if (spec->device[0] && !text_is_name(spec->device, DEVICE_NAME_MAX - 1))
		return error_set(err, EINVAL, "\"%s\" is no device name of at most %d characters",
				 spec->device, DEVICE_NAME_MAX - 1);
	return 0;
}

static int check_family(const struct network_spec *spec, struct prefix subnet, bool v4,
			struct error *err)
{
	unsigned longest = v4 ? 30 : 126;
	if (ip_is_v4(subnet.ip) != v4)
		return error_set(err, EINVAL, "network %s: subnet %s is not %s", spec->name,
				 prefix_format(subnet).text, v4 ? "IPv4" : "IPv6");
	if (subnet.length < 8 || subnet.length > longest)
		return error_set(err, EINVAL, "network %s: subnet %s must have a length of 8 to %u",
				 spec->name, prefix_format(subnet).text, longest);
	if (ip_is_multicast(subnet.ip) || (!v4 && subnet.ip.bytes[0] == 0xfe))
		return error_set(err, EINVAL,
				 "network %s: subnet %s is not for hosts: choose one of "
				 "fd00::/8",
				 spec->name, prefix_format(subnet).text);
	return 0;
}

static int check_gateway(const struct network_spec *spec, struct prefix subnet, struct ip gateway,
			 struct error *err)
{
	if (ip_is_unset(gateway))
		return 0;
	/* IPv6 has no broadcast address, but its first is that of any router (RFC 4291). */
	if (!prefix_contains(subnet, gateway) || ip_equal(gateway, prefix_network(subnet).ip) ||
	    (ip_is_v4(gateway) && ip_equal(gateway, prefix_last(subnet))))
		return error_set(err, EINVAL, "network %s: gateway %s is no host address of %s",
				 spec->name, ip_format(gateway).text, prefix_format(subnet).text);
	return 0;
}

static int check_subnets(const struct network_spec *spec, struct error *err)
{
	bool has_v4 = !prefix_is_unset(spec->subnet), has_v6 = !prefix_is_unset(spec->subnet6);
	int r = 0;
	if (!has_v4 && !has_v6)
		return error_set(err, EINVAL, "network %s has no subnet", spec->name);
	if (has_v4)
		r = check_family(spec, spec->subnet, true, err);
	if (r == 0 && has_v4)
		r = check_gateway(spec, spec->subnet, spec->gateway, err);
	if (r == 0 && has_v6)
		r = check_family(spec, spec->subnet6, false, err);
	if (r == 0 && has_v6)
		r = check_gateway(spec, spec->subnet6, spec->gateway6, err);
	return r;
}

/* Host bits away; the first address is the gateway's if none is named. */
static void settle_family(struct prefix *subnet, struct ip *gateway)
{
	if (prefix_is_unset(*subnet)) {
		*gateway = (struct ip){ 0 };
		return;
	}
	*subnet = prefix_network(*subnet);
	if (ip_is_unset(*gateway))
		*gateway = ip_add(subnet->ip, 1);
}

int network_settle(struct dataplane *dataplane, const struct network_spec *spec,
		   struct network_info *ret_info, struct error *err)
{
	struct network_info info = { .spec = *spec };
	int r = check_names(spec, err);
	if (r == 0)
		r = check_subnets(spec, err);
	if (r == 0)
		r = masquerade_settle(dataplane, &info.spec, err);
	if (r < 0)
		return r;
	uint32_t hash = hash_text(spec->name) ^ hash_text(dataplane->instance.tag);
	settle_family(&info.spec.subnet, &info.spec.gateway);
	settle_family(&info.spec.subnet6, &info.spec.gateway6);
	if (!spec->device[0])
		snprintf(info.spec.device, sizeof info.spec.device, "br-%08x", hash);
	info.device_mac = (struct mac){ { 0x02, 0x57, (uint8_t)(hash >> 24), (uint8_t)(hash >> 16),
					  (uint8_t)(hash >> 8), (uint8_t)hash } };
	if (!spec->mtu)
		r = uplinks_mtu(dataplane, &info.spec.mtu, err);
	if (r == 0)
		*ret_info = info;
	return r;
}

static bool subnets_equal(const struct network_spec *a, const struct network_spec *b)
{
	return prefix_equal(a->subnet, b->subnet) && prefix_equal(a->subnet6, b->subnet6);
}

static bool spec_equals(const struct network_spec *a, const struct network_spec *b)
{
	return strcmp(a->device, b->device) == 0 && subnets_equal(a, b) &&
	       ip_equal(a->gateway, b->gateway) && ip_equal(a->gateway6, b->gateway6) &&
	       a->mtu == b->mtu && network_abi_flags(a) == network_abi_flags(b) &&
	       a->dns == b->dns && a->big_tcp == b->big_tcp &&
	       masquerade_options_equal(&a->masquerade_options, &b->masquerade_options);
}

struct survey {
	const struct network_info *wanted;
	uint8_t used[NETWORK_MAX / 8];
};

static int check_overlap(const struct network_spec *wanted, struct prefix own, struct prefix other,
			 const char *other_name, struct error *err)
{
	if (prefix_is_unset(own) || prefix_is_unset(other) || !prefix_overlaps(own, other))
		return 0;
	return error_set(err, EADDRINUSE, "network %s: subnet %s overlaps %s of network %s",
			 wanted->name, prefix_format(own).text, prefix_format(other).text,
			 other_name);
}

static int survey_one(struct bytes key, struct bytes value, void *context, struct error *err)
{
	struct survey *survey = context;
	const struct network_spec *wanted = &survey->wanted->spec;
	struct network_info other;
	(void)key;
	int r = network_decode(value, &other, err);
	if (r < 0)
		return r;
	survey->used[other.id / 8] |= (uint8_t)(1u << other.id % 8);
	if (strcmp(other.spec.name, wanted->name) == 0)
		return 0;
	r = check_overlap(wanted, wanted->subnet, other.spec.subnet, other.spec.name, err);
	if (r == 0)
		r = check_overlap(wanted, wanted->subnet6, other.spec.subnet6, other.spec.name,
				  err);
	if (r < 0)
		return r;
	if (strcmp(other.spec.device, wanted->device) == 0)
		return error_set(err, EBUSY, "network %s: device %s belongs to the network %s",
				 wanted->name, wanted->device, other.spec.name);
	return 0;
}

static int choose_id(const struct survey *survey, uint16_t *ret_id, struct error *err)
{
	for (uint32_t id = 1; id < NETWORK_MAX; id++)
		if (!(survey->used[id / 8] & 1u << id % 8)) {
			*ret_id = (uint16_t)id;
			return 0;
		}
	return error_set(err, ENOSPC, "all %d networks of this instance are in use",
			 NETWORK_MAX - 1);
}

static int save(struct store_txn *txn, const struct network_info *info, struct error *err)
{
	auto_text text = { 0 };
	int r = network_encode(info, &text, err);
	return r < 0 ? r
		     : store_put(txn, TABLE_NETWORKS, bytes_of_text(info->spec.name),
				 bytes_of(text.data, text.size), err);
}

static int refuse_subnets(const struct network_spec *old, struct error *err)
{
	const char *v4 = "", *v6 = "";
	struct prefix_text text4 = prefix_format(old->subnet), text6 = prefix_format(old->subnet6);
	if (!prefix_is_unset(old->subnet))
		v4 = text4.text;
	if (!prefix_is_unset(old->subnet6))
		v6 = text6.text;
	return error_set(err, EEXIST, "network %s is there already with the subnet %s%s%s",
			 old->name, v4, v4[0] && v6[0] ? " and " : "", v6);
}

/*
 * Writes a new network down, device_ifindex still 0: whoever finds it so finishes
 * it. One that is there stays as it is until it is as wanted (write_done): an ADD
 * in between joins it as it was.
 */
static int write_wanted(struct dataplane *dataplane, struct network_info *info, struct error *err)
{
	struct survey survey = { .wanted = info };
	struct network_info old = { 0 };
	AUTO(store_txn) txn = NULL;
	int r = store_begin(dataplane->store, STORE_WRITE, &txn, err);
	if (r == 0)
		r = store_each(txn, TABLE_NETWORKS, bytes_of(NULL, 0), survey_one, &survey, err);
	if (r == 0)
		r = network_load(txn, info->spec.name, &old, err);
	if (r < 0)
		return r;
	if (r == 1 && !subnets_equal(&old.spec, &info->spec))
		return refuse_subnets(&old.spec, err);
	info->id = old.id;
	if (r == 1)
		return 0;
	r = choose_id(&survey, &info->id, err);
	info->device_ifindex = 0;
	if (r == 0)
		r = save(txn, info, err);
	return r < 0 ? r : store_commit(&txn, err);
}

static int write_done(struct dataplane *dataplane, const struct network_info *info,
		      struct error *err)
{
	AUTO(store_txn) txn = NULL;
	int r = store_begin(dataplane->store, STORE_WRITE, &txn, err);
	if (r == 0)
		r = save(txn, info, err);
	return r < 0 ? r : store_commit(&txn, err);
}

static int forget(struct dataplane *dataplane, const char *name, struct error *err)
{
	AUTO(store_txn) txn = NULL;
	int r = store_begin(dataplane->store, STORE_WRITE, &txn, err);
	if (r == 0)
		r = store_delete(txn, TABLE_NETWORKS, bytes_of_text(name), err);
	return r < 0 ? r : store_commit(&txn, err);
}

int network_repair(struct dataplane *dataplane, struct network_info *info, struct error *err)
{
	uint32_t before = info->device_ifindex;
	int r = network_realize(dataplane, info, err);
	if (r < 0 || info->device_ifindex == before)
		return r;
	return write_done(dataplane, info, err);
}

/* The network as wanted is there: the case of every ADD but the first. */
static int is_there(struct dataplane *dataplane, const struct network_info *wanted,
		    struct network_info *ret_info, struct error *err)
{
	struct network_info found;
	int r = network_find(dataplane->store, wanted->spec.name, &found, err);
	if (r <= 0)
		return r;
	if (found.device_ifindex == 0 || !spec_equals(&found.spec, &wanted->spec) ||
	    device_index(dataplane->netlink, found.spec.device) != found.device_ifindex)
		return 0;
	*ret_info = found;
	return 1;
}

static int make(struct dataplane *dataplane, struct network_info *info, bool is_new,
		struct error *err)
{
	int r = masquerade_check_source(dataplane, &info->spec, err);
	if (r == 0)
		r = write_wanted(dataplane, info, err);
	if (r < 0)
		return r;
	r = network_realize(dataplane, info, err);
	if (r == 0)
		r = write_done(dataplane, info, err);
	if (r == 0 && !is_new)
		r = endpoint_refresh_network(dataplane, info, err);
	if (r < 0 && is_new) {
		struct error ignored = { 0 };
		if (r != -EBUSY)
			network_unrealize(dataplane, info, &ignored);
		forget(dataplane, info->spec.name, &ignored);
	}
	return r;
}

int network_ensure(struct dataplane *dataplane, const struct network_spec *spec,
		   struct network_info *ret_info, struct error *err)
{
	struct network_info info, found;
	int r = uplinks_check(dataplane, err);
	if (r == 0)
		r = network_settle(dataplane, spec, &info, err);
	if (r == 0)
		r = is_there(dataplane, &info, ret_info, err);
	if (r != 0)
		return r < 0 ? r : 0;
	auto_fd lock = -1;
	r = instance_lock(&dataplane->instance, "networks.lock", &lock, err);
	if (r == 0)
		r = is_there(dataplane, &info, ret_info, err);
	if (r != 0)
		return r < 0 ? r : 0;
	r = network_find(dataplane->store, spec->name, &found, err);
	if (r >= 0)
		r = make(dataplane, &info, r == 0, err);
	if (r == 0)
		*ret_info = info;
	return r;
}

static int name_member(struct bytes key, struct bytes value, void *context, struct error *err)
{
	(void)key;
	return error_set(err, EBUSY, "network %s is in use by container %.*s", (char *)context,
			 (int)strnlen(value.data, value.size), (const char *)value.data);
}

static int mark_going(struct dataplane *dataplane, const char *name, struct network_info *ret_info,
		      struct error *err)
{
	struct key prefix = { .size = 0 };
	AUTO(store_txn) txn = NULL;
	int r = store_begin(dataplane->store, STORE_WRITE, &txn, err);
	if (r == 0)
		r = network_load(txn, name, ret_info, err);
	if (r < 0)
		return r;
	if (r == 0)
		return error_set(err, ENOENT, "there is no network %s", name);
	key_put_number(&prefix, ret_info->id, 2);
	r = store_each(txn, TABLE_ADDRESSES, key_bytes(&prefix), name_member,
		       (void *)(uintptr_t)name, err);
	struct network_info going = *ret_info;
	going.device_ifindex = 0;
	if (r == 0)
		r = save(txn, &going, err);
	return r < 0 ? r : store_commit(&txn, err);
}

int network_delete(struct dataplane *dataplane, const char *name, struct error *err)
{
	struct network_info info;
	auto_fd lock = -1;
	int r = instance_lock(&dataplane->instance, "networks.lock", &lock, err);
	if (r == 0)
		r = mark_going(dataplane, name, &info, err);
	if (r == 0)
		r = network_unrealize(dataplane, &info, err);
	return r < 0 ? r : forget(dataplane, name, err);
}

int network_find(struct store *store, const char *name, struct network_info *ret_info,
		 struct error *err)
{
	AUTO(store_txn) txn = NULL;
	int r = store_begin(store, STORE_READ, &txn, err);
	return r < 0 ? r : network_load(txn, name, ret_info, err);
}
