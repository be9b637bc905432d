/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>

#include "base/json.h"
#include "base/text.h"

static struct json_t *parse(const char *text)
{
	struct json_t *value;
	struct error err;
	MUST(json_parse("test", text, strlen(text), &value, &err), err);
	return value;
}

static void broken_documents_are_refused(void **state)
{
	static const struct {
		const char *text;
		int result;
	} rows[] = {
		{ "{}", 0 },
		{ "[1,2]", 0 },
		{ "\"text\"", 0 },
		{ "{\"a\":1,\"a\":2}", 0 },
		{ "", -EINVAL },
		{ "{", -EINVAL },
		{ "{} x", -EINVAL },
		{ "{'a':1}", -EINVAL },
		{ "{\"a\":\"\\u0000\"}", -EINVAL }, /* a NUL would end the text too early */
		{ "{\"a\":\"\xff\"}", -EINVAL },
		{ "{\"a\":01}", -EINVAL },
		{ "{\"a\":99999999999999999999}", -EINVAL },
		{ "nul", -EINVAL },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		auto_json value = NULL;
		struct error err = { 0 };
		int r = json_parse("net.conf", rows[i].text, strlen(rows[i].text), &value, &err);
		CHECK_ROW(i, rows[i].text, r == rows[i].result);
		CHECK_ROW(i, rows[i].text, r == 0 || text_starts_with(err.text, "net.conf: "));
	}
}

/* Nesting of `depth` arrays, behind a string that looks like more of it. */
static char *nested(size_t depth)
{
	auto_text text = { 0 };
	struct error err;
	char *ret;
	text_append(&text, "[\"[[[[{{\\\"[[\",");
	for (size_t i = 1; i < depth; i++)
		text_append(&text, "[");
	for (size_t i = 0; i < depth; i++)
		text_append(&text, "]");
	MUST(text_take(&text, &ret, &err), err);
	return ret;
}

static void deep_documents_are_refused(void **state)
{
	static const struct {
		size_t depth;
		int result;
	} rows[] = {
		{ 2, 0 }, { JSON_DEPTH_MAX, 0 }, { JSON_DEPTH_MAX + 1, -E2BIG }, { 1000000, -E2BIG }
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		auto_json value = NULL;
		auto_free char *text = nested(rows[i].depth);
		struct error err = { 0 };
		int r = json_parse("test", text, strlen(text), &value, &err);
		CHECK_ROW(i, err.text, r == rows[i].result);
	}
}

static void errors_name_the_way_to_the_value(void **state)
{
	auto_json value = parse(
		"{\"ipam\":{\"ranges\":[[{\"subnet\":\"10.1.0.0/16\"},{\"subnet\":\"10.1\"}]]}}");
	struct json_at root = json_root(value, "net.conf");
	struct json_at ipam, ranges;
	struct prefix prefix;
	struct error err;
	(void)state;
	MUST(json_get_object(&root, "ipam", JSON_REQUIRED, &ipam, &err), err);
	MUST(json_get_array(&ipam, "ranges", JSON_REQUIRED, &ranges, &err), err);
	struct json_at set = json_element(&ranges, 0);
	struct json_at range = json_element(&set, 1);
	assert_int_equal(json_get_prefix(&range, "subnet", JSON_REQUIRED, &prefix, &err), -EINVAL);
	assert_string_equal(err.text,
			    "net.conf: ipam.ranges[0][1].subnet: must be a prefix such as "
			    "\"10.1.0.0/16\", not \"10.1\"");
	assert_int_equal(json_error(&root, &err, EINVAL, "no %s", "good"), -EINVAL);
	assert_string_equal(err.text, "net.conf: no good");
}

