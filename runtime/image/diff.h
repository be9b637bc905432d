/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The other way round than unpack: the upper directory of an overlay, which
 * holds what a build step changed, becomes a layer's tar. overlayfs's
 * whiteouts become OCI's.
 */
#include <stdint.h>

#include "base/error.h"
#include "digest.h"

/** Writes the tar of the directory root_fd to blob_path, names in order. *ret_size: of file data.
 */
int diff_write(int root_fd, const char *blob_path, struct digest *ret_digest,
	       uint64_t *ret_size_bytes, struct error *err);
