/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>

static void text_and_code_are_those_of_the_failure(void **state)
{
	struct error err;
	(void)state;
	assert_int_equal(error_set(&err, EINVAL, "port %d is no port", 70000), -EINVAL);
	assert_int_equal(err.code, EINVAL);
	assert_string_equal(err.text, "port 70000 is no port");
	assert_int_equal(error_set_errno(&err, ENOENT, "cannot open %s", "x"), -ENOENT);
	assert_string_equal(err.text, "cannot open x: No such file or directory");
}

static void purposes_stand_in_front(void **state)
{
	struct error err;
	(void)state;
	error_set(&err, ENOSPC, "range is full");
	assert_int_equal(error_wrap(&err, "network %s", "front"), -ENOSPC);
	assert_int_equal(error_wrap(&err, "run"), -ENOSPC);
	assert_string_equal(err.text, "run: network front: range is full");
	/* The old text may be an argument. */
	error_wrap(&err, "again (%s)", err.text);
	assert_true(strstr(err.text, "again (run: network") == err.text);
}

static void hostile_bytes_do_not_reach_the_terminal(void **state)
{
	struct error err;
	(void)state;
	error_set(&err, EINVAL, "name \"%s\"", "a\033[2J\n\x7f");
	assert_string_equal(err.text, "name \"a?[2J??\"");
	error_wrap(&err, "file \"%s\"", "\r");
	assert_string_equal(err.text, "file \"?\": name \"a?[2J??\"");
}

static void long_texts_are_cut_between_characters(void **state)
{
	struct error err;
	char name[2 * ERROR_TEXT_MAX];
	(void)state;
	for (size_t shift = 0; shift < 3; shift++) {
		size_t size = 0;
		memset(name, 'x', shift);
		for (size = shift; size + 3 < sizeof name; size += 3)
			memcpy(name + size, "€", 3);
		name[size] = '\0';
		error_set(&err, EINVAL, "%s", name);
		size_t kept = strlen(err.text);
		assert_true(kept < ERROR_TEXT_MAX && kept > ERROR_TEXT_MAX - 4);
		assert_int_equal((kept - shift) % 3, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_and_code_are_those_of_the_failure),
		cmocka_unit_test(purposes_stand_in_front),
		cmocka_unit_test(hostile_bytes_do_not_reach_the_terminal),
		cmocka_unit_test(long_texts_are_cut_between_characters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
