/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "simulate.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "attach.h"
#include "datapath_told.skel.h"
#include "map_walk.h"

#define PIN_PATH_MAX (INSTANCE_PATH_MAX + 64)
#define PROGRAM_MAPS_MAX 64
#define FILL_BATCH 4096
#define TOLD_MAX 128 /* lib/trace.h */

struct simulator {
	struct wherry_datapath_told *skeleton;
};

/* The value of wh1_told. */
struct told {
	uint64_t count;
	struct trace_event events[TOLD_MAX];
};

/* --- settings ------------------------------------------------------------------ */

static bool is_settings(const struct bpf_map_info *info)
{
	size_t size = strlen(info->name);
	return info->type == BPF_MAP_TYPE_ARRAY && size > 7 &&
	       strcmp(info->name + size - 7, ".rodata") == 0;
}

static int read_settings(uint32_t map_id, void **ret_bytes, size_t *ret_size, struct error *err)
{
	struct bpf_map_info info = { 0 };
	uint32_t size = sizeof info, zero = 0;
	auto_fd fd = bpf_map_get_fd_by_id(map_id);
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		return error_set_errno(err, errno, "cannot ask about the programs' settings");
	if (!is_settings(&info))
		return 0;
	auto_free void *bytes = calloc(1, info.value_size);
	if (!bytes)
		return error_set(err, ENOMEM, "no memory for settings");
	if (bpf_map_lookup_elem(fd, &zero, bytes) < 0)
		return error_set_errno(err, errno, "cannot read the programs' settings");
	*ret_bytes = TAKE(bytes);
	*ret_size = info.value_size;
	return 1;
}

/* Settings of the programs that run; the caller frees *ret_bytes. */
static int running_settings(const struct instance *instance, void **ret_bytes, size_t *ret_size,
			    struct error *err)
{
	uint32_t ids[PROGRAM_MAPS_MAX];
	struct bpf_prog_info info = { .nr_map_ids = PROGRAM_MAPS_MAX,
				      .map_ids = (uint64_t)(uintptr_t)ids };
	uint32_t size = sizeof info;
	auto_fd fd = -1;
	int r = program_open(instance, PROGRAM_FROM_UPLINK, &fd, err);
	if (r < 0)
		return r;
	if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		return error_set_errno(err, errno, "cannot ask about the programs");
	for (uint32_t i = 0; r == 0 && i < info.nr_map_ids && i < PROGRAM_MAPS_MAX; i++)
		r = read_settings(ids[i], ret_bytes, ret_size, err);
	if (r == 0)
		return error_set(err, ENOENT, "the running programs have no settings");
	return r < 0 ? r : 0;
}

/* --- loading -------------------------------------------------------------------- */

static int quiet(enum libbpf_print_level level, const char *format, va_list list)
{
	(void)level;
	(void)format;
	(void)list;
	return 0;
}

/* A table that evicts would evict by the simulation's few processors; one that is full is full. */
static int make_plain(struct wherry_datapath_told *skeleton)
{
	struct bpf_map *map;
	int r = 0;
	bpf_object__for_each_map(map, skeleton->obj)
	{
		if (r == 0 && bpf_map__type(map) == BPF_MAP_TYPE_LRU_HASH)
			r = bpf_map__set_type(map, BPF_MAP_TYPE_HASH);
		if (r == 0 && bpf_map__type(map) == BPF_MAP_TYPE_HASH)
			r = bpf_map__set_map_flags(map, BPF_F_NO_PREALLOC);
	}
	return r;
}

/* As large as the instance's: an index is drawn from that. */
static void set_sizes(struct wherry_datapath_told *skeleton, const struct instance *instance)
{
	struct bpf_map *map;
	bpf_object__for_each_map(map, skeleton->obj)
	{
		char path[PIN_PATH_MAX];
		struct bpf_map_info info = { 0 };
		uint32_t size = sizeof info;
		if (bpf_map__is_internal(map))
			continue;
		snprintf(path, sizeof path, "%s/maps/%s", instance->bpf, bpf_map__name(map));
		auto_fd fd = bpf_obj_get(path);
		if (fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &size) == 0)
			bpf_map__set_max_entries(map, info.max_entries);
	}
}

/* Sockets have no test run. */
static void leave_out_sockets(struct wherry_datapath_told *skeleton)
{
	struct bpf_program *program;
	bpf_object__for_each_program(program, skeleton->obj)
	{
		if (bpf_program__type(program) != BPF_PROG_TYPE_SCHED_CLS)
			bpf_program__set_autoload(program, false);
	}
}

