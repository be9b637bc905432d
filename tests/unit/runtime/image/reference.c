/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "check.h"
#include "runtime/image.h"

static void names_get_their_normal_form_or_are_refused(void **state)
{
	static const struct {
		const char *text, *name; /* NULL: refused */
	} rows[] = {
		{ "busybox", "busybox:latest" },
		{ "busybox:1.36", "busybox:1.36" },
		{ "docker.io/library/busybox:1", "busybox:1" },
		{ "docker.io/team/app", "team/app:latest" },
		{ "library/busybox", "library/busybox:latest" },
		{ "localhost:5000/a/b:T_1.x-y", "localhost:5000/a/b:T_1.x-y" },
		{ "Registry.Example:443/a", "Registry.Example:443/a:latest" },
		{ "a__b/c-d.e---f:1", "a__b/c-d.e---f:1" },
		{ "", NULL },
		{ ":tag", NULL },
		{ "a:", NULL },
		{ "Upper", NULL },
		{ "a..b", NULL },
		{ "a___b", NULL },
		{ "-a", NULL },
		{ "a/", NULL },
		{ "/a", NULL },
		{ "a//b", NULL },
		{ "../../x:1", NULL },
		{ "a b", NULL },
		{ "a\nb", NULL },
		{ "a:\033[31m", NULL },
		{ "a:t/../b", NULL },
		{ "a@sha256:0000000000000000000000000000000000000000000000000000000000000000",
		  NULL },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		auto_free char *name = NULL;
		struct error err = { 0 };
		int r = image_reference_normalise(rows[i].text, &name, &err);
		CHECK_ROW(i, (r == 0) == (rows[i].name != NULL));
		CHECK_ROW_TEXT(i, name, rows[i].name);
	}
}

static void a_name_of_over_255_bytes_is_refused(void **state)
{
	char long_name[300];
	auto_free char *name = NULL;
	struct error err;
	(void)state;
	memset(long_name, 'a', sizeof long_name - 1);
	long_name[sizeof long_name - 1] = 0;
	assert_int_equal(image_reference_normalise(long_name, &name, &err), -22);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_get_their_normal_form_or_are_refused),
		cmocka_unit_test(a_name_of_over_255_bytes_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
