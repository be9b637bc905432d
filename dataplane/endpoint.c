/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ADD and DEL. ADD writes its intent, does the kernel's part without a
 * transaction, and writes that it is done; whoever meets an intent whose owner
 * is dead undoes it. So kill -9 at any instant leaves nothing that a later ADD
 * or DEL does not clear away.
 */
#include "endpoint.h"
#include "latency.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/process.h"
#include "endpoint_spec.h"
#include "firewall.h"
#include "load.h"
#include "names.h"
#include "publish.h"
#include "state.h"

#define ADD_TRIES 8 /* how many dead holders one ADD clears away */

/* An intent on its way into the store. */
struct attempt {
	struct dataplane *dataplane;
	const struct endpoint_spec *spec;
	struct endpoint_info *info;
	struct network_info network;
	struct slot_grant grant;
	struct key holder; /* who is in the way, when the attempt gives 1 */
	char wanted[80];   /* what it holds: "host port 80/tcp" */
};

static int check_address(const struct network_spec *spec, struct ip ip, struct error *err)
{
	bool v4 = ip_is_v4(ip);
	struct prefix subnet = v4 ? spec->subnet : spec->subnet6;
	if (prefix_is_unset(subnet))
		return error_set(err, EINVAL, "address %s: network %s has no %s",
				 ip_format(ip).text, spec->name, v4 ? "IPv4" : "IPv6");
	if (!prefix_contains(subnet, ip) || ip_equal(ip, v4 ? spec->gateway : spec->gateway6))
		return error_set(err, EINVAL, "address %s is no container's address of %s (%s)",
				 ip_format(ip).text, spec->name, prefix_format(subnet).text);
	return 0;
}

static int load_network(struct store_txn *txn, struct attempt *attempt, struct error *err)
{
	struct endpoint_info *info = attempt->info;
	int r = network_load(txn, info->network, &attempt->network, err);
	if (r < 0)
		return r;
	if (r == 0 || attempt->network.device_ifindex == 0)
		return error_set(err, ENOENT, "there is no network %s", info->network);
	const struct network_spec *spec = &attempt->network.spec;
	struct prefix addresses[ENDPOINT_ADDRESSES_MAX];
	size_t count = endpoint_addresses(info, addresses);
	for (size_t i = 0; i < count; i++) {
		r = check_address(spec, addresses[i].ip, err);
		if (r < 0)
			return r;
	}
	info->network_id = attempt->network.id;
	if (info->mtu == 0)
		info->mtu = spec->mtu;
	return 0;
}

/* 1 with the holder if another endpoint has the address. */
static int find_address_holder(struct store_txn *txn, struct attempt *attempt, struct ip ip,
			       struct error *err)
{
	struct key address = address_key_of(attempt->info->network_id, ip);
	struct bytes value;
	int r = store_get(txn, TABLE_ADDRESSES, key_bytes(&address), &value, err);
	if (r != 1)
		return r;
	attempt->holder.size = 0;
	key_put(&attempt->holder, value.data, value.size);
	snprintf(attempt->wanted, sizeof attempt->wanted, "address %s", ip_format(ip).text);
	return 1;
}

/* 1 with the holder if (id, interface) or an address is taken. */
static int find_holder(struct store_txn *txn, struct attempt *attempt, struct error *err)
{
	const struct endpoint_info *info = attempt->info;
	struct key own = endpoint_key_of(info->container_id, info->interface);
	struct prefix addresses[ENDPOINT_ADDRESSES_MAX];
	size_t count = endpoint_addresses(info, addresses);
	struct bytes value;
	int r = store_get(txn, TABLE_ENDPOINTS, key_bytes(&own), &value, err);
	if (r == 1) {
		attempt->holder = own;
		snprintf(attempt->wanted, sizeof attempt->wanted, "interface %s", info->interface);
	}
	for (size_t i = 0; r == 0 && i < count; i++)
		r = find_address_holder(txn, attempt, addresses[i].ip, err);
	return r;
}

static int reserve_ports(struct store_txn *txn, struct attempt *attempt, struct error *err)
{
	struct publish_conflict conflict;
	int r = publish_reserve(txn, attempt->info, attempt->spec->publish_policy, &conflict, err);
	if (r == 1) {
		attempt->holder = conflict.holder;
		snprintf(attempt->wanted, sizeof attempt->wanted, "host port %u/%s",
			 conflict.wanted.host_port,
			 publish_protocol_name(conflict.wanted.protocol));
	}
	return r;
}

