/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether programs and maps are really freed: a pin that is gone says nothing
 * about an attachment that was forgotten. The ids of what was pinned are
 * looked up until the kernel knows them no more, which it tells late (RCU).
 */
#include "private.h"

#include <dirent.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#define PROGRAM_MAPS_MAX 64
#define STEP_NS 10000000

static long bpf(int command, union bpf_attr *attributes)
{
	return syscall(SYS_bpf, command, attributes, sizeof *attributes);
}

static void add_object(struct bpf_objects *objects, bool is_program, uint32_t id)
{
	for (size_t i = 0; i < objects->count; i++)
		if (objects->items[i].is_program == is_program && objects->items[i].id == id)
			return;
	if (objects->count < SCENE_OBJECTS_MAX)
		objects->items[objects->count++] = (typeof(objects->items[0])){ is_program, id };
}

static bool get_info(int fd, void *info, size_t size)
{
	union bpf_attr attributes = { .info = { .bpf_fd = (uint32_t)fd,
						.info_len = (uint32_t)size,
						.info = (uint64_t)(uintptr_t)info } };
	return bpf(BPF_OBJ_GET_INFO_BY_FD, &attributes) == 0;
}

static void add_program(struct bpf_objects *objects, int fd)
{
	uint32_t maps[PROGRAM_MAPS_MAX];
	struct bpf_prog_info info = { .nr_map_ids = PROGRAM_MAPS_MAX,
				      .map_ids = (uint64_t)(uintptr_t)maps };
	if (!get_info(fd, &info, sizeof info))
		return;
	add_object(objects, true, info.id);
	for (uint32_t i = 0; i < info.nr_map_ids && i < PROGRAM_MAPS_MAX; i++)
		add_object(objects, false, maps[i]);
}

/* What kind of object a descriptor is, its name in /proc tells. */
static void add_descriptor(struct bpf_objects *objects, int fd)
{
	char path[64], kind[64];
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	ssize_t size = readlink(path, kind, sizeof kind - 1);
	kind[size < 0 ? 0 : size] = '\0';
	struct bpf_map_info map = { 0 };
	struct bpf_link_info link = { 0 };
	if (strstr(kind, "bpf-prog"))
		add_program(objects, fd);
	else if (strstr(kind, "bpf-map") && get_info(fd, &map, sizeof map))
		add_object(objects, false, map.id);
	else if (strstr(kind, "bpf_link") && get_info(fd, &link, sizeof link))
		add_object(objects, true, link.prog_id);
}

void bpf_objects_collect(const char *folder, struct bpf_objects *objects)
{
	auto_dir list = opendir(folder);
	const struct dirent *entry;
	while (list && (entry = readdir(list))) {
		char path[2 * SCENE_PATH_MAX];
		struct stat info;
		int size = snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		if (entry->d_name[0] == '.' || size >= (int)sizeof path || lstat(path, &info) < 0)
			continue;
		if (S_ISDIR(info.st_mode)) {
			bpf_objects_collect(path, objects);
			continue;
		}
		union bpf_attr attributes = { .pathname = (uint64_t)(uintptr_t)path };
		auto_fd fd = (int)bpf(BPF_OBJ_GET, &attributes);
		if (fd >= 0)
			add_descriptor(objects, fd);
	}
}

static bool exists(bool is_program, uint32_t id)
{
	union bpf_attr attributes = { .prog_id = id }; /* map_id lies at the same place */
	int command = is_program ? BPF_PROG_GET_FD_BY_ID : BPF_MAP_GET_FD_BY_ID;
	auto_fd fd = (int)bpf(command, &attributes);
	return fd >= 0;
}

static bool any_exists(const struct bpf_objects *objects)
{
	for (size_t i = 0; i < objects->count; i++)
		if (exists(objects->items[i].is_program, objects->items[i].id))
			return true;
	return false;
}

void bpf_objects_await_end(const struct bpf_objects *objects, int timeout_ms, struct words *lines)
{
	struct error err;
	for (int64_t left_ns = timeout_ms * INT64_C(1000000); left_ns > 0 && any_exists(objects);
	     left_ns -= STEP_NS)
		nanosleep(&(struct timespec){ .tv_nsec = STEP_NS }, NULL);
	for (size_t i = 0; i < objects->count; i++)
		if (exists(objects->items[i].is_program, objects->items[i].id))
			MUST(words_append_format(lines, &err, "BPF %s %u",
						 objects->items[i].is_program ? "program" : "map",
						 objects->items[i].id),
			     err);
}
