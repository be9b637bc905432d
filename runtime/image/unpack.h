/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A layer's tar becomes a directory in overlayfs's form. Entries are unpacked
 * as they come, layers in parallel; what depends on the layers below (owners
 * of directories without an entry, hard links to their files, whiteouts) waits
 * for unpacker_finish, when those are complete.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "tar.h"

#define UNPACK_ENTRIES_MAX 1000000u /* of one layer */

struct unpack_limits {
	uint64_t ratio_bytes; /* as much as its compressed size makes plausible */
	uint64_t free_bytes;  /* as much as the file system has */
};

struct unpacker;
/** root_fd: the layer's empty directory, lent until the unpacker is freed. */
int unpacker_create(int root_fd, const struct unpack_limits *limits, struct unpacker **ret_unpacker,
		    struct error *err);
void unpacker_free(struct unpacker *unpacker);
DEFINE_FREEP(unpacker)
/** Gate: all entries of the archive. Refuses what would leave or trick the directory. */
int unpacker_run(struct unpacker *unpacker, struct tar *tar, struct error *err);
/** lower_fds: the finished layers below, top first. */
int unpacker_finish(struct unpacker *unpacker, const int *lower_fds, size_t lower_count,
		    struct error *err);
/** Bytes of file data unpacked. */
uint64_t unpacker_size_bytes(const struct unpacker *unpacker);
