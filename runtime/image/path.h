/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Paths inside a layer: the gate that makes an archive's name a relative path
 * without surprises, and a set that remembers something about each path.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

/**
 * Gate: "./a//b/" becomes "a/b", and "./" becomes "" (the root). Refused:
 * absolute, "..", no name at all, a component over 255 bytes, a path over
 * TAR_PATH_MAX. Allocated; the caller frees.
 */
int layer_path_clean(const char *path, char **ret_path, struct error *err);
/** The last component; parent_size is the length of what stands before its '/', or 0. */
const char *layer_path_name(const char *path, size_t *ret_parent_size);

#define WHITEOUT_PREFIX ".wh."
#define WHITEOUT_OPAQUE ".wh..wh..opq"

/* Ordered as put; found by hash. */
struct path_item {
	char *path;
	bool implied; /* a directory that has no entry of its own */
	int64_t mtime_s;
	uint32_t mtime_ns;
	char *link; /* hard links: the target */
};
struct path_set {
	struct path_item *items;
	size_t count, capacity;
	uint32_t *slots; /* index + 1; 0: free */
	size_t slot_count;
	uint64_t seed; /* of the hash */
};
void path_set_release(struct path_set *set);
/** NULL if it is not in the set. Lent until the next put. */
struct path_item *path_set_find(const struct path_set *set, const char *path);
/** Copies path; the item is new. NULL: no memory. Lent until the next put. */
struct path_item *path_set_put(struct path_set *set, const char *path);
