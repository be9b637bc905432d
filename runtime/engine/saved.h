/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What lies in a container's directory for its monitor: the spec of its first
 * process, and the monitor's settings.
 */
#include "internal.h"
#include "runtime/monitor.h"
#include "runtime/oci.h"

struct saved {
	struct oci_spec spec;
	struct monitor_settings settings;
};
/** -ENOENT if the container has no directory. The caller releases, also on failure. */
int saved_load(struct engine *engine, const char *id, struct saved *ret_saved, struct error *err);
/** Writes it again; whole or not at all. */
int saved_write(struct engine *engine, const char *id, const struct saved *saved,
		struct error *err);
static inline void saved_release(struct saved *saved)
{
	oci_spec_release(&saved->spec);
}
#define auto_saved __attribute__((cleanup(saved_release))) struct saved
