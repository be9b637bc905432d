/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "base/cleanup.h"
#include "template.h"

static const char document[] =
	"{\"ID\":\"abc\",\"State\":{\"Pid\":7,\"Running\":true},\"Labels\":{\"a.b\":\"c\"}}";

static void templates_are_filled_as_go_fills_them(void **state)
{
	static const struct {
		const char *format, *result; /* NULL: refused */
	} rows[] = {
		{ "{{.ID}}", "abc" },
		{ "{{ .ID }} x", "abc x" },
		{ "{{.State.Pid}}/{{.State.Running}}", "7/true" },
		{ "{{json .State}}", "{\"Pid\":7,\"Running\":true}" },
		{ "{{json .ID}}", "\"abc\"" },
		{ "{{.ID}}\\t{{.ID}}\\n", "abc\tabc\n" },
		{ "{{index .Labels \"a.b\"}}", "c" },
		{ "{{index .Labels \"no\"}}", "" },
		{ "", "" },
		{ "plain } { text", "plain } { text" },
		{ "{{.Nothing}}", NULL },
		{ "{{.ID", NULL },
		{ "{{range .ID}}", NULL },
		{ "{{ID}}", NULL },
		{ "{{index .Labels}}", NULL },
	};
	auto_json value = NULL;
	struct error err = { 0 };
	(void)state;
	assert_int_equal(json_parse("test", document, sizeof document - 1, &value, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		auto_text text = { 0 };
		int r = template_fill(rows[i].format, value, &text, &err);
		if ((r == 0) != (rows[i].result != NULL))
			fail_msg("row \"%s\": %d", rows[i].format, r);
		if (r == 0)
			assert_string_equal(text.data ? text.data : "", rows[i].result);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(templates_are_filled_as_go_fills_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
