/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Hooks: programs of the engine at steps of a container's life. Each gets the
 * container's state as JSON on its standard input.
 */
#include <sys/types.h>

#include "runtime/oci.h"

/** Runs those of `when` in order; the first failure ends it. pid: as the hook shall see it. */
int hooks_run(const struct oci_spec *spec, enum oci_hook_when when, pid_t pid, struct error *err);
/** Whether there is any. */
bool hooks_exist(const struct oci_spec *spec, enum oci_hook_when when);
