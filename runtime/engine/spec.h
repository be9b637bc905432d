/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * From an image and what the user asked for to the spec of a process and its
 * surroundings: the same for `create` and for the RUN steps of a build.
 */
#include "internal.h"
#include "runtime/oci.h"

/* Command, environment, user and directory of the first process. */
struct process_request {
	const struct image_config *config;
	const struct words *layer_paths; /* top first */
	const char *entrypoint;          /* NULL: the image's; "": none */
	const struct words *command;     /* empty: the image's */
	const struct words *env;         /* NAME=VALUE, or NAME: from our own environment */
	const char *user, *working_dir;  /* NULL: the image's */
	const char *hostname;
	bool terminal;
};
/** Fills args, env, cwd, uid, gid, groups. */
int spec_set_process(struct oci_process *process, const struct process_request *request,
		     struct error *err);
/** Adds or replaces NAME=VALUE. */
int env_set(struct words *env, const char *assignment, struct error *err);
/** As env_set; NAME alone takes the value of our own environment, if there is one. */
int env_take(struct words *env, const char *text, struct error *err);
/** Reads a file of NAME=VALUE lines into env. */
int env_read_file(const char *path, struct words *env, struct error *err);
/** Sets the limits that the options name, and warns of those that this host cannot set. */
int spec_set_limits(struct engine *engine, struct oci_spec *spec,
		    const struct container_options *options, struct error *err);
/** Sets what --cpu-… and --cpuset-… name. */
int spec_set_cpu(struct oci_resources *resources, const struct container_options *options,
		 struct error *err);
/** Sets --ulimit, --device, --oom-score-adj. */
int spec_set_flags(struct oci_spec *spec, const struct container_options *options,
		   struct error *err);
/** Sets limits, capabilities, seccomp, mounts of the options. Errors name the flag. */
int spec_set_isolation(struct engine *engine, struct oci_spec *spec,
		       const struct container_options *options, struct error *err);
