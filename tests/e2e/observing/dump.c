/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dump.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "base/cleanup.h"

static uint64_t mix(uint64_t sum, const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		sum = (sum ^ bytes[i]) * 0x100000001b3ull;
	return sum;
}

static size_t value_bytes(const struct bpf_map_info *info)
{
	bool per_cpu = info->type == BPF_MAP_TYPE_PERCPU_HASH ||
		       info->type == BPF_MAP_TYPE_PERCPU_ARRAY ||
		       info->type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
	size_t size = (info->value_size + 7u) / 8 * 8;
	return per_cpu ? size * (size_t)libbpf_num_possible_cpus() : size;
}

/* The order of entries is the kernel's, and may change: sums of entries are added up. */
static void dump_map(const char *path, const char *name, FILE *out)
{
	struct bpf_map_info info = { 0 };
	uint32_t size = sizeof info;
	uint64_t total = 0, count = 0;
	auto_fd fd = bpf_obj_get(path);
	assert_true(fd >= 0);
	if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0 || info.type == BPF_MAP_TYPE_RINGBUF)
		return;
	auto_free uint8_t *key = calloc(1, info.key_size), *next = calloc(1, info.key_size);
	auto_free uint8_t *value = calloc(1, value_bytes(&info));
	for (const void *from = NULL; bpf_map_get_next_key(fd, from, next) == 0; from = key) {
		memcpy(key, next, info.key_size);
		memset(value, 0, value_bytes(&info));
		if (bpf_map_lookup_elem(fd, key, value) < 0)
			continue;
		uint64_t sum = mix(0xcbf29ce484222325ull, key, info.key_size);
		total += mix(sum, value, value_bytes(&info));
		count++;
	}
	fprintf(out, "%s %llu %llx\n", name, (unsigned long long)count, (unsigned long long)total);
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

char *dump_maps(const struct instance *instance)
{
	struct dirent **entries;
	char directory[INSTANCE_PATH_MAX + 8], *text = NULL;
	size_t size = 0;
	snprintf(directory, sizeof directory, "%s/maps", instance->bpf);
	int count = scandir(directory, &entries, is_visible, alphasort);
	assert_true(count > 0);
	FILE *out = open_memstream(&text, &size);
	assert_non_null(out);
	for (int i = 0; i < count; i++) {
		char path[INSTANCE_PATH_MAX + 300];
		snprintf(path, sizeof path, "%s/%s", directory, entries[i]->d_name);
		dump_map(path, entries[i]->d_name, out);
		free(entries[i]);
	}
	free(entries);
	(void)fclose(out);
	return text;
}
