/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "copy_map.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"

#define BATCH 4096 /* entries read at once; more than any bucket of a hash has */
#define KEY_SIZE_MAX 256

/* Room for what is read, and for one converted entry. */
struct copy {
	const struct upgrade_map *map;
	uint64_t flags;     /* of each update */
	uint32_t cpus;      /* values an entry: 1 unless per CPU */
	uint32_t from_step; /* bytes from one CPU's value to the next */
	uint32_t to_step;
	char *keys, *values, *value;
};

static void copy_release(struct copy *copy)
{
	free(copy->keys);
	free(copy->values);
	free(copy->value);
}

static bool is_per_cpu(uint32_t type)
{
	return type == BPF_MAP_TYPE_PERCPU_ARRAY || type == BPF_MAP_TYPE_PERCPU_HASH ||
	       type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}

static int copy_begin(struct copy *copy, uint32_t batch, struct error *err)
{
	const struct upgrade_map *map = copy->map;
	int cpus = libbpf_num_possible_cpus();
	copy->cpus = 1;
	copy->from_step = map->value_size;
	copy->to_step = map->value.size;
	if (is_per_cpu(map->type)) {
		copy->cpus = cpus > 0 ? (uint32_t)cpus : 1;
		copy->from_step = (map->value_size + 7) & ~7u;
		copy->to_step = (map->value.size + 7) & ~7u;
	}
	copy->keys = calloc(batch, map->key_size);
	copy->values = calloc(batch, (size_t)copy->from_step * copy->cpus);
	copy->value = calloc(copy->cpus, copy->to_step);
	if (!copy->keys || !copy->values || !copy->value || map->key.size > KEY_SIZE_MAX)
		return error_set(err, ENOMEM, "no memory to carry %s over", map->name);
	return 0;
}

static int put(struct copy *copy, const char *from_key, const char *from_value, struct error *err)
{
	const struct upgrade_map *map = copy->map;
	char key[KEY_SIZE_MAX];
	layout_convert(&map->key, from_key, key);
	for (uint32_t cpu = 0; cpu < copy->cpus; cpu++)
		layout_convert(&map->value, from_value + (size_t)cpu * copy->from_step,
			       copy->value + (size_t)cpu * copy->to_step);
	if (bpf_map_update_elem(map->to_fd, key, copy->value, copy->flags) == 0 || errno == EEXIST)
		return 0;
	return error_set_errno(err, errno, "cannot carry an entry of %s over", map->name);
}

static int copy_hash(struct copy *copy, struct error *err)
{
	const struct upgrade_map *map = copy->map;
	char cursor[KEY_SIZE_MAX] = { 0 };
	size_t step = (size_t)copy->from_step * copy->cpus;
	bool first = true, more = true;
	while (more) {
		uint32_t count = BATCH;
		if (bpf_map_lookup_batch(map->from_fd, first ? NULL : cursor, cursor, copy->keys,
					 copy->values, &count, NULL) < 0) {
			if (errno != ENOENT)
				return error_set_errno(err, errno, "cannot read %s", map->name);
			more = false;
		}
		first = false;
		for (uint32_t i = 0; i < count; i++) {
			int r = put(copy, copy->keys + (size_t)i * map->key_size,
				    copy->values + i * step, err);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static bool is_zero(const char *bytes, size_t size)
{
	return size == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0);
}

static int copy_array(struct copy *copy, struct error *err)
{
	const struct upgrade_map *map = copy->map;
	for (uint32_t index = 0; index < map->entries; index++) {
		if (bpf_map_lookup_elem(map->from_fd, &index, copy->values) < 0)
			return error_set_errno(err, errno, "cannot read %s", map->name);
		if (is_zero(copy->values, (size_t)copy->from_step * copy->cpus))
			continue;
		int r = put(copy, (const char *)&index, copy->values, err);
		/* A table that became shorter: what is beyond its end has no use. */
		if (r < 0 && r != -E2BIG)
			return r;
	}
	return 0;
}

int copy_map(const struct upgrade_map *map, enum copy_pass pass, struct error *err)
{
	struct copy copy __attribute__((cleanup(
		copy_release))) = { .map = map, .flags = pass == COPY_ALL ? BPF_ANY : BPF_NOEXIST };
	bool is_array = map->type == BPF_MAP_TYPE_ARRAY || map->type == BPF_MAP_TYPE_PERCPU_ARRAY;
	if (map->type == BPF_MAP_TYPE_RINGBUF || (is_array && pass == COPY_MISSING))
		return 0;
	int r = copy_begin(&copy, is_array ? 1 : BATCH, err);
	if (r < 0)
		return r;
	return is_array ? copy_array(&copy, err) : copy_hash(&copy, err);
}
