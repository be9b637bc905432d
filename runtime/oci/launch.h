/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What the caller has made ready, and the process that becomes the container
 * works off. That process is a fork of the caller, so all of it is at hand.
 */
#include "cgroup.h"
#include "runtime/oci.h"
#include "filter.h"

struct launch {
	const struct oci_spec *spec;
	const struct oci_process *process; /* the spec's, or exec's */
	struct cgroup_layout layout;
	struct filter_program filter;
	int stdio[3];
	int sync_fd;    /* the child's end */
	int listen_fd;  /* where another process starts it, or -1 */
	int init_pidfd; /* exec: the container to join; else -1 */
	bool await_go;  /* the caller has work to do once the namespaces exist */
};
void launch_release(struct launch *launch);
#define auto_launch __attribute__((cleanup(launch_release))) struct launch

/** Compiles the filter and reads the cgroup layout; the descriptors are -1. */
int launch_prepare(const struct oci_spec *spec, const struct oci_process *process,
		   struct launch *ret, struct error *err);

/** Life of the first process of a container, from clone to exec. */
_Noreturn void child_create(struct launch *launch);
/** Life of a process that joins a container. */
_Noreturn void child_join(struct launch *launch);

/* --- steps of both -------------------------------------------------------------- */

/** Signals as after a boot, and no descriptors but those that launch names. */
int child_clean(const struct launch *launch, struct error *err);
/** Limits, user, bounding set, keyring; all capabilities stay until identity_finish. */
int identity_take(const struct launch *launch, struct error *err);
/** no_new_privs, filter, and the capabilities for good. Nothing but exec may follow. */
int identity_finish(const struct launch *launch, struct error *err);
/** Rlimits and OOM score. Before the root changes: the host's /proc is needed. */
int limits_apply(const struct oci_process *process, struct error *err);
/** Makes and enters the working directory; proves that it is inside the root. */
int directory_enter(const char *path, struct error *err);
/**
 * A terminal of the container's own /dev/pts as 0, 1, 2 and controlling
 * terminal; *ret_master is to be passed out. With console: also /dev/console.
 */
enum terminal_console { TERMINAL_ONLY, TERMINAL_AND_CONSOLE };
int terminal_open(const struct oci_process *process, enum terminal_console console, int *ret_master,
		  struct error *err);
/** Fails as program_execute would if there is no such program, or it may not be executed. */
int program_check(const struct oci_process *process, struct error *err);
/** Executes the program, searched in its PATH. Returns only with an error. */
int program_execute(const struct oci_process *process, struct error *err);
/** --init: stays as pid 1, runs the program as a child, and ends as it ends. */
_Noreturn void init_run(const struct launch *launch);
