/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The functions of templates, and how values are printed and compared. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "template_value.h"

#define PAD_MAX 1024

static const char *string_of(const struct json_t *value)
{
	struct json_at at = json_root(value, "--format");
	const char *text = NULL;
	struct error ignored;
	return json_is_string(&at) && json_as_string(&at, &text, &ignored) == 0 ? text : NULL;
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* map[k:v …] in the order of keys. */
static void print_object(const struct json_at *at, struct text *text)
{
	size_t count = json_count(at);
	auto_free const char **keys = calloc(count + 1, sizeof *keys);
	if (!keys) {
		text->failed = true;
		return;
	}
	for (size_t i = 0; i < count; i++)
		keys[i] = json_member_at(at, i).key;
	if (count)
		qsort(keys, count, sizeof *keys, compare_keys);
	text_append(text, "map[");
	for (size_t i = 0; i < count; i++) {
		struct json_at member = json_member(at, keys[i]);
		text_append(text, "%s%s:", i ? " " : "", keys[i]);
		template_print(member.value, text);
	}
	text_append(text, "]");
}

void template_print(const struct json_t *value, struct text *text)
{
	struct json_at at = json_root(value, "--format");
	auto_free char *formatted = NULL;
	struct error ignored;
	if (json_is_string(&at)) {
		text_append(text, "%s", string_of(value));
	} else if (json_is_array(&at)) {
		text_append(text, "[");
		for (size_t i = 0; i < json_count(&at); i++) {
			struct json_at element = json_element(&at, i);
			text_append(text, "%s", i ? " " : "");
			template_print(element.value, text);
		}
		text_append(text, "]");
	} else if (json_is_object(&at)) {
		print_object(&at, text);
	} else if (!json_is_present(&at)) {
		text_append(text, "<no value>");
	} else if (json_format(value, JSON_COMPACT, &formatted, &ignored) == 0) {
		text_append(text, "%s", formatted);
	}
}

bool template_is_true(const struct json_t *value)
{
	struct json_at at = json_root(value, "--format");
	auto_text text = { 0 };
	if (!json_is_present(&at))
		return false;
	if (json_is_array(&at) || json_is_object(&at))
		return json_count(&at) > 0;
	template_print(value, &text);
	return text.size && !(!json_is_string(&at) &&
			      (text_equal(text.data, "0") || text_equal(text.data, "false")));
}

/* --- functions -------------------------------------------------------------------------- */

typedef const struct json_t *const *arguments;

static int take_text(struct text *text, struct json_t **ret, struct error *err)
{
	if (text->failed)
		return error_set(err, ENOMEM, "no memory for a template");
	*ret = json_new_string(text->data ? text->data : "");
	return 0;
}

static int call_json(arguments args, size_t count, struct json_t **ret, struct error *err)
{
	auto_free char *formatted = NULL;
	(void)count;
	int r = json_format(args[0], JSON_COMPACT, &formatted, err);
	if (r == 0)
		*ret = json_new_string(formatted);
	return r;
}

static int call_join(arguments args, size_t count, struct json_t **ret, struct error *err)
{
	struct json_at list = json_root(args[0], "--format");
	const char *between = string_of(args[1]);
	auto_text text = { 0 };
	(void)count;
	if (!between || (json_is_present(&list) && !json_is_array(&list)))
		return error_set(err, EINVAL, "join takes a list and a text");
	for (size_t i = 0; i < json_count(&list); i++) {
		struct json_at item = json_element(&list, i);
		text_append(&text, "%s", i ? between : "");
		template_print(item.value, &text);
	}
	return take_text(&text, ret, err);
}

static int call_split(arguments args, size_t count, struct json_t **ret, struct error *err)
{
	const char *text = string_of(args[0]), *at = string_of(args[1]);
	auto_json list = json_new_array();
	(void)count;
	if (!text || !at || !*at)
		return error_set(err, EINVAL, "split takes two texts");
	for (const char *found; (found = strstr(text, at)); text = found + strlen(at)) {
		auto_free char *piece = strndup(text, (size_t)(found - text));
		json_append(list, json_new_string(piece));
	}
	json_append(list, json_new_string(text));
	*ret = TAKE(list);
	return 0;
}

static int call_index(arguments args, size_t count, struct json_t **ret, struct error *err)
{
	const struct json_t *value = args[0];
	for (size_t i = 1; i < count; i++) {
		struct json_at at = json_root(value, "--format"), found;
		struct json_at key_at = json_root(args[i], "--format");
		const char *key = string_of(args[i]);
		int64_t number = 0;
		if (json_is_object(&at) && key) {
			found = json_member(&at, key);
			if (!found.value) { /* the empty value of a map's missing key */
				*ret = json_new_string("");
				return 0;
			}
		} else if (json_is_array(&at) && !key) {
			int r = json_as_integer(&key_at, 0, INT64_MAX, &number, err);
			if (r < 0)
				return r;
			if ((uint64_t)number >= json_count(&at))
				return error_set(err, EINVAL, "there is no element %lld",
						 (long long)number);
			found = json_element(&at, (size_t)number);
		} else {
			return error_set(err, EINVAL,
					 "index takes a map and a text, or a list "
					 "and a number");
		}
		value = found.value;
	}
	*ret = json_clone(value);
	return 0;
}

static int call_len(arguments args, size_t count, struct json_t **ret, struct error *err)
{
	struct json_at at = json_root(args[0], "--format");
	const char *text = string_of(args[0]);
	(void)count;
	(void)err;
	*ret = json_new_integer((int64_t)(text ? strlen(text) : json_count(&at)));
	return 0;
}

static int change_case(arguments args, int (*change)(int c), bool first_only, struct json_t **ret,
		       struct error *err)
{
	auto_text text = { 0 };
	const char *from = string_of(args[0]);
	if (!from)
		return error_set(err, EINVAL, "takes a text");
	bool begin = true;
	for (; *from; from++) {
		char c = *from;
		if (!first_only || begin)
			c = (char)change((unsigned char)c);
		begin = *from == ' ';
		text_append_bytes(&text, &c, 1);
	}
	return take_text(&text, ret, err);
}

static int call_upper(arguments args, size_t count, struct json_t **ret, struct error *err)
{
	(void)count;
	return change_case(args, toupper, false, ret, err);
}

static int call_lower(arguments args, size_t count, struct json_t **ret, struct error *err)
{
	(void)count;
	return change_case(args, tolower, false, ret, err);
}

static int call_title(arguments args, size_t count, struct json_t **ret, struct error *err)
{
	(void)count;
	return change_case(args, toupper, true, ret, err);
}

static int call_truncate(arguments args, size_t count, struct json_t **ret, struct error *err)
{
	const char *from = string_of(args[0]);
	struct json_at size_at = json_root(args[1], "--format");
	auto_text text = { 0 };
	int64_t size = 0;
	(void)count;
	int r = json_as_integer(&size_at, 0, INT32_MAX, &size, err);
	if (r < 0 || !from)
		return r < 0 ? r : error_set(err, EINVAL, "truncate takes a text and a number");
	text_append(&text, "%.*s", (int)size, from);
	return take_text(&text, ret, err);
}

static int call_pad(arguments args, size_t count, struct json_t **ret, struct error *err)
{
	const char *from = string_of(args[0]);
	struct json_at before = json_root(args[1], "--format"), after = json_root(args[2], "");
	auto_text text = { 0 };
	int64_t left = 0, right = 0;
	(void)count;
	int r = json_as_integer(&before, 0, PAD_MAX, &left, err);
	if (r == 0)
		r = json_as_integer(&after, 0, PAD_MAX, &right, err);
	if (r < 0 || !from)
		return r < 0 ? r : error_set(err, EINVAL, "pad takes a text and two numbers");
	text_append(&text, "%*s%s%*s", (int)left, "", from, (int)right, "");
	return take_text(&text, ret, err);
}

static int print_all(arguments args, size_t count, bool line, struct json_t **ret,
		     struct error *err)
{
	auto_text text = { 0 };
	for (size_t i = 0; i < count; i++) {
		/* As Go: print puts a blank only between what are no texts, println always. */
		bool blank = line || (i && !string_of(args[i]) && !string_of(args[i - 1]));
		text_append(&text, "%s", i && blank ? " " : "");
		template_print(args[i], &text);
	}
	text_append(&text, "%s", line ? "\n" : "");
	return take_text(&text, ret, err);
}

static int call_print(arguments args, size_t count, struct json_t **ret, struct error *err)
{
	return print_all(args, count, false, ret, err);
}

static int call_println(arguments args, size_t count, struct json_t **ret, struct error *err)
{
	return print_all(args, count, true, ret, err);
}

/* %s %v %d %q, with a width: "%-20s". */
static int call_printf(arguments args, size_t count, struct json_t **ret, struct error *err)
{
	auto_text text = { 0 };
	const char *format = string_of(args[0]);
	size_t next = 1;
	for (; format && *format; format++) {
		if (*format != '%' || format[1] == '%') {
			format += *format == '%';
			text_append_bytes(&text, format, 1);
			continue;
		}
		auto_text one = { 0 };
		bool left = format[1] == '-';
		char *end;
		long width = strtol(format + 1 + left, &end, 10);
		if (!*end || !strchr("svdq", *end) || width > PAD_MAX || next >= count)
			return error_set(err, EINVAL,
					 "printf knows %%s %%v %%d %%q, a width, and "
					 "needs a value for each");
		template_print(args[next++], &one);
		const char *quote = *end == 'q' ? "\"" : "";
		auto_text quoted = { 0 };
		text_append(&quoted, "%s%s%s", quote, one.data ? one.data : "", quote);
		text_append(&text, left ? "%-*s" : "%*s", (int)width,
			    quoted.data ? quoted.data : "");
		format = end;
	}
	return format ? take_text(&text, ret, err)
		      : error_set(err, EINVAL, "printf takes a format first");
}

/* Numbers as numbers, all else by its text. */
static int compare(const struct json_t *a, const struct json_t *b)
{
	struct json_at left = json_root(a, ""), right = json_root(b, "");
	int64_t x, y;
	struct error ignored;
	auto_text first = { 0 }, second = { 0 };
	if (json_as_integer(&left, INT64_MIN, INT64_MAX, &x, &ignored) == 0 &&
	    json_as_integer(&right, INT64_MIN, INT64_MAX, &y, &ignored) == 0)
		return (x > y) - (x < y);
	template_print(a, &first);
	template_print(b, &second);
	return strcmp(first.data ? first.data : "", second.data ? second.data : "");
}

static int call_eq(arguments args, size_t count, struct json_t **ret, struct error *err)
{
	bool equal = false;
	(void)err;
	for (size_t i = 1; i < count; i++)
		equal |= compare(args[0], args[i]) == 0;
	*ret = json_new_bool(equal);
	return 0;
}

static int call_ne(arguments args, size_t count, struct json_t **ret, struct error *err)
{
	(void)count;
	(void)err;
	*ret = json_new_bool(compare(args[0], args[1]) != 0);
	return 0;
}

static int call_lt(arguments args, size_t count, struct json_t **ret, struct error *err)
{
	(void)count;
	(void)err;
	*ret = json_new_bool(compare(args[0], args[1]) < 0);
	return 0;
}

static int call_le(arguments args, size_t count, struct json_t **ret, struct error *err)
{
	(void)count;
	(void)err;
	*ret = json_new_bool(compare(args[0], args[1]) <= 0);
	return 0;
}

static int call_gt(arguments args, size_t count, struct json_t **ret, struct error *err)
{
	(void)count;
	(void)err;
	*ret = json_new_bool(compare(args[0], args[1]) > 0);
	return 0;
}

static int call_ge(arguments args, size_t count, struct json_t **ret, struct error *err)
{
	(void)count;
	(void)err;
	*ret = json_new_bool(compare(args[0], args[1]) >= 0);
	return 0;
}

static int call_and(arguments args, size_t count, struct json_t **ret, struct error *err)
{
	size_t i = 0;
	(void)err;
	while (i + 1 < count && template_is_true(args[i]))
		i++;
	*ret = json_clone(args[i]);
	return 0;
}

static int call_or(arguments args, size_t count, struct json_t **ret, struct error *err)
{
	size_t i = 0;
	(void)err;
	while (i + 1 < count && !template_is_true(args[i]))
		i++;
	*ret = json_clone(args[i]);
	return 0;
}

static int call_not(arguments args, size_t count, struct json_t **ret, struct error *err)
{
	(void)count;
	(void)err;
	*ret = json_new_bool(!template_is_true(args[0]));
	return 0;
}

static const struct {
	const char *name;
	size_t least, most;
	int (*call)(arguments args, size_t count, struct json_t **ret, struct error *err);
} functions[] = {
	{ "json", 1, 1, call_json },
	{ "join", 2, 2, call_join },
	{ "split", 2, 2, call_split },
	{ "index", 2, TEMPLATE_ARGUMENTS_MAX, call_index },
	{ "len", 1, 1, call_len },
	{ "upper", 1, 1, call_upper },
	{ "lower", 1, 1, call_lower },
	{ "title", 1, 1, call_title },
	{ "truncate", 2, 2, call_truncate },
	{ "pad", 3, 3, call_pad },
	{ "print", 0, TEMPLATE_ARGUMENTS_MAX, call_print },
	{ "println", 0, TEMPLATE_ARGUMENTS_MAX, call_println },
	{ "printf", 1, TEMPLATE_ARGUMENTS_MAX, call_printf },
	{ "eq", 2, TEMPLATE_ARGUMENTS_MAX, call_eq },
	{ "ne", 2, 2, call_ne },
	{ "lt", 2, 2, call_lt },
	{ "le", 2, 2, call_le },
	{ "gt", 2, 2, call_gt },
	{ "ge", 2, 2, call_ge },
	{ "and", 1, TEMPLATE_ARGUMENTS_MAX, call_and },
	{ "or", 1, TEMPLATE_ARGUMENTS_MAX, call_or },
	{ "not", 1, 1, call_not },
};

bool template_is_function(const char *name, size_t size)
{
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++)
		if (strlen(functions[i].name) == size &&
		    strncmp(functions[i].name, name, size) == 0)
			return true;
	return false;
}

int template_call(const char *name, const struct json_t *const *args, size_t count,
		  struct json_t **ret_value, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
		if (!text_equal(functions[i].name, name))
			continue;
		if (count < functions[i].least || count > functions[i].most)
			return error_set(err, EINVAL, "%s does not take %zu values", name, count);
		return functions[i].call(args, count, ret_value, err);
	}
	return error_set(err, EINVAL, "%s is no function", name);
}