/* Names are unique for this boot, so that an old pair that still dies is never met. */
static void name_devices(struct attempt *attempt)
{
	struct endpoint_info *info = attempt->info;
	const char *tag = attempt->dataplane->instance.tag;
	uint32_t serial = attempt->grant.generation & 0xffffff;
	info->slot = attempt->grant.slot;
	info->generation = attempt->grant.generation;
	snprintf(info->host_device, sizeof info->host_device, "wh%.6s%s%x", tag, tag[0] ? "_" : "",
		 serial);
	info->host_mac = info->mac;
}

static int put_addresses(struct store_txn *txn, const struct endpoint_info *info,
			 const struct key *endpoint, struct error *err)
{
	struct prefix addresses[ENDPOINT_ADDRESSES_MAX];
	size_t count = endpoint_addresses(info, addresses);
	int r = 0;
	for (size_t i = 0; r == 0 && i < count; i++) {
		struct key key = address_key_of(info->network_id, addresses[i].ip);
		r = store_put(txn, TABLE_ADDRESSES, key_bytes(&key), key_bytes(endpoint), err);
	}
	return r;
}

static int delete_addresses(struct store_txn *txn, const struct endpoint_info *info,
			    struct error *err)
{
	struct prefix addresses[ENDPOINT_ADDRESSES_MAX];
	size_t count = endpoint_addresses(info, addresses);
	int r = 0;
	for (size_t i = 0; r >= 0 && i < count; i++) {
		struct key key = address_key_of(info->network_id, addresses[i].ip);
		r = store_delete(txn, TABLE_ADDRESSES, key_bytes(&key), err);
	}
	return r;
}

static int save_intent(struct store_txn *txn, struct attempt *attempt, uint32_t capacity,
		       struct error *err)
{
	struct endpoint_info *info = attempt->info;
	struct key key = endpoint_key_of(info->container_id, info->interface);
	int r = slot_take(txn, capacity, &key, &attempt->grant, err);
	if (r < 0)
		return r;
	name_devices(attempt);
	r = intent_put(txn, &key, err);
	if (r == 0)
		r = put_addresses(txn, info, &key, err);
	return r < 0 ? r : endpoint_save(txn, info, err);
}

/* 0 when the intent is written, 1 when somebody is in the way. */
static int write_intent(struct attempt *attempt, struct error *err)
{
	uint32_t capacity;
	AUTO(store_txn) txn = NULL;
	int r = map_capacity(&attempt->dataplane->maps, MAP_SLOTS, &capacity, err);
	if (r == 0)
		r = store_begin(attempt->dataplane->store, STORE_WRITE, &txn, err);
	if (r == 0)
		r = load_network(txn, attempt, err);
	if (r == 0)
		r = find_holder(txn, attempt, err);
	if (r == 0)
		r = reserve_ports(txn, attempt, err);
	if (r == 0)
		r = save_intent(txn, attempt, capacity, err);
	return r != 0 ? r : store_commit(&txn, err);
}

static int write_done(struct dataplane *dataplane, struct endpoint_info *info, struct error *err)
{
	struct key key = endpoint_key_of(info->container_id, info->interface);
	struct endpoint_info found __attribute__((cleanup(endpoint_info_release))) = { 0 };
	AUTO(store_txn) txn = NULL;
	int r = store_begin(dataplane->store, STORE_WRITE, &txn, err);
	if (r == 0)
		r = endpoint_load(txn, key_bytes(&key), &found, err);
	if (r < 0)
		return r;
	if (r == 0 || found.generation != info->generation)
		return error_set(err, ECANCELED, "container %s was detached while it was attached",
				 info->container_id);
	info->state = ENDPOINT_READY;
	r = endpoint_save(txn, info, err);
	if (r == 0)
		r = names_index(txn, info, err);
	if (r == 0)
		r = store_delete(txn, TABLE_INTENTS, key_bytes(&key), err);
	return r < 0 ? r : store_commit(&txn, err);
}

/* Forgets the endpoint of this generation; another one under its key stays. */
static int forget(struct dataplane *dataplane, const struct endpoint_info *info, struct error *err)
{
	struct key key = endpoint_key_of(info->container_id, info->interface);
	struct endpoint_info found __attribute__((cleanup(endpoint_info_release))) = { 0 };
	AUTO(store_txn) txn = NULL;
	int r = store_begin(dataplane->store, STORE_WRITE, &txn, err);
	if (r == 0)
		r = endpoint_load(txn, key_bytes(&key), &found, err);
	if (r <= 0 || found.generation != info->generation)
		return r < 0 ? r : 0;
	r = names_unindex(txn, &found, err);
	if (r == 0)
		r = publish_unreserve(txn, &found, err);
	if (r == 0)
		r = delete_addresses(txn, &found, err);
	if (r >= 0)
		r = slot_release(txn, found.slot, err);
	if (r >= 0)
		r = store_delete(txn, TABLE_INTENTS, key_bytes(&key), err);
	if (r >= 0)
		r = store_delete(txn, TABLE_ENDPOINTS, key_bytes(&key), err);
	return r < 0 ? r : store_commit(&txn, err);
}

