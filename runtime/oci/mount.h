/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Mounts as descriptors. A file system or a bind is made detached, gets its
 * flags there, and is put on a target that is a descriptor too: no path is
 * looked up twice, so nobody can change where a mount lands.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"

/* What mount(8)'s option words mean. */
struct mount_options {
	bool bind, recursive;
	uint64_t set, clear;       /* MOUNT_ATTR_* of this mount */
	uint64_t set_recursive;    /* of all mounts below, too ("rro") */
	unsigned long propagation; /* MS_PRIVATE …, 0: leave */
	bool propagation_recursive;
	struct words data; /* the file system's own: key or key=value */
};
/** Reads option words. Unknown ones are taken for the file system's own. */
int mount_options_parse(const struct words *words, struct mount_options *ret, struct error *err);
void mount_options_release(struct mount_options *options);
#define auto_mount_options __attribute__((cleanup(mount_options_release))) struct mount_options

/** A new file system, detached. source may be NULL. name (for errors): the destination. */
int mount_new(const char *type, const char *source, const struct mount_options *options,
	      int *ret_fd, struct error *err);
/** A detached second sight of what from_fd (O_PATH) or, with it AT_FDCWD, path is. */
int mount_clone(int from_fd, const char *path, const struct mount_options *options, int *ret_fd,
		struct error *err);
/** Puts a detached mount on target_fd. name is for errors. */
int mount_put(int mount_fd, int target_fd, const char *name, struct error *err);
/** Makes what is mounted at fd read-only, it alone or with all below. */
enum mount_depth { MOUNT_THIS, MOUNT_ALL_BELOW };
int mount_make_readonly(int fd, enum mount_depth depth, const char *name, struct error *err);
