/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The other way round than unpack: the upper directory of an overlay, which
 * holds what a build step changed, becomes a layer's tar. overlayfs's
 * whiteouts become OCI's.
 */
#include <stdint.h>

#include <sys/stat.h>

#include "base/error.h"
#include "digest.h"
#include "tar_write.h"

enum diff_form {
	DIFF_LAYER, /* of an upper directory: with whiteouts */
	DIFF_COPY,  /* of a container's files: without what the kernel makes up (/proc, /sys) */
};
/** Adds all below root_fd to an archive. *ret_size_bytes: of file data. */
int diff_put_tree(int root_fd, enum diff_form form, struct tar_writer *writer,
		  uint64_t *ret_size_bytes, struct error *err);
/** Type, owner, mode and time of an entry. */
void diff_set_entry(struct tar_entry *entry, const struct stat *st);
/** The attributes of the object at source that an archive may have; entry->path is for errors. */
int diff_read_xattrs(const char *source, struct tar_entry *entry, struct error *err);

/** Writes the tar of the directory root_fd to blob_path, names in order. *ret_size: of file data.
 */
int diff_write(int root_fd, const char *blob_path, struct digest *ret_digest,
	       uint64_t *ret_size_bytes, struct error *err);