/* Where the settings end in read-only data: behind them the compiler may put constants. */
static size_t settings_end(const struct wherry_datapath_told *skeleton)
{
	const struct btf *btf = bpf_object__btf(skeleton->obj);
	int id = btf ? btf__find_by_name_kind(btf, ".rodata", BTF_KIND_DATASEC) : -1;
	size_t end = 0;
	if (id < 0)
		return 0;
	const struct btf_type *section = btf__type_by_id(btf, (uint32_t)id);
	const struct btf_var_secinfo *variable = btf_var_secinfos(section);
	for (unsigned i = 0; i < btf_vlen(section); i++)
		if (variable[i].offset + variable[i].size > end)
			end = variable[i].offset + variable[i].size;
	return end;
}

static int prepare(struct simulator *simulator, const void *settings, size_t size,
		   struct error *err)
{
	struct wherry_datapath_told *skeleton = simulator->skeleton;
	size_t end = settings_end(skeleton);
	if (end > 0 && end <= size)
		memcpy(skeleton->rodata, settings, end);
	else
		return error_set(err, EPROTO,
				 "the running programs are of another version of wherry: their "
				 "settings have %zu bytes",
				 size);
	int r = make_plain(skeleton);
	if (r < 0)
		return error_set_errno(err, -r, "cannot prepare the simulation's tables");
	leave_out_sockets(skeleton);
	return 0;
}

static int create(const struct instance *instance, const void *settings, size_t settings_size,
		  struct simulator **ret_simulator, struct error *err)
{
	AUTO(simulator) simulator = calloc(1, sizeof *simulator);
	if (!simulator)
		return error_set(err, ENOMEM, "no memory for a simulation");
	libbpf_set_print(quiet);
	simulator->skeleton = wherry_datapath_told__open();
	if (!simulator->skeleton)
		return error_set_errno(err, errno, "cannot open the simulation's programs");
	int r = prepare(simulator, settings, settings_size, err);
	if (r < 0)
		return r;
	if (instance)
		set_sizes(simulator->skeleton, instance);
	r = wherry_datapath_told__load(simulator->skeleton);
	if (r < 0)
		return error_set_errno(err, -r, "cannot load the simulation's programs");
	*ret_simulator = TAKE(simulator);
	return 0;
}

void simulator_free(struct simulator *simulator)
{
	if (!simulator)
		return;
	wherry_datapath_told__destroy(simulator->skeleton);
	free(simulator);
}

/* --- filling ------------------------------------------------------------------------ */

struct filling {
	int fd; /* of the simulator's table */
	uint32_t key_size, value_size;
	uint32_t count;
	char *keys, *values;
};

static void filling_release(struct filling *filling)
{
	free(filling->keys);
	free(filling->values);
}

static int flush(struct filling *filling, struct error *err)
{
	uint32_t count = filling->count;
	filling->count = 0;
	if (count &&
	    bpf_map_update_batch(filling->fd, filling->keys, filling->values, &count, NULL) < 0)
		return error_set_errno(err, errno, "cannot fill the simulation's tables");
	return 0;
}

static int copy_entry(const void *key, const void *value, void *context, struct error *err)
{
	struct filling *filling = context;
	memcpy(filling->keys + (size_t)filling->count * filling->key_size, key, filling->key_size);
	memcpy(filling->values + (size_t)filling->count * filling->value_size, value,
	       filling->value_size);
	return ++filling->count < FILL_BATCH ? 0 : flush(filling, err);
}

/* Kinds that decide; counters and rings do not. A trie takes its entries one by one. */
static bool is_copied(enum bpf_map_type type)
{
	return type == BPF_MAP_TYPE_HASH || type == BPF_MAP_TYPE_LRU_HASH ||
	       type == BPF_MAP_TYPE_ARRAY || type == BPF_MAP_TYPE_LPM_TRIE;
}

static int copy_map(int from_fd, const struct bpf_map *map, struct error *err)
{
	struct filling filling __attribute__((cleanup(filling_release))) = {
		.fd = bpf_map__fd(map),
		.key_size = bpf_map__key_size(map),
		.value_size = bpf_map__value_size(map),
	};
	filling.keys = calloc(FILL_BATCH, filling.key_size);
	filling.values = calloc(FILL_BATCH, filling.value_size);
	if (!filling.keys || !filling.values)
		return error_set(err, ENOMEM, "no memory for a simulation");
	int r = map_fd_walk(from_fd, copy_entry, &filling, err);
	return r < 0 ? r : flush(&filling, err);
}

static int check_layout(int fd, const struct bpf_map *map, struct error *err)
{
	struct bpf_map_info info = { 0 };
	uint32_t size = sizeof info;
	if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		return error_set_errno(err, errno, "cannot ask about %s", bpf_map__name(map));
	if (info.key_size == bpf_map__key_size(map) && info.value_size == bpf_map__value_size(map))
		return 0;
	return error_set(err, EPROTO, "%s is of another version of wherry", bpf_map__name(map));
}