int endpoint_remove(struct dataplane *dataplane, const struct endpoint_info *info,
		    enum endpoint_link_fate link, struct error *err)
{
	int r = endpoint_unrealize(dataplane, info, link, err);
	return r < 0 ? r : forget(dataplane, info, err);
}

/* 1 and *ret_info, and whether a living process works on it; 0 if it is gone. */
static int load_holder(struct dataplane *dataplane, const struct key *key,
		       struct endpoint_info *ret_info, int *ret_worked_on, struct error *err)
{
	AUTO(store_txn) txn = NULL;
	int r = store_begin(dataplane->store, STORE_READ, &txn, err);
	if (r == 0)
		r = endpoint_load(txn, key_bytes(key), ret_info, err);
	if (r <= 0)
		return r;
	*ret_worked_on = intent_is_alive(txn, key_bytes(key), err);
	return *ret_worked_on < 0 ? *ret_worked_on : 1;
}

static int refuse(const struct attempt *attempt, const struct endpoint_info *holder,
		  struct error *err)
{
	const struct endpoint_info *info = attempt->info;
	if (strcmp(holder->container_id, info->container_id) == 0 &&
	    strcmp(holder->interface, info->interface) == 0)
		return error_set(err, EEXIST,
				 "container %s has the interface %s already, in the "
				 "network %s",
				 info->container_id, info->interface, holder->network);
	if (holder->names.count > 0)
		return error_set(err, EADDRINUSE, "%s is held by container %s (%.12s)",
				 attempt->wanted, holder->names.items[0], holder->container_id);
	return error_set(err, EADDRINUSE, "%s is held by container %.64s", attempt->wanted,
			 holder->container_id);
}

/* Clears a dead holder away, or refuses in its name. */
static int deal_with_holder(struct attempt *attempt, struct error *err)
{
	struct endpoint_info holder __attribute__((cleanup(endpoint_info_release))) = { 0 };
	int worked_on = 0;
	int r = load_holder(attempt->dataplane, &attempt->holder, &holder, &worked_on, err);
	if (r <= 0)
		return r;
	bool dead = holder.state == ENDPOINT_INTENT
			    ? !worked_on
			    : endpoint_is_ending(attempt->dataplane, &holder);
	if (!dead)
		return refuse(attempt, &holder, err);
	return endpoint_remove(attempt->dataplane, &holder, ENDPOINT_DELETE_LINK, err);
}

static int intend(struct attempt *attempt, struct error *err)
{
	for (int i = 0; i < ADD_TRIES; i++) {
		int r = write_intent(attempt, err);
		if (r <= 0)
			return r;
		/* Ports that were chosen in vain are chosen anew. */
		for (size_t k = 0; k < attempt->info->publish_count; k++)
			attempt->info->publish[k].host_port = attempt->spec->publish[k].host_port;
		r = deal_with_holder(attempt, err);
		if (r < 0)
			return r;
	}
	return error_set(err, EBUSY, "%s changes hands too fast: try again", attempt->wanted);
}

/* Where the caller does not say who may reach its ports, the instance's config does. */
static int fill_publish_from(struct dataplane *dataplane, struct endpoint_info *info,
			     struct error *err)
{
	struct prefix prefixes[PUBLISH_FROM_MAX];
	size_t count;
	if (info->publish_count == 0 || info->publish_from_count > 0)
		return 0;
	int r = load_publish_from(&dataplane->instance, prefixes, &count, err);
	if (r < 0 || count == 0)
		return r;
	info->publish_from = calloc(count, sizeof *info->publish_from);
	if (!info->publish_from)
		return error_set(err, ENOMEM, "no memory for prefixes");
	memcpy(info->publish_from, prefixes, count * sizeof *prefixes);
	info->publish_from_count = count;
	return 0;
}

/* Who decides on clients: the caller, else the instance's config, else as its kind has it. */
static int fill_firewall(struct dataplane *dataplane, const struct endpoint_spec *spec,
			 struct endpoint_info *info, struct error *err)
{
	enum host_firewall firewall = spec->host_firewall;
	int r = 0;
	if (info->publish_count == 0)
		return 0;
	if (firewall == HOST_FIREWALL_CONFIGURED)
		r = load_host_firewall(&dataplane->instance, &firewall, err);
	/* CNI's is what the reference firewall plugin does: it accepts what is published. */
	if (firewall == HOST_FIREWALL_CONFIGURED)
		firewall = spec->publish_policy == PUBLISH_REFUSE_LISTENERS ? HOST_FIREWALL_RESPECT
									    : HOST_FIREWALL_BYPASS;
	info->publish_respects = firewall == HOST_FIREWALL_RESPECT;
	return r;
}

