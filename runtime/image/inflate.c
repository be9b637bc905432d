/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A compressed stream becomes plain bytes. Each kind of compression is one
 * step function: it moves bytes from the input buffer to the caller's.
 */
#include "inflate.h"

#include <errno.h>
#include <isa-l/igzip_lib.h>
#include <string.h>
#include <zstd.h>

#define INPUT_SIZE (256u << 10) /* bytes read at once */

enum stage { STAGE_BETWEEN, STAGE_INSIDE, STAGE_ENDED }; /* of members or frames */

struct inflate {
	enum compression compression;
	inflate_reader *reader;
	void *context;
	enum stage stage;
	size_t begin, end; /* of the input not yet used */
	struct inflate_state gzip;
	ZSTD_DStream *zstd;
	uint8_t input[INPUT_SIZE];
};

const char *compression_name(enum compression compression)
{
	static const char *const names[COMPRESSION_COUNT] = { "uncompressed", "gzip", "zstd" };
	return names[compression];
}

enum compression compression_sniff(const uint8_t *data, size_t size)
{
	static const uint8_t gzip[] = { 0x1f, 0x8b }, zstd[] = { 0x28, 0xb5, 0x2f, 0xfd };
	if (size >= sizeof gzip && memcmp(data, gzip, sizeof gzip) == 0)
		return COMPRESSION_GZIP;
	if (size >= sizeof zstd && memcmp(data, zstd, sizeof zstd) == 0)
		return COMPRESSION_ZSTD;
	return COMPRESSION_NONE;
}

/* More input behind what is there; 1: there is some now, 0: the source has ended. */
static int refill(struct inflate *inflate, struct error *err)
{
	if (inflate->begin > 0) {
		memmove(inflate->input, inflate->input + inflate->begin,
			inflate->end - inflate->begin);
		inflate->end -= inflate->begin;
		inflate->begin = 0;
	}
	ptrdiff_t n = inflate->reader(inflate->context, inflate->input + inflate->end,
				      INPUT_SIZE - inflate->end, err);
	if (n < 0)
		return (int)n;
	inflate->end += (size_t)n;
	return n > 0;
}

static int ended_early(const struct inflate *inflate, struct error *err)
{
	return error_set(err, EBADMSG, "the %s stream ends early",
			 compression_name(inflate->compression));
}

/* Between members: the end, another member, or what should not be there. */
static int member_start(struct inflate *inflate, struct error *err)
{
	while (inflate->end - inflate->begin < 4) {
		int r = refill(inflate, err);
		if (r < 0)
			return r;
		if (r == 0)
			break;
	}
	size_t left = inflate->end - inflate->begin;
	if (left == 0) {
		inflate->stage = STAGE_ENDED;
		return 0;
	}
	if (compression_sniff(inflate->input + inflate->begin, left) != inflate->compression)
		return error_set(err, EBADMSG, "garbage behind the end of the %s stream",
				 compression_name(inflate->compression));
	if (inflate->compression == COMPRESSION_GZIP) {
		isal_inflate_init(&inflate->gzip);
		inflate->gzip.crc_flag = ISAL_GZIP;
	} else {
		ZSTD_initDStream(inflate->zstd);
	}
	inflate->stage = STAGE_INSIDE;
	return 0;
}

static ptrdiff_t step_gzip(struct inflate *inflate, uint8_t *buffer, size_t size, struct error *err)
{
	struct inflate_state *gzip = &inflate->gzip;
	gzip->next_in = inflate->input + inflate->begin;
	gzip->avail_in = (uint32_t)(inflate->end - inflate->begin);
	gzip->next_out = buffer;
	gzip->avail_out = (uint32_t)size;
	int r = isal_inflate(gzip);
	inflate->begin = inflate->end - gzip->avail_in;
	if (r == ISAL_INCORRECT_CHECKSUM)
		return error_set(err, EBADMSG, "the gzip stream's checksum is wrong");
	if (r < 0)
		return error_set(err, EBADMSG, "the gzip stream is damaged");
	if (gzip->block_state == ISAL_BLOCK_FINISH)
		inflate->stage = STAGE_BETWEEN;
	return (ptrdiff_t)(size - gzip->avail_out);
}

static ptrdiff_t step_zstd(struct inflate *inflate, uint8_t *buffer, size_t size, struct error *err)
{
	ZSTD_inBuffer in = { inflate->input, inflate->end, inflate->begin };
	ZSTD_outBuffer out = { buffer, size, 0 };
	size_t r = ZSTD_decompressStream(inflate->zstd, &out, &in);
	inflate->begin = in.pos;
	if (ZSTD_isError(r))
		return error_set(err, EBADMSG, "the zstd stream is damaged: %s",
				 ZSTD_getErrorName(r));
	if (r == 0)
		inflate->stage = STAGE_BETWEEN;
	return (ptrdiff_t)out.pos;
}

static ptrdiff_t step_none(struct inflate *inflate, uint8_t *buffer, size_t size, struct error *err)
{
	ptrdiff_t n = inflate->reader(inflate->context, buffer, size, err);
	if (n == 0)
		inflate->stage = STAGE_ENDED;
	return n;
}

/* Some bytes; 0 means: nothing yet, ask again unless the stage is STAGE_ENDED. */
static ptrdiff_t step(struct inflate *inflate, uint8_t *buffer, size_t size, struct error *err)
{
	if (inflate->compression == COMPRESSION_NONE)
		return step_none(inflate, buffer, size, err);
	if (inflate->stage == STAGE_BETWEEN)
		return member_start(inflate, err);
	ptrdiff_t n = inflate->compression == COMPRESSION_GZIP
			      ? step_gzip(inflate, buffer, size, err)
			      : step_zstd(inflate, buffer, size, err);
	if (n != 0 || inflate->stage != STAGE_INSIDE)
		return n;
	int r = refill(inflate, err);
	if (r == 0)
		return ended_early(inflate, err);
	return r < 0 ? r : 0;
}

int inflate_create(enum compression compression, inflate_reader *reader, void *context,
		   struct inflate **ret_inflate, struct error *err)
{
	AUTO(inflate) inflate = malloc(sizeof *inflate);
	if (!inflate)
		return error_set(err, ENOMEM, "no memory to inflate");
	memset(inflate, 0, offsetof(struct inflate, input));
	inflate->compression = compression;
	inflate->reader = reader;
	inflate->context = context;
	if (compression == COMPRESSION_ZSTD) {
		inflate->zstd = ZSTD_createDStream();
		if (!inflate->zstd)
			return error_set(err, ENOMEM, "no memory to inflate");
	}
	*ret_inflate = TAKE(inflate);
	return 0;
}

void inflate_free(struct inflate *inflate)
{
	if (!inflate)
		return;
	ZSTD_freeDStream(inflate->zstd);
	free(inflate);
}

ptrdiff_t inflate_read(struct inflate *inflate, uint8_t *buffer, size_t size, struct error *err)
{
	size_t done = 0;
	while (done < size && inflate->stage != STAGE_ENDED) {
		ptrdiff_t n = step(inflate, buffer + done, size - done, err);
		if (n < 0)
			return n;
		done += (size_t)n;
	}
	return (ptrdiff_t)done;
}
