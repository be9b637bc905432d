/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * How the tables live on when programs are replaced. A pinned map of the same
 * layout is taken over as it is, whatever version made it. Another layout gets a
 * new map: filled while the old programs still run, and once more with what came
 * meanwhile, in a moment in which no flow begins; then the new programs go over
 * the old ones. Killed at any instant, the next try begins anew from the old maps.
 */
#include "handle.h"
#include "layout.h"

struct bpf_object;
struct bpf_map;
#define UPGRADE_MAPS_MAX 64

/* A map whose entries have to be carried over. */
struct upgrade_map {
	char name[64]; /* of the new map, for errors */
	int from_fd;   /* owned */
	int to_fd;     /* lent, after load */
	uint32_t type; /* BPF_MAP_TYPE_*, of the old map */
	uint32_t entries, key_size, value_size;
	struct layout_change key, value;
};
struct upgrade {
	const struct instance *instance;
	struct bpf_object *object; /* lent */
	/* Names of their own: libbpf gives a map that is taken over the name that it had. */
	struct {
		struct bpf_map *map; /* lent */
		char name[64];
	} all[UPGRADE_MAPS_MAX];
	size_t all_count;
	struct upgrade_map maps[UPGRADE_MAPS_MAX];
	size_t count;
};
void upgrade_release(struct upgrade *upgrade);

/** The layout's version that the instance has in the kernel; 0: nothing, or not whole. */
int upgrade_version(const struct instance *instance);
/** Before load: takes over the pinned maps that fit, and notes the others. */
int upgrade_prepare(struct upgrade *upgrade, struct error *err);
/** The map of this name; NULL if there is none. */
struct bpf_map *upgrade_find(const struct upgrade *upgrade, const char *name);
/** After load: fills the new maps. If there are any, no flow begins from here on, for at most 3 s.
 */
int upgrade_carry(struct upgrade *upgrade, struct error *err);
/** Pins all maps by their names. */
int upgrade_pin(struct upgrade *upgrade, struct error *err);
/** The programs run: lets flows begin, says which version is there, and forgets what was. */
int upgrade_finish(struct upgrade *upgrade, struct error *err);
/** Pins over what may be there, without a moment in which nothing is. */
int pin_over(int fd, const char *path, struct error *err);
