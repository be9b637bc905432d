/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Limits are one table: which controller, which file in v1 and in v2, and how
 * the value reads there. A limit whose controller the host lacks is refused,
 * since a container that was promised 64 MiB must not run without.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cgroup.h"

#define CPU_PERIOD_DEFAULT_US 100000

enum form {
	FORM_PLAIN,      /* the number; -1 stays -1 */
	FORM_MAX,        /* the number, or "max" */
	FORM_SHARES,     /* v1's 2..262144 as v2's weight 1..10000 */
	FORM_QUOTA,      /* "QUOTA PERIOD" */
	FORM_SWAP_ALONE, /* v2 counts swap without memory */
};
struct limit {
	enum cgroup_controller controller;
	size_t offset;                 /* int64_t in struct oci_resources */
	const char *v1_file, *v2_file; /* NULL: not there, passed over */
	enum form v1_form, v2_form;
	const char *name; /* for people */
};
#define AT(member) offsetof(struct oci_resources, member)
/* Order counts: v1 refuses a memory limit above memory+swap, and a quota over the period. */
static const struct limit limits[] = {
	{ CGROUP_MEMORY, AT(memory_bytes), "memory.limit_in_bytes", "memory.max", FORM_PLAIN,
	  FORM_MAX, "memory" },
	{ CGROUP_MEMORY, AT(memory_swap_bytes), "memory.memsw.limit_in_bytes", "memory.swap.max",
	  FORM_PLAIN, FORM_SWAP_ALONE, "memory swap" },
	{ CGROUP_CPU, AT(cpu_shares), "cpu.shares", "cpu.weight", FORM_PLAIN, FORM_SHARES,
	  "cpu shares" },
	{ CGROUP_CPU, AT(cpu_weight), NULL, "cpu.weight", FORM_PLAIN, FORM_PLAIN, "cpu weight" },
	{ CGROUP_CPU, AT(cpu_period_us), "cpu.cfs_period_us", NULL, FORM_PLAIN, FORM_PLAIN,
	  "cpu period" },
	{ CGROUP_CPU, AT(cpu_quota_us), "cpu.cfs_quota_us", "cpu.max", FORM_PLAIN, FORM_QUOTA,
	  "cpu quota" },
	{ CGROUP_PIDS, AT(pids), "pids.max", "pids.max", FORM_MAX, FORM_MAX, "pids" },
};

static int64_t value_of(const struct oci_resources *resources, const struct limit *limit)
{
	int64_t value;
	memcpy(&value, (const char *)resources + limit->offset, sizeof value);
	return value;
}

/* 0 and -1 mean "no limit was asked" for all of these. */
static bool is_asked(const struct oci_resources *resources, const struct limit *limit)
{
	return value_of(resources, limit) > 0;
}

static int format_value(const struct oci_resources *resources, const struct limit *limit,
			enum form form, char **ret_text, struct error *err)
{
	int64_t value = value_of(resources, limit);
	int64_t period =
		resources->cpu_period_us > 0 ? resources->cpu_period_us : CPU_PERIOD_DEFAULT_US;
	switch (form) {
	case FORM_SHARES: /* the scale that the kernel's own documentation maps 2..262144 to */
		value = value < 2 ? 2 : value > 262144 ? 262144 : value;
		return text_format(ret_text, err, "%" PRId64, 1 + (value - 2) * 9999 / 262142);
	case FORM_QUOTA:
		return text_format(ret_text, err, "%" PRId64 " %" PRId64, value, period);
	case FORM_SWAP_ALONE:
		value -= resources->memory_bytes > 0 ? resources->memory_bytes : 0;
		return text_format(ret_text, err, "%" PRId64, value < 0 ? 0 : value);
	case FORM_MAX:
	case FORM_PLAIN:
		break;
	}
	return text_format(ret_text, err, "%" PRId64, value);
}

static int set_one(const struct cgroup_hierarchy *hierarchy, const char *path,
		   const struct oci_resources *resources, const struct limit *limit,
		   struct error *err)
{
	const char *file = hierarchy->unified ? limit->v2_file : limit->v1_file;
	if (!file)
		return 0;
	auto_free char *file_path = NULL, *text = NULL;
	enum form form = hierarchy->unified ? limit->v2_form : limit->v1_form;
	int r = format_value(resources, limit, form, &text, err);
	if (r == 0)
		r = cgroup_file(hierarchy, path, file, &file_path, err);
	if (r == 0)
		r = file_write_existing(file_path, text, err);
	return r < 0 ? error_wrap(err, "%s limit %s", limit->name, text ? text : "") : 0;
}

