/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What both halves of unpacking share. */
#include "path.h"
#include "unpack.h"

struct unpacker {
	int root_fd;
	struct unpack_limits limits;
	uint64_t size_bytes;
	size_t entry_count;
	struct path_set directories; /* "" is the root */
	struct path_set whiteouts;   /* paths to hide */
	struct path_set links;       /* hard links whose target is not in this layer */
	char *parent;                /* of the last entry, and its descriptor */
	int parent_fd;
};

/**
 * Lends the directory that holds path, made (implied) where it is missing.
 * Refuses one that is reached through a link or a file.
 */
int unpack_parent(struct unpacker *unpacker, const char *path, int *ret_fd, struct error *err);
/** Makes the hard link path -> target inside the layer. 1; 0: there is no target; refusal. */
int unpack_link(struct unpacker *unpacker, const char *path, const char *target, struct error *err);
