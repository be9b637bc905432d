/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The container's file system, made inside its own mount namespace by its own
 * first process: root, mounts, devices, what is hidden, and the change of root.
 */
#include "cgroup.h"
#include "runtime/oci.h"

/**
 * Makes all mounts of the spec. Afterwards the working directory and the root
 * are the container's, and nothing of the host is reachable. layout: for
 * mounts of type "cgroup". May be called in a new mount namespace only.
 */
int root_enter(const struct oci_spec *spec, const struct cgroup_layout *layout, struct error *err);

/* --- steps of it, each in its file -------------------------------------------- */

/** Mounts the root (overlay or directory); *ret_fd: O_PATH of it, owned by the caller. */
int root_mount(const struct oci_spec *spec, int *ret_fd, struct error *err);
/** All of spec->mounts, in order. */
int root_mount_all(const struct oci_spec *spec, int root_fd, const struct cgroup_layout *layout,
		   struct error *err);
/** Nodes and links of /dev, if that is a file system of the container's own. */
int root_make_devices(const struct oci_spec *spec, int root_fd, struct error *err);
/** Masked and read-only paths. */
int root_hide(const struct oci_spec *spec, int root_fd, struct error *err);
/** Writes the sysctls through the container's own /proc. */
int root_set_sysctls(const struct oci_spec *spec, int root_fd, struct error *err);
