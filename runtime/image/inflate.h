/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A compressed stream becomes plain bytes: gzip, zstd, or none. Inflating is
 * what limits a load, so gzip is done by ISA-L (four times as fast as zlib
 * here). Damage is found: a stream that ends early, a wrong checksum, bytes
 * behind the last member. The libraries are spoken to in inflate*.c only.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

enum compression { COMPRESSION_NONE, COMPRESSION_GZIP, COMPRESSION_ZSTD, COMPRESSION_COUNT };
const char *compression_name(enum compression compression);
/** Tells by the first bytes what a stream is; COMPRESSION_NONE for all that is unknown. */
enum compression compression_sniff(const uint8_t *data, size_t size);

/** Fills buffer with up to size bytes: the count, 0 at the end, or -errno with err filled. */
typedef ptrdiff_t inflate_reader(void *context, uint8_t *buffer, size_t size, struct error *err);

struct inflate;
int inflate_create(enum compression compression, inflate_reader *reader, void *context,
		   struct inflate **ret_inflate, struct error *err);
void inflate_free(struct inflate *inflate);
DEFINE_FREEP(inflate)
/**
 * Fills buffer completely, except at the end of the stream: the count of
 * bytes, 0 at the (verified) end. -EBADMSG: damaged.
 */
ptrdiff_t inflate_read(struct inflate *inflate, uint8_t *buffer, size_t size, struct error *err);
