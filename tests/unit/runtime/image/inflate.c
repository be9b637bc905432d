/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inflate.h"

#include "check.h"

/* gzip of "hello\n", stored by gzip -n. */
static const uint8_t gzip_hello[] = { 0x1f, 0x8b, 8,    0,    0,    0,    0,    0, 0,
				      3,    0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0xe7, 2, 0,
				      0x20, 0x30, 0x3a, 0x36, 6,    0,    0,    0 };

struct input {
	uint8_t data[64];
	size_t size, at, step; /* step: bytes a read gives */
};

static ptrdiff_t give(void *context, uint8_t *buffer, size_t size, struct error *err)
{
	struct input *input = context;
	size_t n = input->size - input->at;
	(void)err;
	n = n < input->step ? n : input->step;
	n = n < size ? n : size;
	memcpy(buffer, input->data + input->at, n);
	input->at += n;
	return (ptrdiff_t)n;
}

static int inflate_all(struct input *input, enum compression compression, char *out, size_t size)
{
	struct error err = { 0 };
	AUTO(inflate) inflate = NULL;
	CHECK(inflate_create(compression, give, input, &inflate, &err), err);
	size_t done = 0;
	for (;;) {
		ptrdiff_t n = inflate_read(inflate, (uint8_t *)out + done, size - 1 - done, &err);
		if (n <= 0) {
			out[done] = 0;
			return (int)n;
		}
		done += (size_t)n;
	}
}

static void damage_to_a_gzip_stream_is_found(void **state)
{
	enum { WHOLE = sizeof gzip_hello };
	static const struct {
		size_t size;    /* bytes of the stream that are there */
		int change;     /* byte that is wrong, or -1 */
		size_t garbage; /* bytes behind it */
		size_t copies;
		const char *wanted; /* NULL: refused */
	} rows[] = {
		{ WHOLE, -1, 0, 1, "hello\n" },
		{ WHOLE, -1, 0, 2, "hello\nhello\n" }, /* members follow each other */
		{ WHOLE - 1, -1, 0, 1, NULL },
		{ WHOLE - 9, -1, 0, 1, NULL },
		{ 5, -1, 0, 1, NULL },
		{ WHOLE, WHOLE - 8, 0, 1, NULL }, /* checksum */
		{ WHOLE, WHOLE - 2, 0, 1, NULL }, /* length */
		{ WHOLE, 12, 0, 1, NULL },
		{ WHOLE, -1, 1, 1, NULL },
		{ WHOLE, -1, 10, 1, NULL },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (size_t step = 1; step <= 64; step += 21) {
			struct input input = { .step = step };
			char out[64];
			for (size_t k = 0; k < rows[i].copies; k++) {
				memcpy(input.data + input.size, gzip_hello, rows[i].size);
				input.size += rows[i].size;
			}
			if (rows[i].change >= 0)
				input.data[rows[i].change] ^= 0x11;
			memset(input.data + input.size, 'g', rows[i].garbage);
			input.size += rows[i].garbage;
			int r = inflate_all(&input, COMPRESSION_GZIP, out, sizeof out);
			CHECK_ROW(i, (r == 0) == (rows[i].wanted != NULL));
			if (rows[i].wanted)
				CHECK_ROW(i, strcmp(out, rows[i].wanted) == 0);
		}
}

static void streams_are_told_by_their_first_bytes(void **state)
{
	(void)state;
	assert_int_equal(compression_sniff(gzip_hello, 4), COMPRESSION_GZIP);
	assert_int_equal(compression_sniff((const uint8_t *)"\x28\xb5\x2f\xfd", 4),
			 COMPRESSION_ZSTD);
	assert_int_equal(compression_sniff((const uint8_t *)"\x28\xb5\x2f", 3), COMPRESSION_NONE);
	assert_int_equal(compression_sniff((const uint8_t *)"", 0), COMPRESSION_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(damage_to_a_gzip_stream_is_found),
		cmocka_unit_test(streams_are_told_by_their_first_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
