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

static const char document[] = "{\"List\":[1,2],\"Words\":[\"a\",\"b\"],\"Empty\":[],\"Null\":null,"
			       "\"Nets\":{\"n\":{\"IP\":\"1.2\"}},\"ID\":\"abc\",\"State\":{"
			       "\"Pid\":7,\"Running\":true},\"Labels\":{\"a.b\":\"c\"}}";

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
		{ "{{range .List}}<{{.}}>{{end}}", "<1><2>" },
		{ "{{range $i, $v := .List}}{{if $i}},{{end}}{{$i}}={{$v}}{{end}}", "0=1,1=2" },
		{ "{{range $k, $v := .Nets}}{{$k}}:{{$v.IP}} {{$.ID}} {{end}}", "n:1.2 abc " },
		{ "{{range .Empty}}x{{else}}none{{end}}", "none" },
		{ "{{if .State.Running}}up{{else}}down{{end}}", "up" },
		{ "{{if .Empty}}a{{else if eq .ID \"abc\"}}b{{else}}c{{end}}", "b" },
		{ "{{with .State}}{{.Pid}}{{end}}{{with .Empty}}x{{end}}", "7" },
		{ "{{join .Words \", \"}}|{{.Words}}|{{len .Words}}", "a, b|[a b]|2" },
		{ "{{.ID | upper | printf \"%5s|%-5s|\" \"x\"}}", "    x|ABC  |" },
		{ "{{lower \"ABC\"}}{{title \"ab cd\"}}{{truncate .ID 2}}", "abcAb Cdab" },
		{ "{{println .ID 1}}{{print 1 2}}", "abc 1\n1 2" },
		{ "{{index .List 1}}{{index .Nets \"n\" \"IP\"}}", "21.2" },
		{ "{{$x := .State}}{{$x.Pid}}{{/* no word */}}", "7" },
		{ "a {{- .ID -}} b", "aabcb" },
		{ "{{len (split \"a,b,c\" \",\")}}{{json (index .Words 0)}}", "3\"a\"" },
		{ "{{if and .ID (not .Empty)}}{{or .Empty \"else\"}}{{end}}", "else" },
		{ "{{if gt .State.Pid 6}}{{ne 1 1}}{{lt 2 10}}{{end}}", "falsetrue" },
		{ "{{.Labels}}{{.Null}}", "map[a.b:c]<no value>" },
		{ "{{range .List}}{{.}}", NULL },
		{ "{{end}}", NULL },
		{ "{{else}}", NULL },
		{ "{{index .List 9}}", NULL },
		{ "{{index .List \"x\"}}", NULL },
		{ "{{join .ID}}", NULL },
		{ "{{$y}}", NULL },
		{ "{{\"open}}", NULL },
		{ "{{(.ID}}", NULL },
		{ "{{}}", NULL },
		{ "{{.ID .ID}}", NULL },
		{ "{{printf \"%x\" 1}}", NULL },
		{ "{{nosuch .ID}}", NULL },
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
