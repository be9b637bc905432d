/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "upgrade.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/membarrier.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "copy_map.h"

#define PIN_PATH_MAX (INSTANCE_PATH_MAX + 300)
#define FREEZE_S 3 /* programs end it by themselves if we are killed */

typedef struct btf *btf_t;
static void btf_release(btf_t *btf)
{
	btf__free(*btf);
}

void upgrade_release(struct upgrade *upgrade)
{
	for (size_t i = 0; i < upgrade->count; i++)
		cleanup_fd(&upgrade->maps[i].from_fd);
	upgrade->count = 0;
}

int upgrade_version(const struct instance *instance)
{
	char path[PIN_PATH_MAX], text[32] = "";
	uint64_t version;
	snprintf(path, sizeof path, "%s/abi", instance->bpf);
	if (readlink(path, text, sizeof text - 1) < 0 ||
	    text_to_unsigned(text, 1, INT32_MAX, &version) < 0)
		return 0;
	return (int)version;
}

int pin_over(int fd, const char *path, struct error *err)
{
	char fresh[PIN_PATH_MAX];
	snprintf(fresh, sizeof fresh, "%s~", path);
	unlink(fresh);
	if (bpf_obj_pin(fd, fresh) < 0)
		return error_set_errno(err, errno, "cannot pin %s", path);
	if (rename(fresh, path) < 0)
		return error_set_errno(err, errno, "cannot pin %s", path);
	return 0;
}

/* "flows" of "wh1_flows"; NULL for other names. */
static const char *base_name(const char *name)
{
	size_t digits = 0;
	if (!text_starts_with(name, "wh"))
		return NULL;
	while (name[2 + digits] >= '0' && name[2 + digits] <= '9')
		digits++;
	return digits && name[2 + digits] == '_' ? name + 2 + digits + 1 : NULL;
}

static bool is_tail_map(const struct bpf_map *map)
{
	return bpf_map__type(map) == BPF_MAP_TYPE_PROG_ARRAY;
}

/* Tables of tail calls belong to one set of programs and are never shared with the next. */
static bool is_carried(const struct bpf_map *map)
{
	return !bpf_map__is_internal(map) && !is_tail_map(map);
}

#define PROGRAM_MAPS_MAX 64

/* The map of this base name that a program uses; -1 if none. */
static int open_of_program(const char *program_path, const char *base)
{
	uint32_t ids[PROGRAM_MAPS_MAX];
	struct bpf_prog_info info = { .nr_map_ids = PROGRAM_MAPS_MAX, .map_ids = (uintptr_t)ids };
	uint32_t size = sizeof info;
	auto_fd program = bpf_obj_get(program_path);
	if (program < 0 || bpf_obj_get_info_by_fd(program, &info, &size) < 0)
		return -1;
	for (uint32_t i = 0; i < info.nr_map_ids && i < PROGRAM_MAPS_MAX; i++) {
		struct bpf_map_info map = { 0 };
		uint32_t map_size = sizeof map;
		auto_fd fd = bpf_map_get_fd_by_id(ids[i]);
		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &map, &map_size) < 0)
			continue;
		const char *own = base_name(map.name);
		if (own && text_equal(own, base))
			return TAKE_FD(fd);
	}
	return -1;
}

/* Somebody took the pin away, and the programs still use the map: it is found through them. */
static int open_unpinned(const struct instance *instance, const char *base)
{
	char path[PIN_PATH_MAX];
	int fd = -1;
	snprintf(path, sizeof path, "%s/programs", instance->bpf);
	auto_dir dir = opendir(path);
	for (struct dirent *entry; fd < 0 && dir && (entry = readdir(dir));) {
		snprintf(path, sizeof path, "%s/programs/%s", instance->bpf, entry->d_name);
		if (entry->d_name[0] != '.')
			fd = open_of_program(path, base);
	}
	return fd;
}

/* The pinned map of this name in the version that is whole, or of ours. -1: none. */
static int open_old(const struct instance *instance, const char *name)
{
	char path[PIN_PATH_MAX];
	const char *base = base_name(name);
	int version = upgrade_version(instance);
	if (base && version) {
		snprintf(path, sizeof path, "%s/maps/wh%d_%s", instance->bpf, version, base);
		int fd = bpf_obj_get(path);
		if (fd >= 0)
			return fd;
	}
	snprintf(path, sizeof path, "%s/maps/%s", instance->bpf, name);
	int fd = bpf_obj_get(path);
	return fd < 0 && base ? open_unpinned(instance, base) : fd;
}

