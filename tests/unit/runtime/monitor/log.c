/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "runtime/log_file.h"

static int make_dir(void **state)
{
	char *dir = strdup("/tmp/wherry-log-XXXXXX");
	*state = mkdtemp(dir);
	return *state ? 0 : -1;
}

static int remove_dir(void **state)
{
	struct error err;
	int r = tree_remove(*state, &err);
	free(*state);
	return r;
}

static struct log_writer *open_writer(const char *dir, uint64_t size, unsigned files)
{
	struct log_writer *writer = NULL;
	struct error err = { 0 };
	assert_int_equal(log_writer_open(dir, (struct log_limits){ size, files }, &writer, &err),
			 0);
	return writer;
}

/* All records' texts that there are now, one behind the other. */
static void read_now(struct log_reader *reader, struct text *ret)
{
	struct log_record record;
	struct error err = { 0 };
	int r;
	while ((r = log_reader_next(reader, &record, &err)) == 1)
		text_append_bytes(ret, record.text, record.size);
	if (r < 0)
		fail_msg("%s", err.text);
}

static struct log_reader *open_reader(const char *dir, int64_t tail)
{
	struct log_query query = { .tail = tail };
	struct log_reader *reader = NULL;
	struct error err = { 0 };
	if (log_reader_open(dir, &query, &reader, &err) < 0)
		fail_msg("%s", err.text);
	return reader;
}

static void the_format_is_dockers_and_bytes_that_are_no_utf8_are_replaced(void **state)
{
	static const char text[] = "a\"b\\c\td\xff \xc3\xa9 \x01\n";
	char path[128];
	auto_free char *data = NULL;
	size_t size;
	struct error err;
	AUTO(log_writer) writer = open_writer(*state, LOG_SIZE_DEFAULT, 3);
	log_writer_take(writer, LOG_STDERR, text, sizeof text - 1);
	snprintf(path, sizeof path, "%s/log", (char *)*state);
	assert_int_equal(file_read(path, 65536, &data, &size, &err), 0);
	static const char begin[] = "{\"log\":\"a\\\"b\\\\c\\td\xef\xbf\xbd \xc3\xa9 \\u0001\\n\","
				    "\"stream\":\"stderr\",\"time\":\"20";
	assert_memory_equal(data, begin, sizeof begin - 1);
}

static void records_come_back_as_they_were_written(void **state)
{
	auto_text text = { 0 };
	AUTO(log_writer) writer = open_writer(*state, LOG_SIZE_DEFAULT, 3);
	log_writer_take(writer, LOG_STDOUT, "one\ntwo\nth", 10);
	log_writer_take(writer, LOG_STDOUT, "ree\nrest", 8);
	log_writer_flush(writer);
	AUTO(log_reader) reader = open_reader(*state, -1);
	read_now(reader, &text);
	assert_string_equal(text.data, "one\ntwo\nthree\nrest");
}

static void tail_gives_the_last_records(void **state)
{
	auto_text text = { 0 };
	AUTO(log_writer) writer = open_writer(*state, LOG_SIZE_DEFAULT, 3);
	log_writer_take(writer, LOG_STDOUT, "1\n2\n3\n4\n", 8);
	AUTO(log_reader) reader = open_reader(*state, 2);
	read_now(reader, &text);
	assert_string_equal(text.data, "3\n4\n");
}

static void a_reader_follows_rotation_without_loss_or_repetition(void **state)
{
	auto_text wanted = { 0 }, got = { 0 };
	AUTO(log_writer) writer = open_writer(*state, 2000, 5);
	AUTO(log_reader) reader = open_reader(*state, -1);
	for (int i = 0; i < 500; i++) {
		char line[32];
		int size = snprintf(line, sizeof line, "line %d\n", i);
		text_append(&wanted, "%s", line);
		log_writer_take(writer, LOG_STDOUT, line, (size_t)size);
		if (i % 50 == 0)
			read_now(reader, &got);
	}
	read_now(reader, &got);
	assert_string_equal(got.data, wanted.data);
}

static void files_stay_within_their_limits(void **state)
{
	char path[128];
	AUTO(log_writer) writer = open_writer(*state, 4000, 3);
	for (int i = 0; i < 2000; i++)
		log_writer_take(writer, LOG_STDOUT, "0123456789\n", 11);
	for (unsigned age = 1; age < 3; age++) {
		auto_free char *data = NULL;
		size_t size;
		struct error err;
		snprintf(path, sizeof path, "%s/log.%u", (char *)*state, age);
		assert_int_equal(file_read(path, 1u << 20, &data, &size, &err), 0);
		assert_true(size <= 4000);
	}
	snprintf(path, sizeof path, "%s/log.3", (char *)*state);
	assert_false(path_exists(path));
}

static void a_record_that_a_crash_cut_is_taken_away(void **state)
{
	char path[128];
	auto_text text = { 0 };
	struct error err;
	static const char cut[] =
		"{\"log\":\"whole\\n\",\"stream\":\"stdout\",\"time\":\"2026-01-01T00:"
		"00:00Z\"}\n{\"log\":\"ha";
	snprintf(path, sizeof path, "%s/log", (char *)*state);
	assert_int_equal(file_replace(path, cut, sizeof cut - 1, 0644, FILE_NO_SYNC, &err), 0);
	AUTO(log_writer) writer = open_writer(*state, LOG_SIZE_DEFAULT, 3);
	log_writer_take(writer, LOG_STDOUT, "next\n", 5);
	AUTO(log_reader) reader = open_reader(*state, -1);
	read_now(reader, &text);
	assert_string_equal(text.data, "whole\nnext\n");
}

#define LOG(test) cmocka_unit_test_setup_teardown(test, make_dir, remove_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOG(the_format_is_dockers_and_bytes_that_are_no_utf8_are_replaced),
		LOG(records_come_back_as_they_were_written),
		LOG(tail_gives_the_last_records),
		LOG(a_reader_follows_rotation_without_loss_or_repetition),
		LOG(files_stay_within_their_limits),
		LOG(a_record_that_a_crash_cut_is_taken_away),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
