/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dropped packets: counted always by reason and endpoint, seen one by one while somebody looks. */
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "drops.h"
#include "handle.h"
#include "nft/counters.h"
#include "state.h"

static const struct drop_reason_text reasons[] = {
#define X(number, symbol, text, meaning) [number] = { text, meaning },
	DROP_REASONS(X)
#undef X
};
_Static_assert(ARRAY_SIZE(reasons) == DROP_REASON_COUNT, "every reason has a name");

const struct drop_reason_text *drop_reason_of(uint32_t number)
{
	static const struct drop_reason_text unknown = { "unknown", "a reason of another version" };
	return number < DROP_REASON_COUNT ? &reasons[number] : &unknown;
}

/* Container and network of a slot; empty if nobody has it now. */
int drop_owner(struct store *store, uint32_t slot, struct endpoint_info *ret_info,
	       struct error *err)
{
	struct key key = { .size = 0 };
	struct bytes value;
	if (slot == 0)
		return 0;
	key_put_number(&key, slot, 4);
	AUTO(store_txn) txn = NULL;
	int r = store_begin(store, STORE_READ, &txn, err);
	if (r == 0)
		r = store_get(txn, TABLE_SLOTS, key_bytes(&key), &value, err);
	return r <= 0 ? r : endpoint_load(txn, value, ret_info, err);
}

static uint64_t clock_s(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec;
}

static int read_row(struct dataplane *dataplane, const struct drop_key *key,
		    struct drop_count *counts, int cpus, struct drop_row *ret_row,
		    struct error *err)
{
	struct endpoint_info owner __attribute__((cleanup(endpoint_info_release))) = { 0 };
	int r = map_get(&dataplane->maps, MAP_DROPS, key, counts, err);
	if (r <= 0)
		return r;
	const struct drop_reason_text *reason = drop_reason_of(key->reason);
	uint64_t seen = 0;
	*ret_row = (struct drop_row){ .reason = reason->name,
				      .meaning = reason->meaning,
				      .slot = key->slot };
	for (int i = 0; i < cpus; i++) {
		ret_row->packets += counts[i].packets;
		ret_row->bytes += counts[i].bytes;
		if (counts[i].seen > seen)
			seen = counts[i].seen;
	}
	uint64_t now = clock_s();
	ret_row->ago_s = now > seen ? now - seen : 0;
	r = drop_owner(dataplane->store, key->slot, &owner, err);
	memcpy(ret_row->container_id, owner.container_id, sizeof ret_row->container_id);
	memcpy(ret_row->network, owner.network, sizeof ret_row->network);
	return r < 0 ? r : 1;
}

struct count_walk {
	struct dataplane *dataplane;
	int (*visit)(const struct drop_row *row, void *context, struct error *err);
	void *context;
};

/* The rules of nf_tables know devices, not slots. */
static int visit_count(const struct nft_count *count, void *context, struct error *err)
{
	const struct count_walk *walk = context;
	struct endpoint_info owner __attribute__((cleanup(endpoint_info_release))) = { 0 };
	struct source source = { 0 };
	const struct drop_reason_text *reason = drop_reason_of(count->reason);
	int r = map_get(&walk->dataplane->maps, MAP_SOURCES, &count->ifindex, &source, err);
	if (r >= 0)
		r = drop_owner(walk->dataplane->store, source.slot, &owner, err);
	if (r < 0)
		return r;
	struct drop_row row = { .reason = reason->name,
				.meaning = reason->meaning,
				.slot = source.slot,
				.packets = count->packets,
				.bytes = count->bytes };
	memcpy(row.container_id, owner.container_id, sizeof row.container_id);
	memcpy(row.network, owner.network, sizeof row.network);
	return walk->visit(&row, walk->context, err);
}

int drops_each(struct dataplane *dataplane,
	       int (*visit)(const struct drop_row *row, void *context, struct error *err),
	       void *context, struct error *err)
{
	int cpus = libbpf_num_possible_cpus();
	struct drop_key key, *previous = NULL;
	struct drop_row row;
	struct count_walk walk = { dataplane, visit, context };
	if (dataplane->maps.mirror)
		return nft_counts_each(dataplane->maps.mirror, visit_count, &walk, err);
	if (cpus <= 0)
		return error_set(err, EIO, "cannot count the processors");
	auto_free struct drop_count *counts = calloc((size_t)cpus, sizeof *counts);
	if (!counts)
		return error_set(err, ENOMEM, "no memory for counters");
	int r;
	while ((r = map_next(&dataplane->maps, MAP_DROPS, previous, &key, err)) == 1) {
		previous = &key;
		r = read_row(dataplane, &key, counts, cpus, &row, err);
		if (r == 1)
			r = visit(&row, context, err);
		if (r != 0)
			return r;
	}
	return r;
}
