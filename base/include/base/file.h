/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Files and descriptors: whole reads and writes, atomic replacement, trees,
 * resolution inside a root, locks.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/error.h"

/** Reads all of a file of at most size_max bytes (-EFBIG over it); NUL-terminated, freed by the
 * caller. */
int file_read(const char *path, size_t size_max, char **ret_data, size_t *ret_size,
	      struct error *err);
int file_read_fd(int fd, const char *name, size_t size_max, char **ret_data, size_t *ret_size,
		 struct error *err);
/** Writes data to an existing file such as a sysctl or cgroup file: one write call. */
int file_write_existing(const char *path, const char *data, struct error *err);
/** Replaces path by a new file of these bytes: temporary beside it, rename. */
enum file_sync { FILE_SYNC, FILE_NO_SYNC };
int file_replace(const char *path, const void *data, size_t size, mode_t mode, enum file_sync sync,
		 struct error *err);
/** Writes all bytes, over EINTR and short writes. 0 or -errno (no text). */
int fd_write_all(int fd, const void *data, size_t size);
/** mkdir -p; existing directories are fine. */
int directory_make(const char *path, mode_t mode, struct error *err);
/** rm -rf without following links and without crossing into other mounts; a missing path is fine.
 */
int tree_remove(const char *path, struct error *err);
/** Bytes that a tree takes on its disk; links not followed, a hard link its share. */
int tree_size(const char *path, uint64_t *ret_bytes, struct error *err);
bool path_exists(const char *path);
/**
 * Opens path inside the directory root_fd with openat2(RESOLVE_IN_ROOT |
 * RESOLVE_NO_MAGICLINKS): links cannot lead outside. flags as open(2); 0 or
 * -errno in err, *ret_fd owned by the caller.
 */
int file_open_in_root(int root_fd, const char *path, int flags, mode_t mode, int *ret_fd,
		      struct error *err);
/**
 * Opens (makes) the lock file and waits for an exclusive flock, at most
 * timeout_ms (-1: for ever; 0: -EWOULDBLOCK at once). It is released when
 * *ret_fd is closed or the process ends.
 */
int lock_take(const char *path, int timeout_ms, int *ret_fd, struct error *err);
/**
 * As lock_take, of one of 2^31 locks that one file holds: no file is left for
 * each thing that was ever locked.
 */
int lock_take_slot(const char *path, uint32_t slot, int timeout_ms, int *ret_fd, struct error *err);