/* Whether an endpoint's entries are the same in both. */
static bool shows_the_same(const struct network_info *a, const struct network_info *b)
{
	return a->device_ifindex == b->device_ifindex && a->spec.dns == b->spec.dns &&
	       network_abi_flags(&a->spec) == network_abi_flags(&b->spec) &&
	       mac_equal(a->device_mac, b->device_mac) &&
	       ip_equal(a->spec.gateway, b->spec.gateway) &&
	       ip_equal(a->spec.gateway6, b->spec.gateway6);
}

/* A network that changed after it was read refreshed only the endpoints that were done then. */
static int follow_network(const struct attempt *attempt, struct error *err)
{
	struct network_info now;
	struct dataplane *dataplane = attempt->dataplane;
	int r = network_find(dataplane->store, attempt->info->network, &now, err);
	if (r <= 0 || shows_the_same(&now, &attempt->network))
		return r < 0 ? r : 0;
	return endpoint_put_entries(dataplane, attempt->info, &now, err);
}

static int add(struct dataplane *dataplane, const struct endpoint_spec *spec,
	       struct endpoint_info *ret_info, struct error *err)
{
	struct endpoint_info info __attribute__((cleanup(endpoint_info_release))) = { 0 };
	struct attempt attempt = { .dataplane = dataplane, .spec = spec, .info = &info };
	int r = endpoint_check_spec(spec, err);
	if (r == 0)
		r = endpoint_fill(spec, &info, err);
	if (r == 0)
		r = info.publish_reserves ? listeners_check(&info, err) : 0;
	if (r == 0)
		r = fill_publish_from(dataplane, &info, err);
	if (r == 0)
		r = fill_firewall(dataplane, spec, &info, err);
	/* Before the intent: who undoes it must know the key of each map entry. */
	if (r == 0)
		r = netns_cookie(spec->netns_fd, &info.netns_cookie, err);
	if (r == 0)
		r = intend(&attempt, err);
	if (r < 0)
		return r;
	struct endpoint_work work = { .info = &info,
				      .network = &attempt.network,
				      .netns_fd = spec->netns_fd,
				      .routes = spec->routes,
				      .route_count = spec->route_count,
				      .default_route = spec->default_route,
				      .routed = dataplane->attach == ATTACH_NFT,
				      .slot_used_before = attempt.grant.used_before };
	r = info.publish_respects ? firewall_prepare(dataplane, &attempt.network, err) : 0;
	if (r == 0)
		r = endpoint_realize(dataplane, &work, err);
	if (r == 0)
		r = write_done(dataplane, &info, err);
	if (r == 0)
		r = follow_network(&attempt, err);
	if (r < 0) {
		struct error ignored = { 0 };
		endpoint_remove(dataplane, &info, ENDPOINT_DELETE_LINK, &ignored);
		return r;
	}
	*ret_info = info;
	info = (struct endpoint_info){ 0 };
	return 0;
}

int endpoint_add(struct dataplane *dataplane, const struct endpoint_spec *spec,
		 struct endpoint_info *ret_info, struct error *err)
{
	uint64_t begin_us = latency_now_us();
	int r = add(dataplane, spec, ret_info, err);
	latency_note(dataplane, latency_now_us() - begin_us, r < 0);
	return r;
}

/* From here on the endpoint is going: a killed DEL is finished by the next. */
static int mark_going(struct dataplane *dataplane, const struct key *key,
		      struct endpoint_info *ret_info, struct error *err)
{
	AUTO(store_txn) txn = NULL;
	int r = store_begin(dataplane->store, STORE_WRITE, &txn, err);
	if (r == 0)
		r = endpoint_load(txn, key_bytes(key), ret_info, err);
	if (r <= 0)
		return r;
	ret_info->state = ENDPOINT_INTENT;
	r = endpoint_save(txn, ret_info, err);
	if (r == 0)
		r = intent_put(txn, key, err);
	if (r == 0)
		r = store_commit(&txn, err);
	return r < 0 ? r : 1;
}

int endpoint_delete(struct dataplane *dataplane, const char *container_id, const char *interface,
		    enum endpoint_link_fate link, struct error *err)
{
	struct endpoint_info info __attribute__((cleanup(endpoint_info_release))) = { 0 };
	int r = endpoint_check_key(container_id, interface, err);
	if (r < 0)
		return r;
	struct key key = endpoint_key_of(container_id, interface);
	r = mark_going(dataplane, &key, &info, err);
	if (r <= 0)
		return r;
	r = endpoint_remove(dataplane, &info, link, err);
	return r < 0 ? r : 1;
}
