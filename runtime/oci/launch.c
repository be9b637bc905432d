/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything that can be made ready, and can fail, before there is a process.
 */
#include "launch.h"

#include "base/json.h"

static int compile_filter(const struct oci_spec *spec, const struct oci_process *process,
			  struct filter_program *ret, struct error *err)
{
	switch (spec->seccomp) {
	case OCI_SECCOMP_DEFAULT:
		return filter_default(process->capabilities, ret, err);
	case OCI_SECCOMP_PROFILE: {
		struct json_at profile = json_root(spec->seccomp_profile, "seccomp profile");
		return filter_read(&profile, ret, err);
	}
	case OCI_SECCOMP_UNCONFINED:
		break;
	}
	return 0;
}

int launch_prepare(const struct oci_spec *spec, const struct oci_process *process,
		   struct launch *ret, struct error *err)
{
	*ret = (struct launch){
		.spec = spec, .process = process, .sync_fd = -1, .listen_fd = -1, .init_pidfd = -1
	};
	int r = cgroup_layout_read(&ret->layout, err);
	return r < 0 ? r : compile_filter(spec, process, &ret->filter, err);
}

void launch_release(struct launch *launch)
{
	cgroup_layout_release(&launch->layout);
	filter_program_release(&launch->filter);
	cleanup_fd(&launch->sync_fd);
	cleanup_fd(&launch->listen_fd);
	cleanup_fd(&launch->init_pidfd);
}
