/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "load.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "attach.h"
#include "bpf/sctp.h"
#include "datapath.skel.h"
#include "upgrade.h"

#define BPFFS_MAGIC 0xcafe4a11
#define PIN_PATH_MAX (INSTANCE_PATH_MAX + 64)
#define LOG_SIZE 65536

typedef struct wherry_datapath skeleton_t;

struct skeleton_box {
	skeleton_t *skeleton;
};
static void skeleton_release(struct skeleton_box *box)
{
	wherry_datapath__destroy(box->skeleton);
}

int load_check(const struct instance *instance, struct error *err)
{
	int version = upgrade_version(instance);
	if (version <= ABI_VERSION)
		return version == ABI_VERSION;
	return error_set(
		err, EPROTO,
		"%s holds the programs of a newer wherry (layout %d, this one has %d): use "
		"that version, or wherry system reset",
		instance->bpf, version, ABI_VERSION);
}

int load_check_bpffs(const struct instance *instance, struct error *err)
{
	char parent[INSTANCE_PATH_MAX];
	struct statfs info;
	snprintf(parent, sizeof parent, "%s", instance->bpf);
	char *slash = strrchr(parent, '/');
	if (slash)
		*slash = '\0';
	if (statfs(parent, &info) < 0 || (unsigned long)info.f_type != BPFFS_MAGIC)
		return error_set(err, ENOENT, "%s is no bpffs: mount -t bpf bpf %s", parent,
				 parent);
	return 0;
}

static int make_directories(const struct instance *instance, struct error *err)
{
	static const char *const parts[] = { "", "/maps", "/programs", "/links" };
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		char path[PIN_PATH_MAX];
		snprintf(path, sizeof path, "%s%s", instance->bpf, parts[i]);
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return error_set_errno(err, errno, "cannot make %s", path);
	}
	return 0;
}

