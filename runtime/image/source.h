/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What an image is loaded from: a tar file, a directory, or standard input.
 * All three are a set of named members that can be read at any place; links
 * and special files are no members. A tar is indexed by its headers, its data
 * is read once, when it is needed.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "inflate.h"

#define SOURCE_MEMBERS_MAX 100000u

struct source;
/**
 * path "-" is standard input, which is kept in a nameless file in spool_dir.
 * Gate: refuses a tar that is damaged, that names one member twice, that leads
 * outside or holds devices.
 */
int source_open(const char *path, const char *spool_dir, struct source **ret_source,
		struct error *err);
void source_free(struct source *source);
DEFINE_FREEP(source)

/* A run of bytes in a file. */
struct member {
	int fd; /* lent by the source */
	uint64_t offset, size;
};
/** 1 found, 0 not there, -EINVAL if name is no plain path or the member no plain file. */
int source_find(struct source *source, const char *name, struct member *ret_member,
		struct error *err);
/** All of a member, NUL-terminated; freed by the caller. -EFBIG over size_max; 0 not there, 1 read.
 */
int source_read(struct source *source, const char *name, size_t size_max, char **ret_data,
		size_t *ret_size, struct error *err);

/* Reads a member's bytes in order. */
struct member_reader {
	struct member member;
	uint64_t position;
};
/** Fits inflate_reader with a struct member_reader as context. */
ptrdiff_t member_read(struct member_reader *reader, uint8_t *buffer, size_t size,
		      struct error *err);
