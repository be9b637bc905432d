/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Small operations on a layer's directory, all relative to its descriptor and
 * none through a symbolic link: what one entry of an archive puts there can
 * never lead the next one elsewhere.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/error.h"

#define OVERLAY_OPAQUE "trusted.overlay.opaque"

/** Opens path ("" is the root) beneath root_fd, no component a symbolic link: fd or -errno. */
int tree_open(int root_fd, const char *path, int flags);
/** lstat beneath root_fd, parents no links: 0 or -errno. */
int tree_stat(int root_fd, const char *path, struct stat *ret);
/** Tells whether the directory at path hides what is below it. 1, 0, -errno. */
int tree_is_opaque(int root_fd, const char *path);
/** Copies extended attributes but overlayfs's own between two objects; 0 or -errno. */
int tree_copy_xattrs(int from_root, const char *from, int to_root, const char *to);
/** lsetxattr beneath root_fd; parents no links. */
int tree_set_xattr(int root_fd, const char *path, const char *name, const void *value, size_t size);
/**
 * Copies one object that is no directory, with owner, mode, times and
 * attributes, to a path that is free. 0 or -errno.
 */
int tree_copy_object(int from_root, const char *from, int to_root, const char *to);
/** Copies what is left of one file behind the other's position; 0 or -errno. */
int tree_copy_bytes(int in, int out);
