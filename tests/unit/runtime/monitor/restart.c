/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "base/cleanup.h"
#include "runtime/restart.h"

static void policies_are_read(void **state)
{
	static const struct {
		const char *text;
		int result;
		enum restart_kind kind;
		unsigned max;
	} rows[] = {
		{ NULL, 0, RESTART_NO, 0 },
		{ "", 0, RESTART_NO, 0 },
		{ "no", 0, RESTART_NO, 0 },
		{ "always", 0, RESTART_ALWAYS, 0 },
		{ "unless-stopped", 0, RESTART_UNLESS_STOPPED, 0 },
		{ "on-failure", 0, RESTART_ON_FAILURE, 0 },
		{ "on-failure:3", 0, RESTART_ON_FAILURE, 3 },
		{ "on-failure:x", -EINVAL, RESTART_NO, 0 },
		{ "on-failure:-1", -EINVAL, RESTART_NO, 0 },
		{ "always:3", -EINVAL, RESTART_NO, 0 },
		{ "sometimes", -EINVAL, RESTART_NO, 0 },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct restart_policy policy = { 0 };
		struct error err = { 0 };
		if (restart_policy_parse(rows[i].text, &policy, &err) != rows[i].result ||
		    policy.kind != rows[i].kind || policy.max != rows[i].max)
			fail_msg("row \"%s\"", rows[i].text ? rows[i].text : "NULL");
	}
}

static void a_policy_decides_by_exit_code_and_count(void **state)
{
	const struct restart_policy twice = { RESTART_ON_FAILURE, 2 },
				    always = { RESTART_ALWAYS, 0 }, no = { RESTART_NO, 0 };
	(void)state;
	assert_false(restart_policy_wants(twice, 0, 0));
	assert_true(restart_policy_wants(twice, 1, 1));
	assert_false(restart_policy_wants(twice, 1, 2));
	assert_true(restart_policy_wants(always, 0, 1000));
	assert_false(restart_policy_wants(no, 1, 0));
}

static void waits_double_up_to_a_minute_and_shrink_after_a_good_life(void **state)
{
	(void)state;
	assert_int_equal(restart_wait_ms(0, 5), 100);
	assert_int_equal(restart_wait_ms(100, 5), 200);
	assert_int_equal(restart_wait_ms(40000, 5), 60000);
	assert_int_equal(restart_wait_ms(60000, 5), 60000);
	assert_int_equal(restart_wait_ms(60000, 10000), 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(policies_are_read),
		cmocka_unit_test(a_policy_decides_by_exit_code_and_count),
		cmocka_unit_test(waits_double_up_to_a_minute_and_shrink_after_a_good_life),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