static void wrong_types_name_value_and_what_would_be_right(void **state)
{
	static const struct {
		const char *text, *error;
	} rows[] = {
		{ "{}", "t: mtu: is missing" },
		{ "{\"mtu\":null}", "t: mtu: is missing" },
		{ "{\"mtu\":\"x\"}", "t: mtu: must be a whole number from 68 to 65535, not \"x\"" },
		{ "{\"mtu\":1.5}", "t: mtu: must be a whole number from 68 to 65535, not 1.5" },
		{ "{\"mtu\":67}", "t: mtu: must be a whole number from 68 to 65535, not 67" },
		{ "{\"mtu\":true}", "t: mtu: must be a whole number from 68 to 65535, not true" },
		{ "[]", "t: must be an object, not []" },
		{ "7", "t: must be an object, not 7" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		auto_json value = parse(rows[i].text);
		struct json_at root = json_root(value, "t");
		struct error err = { 0 };
		int64_t mtu = 9;
		int r = json_get_integer(&root, "mtu", JSON_REQUIRED, 68, 65535, &mtu, &err);
		CHECK_ROW(i, rows[i].text, r == -EINVAL && mtu == 9);
		assert_string_equal(err.text, rows[i].error);
	}
}

static void absent_keys_leave_defaults(void **state)
{
	auto_json value = parse("{\"name\":null}");
	struct json_at root = json_root(value, "t"), list;
	const char *name = "default";
	bool flag = true;
	struct error err;
	(void)state;
	MUST(json_get_string(&root, "name", JSON_OPTIONAL, &name, &err), err);
	MUST(json_get_bool(&root, "flag", JSON_OPTIONAL, &flag, &err), err);
	MUST(json_get_array(&root, "list", JSON_OPTIONAL, &list, &err), err);
	assert_string_equal(name, "default");
	assert_true(flag);
	assert_null(list.value);
	assert_int_equal(json_count(&list), 0);
}

static void keys_match_exactly_before_without_case(void **state)
{
	auto_json value = parse("{\"CNIVersion\":\"a\",\"cniVersion\":\"b\",\"NAME\":\"c\"}");
	struct json_at root = json_root(value, "t");
	const char *text;
	struct error err;
	(void)state;
	MUST(json_get_string(&root, "cniVersion", JSON_REQUIRED, &text, &err), err);
	assert_string_equal(text, "b");
	MUST(json_get_string(&root, "name", JSON_REQUIRED, &text, &err), err);
	assert_string_equal(text, "c");
}

static void documents_are_built_and_written(void **state)
{
	auto_json root = json_new_object();
	struct json_t *list = json_new_array();
	struct error err;
	(void)state;
	json_append(list, json_new_integer(-5));
	json_append(list, json_new_string(NULL));
	json_append(list, json_new_bool(true));
	json_put_string(root, "z", "first \xff \xe2\x82\xac \"q\"");
	json_put(root, "a", list);
	auto_json copy = json_clone(root);
	json_put_integer(root, "n", 1);
	auto_free char *text = NULL;
	MUST(json_format(copy, JSON_COMPACT, &text, &err), err);
	assert_string_equal(text,
			    "{\"z\":\"first ? \xe2\x82\xac \\\"q\\\"\",\"a\":[-5,null,true]}");
}

static void a_document_that_lost_a_part_is_not_written(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		auto_json root = json_new_object();
		struct json_t *list = json_new_array();
		char *text;
		struct error err;
		if (i == 0)
			json_append(list, NULL);
		json_put(root, "list", list);
		if (i == 1)
			json_put(root, "lost", NULL);
		struct json_t *whole = i == 2 ? NULL : root;
		assert_int_equal(json_format(whole, JSON_COMPACT, &text, &err), -ENOMEM);
	}
}

/* What others wrote passes through unchanged, whatever numbers are in it. */
static void foreign_documents_are_written_as_they_were(void **state)
{
	static const char text[] = "{\"a\":[0.5,{\"\":0.5}],\"b\":null}";
	auto_json value = parse(text);
	auto_json root = json_new_object();
	auto_free char *out = NULL;
	struct error err;
	(void)state;
	json_put(root, "x", json_clone(value));
	MUST(json_format(root, JSON_COMPACT, &out, &err), err);
	assert_string_equal(out, "{\"x\":{\"a\":[0.5,{\"\":0.5}],\"b\":null}}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(broken_documents_are_refused),
		cmocka_unit_test(deep_documents_are_refused),
		cmocka_unit_test(errors_name_the_way_to_the_value),
		cmocka_unit_test(wrong_types_name_value_and_what_would_be_right),
		cmocka_unit_test(absent_keys_leave_defaults),
		cmocka_unit_test(keys_match_exactly_before_without_case),
		cmocka_unit_test(documents_are_built_and_written),
		cmocka_unit_test(a_document_that_lost_a_part_is_not_written),
		cmocka_unit_test(foreign_documents_are_written_as_they_were),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