static void set_sizes(skeleton_t *skeleton, uint32_t flows)
{
	const struct {
		enum map_id id;
		uint32_t entries;
	} sizes[] = {
		{ MAP_FLOWS, 2 * flows },
		{ MAP_SEATS, flows },
		{ MAP_OPENING, OPENING_MAX },
		{ MAP_SOCKETS, flows / 2 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct bpf_map *map =
			bpf_object__find_map_by_name(skeleton->obj, map_name(sizes[i].id));
		if (map)
			bpf_map__set_max_entries(map, sizes[i].entries);
	}
}

static int set_settings(struct dataplane *dataplane, skeleton_t *skeleton, struct error *err)
{
	struct port_range ports;
	struct flow_limits limits;
	int r = load_masquerade_ports(&dataplane->instance, &ports, err);
	if (r == 0)
		r = load_flow_limits(&dataplane->instance, &limits, err);
	if (r < 0)
		return r;
	set_sizes(skeleton, limits.flows);
	skeleton->rodata->flow_quota = limits.per_endpoint;
	skeleton->rodata->host_netns_cookie = dataplane->host_cookie;
	skeleton->rodata->masquerade_first = ports.first;
	skeleton->rodata->masquerade_count = ports.count;
	skeleton->rodata->jiffies_per_second = load_jiffies_per_second();
	skeleton->rodata->know_ip_summed = load_knows_ip_summed();
	sctp_powers_fill(skeleton->rodata->sctp_powers);
	return 0;
}

static int quiet(enum libbpf_print_level level, const char *format, va_list list)
{
	(void)level;
	(void)format;
	(void)list;
	return 0;
}

/* The last line of the verifier's log that says something. */
static const char *last_line(char *log)
{
	char *end = log + strlen(log), *line = log;
	while (end > log && (end[-1] == '\n' || strncmp(line, "processed ", 10) == 0)) {
		while (end > log && end[-1] == '\n')
			*--end = '\0';
		line = strrchr(log, '\n');
		line = line ? line + 1 : log;
		if (strncmp(line, "processed ", 10) != 0)
			return line;
		end = line;
		*end = '\0';
	}
	return log;
}

static int open_and_load(struct dataplane *dataplane, struct upgrade *upgrade,
			 skeleton_t **ret_skeleton, struct error *err)
{
	auto_free char *log = calloc(1, LOG_SIZE);
	if (!log)
		return error_set(err, ENOMEM, "no memory for the verifier's log");
	struct bpf_object_open_opts options = { .sz = sizeof options,
						.kernel_log_buf = log,
						.kernel_log_size = LOG_SIZE };
	libbpf_set_print(quiet);
	struct skeleton_box box __attribute__((
		cleanup(skeleton_release))) = { wherry_datapath__open_opts(&options) };
	if (!box.skeleton)
		return error_set_errno(err, errno, "cannot open the kernel programs");
	int r = set_settings(dataplane, box.skeleton, err);
	upgrade->object = box.skeleton->obj;
	if (r == 0)
		r = upgrade_prepare(upgrade, err);
	if (r < 0)
		return r;
	/* What is pinned already decides the size, also after memory was added. */
	box.skeleton->rodata->flow_seats =
		bpf_map__max_entries(upgrade_find(upgrade, map_name(MAP_SEATS)));
	r = wherry_datapath__load(box.skeleton);
	if (r == -EPERM || r == -EACCES)
		return error_set(err, EPERM, "the kernel refused the programs: %s",
				 log[0] ? last_line(log)
					: "wherry needs root (CAP_BPF, CAP_NET_ADMIN)");
	if (r == -ENOSYS)
		return error_set(err, ENOSYS,
				 "cannot load the kernel programs: this kernel has no bpf(2) "
				 "(CONFIG_BPF_SYSCALL)");
	if (r < 0)
		return error_set_errno(err, -r, "cannot load the kernel programs%s%s",
				       log[0] ? ": " : "", log[0] ? last_line(log) : "");
	*ret_skeleton = box.skeleton;
	box.skeleton = NULL;
	return 0;
}

static int pin_programs(const struct instance *instance, skeleton_t *skeleton, struct error *err)
{
	struct bpf_program *program;
	char path[PIN_PATH_MAX];
	bpf_object__for_each_program(program, skeleton->obj)
	{
		snprintf(path, sizeof path, "%s/programs/%s", instance->bpf,
			 bpf_program__name(program));
		int r = pin_over(bpf_program__fd(program), path, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int attach_sockets(const struct instance *instance, skeleton_t *skeleton, struct error *err)
{
	struct bpf_program *program;
	bpf_object__for_each_program(program, skeleton->obj)
	{
		if (bpf_program__type(program) != BPF_PROG_TYPE_CGROUP_SOCK_ADDR)
			continue;
		int r = attach_socket_program(instance, bpf_program__name(program),
					      bpf_program__fd(program),
					      bpf_program__expected_attach_type(program), err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The old programs ran until here; the new ones go over them one by one. */
static int put_to_work(struct dataplane *dataplane, struct upgrade *upgrade, skeleton_t *skeleton,
		       struct error *err)
{
	const struct instance *instance = &dataplane->instance;
	dataplane->attach = attach_probe(bpf_program__fd(
		bpf_object__find_program_by_name(skeleton->obj, PROGRAM_FROM_CONTAINER)));
	int r = upgrade_carry(upgrade, err);
	if (r == 0)
		r = upgrade_pin(upgrade, err);
	if (r == 0)
		r = pin_programs(instance, skeleton, err);
	/* Maps that were opened may be others by now. */
	maps_close(&dataplane->maps);
	if (r == 0)
		r = attach_replace_all(dataplane, err);
	if (r == 0)
		r = attach_sockets(instance, skeleton, err);
	return r < 0 ? r : upgrade_finish(upgrade, err);
}

int load_programs(struct dataplane *dataplane, struct error *err)
{
	const struct instance *instance = &dataplane->instance;
	struct skeleton_box box __attribute__((cleanup(skeleton_release))) = { NULL };
	struct upgrade upgrade __attribute__((cleanup(upgrade_release))) = { .instance = instance };

	int r = load_check_bpffs(instance, err);
	if (r == 0)
		r = make_directories(instance, err);
	if (r == 0)
		r = open_and_load(dataplane, &upgrade, &box.skeleton, err);
	return r < 0 ? r : put_to_work(dataplane, &upgrade, box.skeleton, err);
}
