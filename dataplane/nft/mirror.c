/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nft/mirror.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "nft/batch.h"
#include "nft/elements.h"
#include "nft/entries.h"

#define TABLE_NAME_MAX 64

struct nft_mirror {
	int fd;
	char table[TABLE_NAME_MAX];
	/* The walk that is going on. */
	enum map_id walked;
	void *keys;
	uint32_t count, at;
};

/* Which set keeps a map's entries, and what the map is for BPF. */
struct kept {
	bool is_kept, is_array;
	enum nft_set_id set;
	uint32_t capacity;
};
static const struct kept kept[MAP_COUNT] = {
	[MAP_SOURCES] = { true, false, NFT_KEPT_SOURCES, SLOT_MAX },
	[MAP_ENDPOINTS] = { true, false, NFT_KEPT_ENDPOINTS, SLOT_MAX },
	[MAP_SLOTS] = { true, true, NFT_KEPT_SLOTS, SLOT_MAX },
	[MAP_NETWORKS] = { true, true, NFT_KEPT_NETWORKS, NETWORK_MAX },
	[MAP_GATEWAYS] = { true, false, NFT_KEPT_GATEWAYS, NETWORK_MAX },
	[MAP_SUBNETS] = { true, false, NFT_KEPT_SUBNETS, 2 * NETWORK_MAX },
	[MAP_UPLINKS] = { true, false, NFT_KEPT_UPLINKS, UPLINK_MAX },
	[MAP_LOCALS] = { true, false, NFT_KEPT_LOCALS, LOCALS_MAX },
	[MAP_NETNS] = { true, false, NFT_KEPT_NETNS, SLOT_MAX },
	[MAP_PORTS] = { true, false, NFT_PORTS, PORTS_MAX },
};

static struct nft_set set_of(const struct nft_mirror *mirror, enum nft_set_id id)
{
	return (struct nft_set){ mirror->fd, mirror->table, id };
}

int nft_mirror_open(const struct instance *instance, struct nft_mirror **ret_mirror,
		    struct error *err)
{
	AUTO(nft_mirror) mirror = calloc(1, sizeof *mirror);
	if (!mirror)
		return error_set(err, ENOMEM, "no memory for tables");
	mirror->fd = -1;
	int r = nft_socket(&mirror->fd, err);
	if (r < 0)
		return r;
	snprintf(mirror->table, sizeof mirror->table, "wherry%s%s", instance->tag[0] ? "-" : "",
		 instance->tag);
	*ret_mirror = TAKE(mirror);
	return 0;
}

void nft_mirror_free(struct nft_mirror *mirror)
{
	if (!mirror)
		return;
	cleanup_fd(&mirror->fd);
	free(mirror->keys);
	free(mirror);
}

int nft_mirror_load(struct nft_mirror *mirror, struct error *err)
{
	return nft_table_load(mirror->fd, mirror->table, err);
}

int nft_mirror_check(struct nft_mirror *mirror, struct error *err)
{
	return nft_table_exists(mirror->fd, mirror->table, err);
}

int nft_mirror_unload(struct nft_mirror *mirror, struct error *err)
{
	return nft_table_unload(mirror->fd, mirror->table, err);
}

int nft_mirror_fd(const struct nft_mirror *mirror)
{
	return mirror->fd;
}

const char *nft_mirror_table(const struct nft_mirror *mirror)
{
	return mirror->table;
}

