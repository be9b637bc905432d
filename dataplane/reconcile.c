/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reconcile.h"

#include <errno.h>
#include <string.h>

#include "attach.h"
#include "bandwidth.h"
#include "base/process.h"
#include "endpoint.h"
#include "load.h"
#include "network.h"
#include "nft/mirror.h"
#include "state.h"
#include "uplinks.h"

static int repair_network(const struct network_info *info, void *context, struct error *err)
{
	struct network_info copy = *info;
	return network_repair(context, &copy, err);
}

static int is_worked_on(struct dataplane *dataplane, const struct endpoint_info *info,
			struct error *err)
{
	struct key key = endpoint_key_of(info->container_id, info->interface);
	AUTO(store_txn) txn = NULL;
	int r = store_begin(dataplane->store, STORE_READ, &txn, err);
	return r < 0 ? r : intent_is_alive(txn, key_bytes(&key), err);
}

static int repair_ready(struct dataplane *dataplane, const struct endpoint_info *info,
			struct error *err)
{
	struct network_info network;
	int r = network_find(dataplane->store, info->network, &network, err);
	if (r <= 0)
		return r;
	/* Its namespace went without a DEL: the collector's business, if anybody's. */
	if (endpoint_is_dead(dataplane, info))
		return 0;
	r = endpoint_restore_name(dataplane, info, err);
	if (r == 0)
		r = endpoint_put_entries(dataplane, info, &network, err);
	if (r == 0)
		r = endpoint_attach(dataplane, info, &network, err);
	return r < 0 ? r : bandwidth_repair_inside(info, err);
}

static int repair_endpoint(const struct endpoint_info *info, void *context, struct error *err)
{
	struct dataplane *dataplane = context;
	if (info->state == ENDPOINT_READY)
		return repair_ready(dataplane, info, err);
	int r = is_worked_on(dataplane, info, err);
	return r == 0 ? endpoint_remove(dataplane, info, ENDPOINT_DELETE_LINK, err)
		      : (r < 0 ? r : 0);
}

/* Which generation each slot has in the store, and the last that was given. */
struct wanted {
	uint32_t *generations; /* by slot */
	uint32_t slots;
	uint64_t serial;
};
static void wanted_release(struct wanted *wanted)
{
	free(wanted->generations);
}

static int note_endpoint(const struct endpoint_info *info, void *context, struct error *err)
{
	struct wanted *wanted = context;
	(void)err;
	if (info->slot < wanted->slots)
		wanted->generations[info->slot] = info->generation;
	return 0;
}

static int read_wanted(struct dataplane *dataplane, struct wanted *wanted, struct error *err)
{
	int r = map_capacity(&dataplane->maps, MAP_SLOTS, &wanted->slots, err);
	if (r < 0)
		return r;
	wanted->generations = calloc(wanted->slots, sizeof *wanted->generations);
	if (!wanted->generations)
		return error_set(err, ENOMEM, "no memory for a list of slots");
	AUTO(store_txn) txn = NULL;
	r = store_begin(dataplane->store, STORE_READ, &txn, err);
	if (r == 0)
		r = meta_get(txn, META_SERIAL, &wanted->serial, err);
	if (r < 0)
		return r;
	store_txn_free(TAKE(txn));
	return endpoint_each(dataplane->store, NULL, NULL, note_endpoint, wanted, err);
}

/* What an ADD put after the list was read has a later generation, and stays. */
static bool is_stale(const struct wanted *wanted, uint32_t slot, uint32_t generation)
{
	return generation <= wanted->serial &&
	       (slot >= wanted->slots || wanted->generations[slot] != generation);
}

/* Where slot and generation stand in a map's value. */
struct sweep {
	enum map_id map;
	size_t key_size, value_size, slot_at, generation_at;
};

#define SWEEP_BYTES 256

static int sweep_map(struct dataplane *dataplane, const struct sweep *sweep,
		     const struct wanted *wanted, struct error *err)
{
	uint8_t key[SWEEP_BYTES], next[SWEEP_BYTES], value[SWEEP_BYTES];
	int more = map_next(&dataplane->maps, sweep->map, NULL, key, err);
	while (more == 1) {
		uint32_t slot, generation;
		/* The next key first: a walk from a deleted key starts over. */
		more = map_next(&dataplane->maps, sweep->map, key, next, err);
		int r = more < 0 ? more : map_get(&dataplane->maps, sweep->map, key, value, err);
		if (r == 1) {
			memcpy(&slot, value + sweep->slot_at, sizeof slot);
			memcpy(&generation, value + sweep->generation_at, sizeof generation);
			if (is_stale(wanted, slot, generation))
				r = map_delete(&dataplane->maps, sweep->map, key, err);
		}
		if (r < 0)
			return r;
		memcpy(key, next, sweep->key_size);
	}
	return more;
}

