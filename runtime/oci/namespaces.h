/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Which namespaces a container has of its own, and joining those that are.
 */
#include <stdint.h>

#include "runtime/oci.h"

/** CLONE_NEW* flags that the first process is cloned with (the cgroup one comes later). */
uint64_t namespaces_clone_flags(const struct oci_spec *spec);
/** Joins the namespaces that are given by path, but for pid, which only children join. */
int namespaces_join_paths(const struct oci_spec *spec, struct error *err);
/** Joins all namespaces that the container of init_pidfd does not share with the host, but for pid.
 */
int namespaces_join(const struct oci_spec *spec, int init_pidfd, struct error *err);
/** The pid namespace for new children: of a path, of a pidfd, or (-1) our own again. */
int namespaces_set_pid_for_children(int fd, struct error *err);
