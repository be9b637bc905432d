/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What can be done to a container that exists, by its cgroups.
 */
#include "cgroup.h"
#include "runtime/oci.h"

int oci_cleanup(const struct oci_spec *spec, struct error *err)
{
	auto_cgroup_layout layout = { 0 };
	int r = cgroup_layout_read(&layout, err);
	return r < 0 ? r : cgroup_remove(&layout, spec->cgroup_path, err);
}

int oci_kill_all(const struct oci_spec *spec, int signal_number, struct error *err)
{
	auto_cgroup_layout layout = { 0 };
	size_t count;
	int r = cgroup_layout_read(&layout, err);
	return r < 0 ? r : cgroup_signal(&layout, spec->cgroup_path, signal_number, &count, err);
}

static int freeze(const struct oci_spec *spec, enum cgroup_freeze state, struct error *err)
{
	auto_cgroup_layout layout = { 0 };
	int r = cgroup_layout_read(&layout, err);
	return r < 0 ? r : cgroup_freeze(&layout, spec->cgroup_path, state, err);
}

int oci_pause(const struct oci_spec *spec, struct error *err)
{
	return freeze(spec, CGROUP_FROZEN, err);
}

int oci_resume(const struct oci_spec *spec, struct error *err)
{
	return freeze(spec, CGROUP_THAWED, err);
}

bool oci_is_paused(const struct oci_spec *spec)
{
	auto_cgroup_layout layout = { 0 };
	struct error ignored = { 0 };
	return cgroup_layout_read(&layout, &ignored) == 0 &&
	       cgroup_is_frozen(&layout, spec->cgroup_path);
}

int oci_pids(const struct oci_spec *spec, pid_t **ret_pids, size_t *ret_count, struct error *err)
{
	auto_cgroup_layout layout = { 0 };
	int r = cgroup_layout_read(&layout, err);
	return r < 0 ? r : cgroup_pids(&layout, spec->cgroup_path, ret_pids, ret_count, err);
}

int oci_update(const struct oci_spec *spec, const struct oci_resources *resources,
	       struct error *err)
{
	auto_cgroup_layout layout = { 0 };
	int r = cgroup_layout_read(&layout, err);
	return r < 0 ? r : cgroup_set_limits(&layout, spec->cgroup_path, resources, err);
}