static int fill(struct simulator *simulator, const struct instance *instance, struct error *err)
{
	struct bpf_map *map;
	int r = 0;
	bpf_object__for_each_map(map, simulator->skeleton->obj)
	{
		char path[PIN_PATH_MAX];
		if (r < 0 || bpf_map__is_internal(map) || !is_copied(bpf_map__type(map)) ||
		    map == simulator->skeleton->maps.wh1_told)
			continue;
		snprintf(path, sizeof path, "%s/maps/%s", instance->bpf, bpf_map__name(map));
		auto_fd fd = bpf_obj_get(path);
		if (fd < 0)
			r = error_set_errno(err, errno, "cannot open the map %s", path);
		else
			r = check_layout(fd, map, err);
		if (r == 0)
			r = copy_map(fd, map, err);
	}
	return r;
}

int simulator_create(struct dataplane *dataplane, struct simulator **ret_simulator,
		     struct error *err)
{
	AUTO(simulator) simulator = NULL;
	auto_free void *settings = NULL;
	size_t size = 0;
	int r = running_settings(&dataplane->instance, &settings, &size, err);
	if (r == 0)
		r = create(&dataplane->instance, settings, size, &simulator, err);
	if (r == 0)
		r = fill(simulator, &dataplane->instance, err);
	if (r < 0)
		return r;
	*ret_simulator = TAKE(simulator);
	return 0;
}

/* --- running -------------------------------------------------------------------------- */

static int take_events(struct simulator *simulator, struct simulation *simulation,
		       struct error *err)
{
	uint32_t zero = 0;
	int fd = bpf_map__fd(simulator->skeleton->maps.wh1_told);
	auto_free struct told *told = calloc(1, sizeof *told);
	if (!told)
		return error_set(err, ENOMEM, "no memory for a simulation's events");
	if (bpf_map_lookup_elem(fd, &zero, told) < 0)
		return error_set_errno(err, errno, "cannot read the simulation's events");
	simulation->event_count = told->count < TOLD_MAX ? (uint32_t)told->count : TOLD_MAX;
	memcpy(simulation->events, told->events, simulation->event_count * sizeof told->events[0]);
	memset(told, 0, sizeof *told);
	if (bpf_map_update_elem(fd, &zero, told, BPF_ANY) < 0)
		return error_set_errno(err, errno, "cannot clear the simulation's events");
	return 0;
}

int simulator_run(struct simulator *simulator, const char *program, struct simulation *simulation,
		  struct error *err)
{
	struct frame out = { .size = 0 };
	struct __sk_buff context = { .ifindex = simulation->ifindex,
				     .ingress_ifindex = simulation->ingress_ifindex,
				     .mark = simulation->mark };
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = simulation->frame.bytes,
		    .data_size_in = simulation->frame.size, .data_out = out.bytes,
		    .data_size_out = sizeof out.bytes, .ctx_in = &context,
		    .ctx_size_in = sizeof context, .ctx_out = &context,
		    .ctx_size_out = sizeof context);
	const struct bpf_program *entry =
		bpf_object__find_program_by_name(simulator->skeleton->obj, program);
	if (!entry)
		return error_set(err, ENOENT, "there is no program %s", program);
	if (bpf_prog_test_run_opts(bpf_program__fd(entry), &options) < 0)
		return error_set_errno(err, errno, "cannot run %s on a packet", program);
	out.size = options.data_size_out;
	simulation->frame = out;
	simulation->mark = context.mark;
	simulation->verdict = (int)options.retval;
	return take_events(simulator, simulation, err);
}

static const struct bpf_map *map_of(const struct simulator *simulator,
				    const struct trace_event *event)
{
	const struct bpf_map *map;
	bpf_object__for_each_map(map, simulator->skeleton->obj)
	{
		const char *name = bpf_map__name(map);
		if (strncmp(name, ABI_MAP(""), sizeof ABI_MAP("") - 1) == 0 &&
		    strncmp(name + sizeof ABI_MAP("") - 1, event->map, sizeof event->map) == 0)
			return map;
	}
	return NULL;
}

uint32_t simulator_value_size(const struct simulator *simulator, const struct trace_event *event)
{
	const struct bpf_map *map = map_of(simulator, event);
	return map ? bpf_map__value_size(map) : 0;
}

void simulator_tail_name(const struct simulator *simulator, const struct trace_event *event,
			 char *ret_name, size_t size)
{
	const struct bpf_map *map = map_of(simulator, event);
	struct bpf_prog_info info = { 0 };
	uint32_t id = 0, info_size = sizeof info, index = (uint32_t)event->result;
	snprintf(ret_name, size, "%.8s[%u]", event->map, index);
	if (!map || bpf_map_lookup_elem(bpf_map__fd(map), &index, &id) < 0)
		return;
	auto_fd fd = bpf_prog_get_fd_by_id(id);
	if (fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &info_size) == 0)
		snprintf(ret_name, size, "%s", info.name);
}
