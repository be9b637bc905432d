/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dropped packets one by one, while somebody looks. Any number may look: each holds the lock file
 * in common, and who finds itself alone at the end switches the reports off.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "drops.h"
#include "handle.h"
#include "ring.h"

static const char *const hooks[] = {
	[HOOK_FROM_CONTAINER] = "from-container",
	[HOOK_FROM_UPLINK] = "from-uplink",
	[HOOK_TO_CONTAINER] = "to-container",
};
_Static_assert(ARRAY_SIZE(hooks) == HOOK_COUNT, "every hook has a name");

struct drop_follower {
	struct dataplane *dataplane; /* lent */
	struct ring *ring;
	int lock; /* held in common */
	bool switched_on;
	int (*visit)(const struct drop_sight *sight, void *context, struct error *err);
	void *context;
};

static struct drop_sight read_event(const struct drop_event *event)
{
	return (struct drop_sight){
		.time_ns = event->time_ns,
		.reason = drop_reason_of(event->reason)->name,
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

static int take_event(const void *record, size_t size, void *context, struct error *err)
{
	struct drop_follower *follower = context;
	struct endpoint_info owner __attribute__((cleanup(endpoint_info_release))) = { 0 };
	if (size < sizeof(struct drop_event))
		return 0;
	struct drop_sight sight = read_event(record);
	int r = drop_owner(follower->dataplane->store, sight.slot, &owner, err);
	memcpy(sight.container_id, owner.container_id, sizeof sight.container_id);
	memcpy(sight.network, owner.network, sizeof sight.network);
	return r < 0 ? r : follower->visit(&sight, follower->context, err);
}

static int switch_events(struct dataplane *dataplane, uint32_t listeners, struct error *err)
{
	uint32_t key = SWITCH_EVENTS;
	return map_put(&dataplane->maps, MAP_SWITCHES, &key, &listeners, err);
}

static int join(struct drop_follower *follower, struct error *err)
{
	char path[INSTANCE_PATH_MAX + 32];
	snprintf(path, sizeof path, "%s/follow.lock", follower->dataplane->instance.run);
	follower->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	/* Waits only while another switches off, which is one write. */
	if (follower->lock < 0 || flock(follower->lock, LOCK_SH) < 0)
		return error_set_errno(err, errno, "%s", path);
	int r = switch_events(follower->dataplane, 1, err);
	follower->switched_on = r == 0;
	return r;
}

int drops_follow(struct dataplane *dataplane, struct drop_follower **ret_follower,
		 struct error *err)
{
	int fd;
	AUTO(drop_follower) follower = calloc(1, sizeof *follower);
	if (!follower)
		return error_set(err, ENOMEM, "no memory to follow drops");
	follower->lock = -1;
	follower->dataplane = dataplane;
	int r = map_open(&dataplane->maps, MAP_EVENTS, &fd, err);
	if (r == 0)
		r = ring_open(fd, &follower->ring, err);
	if (r == 0)
		r = join(follower, err);
	if (r < 0)
		return r;
	*ret_follower = TAKE(follower);
	return 0;
}

int drops_follow_fd(const struct drop_follower *follower)
{
	return ring_fd(follower->ring);
}

int drops_follow_read(struct drop_follower *follower,
		      int (*visit)(const struct drop_sight *sight, void *context,
				   struct error *err),
		      void *context, struct error *err)
{
	follower->visit = visit;
	follower->context = context;
	return ring_read(follower->ring, take_event, follower, err);
}

void drop_follower_free(struct drop_follower *follower)
{
	struct error ignored = { 0 };
	if (!follower)
		return;
	if (follower->switched_on && flock(follower->lock, LOCK_EX | LOCK_NB) == 0)
		switch_events(follower->dataplane, 0, &ignored);
	ring_free(follower->ring);
	cleanup_fd(&follower->lock);
	free(follower);
}
