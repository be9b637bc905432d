/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What people read: tables, progress, times. */
#include "unit.h"

#include "base/loop.h"
#include "base/table.h"

static void columns_are_aligned_by_what_is_seen(void **state)
{
	static const char *const titles[] = { "NAME", "IMAGE", "PORTS", NULL };
	AUTO(table) table = NULL;
	auto_free char *text = NULL;
	size_t size;
	struct error err;
	(void)state;
	MUST(table_create(titles, &table, &err), err);
	static const char *const cells[] = { "web",           "caf\xc3\xa9", "80",
					     "a-longer-name", "x",           "\033[2J" };
	for (size_t i = 0; i < ARRAY_SIZE(cells); i++)
		table_cell(table, "%s", cells[i]);
	FILE *file = open_memstream(&text, &size);
	MUST(table_print(table, file, &err), err);
	fclose(file);
	assert_string_equal(text, "NAME            IMAGE   PORTS\n"
				  "web             caf\xc3\xa9    80\n"
				  "a-longer-name   x       ?[2J\n");
}

static void progress_in_a_file_is_one_line(void **state)
{
	AUTO(progress) progress = NULL;
	char line[64] = "";
	struct error err;
	(void)state;
	auto_file file = tmpfile();
	assert_non_null(file);
	MUST(progress_create(file, "layer 1", 100, &progress, &err), err);
	progress_update(progress, 50);
	progress_finish(progress, "done");
	rewind(file);
	assert_non_null(fgets(line, sizeof line, file));
	assert_string_equal(line, "layer 1: done\n");
	assert_null(fgets(line, sizeof line, file));
}

static void times_are_written_as_docker_writes_them(void **state)
{
	static const struct {
		int64_t ns;
		const char *text;
	} rows[] = {
		{ 0, "1970-01-01T00:00:00.000000000Z" },
		{ INT64_C(1767322985123456789), "2026-01-02T03:03:05.123456789Z" },
		{ -1, "1969-12-31T23:59:59.999999999Z" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[TIME_TEXT_MAX];
		time_format(rows[i].ns, text);
		assert_string_equal(text, rows[i].text);
	}
}

static void ages_are_told_in_dockers_words(void **state)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} rows[] = {
		{ -5, "Less than a second" },
		{ 0, "Less than a second" },
		{ 1, "1 second" },
		{ 59, "59 seconds" },
		{ 60, "About a minute" },
		{ 3599, "59 minutes" },
		{ 3600, "About an hour" },
		{ 47 * 3600, "47 hours" },
		{ 48 * 3600, "2 days" },
		{ 13 * 86400, "13 days" },
		{ 14 * 86400, "2 weeks" },
		{ 60 * 86400, "2 months" },
		{ 730 * 86400, "2 years" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[TIME_TEXT_MAX];
		time_format_age(rows[i].seconds * INT64_C(1000000000), text);
		assert_string_equal(text, rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_aligned_by_what_is_seen),
		cmocka_unit_test(progress_in_a_file_is_one_line),
		cmocka_unit_test(times_are_written_as_docker_writes_them),
		cmocka_unit_test(ages_are_told_in_dockers_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
