/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dropped packets: counted always by reason and endpoint, seen one by one while somebody looks. */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "handle.h"
#include "state.h"

struct reason {
	const char *name, *meaning;
};
static const struct reason reasons[] = {
#define X(number, symbol, text, meaning) [number] = { text, meaning },
	DROP_REASONS(X)
#undef X
};
_Static_assert(ARRAY_SIZE(reasons) == DROP_REASON_COUNT, "every reason has a name");

static const char *const hooks[] = {
	[HOOK_FROM_CONTAINER] = "from-container",
	[HOOK_FROM_UPLINK] = "from-uplink",
	[HOOK_TO_CONTAINER] = "to-container",
};
_Static_assert(ARRAY_SIZE(hooks) == HOOK_COUNT, "every hook has a name");

static const struct reason *reason_of(uint32_t number)
{
	static const struct reason unknown = { "unknown", "a reason of another version" };
	return number < DROP_REASON_COUNT ? &reasons[number] : &unknown;
}

/* Container and network of a slot; empty if nobody has it now. */
static int owner_of(struct store *store, uint32_t slot, struct endpoint_info *ret_info,
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

static int read_row(struct dataplane *dataplane, const struct drop_key *key,
		    struct drop_count *counts, int cpus, struct drop_row *ret_row,
		    struct error *err)
{
	struct endpoint_info owner __attribute__((cleanup(endpoint_info_release))) = { 0 };
	int r = map_get(&dataplane->maps, MAP_DROPS, key, counts, err);
	if (r <= 0)
		return r;
	const struct reason *reason = reason_of(key->reason);
	*ret_row = (struct drop_row){ .reason = reason->name,
				      .meaning = reason->meaning,
				      .slot = key->slot };
	for (int i = 0; i < cpus; i++) {
		ret_row->packets += counts[i].packets;
		ret_row->bytes += counts[i].bytes;
	}
	r = owner_of(dataplane->store, key->slot, &owner, err);
	memcpy(ret_row->container_id, owner.container_id, sizeof ret_row->container_id);
	memcpy(ret_row->network, owner.network, sizeof ret_row->network);
	return r < 0 ? r : 1;
}

int drops_each(struct dataplane *dataplane,
	       int (*visit)(const struct drop_row *row, void *context, struct error *err),
	       void *context, struct error *err)
{
	int cpus = libbpf_num_possible_cpus();
	struct drop_key key, *previous = NULL;
	struct drop_row row;
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

struct drop_follower {
	struct dataplane *dataplane; /* lent */
	struct ring_buffer *ring;
	int lock; /* one follower at a time: the ring has one reader */
	bool switched_on;
	int (*visit)(const struct drop_sight *sight, void *context, struct error *err);
	void *context;
	struct error error;
};

static struct drop_sight read_event(const struct drop_event *event)
{
	return (struct drop_sight){
		.time_ns = event->time_ns,
		.reason = reason_of(event->reason)->name,
		.hook = event->hook < HOOK_COUNT ? hooks[event->hook] : "unknown",
		.source = ip_of_abi(event->source),
		.destination = ip_of_abi(event->destination),
		.source_port = ntohs(event->source_port),
		.destination_port = ntohs(event->destination_port),
		.protocol = event->protocol,
		.length = event->length,
		.slot = event->slot,
	};
}

static int take_event(void *context, void *data, size_t size)
{
	struct drop_follower *follower = context;
	struct endpoint_info owner __attribute__((cleanup(endpoint_info_release))) = { 0 };
	if (size < sizeof(struct drop_event))
		return 0;
	struct drop_sight sight = read_event(data);
	int r = owner_of(follower->dataplane->store, sight.slot, &owner, &follower->error);
	memcpy(sight.container_id, owner.container_id, sizeof sight.container_id);
	return r < 0 ? r : follower->visit(&sight, follower->context, &follower->error);
}

static int switch_events(struct dataplane *dataplane, uint32_t listeners, struct error *err)
{
	uint32_t key = SWITCH_EVENTS;
	return map_put(&dataplane->maps, MAP_SWITCHES, &key, &listeners, err);
}

int drops_follow(struct dataplane *dataplane, struct drop_follower **ret_follower,
		 struct error *err)
{
	char path[INSTANCE_PATH_MAX + 32];
	int fd;
	AUTO(drop_follower) follower = calloc(1, sizeof *follower);
	if (!follower)
		return error_set(err, ENOMEM, "no memory to follow drops");
	follower->lock = -1;
	follower->dataplane = dataplane;
	snprintf(path, sizeof path, "%s/follow.lock", dataplane->instance.run);
	int r = lock_take(path, 0, &follower->lock, err);
	if (r == -EWOULDBLOCK)
		return error_set(err, EBUSY, "another process follows the drops already");
	if (r == 0)
		r = map_open(&dataplane->maps, MAP_EVENTS, &fd, err);
	if (r < 0)
		return r;
	follower->ring = ring_buffer__new(fd, take_event, follower, NULL);
	if (!follower->ring)
		return error_set_errno(err, errno, "cannot read %s", map_name(MAP_EVENTS));
	r = switch_events(dataplane, 1, err);
	if (r < 0)
		return r;
	follower->switched_on = true;
	*ret_follower = TAKE(follower);
	return 0;
}

int drops_follow_fd(const struct drop_follower *follower)
{
	return ring_buffer__epoll_fd(follower->ring);
}

int drops_follow_read(struct drop_follower *follower,
		      int (*visit)(const struct drop_sight *sight, void *context,
				   struct error *err),
		      void *context, struct error *err)
{
	follower->visit = visit;
	follower->context = context;
	error_clear(&follower->error);
	int r = ring_buffer__consume(follower->ring);
	if (r >= 0)
		return 0;
	if (follower->error.code)
		*err = follower->error;
	else
		return error_set_errno(err, -r, "cannot read %s", map_name(MAP_EVENTS));
	return r;
}

void drop_follower_free(struct drop_follower *follower)
{
	struct error ignored = { 0 };
	if (!follower)
		return;
	if (follower->switched_on)
		switch_events(follower->dataplane, 0, &ignored);
	ring_buffer__free(follower->ring);
	cleanup_fd(&follower->lock);
	free(follower);
}
