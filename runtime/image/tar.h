/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A tar archive is read as a stream of entries: V7, ustar, GNU (long names,
 * sparse files, base-256 numbers) and pax. Every field is checked: an archive
 * that lies about sizes, checksums or records is refused, where the usual
 * readers guess. Nothing here touches the file system.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/text.h"

#define TAR_BLOCK 512
#define TAR_PATH_MAX 4095            /* bytes; PATH_MAX without its NUL */
#define TAR_EXTENSION_MAX (1u << 20) /* bytes of one pax header or GNU long name */
#define TAR_XATTRS_MAX 256           /* of one entry */
#define TAR_SPARSE_MAX (1u << 16)    /* parts of one sparse file */

enum tar_type {
	TAR_FILE,
	TAR_HARDLINK,
	TAR_SYMLINK,
	TAR_CHARACTER,
	TAR_BLOCK_DEVICE,
	TAR_DIRECTORY,
	TAR_FIFO,
};

struct tar_xattr {
	char *name;
	uint8_t *value;
	size_t size;
};
/* A run of data in a sparse file. */
struct tar_part {
	uint64_t offset, size;
};

struct tar_entry {
	enum tar_type type;
	char *path, *link; /* as the archive has them: hostile */
	uint32_t mode;     /* permission bits only */
	uint32_t uid, gid;
	int64_t mtime_s;
	uint32_t mtime_ns;
	uint32_t major, minor;
	uint64_t size;        /* of the file as it will be */
	uint64_t stored_size; /* of its data in the archive */
	uint64_t data_offset; /* of its data from the archive's begin */
	struct tar_xattr *xattrs;
	size_t xattr_count;
	struct tar_part *parts; /* NULL: not sparse */
	size_t part_count;
};
void tar_entry_release(struct tar_entry *entry); /* frees members, zeroes */

/* Where the bytes come from. */
struct tar_source {
	/**
	 * Lends the next run of bytes; the one before becomes invalid. All runs
	 * but the last are a multiple of TAR_BLOCK long. 1; 0 at the end; -errno.
	 */
	int (*next)(void *context, const uint8_t **ret_data, size_t *ret_size, struct error *err);
	/** Leaves out that many bytes, or NULL if they can only be read. */
	int (*skip)(void *context, uint64_t size, struct error *err);
	void *context;
};

struct tar;
int tar_create(const struct tar_source *source, struct tar **ret_tar, struct error *err);
void tar_free(struct tar *tar);
DEFINE_FREEP(tar)
/**
 * Gate: the next entry, lent until the next call. 1; 0 at the end of the
 * archive (which has been read to its last byte); -EBADMSG with what is wrong.
 */
int tar_next(struct tar *tar, const struct tar_entry **ret_entry, struct error *err);

/* A piece of a file's content, lent until the next call. */
struct tar_piece {
	uint64_t offset; /* in the file */
	const uint8_t *data;
	size_t size;
};
/** 1 with the next piece of the current entry's data; 0 when there is no more; -errno. */
int tar_data(struct tar *tar, struct tar_piece *ret_piece, struct error *err);
