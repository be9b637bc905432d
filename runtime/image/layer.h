/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * One layer's way from a member of an archive to a blob and a directory. Two
 * threads share the work: one reads, hashes, keeps the blob and inflates, the
 * other hashes the plain bytes and unpacks them.
 */
#include <stdatomic.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "digest.h"
#include "manifest.h"
#include "source.h"
#include "unpack.h"

#define LAYER_RATIO_MAX 50u             /* unpacked to compressed; real layers stay under 20 */
#define LAYER_RATIO_FREE (256ull << 20) /* bytes that no ratio is asked for */

struct layer_work {
	/* given */
	struct member member;
	const struct layer_blob *blob; /* what the manifest declares */
	const char *diff_id;           /* what the config declares */
	const char *blob_path;         /* new file */
	const char *root_path;         /* new directory */
	atomic_ullong *done_bytes;     /* progress: bytes read, added to */
	/* found */
	struct digest digest;
	enum compression compression;
	int root_fd;
	struct unpacker *unpacker; /* for unpacker_finish */
};
/** -1 in root_fd. */
void layer_work_init(struct layer_work *work);
void layer_work_release(struct layer_work *work);
/**
 * Does it. Checks size, digest and compression where they are declared, and
 * the diff id. Leaves files behind on failure: the caller removes their folder.
 */
int layer_unpack(struct layer_work *work, struct error *err);
