/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A stack of layers seen as one tree, for a build step: an overlay mount that
 * no namespace shows, reached only by its descriptor, gone with it.
 */
#include "base/error.h"
#include "base/text.h"
#include "runtime/image.h"

/**
 * lower_paths: top first, may be empty. upper and work: empty directories on
 * one file system. *ret_fd is the root; closing it unmounts.
 */
int overlay_open(const struct words *lower_paths, const char *upper, const char *work, int *ret_fd,
		 struct error *err);

struct overlay_mounts {
	bool read_only;
	const struct image_bind *binds;
	size_t bind_count;
};
/** As overlay_open, with mounts in it, which last as long as the second of ret_fds is open. */
int overlay_open_with(const struct words *lower_paths, const char *upper, const char *work,
		      const struct overlay_mounts *mounts, int ret_fds[2], struct error *err);