static int sweep_slots(struct dataplane *dataplane, const struct wanted *wanted, struct error *err)
{
	struct slot slot, none = { 0 };
	for (uint32_t i = 1; i < wanted->slots; i++) {
		int r = map_get(&dataplane->maps, MAP_SLOTS, &i, &slot, err);
		if (r == 1 && slot.generation && is_stale(wanted, i, slot.generation))
			r = map_put(&dataplane->maps, MAP_SLOTS, &i, &none, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* An ADD takes its slot before it makes entries, so one whose slot is nobody's is old. */
static int sweep_netns_one(struct dataplane *dataplane, uint64_t cookie, struct error *err)
{
	struct netns netns;
	AUTO(store_txn) txn = NULL;
	int r = map_get(&dataplane->maps, MAP_NETNS, &cookie, &netns, err);
	if (r <= 0)
		return r;
	r = store_begin(dataplane->store, STORE_READ, &txn, err);
	if (r == 0)
		r = slot_is_taken(txn, netns.slot, err);
	return r != 0 ? r : map_delete(&dataplane->maps, MAP_NETNS, &cookie, err);
}

static int sweep_netns(struct dataplane *dataplane, struct error *err)
{
	uint64_t key, next;
	int more = map_next(&dataplane->maps, MAP_NETNS, NULL, &key, err);
	while (more == 1) {
		more = map_next(&dataplane->maps, MAP_NETNS, &key, &next, err);
		int r = more < 0 ? more : sweep_netns_one(dataplane, key, err);
		if (r < 0)
			return r;
		key = next;
	}
	return more;
}

/* A gateway device that went behind our back left its entry, and with tcx a pin. */
static int sweep_gateways(struct dataplane *dataplane, struct error *err)
{
	uint32_t key, next, id;
	struct network network;
	int more = map_next(&dataplane->maps, MAP_GATEWAYS, NULL, &key, err);
	while (more == 1) {
		more = map_next(&dataplane->maps, MAP_GATEWAYS, &key, &next, err);
		int r = more < 0 ? more : map_get(&dataplane->maps, MAP_GATEWAYS, &key, &id, err);
		if (r == 1)
			r = map_get(&dataplane->maps, MAP_NETWORKS, &id, &network, err);
		if (r == 1 && network.gateway_ifindex != key) {
			r = attach_device_end(dataplane, PROGRAM_TO_CONTAINER, FILTER_EGRESS, key,
					      err);
			if (r == 0)
				r = map_delete(&dataplane->maps, MAP_GATEWAYS, &key, err);
		}
		if (r < 0)
			return r;
		key = next;
	}
	return more;
}

static int sweep_all(struct dataplane *dataplane, struct error *err)
{
	static const struct sweep sweeps[] = {
		{ MAP_SOURCES, sizeof(uint32_t), sizeof(struct source),
		  offsetof(struct source, slot), offsetof(struct source, generation) },
		{ MAP_ENDPOINTS, sizeof(struct endpoint_key), sizeof(struct endpoint),
		  offsetof(struct endpoint, slot), offsetof(struct endpoint, generation) },
		{ MAP_ALLOWED, sizeof(struct allowed_key), sizeof(struct allowed),
		  offsetof(struct allowed, slot), offsetof(struct allowed, generation) },
		{ MAP_PORTS, sizeof(struct port_key), sizeof(struct publication),
		  offsetof(struct publication, slot), offsetof(struct publication, generation) },
	};
	struct wanted wanted __attribute__((cleanup(wanted_release))) = { 0 };
	int r = read_wanted(dataplane, &wanted, err);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(sweeps); i++)
		r = sweep_map(dataplane, &sweeps[i], &wanted, err);
	if (r == 0)
		r = sweep_gateways(dataplane, err);
	if (r == 0)
		r = sweep_netns(dataplane, err);
	return r < 0 ? r : sweep_slots(dataplane, &wanted, err);
}

int reconcile_all(struct dataplane *dataplane, struct error *err)
{
	int r = uplinks_refresh(dataplane, err);
	if (r == 0)
		r = network_each(dataplane->store, repair_network, dataplane, err);
	if (r == 0)
		r = endpoint_each(dataplane->store, NULL, NULL, repair_endpoint, dataplane, err);
	return r < 0 ? r : sweep_all(dataplane, err);
}

int dataplane_reconcile(struct dataplane *dataplane, struct error *err)
{
	auto_fd lock = -1;
	int r = instance_lock(&dataplane->instance, "lock", &lock, err);
	if (r == 0 && dataplane->maps.mirror) {
		r = nft_mirror_load(dataplane->maps.mirror, err);
		return r < 0 ? r : reconcile_all(dataplane, err);
	}
	/* A newer version may have taken over since this one was opened. */
	if (r == 0)
		r = load_check(&dataplane->instance, err);
	if (r >= 0)
		r = load_programs(dataplane, err);
	return r < 0 ? r : reconcile_all(dataplane, err);
}

struct collection {
	struct dataplane *dataplane;
	int count;
};

static int collect_endpoint(const struct endpoint_info *info, void *context, struct error *err)
{
	struct collection *collection = context;
	struct dataplane *dataplane = collection->dataplane;
	if (info->state != ENDPOINT_READY) {
		int worked_on = is_worked_on(dataplane, info, err);
		if (worked_on != 0)
			return worked_on < 0 ? worked_on : 0;
	} else if (!endpoint_is_dead(dataplane, info) && !endpoint_path_is_stale(info)) {
		return 0;
	}
	collection->count++;
	return endpoint_remove(dataplane, info, ENDPOINT_DELETE_LINK, err);
}

int dataplane_collect(struct dataplane *dataplane, struct error *err)
{
	struct collection collection = { .dataplane = dataplane };
	int r = endpoint_each(dataplane->store, NULL, NULL, collect_endpoint, &collection, err);
	return r < 0 ? r : collection.count;
}
