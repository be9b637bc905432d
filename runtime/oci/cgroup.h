/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Control groups of a container, on whatever the host has: v2 with controllers,
 * v1 hierarchies, or both (a controller is then where it is mounted). The path
 * of a container is the same in each hierarchy.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/text.h"
#include "runtime/oci.h"

enum cgroup_controller {
	CGROUP_CPU,
	CGROUP_CPUACCT,
	CGROUP_CPUSET,
	CGROUP_MEMORY,
	CGROUP_PIDS,
	CGROUP_DEVICES,
	CGROUP_FREEZER,
	CGROUP_BLKIO,
	CGROUP_CONTROLLER_COUNT
};
/* One tree: a v1 hierarchy, or the unified one. */
struct cgroup_hierarchy {
	char *mount;              /* /sys/fs/cgroup/memory */
	unsigned int controllers; /* bits of enum cgroup_controller */
	bool unified;
};
#define CGROUP_HIERARCHIES_MAX 16
struct cgroup_layout {
	struct cgroup_hierarchy hierarchies[CGROUP_HIERARCHIES_MAX];
	size_t count;
	unsigned int controllers; /* all that the host has */
};
/** What is mounted (from /proc/self/mountinfo). A unified tree without any controller is left out.
 */
int cgroup_layout_read(struct cgroup_layout *ret, struct error *err);
void cgroup_layout_release(struct cgroup_layout *layout);
#define auto_cgroup_layout __attribute__((cleanup(cgroup_layout_release))) struct cgroup_layout

/** "memory" for CGROUP_MEMORY. */
const char *cgroup_controller_name(enum cgroup_controller controller);

/** Whether a container with these limits has a group in the hierarchy. */
bool cgroup_is_wanted(const struct cgroup_hierarchy *hierarchy, const struct oci_resources *limits);
/** Makes the container's groups and sets its limits and devices; on failure nothing is left. */
int cgroup_make(const struct cgroup_layout *layout, const struct oci_spec *spec, struct error *err);
/** Changes the limits that are set in resources. */
int cgroup_set_limits(const struct cgroup_layout *layout, const char *path,
		      const struct oci_resources *resources, struct error *err);
/**
 * Moves a process (0: the calling one, of one thread) into the v1 groups of
 * path; missing ones are passed over.
 */
int cgroup_enter(const struct cgroup_layout *layout, const char *path, pid_t pid,
		 struct error *err);
/** The v2 group of path, to clone children into: 1; 0 if there is none. */
int cgroup_unified_open(const struct cgroup_layout *layout, const char *path, int *ret_fd,
			struct error *err);
/** Signals all processes in the groups of path; *ret_count: how many there were. */
int cgroup_signal(const struct cgroup_layout *layout, const char *path, int signal,
		  size_t *ret_count, struct error *err);
/** Pids in the groups, each once, sorted. *ret_pids is the caller's. */
int cgroup_pids(const struct cgroup_layout *layout, const char *path, pid_t **ret_pids,
		size_t *ret_count, struct error *err);
/** Stops or continues all processes; -ENOTSUP where there is neither freezer nor v2. */
enum cgroup_freeze { CGROUP_FROZEN, CGROUP_THAWED };
int cgroup_freeze(const struct cgroup_layout *layout, const char *path, enum cgroup_freeze state,
		  struct error *err);
/** True if the groups of path are frozen. */
bool cgroup_is_frozen(const struct cgroup_layout *layout, const char *path);
/** Kills what is left and removes the groups; missing ones are fine. */
int cgroup_remove(const struct cgroup_layout *layout, const char *path, struct error *err);

/** Path of one file of a group: MOUNT/PATH/FILE. The caller frees. */
int cgroup_file(const struct cgroup_hierarchy *hierarchy, const char *path, const char *file,
		char **ret_path, struct error *err);
/** The hierarchy that has the controller, or NULL. */
const struct cgroup_hierarchy *cgroup_find(const struct cgroup_layout *layout,
					   enum cgroup_controller controller);
