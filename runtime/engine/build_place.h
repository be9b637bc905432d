/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The surroundings of one RUN step of a build, and what becomes of them. */
#include "attach.h"

#define BUILD_CGROUP "wherry/build-%.12s" /* by the step's id */

struct build_place {
	struct engine *engine;
	struct container *container; /* in no store */
	struct attachments attachments;
	int lock_fd; /* while it is open, the build lives */
};
/** network: "none", "host", or a network's name. On failure nothing is left. */
int build_place_make(struct engine *engine, const char *id, const char *network,
		     struct build_place *ret_place, struct error *err);
/** Kills what still runs there, and gives all back. */
int build_place_clear(struct build_place *place, struct error *err);
/** Clears up after builds that were killed. */
void builds_sweep(struct engine *engine);
