/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Paths inside a layer: the gate that makes an archive's name a relative path
 * without surprises, and a set that remembers something about each path.
 */
#include "path.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/random.h>

#include "tar.h"

static int check_component(const char *path, const char *part, size_t size, struct error *err)
{
	if (size == 2 && part[0] == '.' && part[1] == '.')
		return error_set(err, EINVAL, "entry \"%.200s\" climbs out with \"..\"", path);
	if (size > NAME_MAX)
		return error_set(err, EINVAL, "entry \"%.100s...\" has a component over %d bytes",
				 path, NAME_MAX);
	return 0;
}

int layer_path_clean(const char *path, char **ret_path, struct error *err)
{
	if (!path || !*path)
		return error_set(err, EINVAL, "an entry has no name");
	if (*path == '/')
		return error_set(err, EINVAL, "entry \"%.200s\" is an absolute path", path);
	if (strlen(path) > TAR_PATH_MAX)
		return error_set(err, EINVAL, "entry \"%.100s...\" is over %d bytes long", path,
				 TAR_PATH_MAX);
	auto_free char *clean = malloc(strlen(path) + 1);
	if (!clean)
		return error_set(err, ENOMEM, "no memory for a path");
	char *end = clean;
	for (const char *part = path; *part;) {
		size_t size = strcspn(part, "/");
		int r = check_component(path, part, size, err);
		if (r < 0)
			return r;
		if (size > 0 && !(size == 1 && *part == '.')) {
			if (end != clean)
				*end++ = '/';
			memcpy(end, part, size);
			end += size;
		}
		part += size;
		part += strspn(part, "/");
	}
	*end = 0;
	*ret_path = TAKE(clean);
	return 0;
}

const char *layer_path_name(const char *path, size_t *ret_parent_size)
{
	const char *slash = strrchr(path, '/');
	*ret_parent_size = slash ? (size_t)(slash - path) : 0;
	return slash ? slash + 1 : path;
}

void path_set_release(struct path_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		free(set->items[i].path);
		free(set->items[i].link);
	}
	free(set->items);
	free(set->slots);
	*set = (struct path_set){ 0 };
}

/* FNV-1a from a secret start: an archive's names cannot be chosen to collide. */
static size_t hash_path(uint64_t hash, const char *path)
{
	for (; *path; path++)
		hash = (hash ^ (uint8_t)*path) * 0x100000001b3;
	return (size_t)(hash ^ hash >> 32);
}

static uint32_t *slot_of(const struct path_set *set, const char *path)
{
	size_t i = hash_path(set->seed, path) & (set->slot_count - 1);
	while (set->slots[i] && strcmp(set->items[set->slots[i] - 1].path, path) != 0)
		i = (i + 1) & (set->slot_count - 1);
	return &set->slots[i];
}

struct path_item *path_set_find(const struct path_set *set, const char *path)
{
	if (set->slot_count == 0)
		return NULL;
	uint32_t index = *slot_of(set, path);
	return index ? &set->items[index - 1] : NULL;
}

/* Twice the room; at most half of the slots are in use. */
static bool grow(struct path_set *set)
{
	size_t capacity = set->capacity ? 2 * set->capacity : 32;
	if (!set->seed && getrandom(&set->seed, sizeof set->seed, 0) < 0)
		return false;
	struct path_item *items = reallocarray(set->items, capacity, sizeof *items);
	if (items)
		set->items = items;
	uint32_t *slots = calloc(2 * capacity, sizeof *slots);
	if (!items || !slots) {
		free(slots);
		return false;
	}
	free(set->slots);
	set->slots = slots;
	set->slot_count = 2 * capacity;
	set->capacity = capacity;
	for (size_t i = 0; i < set->count; i++)
		*slot_of(set, set->items[i].path) = (uint32_t)i + 1;
	return true;
}

struct path_item *path_set_put(struct path_set *set, const char *path)
{
	if (set->count == set->capacity && !grow(set))
		return NULL;
	char *copy = strdup(path);
	if (!copy)
		return NULL;
	set->items[set->count] = (struct path_item){ .path = copy };
	*slot_of(set, path) = (uint32_t)set->count + 1;
	return &set->items[set->count++];
}
