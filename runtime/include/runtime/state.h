/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The state of a container's life, in RUN_DIR/state.json: written by its
 * monitor, read by every verb. Processes are named so that a later process with
 * the same pid is not mistaken for them. It goes with the boot.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/process.h"

enum container_status {
	CONTAINER_CREATED,
	CONTAINER_RUNNING,
	CONTAINER_RESTARTING,
	CONTAINER_EXITED,
	CONTAINER_STATUS_COUNT
};
/** "created", "running", "restarting", "exited". */
const char *container_status_name(enum container_status status);

struct container_state {
	enum container_status status;
	struct process_identity process; /* pid 0: none */
	struct process_identity monitor;
	int exit_code;
	int restarts;
	int64_t started_ns, finished_ns; /* 0: not yet */
};

/** 1 if there is one, 0 if not. */
int container_state_read(const char *run_dir, struct container_state *ret_state, struct error *err);
int container_state_write(const char *run_dir, const struct container_state *state,
			  struct error *err);
