/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/inventory.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"

#define KEY_SIZE_MAX 512

static const char *kind_of(unsigned type)
{
	static const struct {
		unsigned type;
		const char *name;
	} kinds[] = {
		{ BPF_MAP_TYPE_HASH, "hash" },
		{ BPF_MAP_TYPE_ARRAY, "array" },
		{ BPF_MAP_TYPE_PROG_ARRAY, "programs" },
		{ BPF_MAP_TYPE_PERCPU_HASH, "per-cpu hash" },
		{ BPF_MAP_TYPE_PERCPU_ARRAY, "per-cpu array" },
		{ BPF_MAP_TYPE_LRU_HASH, "lru hash" },
		{ BPF_MAP_TYPE_LPM_TRIE, "prefixes" },
		{ BPF_MAP_TYPE_RINGBUF, "ring buffer" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].type == type)
			return kinds[i].name;
	return "other";
}

static bool is_walkable(unsigned type)
{
	return type == BPF_MAP_TYPE_HASH || type == BPF_MAP_TYPE_PERCPU_HASH ||
	       type == BPF_MAP_TYPE_LRU_HASH || type == BPF_MAP_TYPE_LPM_TRIE;
}

static uint32_t count_entries(int fd, const struct bpf_map_info *info)
{
	uint8_t key[KEY_SIZE_MAX], next[KEY_SIZE_MAX];
	uint32_t count = 0;
	const void *from = NULL;
	if (!is_walkable(info->type) || info->key_size > KEY_SIZE_MAX)
		return info->max_entries;
	/* Entries that go meanwhile start the walk anew; the bound ends it. */
	while (count < info->max_entries && bpf_map_get_next_key(fd, from, next) == 0) {
		memcpy(key, next, info->key_size);
		from = key;
		count++;
	}
	return count;
}

/* Maps, programs and links are pinned alike; only the name of the descriptor tells. */
static bool is_map(int fd)
{
	char path[64], target[64] = "";
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return readlink(path, target, sizeof target - 1) > 0 && strstr(target, "bpf-map");
}

/* 1 and the row; 0 if what is pinned at path is no map. */
static int read_map(const char *path, const char *name, struct map_row *ret_row)
{
	struct bpf_map_info info = { 0 };
	uint32_t size = sizeof info;
	auto_fd fd = bpf_obj_get(path);
	if (fd < 0 || !is_map(fd) || bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		return 0;
	*ret_row = (struct map_row){ .kind = kind_of(info.type),
				     .key_size = info.key_size,
				     .value_size = info.value_size,
				     .entries_max = info.max_entries,
				     .entries = count_entries(fd, &info),
				     .id = info.id };
	snprintf(ret_row->name, sizeof ret_row->name, "%s", name);
	return 1;
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

int maps_each(const struct instance *instance,
	      int (*visit)(const struct map_row *row, void *context, struct error *err),
	      void *context, struct error *err)
{
	struct dirent **entries;
	char directory[INSTANCE_PATH_MAX + 8];
	snprintf(directory, sizeof directory, "%s/maps", instance->bpf);
	int count = scandir(directory, &entries, is_visible, alphasort);
	int r = 0;
	if (count < 0)
		return error_set_errno(err, errno, "%s", directory);
	for (int i = 0; i < count; i++) {
		char path[INSTANCE_PATH_MAX + 256];
		struct map_row row;
		snprintf(path, sizeof path, "%s/%s", directory, entries[i]->d_name);
		if (r == 0 && read_map(path, entries[i]->d_name, &row) == 1)
			r = visit(&row, context, err);
		free(entries[i]);
	}
	free(entries);
	return r;
}
