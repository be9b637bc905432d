/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options of masquerading in words and in JSON. */
#include "dataplane/masquerade.h"

#include <errno.h>

#include "fixture.h"

static void options_are_read_as_said(void **state)
{
	static const struct {
		const char *key, *value, *says; /* NULL: it is right */
	} rows[] = {
		{ "except", "10.0.0.0/8", NULL },
		{ "except", "10.0.0.0/8,192.0.2.1,fd00::/8", NULL },
		{ "except", "10.0.0.0/33", "10.0.0.0/33" },
		{ "except", "", "\"\" is no address or prefix" },
		{ "source", "192.0.2.7", NULL },
		{ "source", "192.0.2.7,2001:db8::7", NULL },
		{ "source", "192.0.2.7,192.0.2.8", "192.0.2.8 is a second address of its family" },
		{ "source", "192.0.2.0/24", "\"192.0.2.0/24\" is no address" },
		{ "source", "127.0.0.1", "127.0.0.1 is nothing that outside could answer to" },
		{ "source", "0.0.0.0", "0.0.0.0 is nothing that outside could answer to" },
		{ "endpoint-independent", "true", NULL },
		{ "endpoint-independent", "false", NULL },
		{ "endpoint-independent", "yes", "\"yes\" is neither true nor false" },
		{ "filtering", "address-and-port", NULL },
		{ "filtering", "endpoint-independent", NULL },
		{ "filtering", "none",
		  "\"none\" is neither address-and-port nor endpoint-independent" },
		{ "nothing", "1",
		  "unknown; known are masquerade.{except,source,endpoint-independent,filtering}" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct masquerade_options options = { .open = false };
		struct error err = { 0 };
		int r = masquerade_options_take(rows[i].key, rows[i].value, &options, &err);
		if (rows[i].says ? r == 0 || !strstr(err.text, rows[i].says) : r < 0)
			fail_msg("row %zu, %s=%s: %s", i, rows[i].key, rows[i].value, err.text);
	}
}

static void too_many_exceptions_are_refused(void **state)
{
	struct masquerade_options options = { .open = false };
	struct error err = { 0 };
	(void)state;
	for (int i = 0; i < MASQUERADE_EXCEPTS_MAX; i++)
		assert_int_equal(masquerade_options_take("except", "10.0.0.0/8", &options, &err),
				 0);
	assert_int_equal(masquerade_options_take("except", "10.0.0.0/8", &options, &err), -E2BIG);
}

static void what_is_written_as_json_is_read_again(void **state)
{
	static const char *const words[][2] = {
		{ "except", "10.0.0.0/8,fd00::/8" },
		{ "source", "192.0.2.7,2001:db8::7" },
		{ "endpoint-independent", "true" },
		{ "filtering", "endpoint-independent" },
	};
	struct masquerade_options options = { .open = false }, read = { .open = false };
	struct error err = { 0 };
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		assert_int_equal(masquerade_options_take(words[i][0], words[i][1], &options, &err),
				 0);
	assert_true(masquerade_options_are_set(&options));
	auto_json object = masquerade_options_json(&options);
	struct json_at at = json_root(object, "record");
	assert_int_equal(masquerade_options_read(&at, &read, &err), 0);
	assert_true(masquerade_options_equal(&options, &read));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_are_read_as_said),
		cmocka_unit_test(too_many_exceptions_are_refused),
		cmocka_unit_test(what_is_written_as_json_is_read_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