struct sides {
	struct layout key, value;
};

static struct sides sides_of_old(const struct bpf_map_info *info, const struct btf *btf)
{
	return (struct sides){ { btf, info->btf_key_type_id, info->key_size },
			       { btf, info->btf_value_type_id, info->value_size } };
}

static struct sides sides_of_new(struct bpf_object *object, const struct bpf_map *map)
{
	const struct btf *btf = bpf_object__btf(object);
	return (struct sides){ { btf, bpf_map__btf_key_type_id(map), bpf_map__key_size(map) },
			       { btf, bpf_map__btf_value_type_id(map), bpf_map__value_size(map) } };
}

/* A hash may keep the size that it has; an array must hold every index. */
static bool fits(const struct bpf_map_info *info, const struct bpf_map *map)
{
	bool is_array = info->type == BPF_MAP_TYPE_ARRAY || info->type == BPF_MAP_TYPE_PERCPU_ARRAY;
	return info->type == bpf_map__type(map) && info->map_flags == bpf_map__map_flags(map) &&
	       (!is_array || info->max_entries >= bpf_map__max_entries(map));
}

static int note(struct upgrade *upgrade, int fd, const struct bpf_map_info *info,
		struct bpf_map *map, struct error *err)
{
	btf_t btf __attribute__((cleanup(btf_release))) =
		info->btf_id ? btf__load_from_kernel_by_id(info->btf_id) : NULL;
	struct sides from = sides_of_old(info, btf), to = sides_of_new(upgrade->object, map);
	if (fits(info, map) && layout_equal(&from.key, &to.key) &&
	    layout_equal(&from.value, &to.value)) {
		if (bpf_map__reuse_fd(map, fd) < 0)
			return error_set_errno(err, errno, "cannot take over the map %s",
					       bpf_map__name(map));
		return 0;
	}
	struct upgrade_map *item = &upgrade->maps[upgrade->count];
	*item = (struct upgrade_map){ .from_fd = -1,
				      .to_fd = -1,
				      .type = info->type,
				      .entries = info->max_entries,
				      .key_size = info->key_size,
				      .value_size = info->value_size };
	snprintf(item->name, sizeof item->name, "%s", bpf_map__name(map));
	if (info->max_entries > bpf_map__max_entries(map))
		bpf_map__set_max_entries(map, info->max_entries);
	int r = layout_compare(&from.key, &to.key, &item->key, err);
	if (r == 0)
		r = layout_compare(&from.value, &to.value, &item->value, err);
	if (r < 0)
		return r;
	item->from_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	upgrade->count++;
	return 0;
}

struct bpf_map *upgrade_find(const struct upgrade *upgrade, const char *name)
{
	for (size_t i = 0; i < upgrade->all_count; i++)
		if (text_equal(upgrade->all[i].name, name))
			return upgrade->all[i].map;
	return NULL;
}

static int remember_names(struct upgrade *upgrade, struct error *err)
{
	struct bpf_map *map;
	bpf_object__for_each_map(map, upgrade->object)
	{
		if (bpf_map__is_internal(map))
			continue;
		if (upgrade->all_count == UPGRADE_MAPS_MAX)
			return error_set(err, E2BIG, "more than %d maps", UPGRADE_MAPS_MAX);
		snprintf(upgrade->all[upgrade->all_count].name, sizeof upgrade->all[0].name, "%s",
			 bpf_map__name(map));
		upgrade->all[upgrade->all_count++].map = map;
	}
	return 0;
}

