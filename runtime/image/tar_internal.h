/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What the files of the tar reader share: header fields and extensions. */
#include "tar.h"

/* One header block, decoded but for the names. */
struct tar_header {
	char type; /* the type flag */
	struct tar_entry entry;
	bool gnu;
};
/** Decodes a block. 1; 0 if it is all zero; -EBADMSG. The caller releases ret->entry. */
int tar_header_parse(const uint8_t block[TAR_BLOCK], struct tar_header *ret, struct error *err);
/** A number field: octal, or base-256 of GNU. */
int tar_number(const uint8_t *field, size_t size, int64_t *ret);

/* What pax and GNU headers say about the entry that follows. */
struct tar_extension {
	bool any;
	char *path, *link;
	bool have_size, have_uid, have_gid, have_mtime;
	uint64_t size;
	uint32_t uid, gid;
	int64_t mtime_s;
	uint32_t mtime_ns;
	struct tar_xattr *xattrs;
	size_t xattr_count;
	/* GNU.sparse.* */
	bool sparse_1_0;
	char *sparse_name, *sparse_map;
	bool have_real_size;
	uint64_t real_size;
};
void tar_extension_release(struct tar_extension *extension);
/** Gate: a pax header's records. */
int tar_pax_parse(const char *data, size_t size, struct tar_extension *extension,
		  struct error *err);
/** Gate: a global pax header: checked, and refused where it would change names or sizes. */
int tar_pax_check_global(const char *data, size_t size, struct error *err);
/** Moves what the extension says into the entry. */
void tar_extension_apply(struct tar_extension *extension, struct tar_entry *entry);

/** The map of GNU's old sparse header; more_blocks tells whether map blocks follow. */
int tar_sparse_old(const uint8_t block[TAR_BLOCK], struct tar_entry *entry, bool *ret_more,
		   struct error *err);
int tar_sparse_old_more(const uint8_t block[TAR_BLOCK], struct tar_entry *entry, bool *ret_more,
			struct error *err);
/** pax 0.1: "offset,size,offset,size". */
int tar_sparse_map(const char *map, struct tar_entry *entry, struct error *err);
/** pax 1.0: the map stands before the data, decimal lines. Adds to *text; 1: complete, 0: needs
 * more. */
int tar_sparse_lines(const char *text, size_t size, struct tar_entry *entry, struct error *err);
/** Parts in order, apart, inside the file, and as long in sum as what is stored. */
int tar_sparse_check(const struct tar_entry *entry, struct error *err);
