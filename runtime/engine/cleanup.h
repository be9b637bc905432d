/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The end of a container: its endpoints, leases, cgroups and run directory go,
 * its exit code is written down, and with --rm the rest goes too. Whoever finds
 * a container that nobody has cleared up does it.
 */
#include "record.h"

/** One verb at a time changes whether a container runs. */
int container_lock(struct engine *engine, const char *id, int *ret_fd, struct error *err);

enum container_clear_reason {
	CLEAR_ENDED,        /* its last life is over */
	CLEAR_FAILED_START, /* it never ran: with --rm it is gone, else as created */
};
/** Idempotent. The container's processes must be dead or are killed. */
int container_clear(struct engine *engine, const struct container *container,
		    enum container_clear_reason reason, struct error *err);
/** Looks at it, and clears up if its monitor died without doing so. */
int container_settle(struct engine *engine, const struct container *container,
		     struct container_now *ret_now, struct error *err);
/** container_find and container_settle. -ENOENT also if it was to be removed at its end. */
int container_find_now(struct engine *engine, const char *reference,
		       struct container **ret_container, struct container_now *ret_now,
		       struct error *err);
/** Removes directory, anonymous volumes and record. */
int container_erase(struct engine *engine, const struct container *container, bool volumes,
		    struct error *err);
