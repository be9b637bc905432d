/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "path.h"

#include "check.h"

static void paths_of_archives_become_relative_or_are_refused(void **state)
{
	static const struct {
		const char *path, *clean; /* NULL: refused */
	} rows[] = {
		{ "a", "a" },
		{ "./a//b/", "a/b" },
		{ "./", "" },
		{ ".", "" },
		{ "a/./b", "a/b" },
		{ "...", "..." },
		{ "..dots..", "..dots.." },
		{ " a ", " a " },
		{ "a\nb", "a\nb" },
		{ "", NULL },
		{ "/a", NULL },
		{ "..", NULL },
		{ "../a", NULL },
		{ "a/../b", NULL },
		{ "a/..", NULL },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		auto_free char *clean = NULL;
		struct error err = { 0 };
		int r = layer_path_clean(rows[i].path, &clean, &err);
		CHECK_ROW(i, (r == 0) == (rows[i].clean != NULL));
		CHECK_ROW_TEXT(i, clean, rows[i].clean);
	}
}

static void a_set_finds_what_was_put_in_it(void **state)
{
	struct path_set set = { 0 };
	char name[32];
	(void)state;
	for (int i = 0; i < 5000; i++) {
		snprintf(name, sizeof name, "d/%d", i);
		struct path_item *item = path_set_put(&set, name);
		assert_non_null(item);
		item->mtime_s = i;
	}
	for (int i = 0; i < 5000; i++) {
		snprintf(name, sizeof name, "d/%d", i);
		assert_int_equal(path_set_find(&set, name)->mtime_s, i);
	}
	assert_null(path_set_find(&set, "d/5000"));
	path_set_release(&set);
	assert_null(path_set_find(&set, "d/1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_of_archives_become_relative_or_are_refused),
		cmocka_unit_test(a_set_finds_what_was_put_in_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
