/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ignore.h"

#include "check.h"

static void patterns_stay_within_a_component_unless_they_say_so(void **state)
{
	static const struct {
		const char *pattern, *path;
		bool fits;
	} rows[] = {
		{ "a", "a", true },         { "a", "ab", false },
		{ "*.c", "x.c", true },     { "*.c", "d/x.c", false },
		{ "d/*.c", "d/x.c", true }, { "**/*.c", "d/e/x.c", true },
		{ "**/*.c", "x.c", true },  { "d/**", "d/e/f", true },
		{ "d/**/f", "d/f", true },  { "d/**/f", "d/1/2/f", true },
		{ "?", "/", false },        { "?", "x", true },
		{ "[a-c]x", "bx", true },   { "[^a-c]x", "bx", false },
		{ "[a-c", "b", false },     { "[]]", "]", true },
		{ "\\*", "*", true },       { "\\*", "x", false },
		{ "*", "", true },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		CHECK_ROW(i, pattern_match(rows[i].pattern, rows[i].path) == rows[i].fits);
}

static void a_hostile_pattern_ends_early(void **state)
{
	(void)state;
	assert_false(pattern_match("*a*a*a*a*a*a*a*a*a*a*a*b",
				   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
}

static void the_last_pattern_that_fits_decides(void **state)
{
	static const char text[] = "# secrets\n"
				   "*.key\r\n"
				   "  /build/  \n"
				   "!keep.key\n"
				   "node_modules\n"
				   "!node_modules/mine\n"
				   "../outside\n";
	static const struct {
		const char *path;
		bool ignored;
	} rows[] = {
		{ "a.key", true },      { "keep.key", false },
		{ "build", true },      { "build/x/y", true },
		{ "builder", false },   { "node_modules/other/file", true },
		{ "outside", false },   { "node_modules/mine/file", false },
		{ "# secrets", false },
	};
	struct ignore ignore;
	struct error err = { 0 };
	(void)state;
	CHECK(ignore_parse(text, &ignore, &err), err);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		CHECK_ROW(i, ignore_matches(&ignore, rows[i].path) == rows[i].ignored);
	assert_true(ignore_has_exceptions(&ignore));
	ignore_release(&ignore);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns_stay_within_a_component_unless_they_say_so),
		cmocka_unit_test(a_hostile_pattern_ends_early),
		cmocka_unit_test(the_last_pattern_that_fits_decides),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