static int put_derived(struct nft_mirror *mirror, const struct derived *derived, struct error *err)
{
	for (size_t i = 0; i < derived->count; i++) {
		const struct derived_element *element = &derived->items[i];
		struct nft_set set = set_of(mirror, element->set);
		struct nft_elements one = { element->key, element->value, NULL, 1 };
		int r = nft_elements_put(&set, &one, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int delete_derived(struct nft_mirror *mirror, const struct derived *derived,
			  struct error *err)
{
	for (size_t i = 0; i < derived->count; i++) {
		struct nft_set set = set_of(mirror, derived->items[i].set);
		int r = nft_elements_delete(&set, derived->items[i].key, 1, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* What an entry that is there now has put into the sets of the rules. */
static int withdraw(struct nft_mirror *mirror, enum map_id id, const void *key, struct error *err)
{
	uint8_t old[ENTRY_VALUE_MAX];
	struct derived derived = { .count = 0 };
	struct nft_set set = set_of(mirror, kept[id].set);
	if (!derives(id))
		return 0;
	int r = nft_element_get(&set, key, old, err);
	if (r <= 0)
		return r;
	derive(id, key, old, &derived);
	return delete_derived(mirror, &derived, err);
}

static int put_ports(struct nft_mirror *mirror, const struct map_entries *entries,
		     struct error *err)
{
	struct nft_set set = set_of(mirror, NFT_PORTS);
	auto_free struct port_element *keys = calloc(entries->count, sizeof *keys);
	auto_free struct port_target *values = calloc(entries->count, sizeof *values);
	if (!keys || !values)
		return error_set(err, ENOMEM, "no memory for ports");
	const struct port_key *key = entries->keys;
	const struct publication *publication = entries->values;
	for (uint32_t i = 0; i < entries->count; i++) {
		keys[i] = port_element_of(&key[i]);
		values[i] = port_target_of(&publication[i]);
	}
	struct nft_elements elements = { keys, values, publication, entries->count };
	return nft_elements_put(&set, &elements, err);
}

int nft_map_put_many(struct nft_mirror *mirror, enum map_id id, const struct map_entries *entries,
		     struct error *err)
{
	if (!kept[id].is_kept || entries->count == 0)
		return 0;
	if (id == MAP_PORTS)
		return put_ports(mirror, entries, err);
	const struct nft_set_shape *shape = &nft_sets[kept[id].set];
	const uint8_t *key = entries->keys, *value = entries->values;
	for (uint32_t i = 0; i < entries->count; i++) {
		int r = nft_map_put(mirror, id, key + i * shape->key_size,
				    value + i * shape->note_size, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int nft_map_put(struct nft_mirror *mirror, enum map_id id, const void *key, const void *value,
		struct error *err)
{
	struct derived derived = { .count = 0 };
	if (!kept[id].is_kept)
		return 0;
	if (id == MAP_PORTS)
		return nft_map_put_many(mirror, id, &(struct map_entries){ key, value, 1 }, err);
	struct nft_set set = set_of(mirror, kept[id].set);
	struct nft_elements one = { .keys = key, .notes = value, .count = 1 };
	int r = withdraw(mirror, id, key, err);
	/* The entry first: it tells whoever repairs what has to be withdrawn. */
	if (r == 0)
		r = nft_elements_put(&set, &one, err);
	if (r < 0)
		return r;
	derive(id, key, value, &derived);
	return put_derived(mirror, &derived, err);
}

int nft_map_get(struct nft_mirror *mirror, enum map_id id, const void *key, void *ret_value,
		struct error *err)
{
	struct port_element port;
	if (!kept[id].is_kept)
		return 0;
	struct nft_set set = set_of(mirror, kept[id].set);
	if (id == MAP_PORTS) {
		port = port_element_of(key);
		key = &port;
	}
	int r = nft_element_get(&set, key, ret_value, err);
	if (r == 0 && kept[id].is_array) {
		memset(ret_value, 0, nft_sets[kept[id].set].note_size);
		return 1;
	}
	return r;
}

int nft_map_delete(struct nft_mirror *mirror, enum map_id id, const void *key, struct error *err)
{
	struct port_element port;
	if (!kept[id].is_kept)
		return 0;
	struct nft_set set = set_of(mirror, kept[id].set);
	if (id == MAP_PORTS) {
		port = port_element_of(key);
		key = &port;
	}
	int there = nft_element_get(&set, key, NULL, err);
	if (there <= 0)
		return there;
	int r = withdraw(mirror, id, key, err);
	if (r == 0)
		r = nft_elements_delete(&set, key, 1, err);
	return r < 0 ? r : 1;
}

int nft_map_delete_many(struct nft_mirror *mirror, enum map_id id, const void *keys, uint32_t count,
			struct error *err)
{
	if (id != MAP_PORTS || count == 0)
		return 0; /* nothing else is deleted in numbers */
	struct nft_set set = set_of(mirror, NFT_PORTS);
	auto_free struct port_element *elements = calloc(count, sizeof *elements);
	if (!elements)
		return error_set(err, ENOMEM, "no memory for ports");
	for (uint32_t i = 0; i < count; i++)
		elements[i] = port_element_of((const struct port_key *)keys + i);
	return nft_elements_delete(&set, elements, count, err);
}

int nft_map_next(struct nft_mirror *mirror, enum map_id id, const void *key, void *ret_key,
		 struct error *err)
{
	if (!kept[id].is_kept)
		return 0;
	struct nft_set set = set_of(mirror, kept[id].set);
	uint32_t size = nft_sets[kept[id].set].key_size;
	if (!key || mirror->walked != id) {
		free(TAKE(mirror->keys));
		mirror->count = mirror->at = 0;
		mirror->walked = id;
		int r = nft_elements_keys(&set, &mirror->keys, &mirror->count, err);
		if (r < 0)
			return r;
	}
	if (mirror->at >= mirror->count)
		return 0;
	const uint8_t *next = (const uint8_t *)mirror->keys + (size_t)mirror->at++ * size;
	if (id == MAP_PORTS)
		*(struct port_key *)ret_key = port_key_of_element((const void *)next);
	else
		memcpy(ret_key, next, size);
	return 1;
}

uint32_t nft_map_capacity(enum map_id id)
{
	return kept[id].capacity;
}
