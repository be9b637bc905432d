/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A container as a directory ROOT/ID: the spec as it was at creation, its
 * process, and the socket at which it waits for its start.
 */
#include "base/process.h"
#include "cli.h"
#include "runtime/oci.h"

struct container {
	char directory[INSTANCE_PATH_MAX + 320];
	struct oci_spec spec;
	struct process_identity process;
	char created[40]; /* RFC 3339 */
	char *owner;      /* user who made it */
};
void container_release(struct container *container);
#define auto_container __attribute__((cleanup(container_release))) struct container

/** Makes the directory of a new container; -EEXIST if there is one of this name. */
int container_make(const struct cli *cli, const char *id, struct container *ret, struct error *err);
/** Writes spec and process. */
int container_save(struct container *container, pid_t pid, struct error *err);
/** Reads a container; -ENOENT with a text if there is none. */
int container_load(const struct cli *cli, const char *id, struct container *ret, struct error *err);
/** Removes the directory. */
int container_forget(const struct container *container, struct error *err);
/** created, running, paused, stopped. */
const char *container_status(const struct container *container);
/** Path of the socket at which it waits, or of what is left of it. */
int container_socket(const struct container *container, char **ret_path, struct error *err);
/** The state as OCI's JSON with runc's members besides. */
struct json_t *container_json(const struct container *container);
