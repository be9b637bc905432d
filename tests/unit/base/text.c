/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <inttypes.h>

#include "base/text.h"

static void texts_grow(void **state)
{
	auto_text text = { 0 };
	struct error err;
	(void)state;
	for (int i = 0; i < 1000; i++)
		text_append(&text, "%d,", i % 10);
	text_append_bytes(&text, "a\0b", 3);
	assert_int_equal(text.size, 2003);
	auto_free char *taken = NULL;
	MUST(text_take(&text, &taken, &err), err);
	assert_memory_equal(taken, "0,1,2,", 6);
	assert_null(text.data);
	auto_free char *empty = NULL;
	MUST(text_take(&text, &empty, &err), err);
	assert_string_equal(empty, "");
}

static void numbers_are_whole_or_refused(void **state)
{
	static const struct {
		const char *text;
		bool good;
		uint64_t value;
	} rows[] = {
		{ "0", true, 0 },
		{ "00080", true, 80 },
		{ "18446744073709551615", true, UINT64_MAX },
		{ "18446744073709551616", false, 0 },
		{ "99999999999999999999999", false, 0 },
		{ "", false, 0 },
		{ "-1", false, 0 },
		{ "+1", false, 0 },
		{ " 1", false, 0 },
		{ "1 ", false, 0 },
		{ "0x10", false, 0 },
		{ "1.0", false, 0 },
	};
	uint64_t value;
	int64_t number;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int r = text_to_unsigned(rows[i].text, 0, UINT64_MAX, &value);
		CHECK_ROW(i, rows[i].text, r == (rows[i].good ? 0 : -EINVAL));
		CHECK_ROW(i, rows[i].text, !rows[i].good || value == rows[i].value);
	}
	assert_int_equal(text_to_unsigned("65536", 1, 65535, &value), -EINVAL);
	assert_int_equal(text_to_unsigned("0", 1, 65535, &value), -EINVAL);
	assert_int_equal(text_to_signed("-9223372036854775808", INT64_MIN, 0, &number), 0);
	assert_true(number == INT64_MIN);
	assert_int_equal(text_to_signed("-9223372036854775809", INT64_MIN, 0, &number), -EINVAL);
	assert_int_equal(text_to_signed("--1", INT64_MIN, 0, &number), -EINVAL);
	assert_int_equal(text_to_signed("-", INT64_MIN, 0, &number), -EINVAL);
}

static void sizes_are_read_as_docker_reads_them(void **state)
{
	static const struct {
		const char *text;
		int64_t bytes; /* -1: refused */
	} rows[] = {
		{ "512", 512 },      { "512b", 512 },      { "64m", 64 << 20 },
		{ "64M", 64 << 20 }, { "64mb", 64 << 20 }, { "64MiB", 64 << 20 },
		{ "1.5k", 1536 },    { "1g", 1 << 30 },    { "2t", INT64_C(2) << 40 },
		{ "0", 0 },          { "m", -1 },          { "", -1 },
		{ "-1m", -1 },       { "1x", -1 },         { "1m1", -1 },
		{ "1bb", -1 },       { "1.k", -1 },        { "99999999999t", -1 },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t bytes = 0;
		int r = text_to_size_bytes(rows[i].text, &bytes);
		CHECK_ROW(i, rows[i].text, r == (rows[i].bytes < 0 ? -EINVAL : 0));
		CHECK_ROW(i, rows[i].text, r < 0 || bytes == (uint64_t)rows[i].bytes);
	}
}

static void durations_are_read_as_go_reads_them(void **state)
{
	static const struct {
		const char *text;
		int64_t ms; /* -1: refused */
	} rows[] = {
		{ "1500ms", 1500 },
		{ "10s", 10000 },
		{ "1m30s", 90000 },
		{ "2h", 7200000 },
		{ "1.5s", 1500 },
		{ "0", 0 },
		{ "0s", 0 },
		{ "10us", 1 }, /* never less than asked */
		{ "10", -1 },
		{ "", -1 },
		{ "s", -1 },
		{ "-1s", -1 },
		{ "1s ", -1 },
		{ "1d", -1 },
		{ "99999999999999999h", -1 },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int64_t ms = 0;
		int r = text_to_duration_ms(rows[i].text, &ms);
		CHECK_ROW(i, rows[i].text, r == (rows[i].ms < 0 ? -EINVAL : 0));
		CHECK_ROW(i, rows[i].text, r < 0 || ms == rows[i].ms);
	}
}

static void names_are_plain(void **state)
{
	(void)state;
	assert_true(text_is_name("web-1.front_x", 63));
	assert_true(text_is_name("0", 1));
	assert_false(text_is_name("", 63));
	assert_false(text_is_name("-web", 63));
	assert_false(text_is_name(".", 63));
	assert_false(text_is_name("a/b", 63));
	assert_false(text_is_name("w\xc3\xa9", 63));
	assert_false(text_is_name("abcd", 3));
	assert_true(text_equal(NULL, NULL));
	assert_false(text_equal(NULL, ""));
	assert_true(text_starts_with("vethX", "veth"));
	assert_true(text_ends_with("a.conflist", ".conflist"));
	assert_false(text_ends_with("st", "list"));
}

static void lists_end_with_null(void **state)
{
	auto_words words = { 0 };
	auto_words copy = { 0 };
	struct error err;
	(void)state;
	for (int i = 0; i < 100; i++) {
		MUST(words_append_format(&words, &err, "%d", i), err);
		assert_null(words.items[words.count]);
	}
	MUST(words_copy(&words, &copy, &err), err);
	assert_int_equal(copy.count, 100);
	assert_string_equal(copy.items[99], "99");
}

static void splitting_keeps_empty_pieces(void **state)
{
	auto_words words = { 0 };
	struct error err;
	(void)state;
	MUST(words_split("a::b:", ':', &words, &err), err);
	assert_int_equal(words.count, 4);
	assert_string_equal(words.items[1], "");
	assert_string_equal(words.items[2], "b");
	assert_string_equal(words.items[3], "");
}

static void bytes_become_hex(void **state)
{
	char out[7];
	(void)state;
	text_from_hex_bytes((const uint8_t[]){ 0x00, 0xa5, 0xff }, 3, out);
	assert_string_equal(out, "00a5ff");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_grow),
		cmocka_unit_test(numbers_are_whole_or_refused),
		cmocka_unit_test(sizes_are_read_as_docker_reads_them),
		cmocka_unit_test(durations_are_read_as_go_reads_them),
		cmocka_unit_test(names_are_plain),
		cmocka_unit_test(lists_end_with_null),
		cmocka_unit_test(splitting_keeps_empty_pieces),
		cmocka_unit_test(bytes_become_hex),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