int upgrade_prepare(struct upgrade *upgrade, struct error *err)
{
	struct bpf_map *map;
	int known = remember_names(upgrade, err);
	if (known < 0)
		return known;
	bpf_object__for_each_map(map, upgrade->object)
	{
		struct bpf_map_info info = { 0 };
		uint32_t size = sizeof info;
		if (!is_carried(map))
			continue;
		auto_fd fd = open_old(upgrade->instance, bpf_map__name(map));
		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
			continue;
		int r = note(upgrade, fd, &info, map, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int copy_all(struct upgrade *upgrade, enum copy_pass pass, struct error *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < upgrade->count; i++)
		r = copy_map(&upgrade->maps[i], pass, err);
	return r;
}

/* For programs of both versions; one that knows no such switch is not held back. */
static void set_frozen(struct upgrade *upgrade, uint32_t until_s)
{
	uint32_t index = SWITCH_FROZEN;
	const char *name = ABI_MAP("switches");
	for (size_t i = 0; i < upgrade->count; i++)
		if (text_equal(upgrade->maps[i].name, name))
			(void)bpf_map_update_elem(upgrade->maps[i].from_fd, &index, &until_s, 0);
	struct bpf_map *map = upgrade_find(upgrade, name);
	if (map)
		(void)bpf_map_update_elem(bpf_map__fd(map), &index, &until_s, 0);
}

int upgrade_carry(struct upgrade *upgrade, struct error *err)
{
	struct timespec now;
	if (upgrade->count == 0)
		return 0;
	for (size_t i = 0; i < upgrade->count; i++)
		upgrade->maps[i].to_fd = bpf_map__fd(upgrade_find(upgrade, upgrade->maps[i].name));
	/* Most is carried without holding anybody back. */
	int r = copy_all(upgrade, COPY_ALL, err);
	if (r < 0)
		return r;
	clock_gettime(CLOCK_MONOTONIC, &now);
	set_frozen(upgrade, (uint32_t)now.tv_sec + FREEZE_S);
	/* Waits until no program runs that has not seen the switch. */
	(void)syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
	r = copy_all(upgrade, COPY_MISSING, err);
	if (r < 0)
		set_frozen(upgrade, 0);
	return r;
}

/*
 * A table of tail calls empties itself with its last pin or descriptor. That of the
 * programs which still run keeps its pin; the new one has another name until then.
 */
static void pin_path(char path[PIN_PATH_MAX], const struct upgrade *upgrade, size_t index,
		     bool final)
{
	int size = snprintf(path, PIN_PATH_MAX, "%s/maps/%s", upgrade->instance->bpf,
			    upgrade->all[index].name);
	if (!final && is_tail_map(upgrade->all[index].map))
		snprintf(path + size, PIN_PATH_MAX - (size_t)size, "~%ld", (long)getpid());
}

int upgrade_pin(struct upgrade *upgrade, struct error *err)
{
	char path[PIN_PATH_MAX];
	for (size_t i = 0; i < upgrade->all_count; i++) {
		pin_path(path, upgrade, i, false);
		int r = pin_over(bpf_map__fd(upgrade->all[i].map), path, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int name_tail_maps(struct upgrade *upgrade, struct error *err)
{
	char path[PIN_PATH_MAX], now[PIN_PATH_MAX];
	for (size_t i = 0; i < upgrade->all_count; i++) {
		if (!is_tail_map(upgrade->all[i].map))
			continue;
		pin_path(path, upgrade, i, true);
		pin_path(now, upgrade, i, false);
		if (rename(now, path) < 0)
			return error_set_errno(err, errno, "cannot pin %s", path);
	}
	return 0;
}

static bool is_of_object(const struct upgrade *upgrade, const char *part, const char *name)
{
	if (text_equal(part, "maps"))
		return upgrade_find(upgrade, name);
	char program[64];
	snprintf(program, sizeof program, "%.*s", (int)strcspn(name, "-"), name);
	return bpf_object__find_program_by_name(upgrade->object, program);
}

/* Pins that the new programs have no use for; a link that goes with its pin detaches. */
static void sweep_part(const struct upgrade *upgrade, const char *part)
{
	char directory[PIN_PATH_MAX];
	snprintf(directory, sizeof directory, "%s/%s", upgrade->instance->bpf, part);
	auto_dir dir = opendir(directory);
	for (struct dirent *entry; dir && (entry = readdir(dir));)
		if (entry->d_name[0] != '.' && !is_of_object(upgrade, part, entry->d_name))
			(void)unlinkat(dirfd(dir), entry->d_name, 0);
}

static int mark_whole(const struct instance *instance, struct error *err)
{
	char path[PIN_PATH_MAX], fresh[PIN_PATH_MAX], version[16];
	snprintf(path, sizeof path, "%s/abi", instance->bpf);
	snprintf(fresh, sizeof fresh, "%s/abi~", instance->bpf);
	snprintf(version, sizeof version, "%d", ABI_VERSION);
	unlink(fresh);
	if (symlink(version, fresh) < 0 || rename(fresh, path) < 0)
		return error_set_errno(err, errno, "cannot make %s", path);
	return 0;
}

int upgrade_finish(struct upgrade *upgrade, struct error *err)
{
	if (upgrade->count)
		set_frozen(upgrade, 0);
	int r = name_tail_maps(upgrade, err);
	if (r == 0)
		r = mark_whole(upgrade->instance, err);
	if (r < 0)
		return r;
	sweep_part(upgrade, "links");
	sweep_part(upgrade, "programs");
	sweep_part(upgrade, "maps");
	return 0;
}
