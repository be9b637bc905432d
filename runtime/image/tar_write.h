/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Writes tar archives: ustar headers, pax records where those are too small.
 * What is written is hashed on the way.
 */
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "digest.h"
#include "tar.h"

struct tar_writer;
/** fd is lent until the writer is freed. */
int tar_writer_create(int fd, struct tar_writer **ret_writer, struct error *err);
void tar_writer_free(struct tar_writer *writer);
DEFINE_FREEP(tar_writer)
/** Puts "prefix/" in front of the names of all entries from now on; "" becomes prefix. Lent. */
void tar_writer_set_prefix(struct tar_writer *writer, const char *prefix);
/**
 * The header of an entry; a file's entry->size bytes must follow by
 * tar_writer_data. Sparse files are written in full. Whole seconds only.
 */
int tar_writer_entry(struct tar_writer *writer, const struct tar_entry *entry, struct error *err);
int tar_writer_data(struct tar_writer *writer, const void *data, size_t size, struct error *err);
/** Pads the data of the last entry. */
int tar_writer_end_data(struct tar_writer *writer, struct error *err);
/** Ends the archive; its digest and size. */
int tar_writer_finish(struct tar_writer *writer, struct digest *ret_digest, uint64_t *ret_size,
		      struct error *err);
