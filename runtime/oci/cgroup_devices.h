/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Which devices a container may make and open: the v1 controller's list, or a
 * small BPF program on the v2 group, from the same rules.
 */
#include "cgroup.h"
#include "runtime/oci.h"

int cgroup_set_devices(const struct cgroup_layout *layout, const struct oci_spec *spec,
		       struct error *err);
/** The v2 part alone: puts the rules of spec on the group that group_fd is. */
int cgroup_attach_device_program(int group_fd, const struct oci_spec *spec, struct error *err);