/* v1 keeps a group without cpus and memory nodes unusable: each level takes its parent's. */
static int inherit_cpuset(const struct cgroup_hierarchy *hierarchy, const char *path,
			  const char *file, struct error *err)
{
	auto_free char *partial = NULL;
	int r = text_copy(path, &partial, err);
	if (r < 0)
		return r;
	auto_free char *value = NULL, *root_file = NULL;
	size_t size;
	r = cgroup_file(hierarchy, ".", file, &root_file, err);
	if (r == 0)
		r = file_read(root_file, 4096, &value, &size, err);
	for (char *slash = partial; r == 0 && slash;) {
		slash = strchr(slash + 1, '/');
		if (slash)
			*slash = '\0';
		auto_free char *name = NULL, *own = NULL;
		r = cgroup_file(hierarchy, partial, file, &name, err);
		if (r == 0)
			r = file_read(name, 4096, &own, &size, err);
		if (r == 0 && own[strspn(own, " \n")] == '\0')
			r = file_write_existing(name, value, err);
		if (slash)
			*slash = '/';
	}
	return r;
}

static int set_cpuset(const struct cgroup_layout *layout, const char *path,
		      const struct oci_resources *resources, struct error *err)
{
	const struct cgroup_hierarchy *hierarchy = cgroup_find(layout, CGROUP_CPUSET);
	if (!hierarchy)
		return 0;
	const struct {
		const char *file, *value;
	} files[] = {
		{ "cpuset.cpus", resources->cpuset_cpus },
		{ "cpuset.mems", resources->cpuset_mems },
	};
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		int r = hierarchy->unified ? 0
					   : inherit_cpuset(hierarchy, path, files[i].file, err);
		auto_free char *name = NULL;
		if (r == 0 && files[i].value)
			r = cgroup_file(hierarchy, path, files[i].file, &name, err);
		if (r == 0 && files[i].value)
			r = file_write_existing(name, files[i].value, err);
		if (r < 0)
			return error_wrap(err, "%s", files[i].file);
	}
	return 0;
}

int cgroup_set_limits(const struct cgroup_layout *layout, const char *path,
		      const struct oci_resources *resources, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		if (!is_asked(resources, &limits[i]))
			continue;
		const struct cgroup_hierarchy *hierarchy =
			cgroup_find(layout, limits[i].controller);
		if (!hierarchy)
			return error_set(
				err, ENOTSUP, "%s limit: this host has no cgroup controller \"%s\"",
				limits[i].name, cgroup_controller_name(limits[i].controller));
		int r = set_one(hierarchy, path, resources, &limits[i], err);
		if (r < 0)
			return r;
	}
	if (!resources->cpuset_cpus && !resources->cpuset_mems)
		return 0;
	if (!cgroup_find(layout, CGROUP_CPUSET))
		return error_set(err, ENOTSUP,
				 "cpuset limit: this host has no cgroup controller \"cpuset\"");
	return set_cpuset(layout, path, resources, err);
}

static bool limit_file_exists(const struct cgroup_hierarchy *hierarchy, const struct limit *limit)
{
	/* The root of v2 has no limit files: only v1's can be asked there. */
	if (hierarchy->unified || !limit->v1_file)
		return true;
	auto_free char *file = NULL;
	struct error ignored = { 0 };
	return cgroup_file(hierarchy, ".", limit->v1_file, &file, &ignored) == 0 &&
	       (path_exists(file) || limit->controller != CGROUP_MEMORY);
}

int oci_missing_controllers(const struct oci_resources *resources, struct words *ret_missing,
			    struct error *err)
{
	auto_cgroup_layout layout = { 0 };
	int r = cgroup_layout_read(&layout, err);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(limits); i++) {
		if (!is_asked(resources, &limits[i]))
			continue;
		const struct cgroup_hierarchy *hierarchy =
			cgroup_find(&layout, limits[i].controller);
		if (!hierarchy)
			r = words_append_format(ret_missing, err, "%s: no cgroup controller \"%s\"",
						limits[i].name,
						cgroup_controller_name(limits[i].controller));
		else if (!limit_file_exists(hierarchy, &limits[i]))
			r = words_append_format(ret_missing, err, "%s: the kernel has no %s",
						limits[i].name, limits[i].v1_file);
	}
	if (r == 0 && (resources->cpuset_cpus || resources->cpuset_mems) &&
	    !cgroup_find(&layout, CGROUP_CPUSET))
		r = words_append(ret_missing, "cpuset: no cgroup controller \"cpuset\"", err);
	return r;
}
