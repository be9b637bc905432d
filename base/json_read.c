/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cursors over a document, and typed reads whose errors name the place, the
 * value and what would be right.
 */
#include "json_private.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

#define VALUE_TEXT_MAX 80 /* bytes of a wrong value that an error shows */

struct json_at json_root(const struct json_t *value, const char *source)
{
	return (struct json_at){ .value = value, .source = source };
}

static const json_t *member_of(const json_t *object, const char *key)
{
	const json_t *found = json_object_get(object, key);
	void *entry = found ? NULL : json_object_iter((json_t *)object);
	/* Of several spellings the last wins, as in Go. */
	for (; entry; entry = json_object_iter_next((json_t *)object, entry))
		if (strcasecmp(json_object_iter_key(entry), key) == 0)
			found = json_object_iter_value(entry);
	return found;
}

struct json_at json_member(const struct json_at *at, const char *key)
{
	return (struct json_at){ .value = member_of(at->value, key), .parent = at, .key = key };
}

struct json_at json_element(const struct json_at *at, size_t index)
{
	return (struct json_at){ .value = json_array_get(at->value, index),
				 .parent = at,
				 .index = index };
}

struct json_at json_member_at(const struct json_at *at, size_t index)
{
	void *entry = json_object_iter((json_t *)at->value);
	while (entry && index-- > 0)
		entry = json_object_iter_next((json_t *)at->value, entry);
	return (struct json_at){ .value = entry ? json_object_iter_value(entry) : NULL,
				 .parent = at,
				 .key = entry ? json_object_iter_key(entry) : "" };
}

bool json_is_present(const struct json_at *at)
{
	return at->value && !json_is_null(at->value);
}
bool json_is_object(const struct json_at *at)
{
	return at->value && json_typeof(at->value) == JSON_OBJECT;
}

bool json_is_array(const struct json_at *at)
{
	return at->value && json_typeof(at->value) == JSON_ARRAY;
}

bool json_is_string(const struct json_at *at)
{
	return at->value && json_typeof(at->value) == JSON_STRING;
}

size_t json_count(const struct json_at *at)
{
	return json_is_array(at) ? json_array_size(at->value) : json_object_size(at->value);
}

static void append_path(const struct json_at *at, struct text *path)
{
	if (!at->parent) {
		text_append(path, "%s: ", at->source ? at->source : "input");
		return;
	}
	append_path(at->parent, path);
	if (at->key)
		text_append(path, "%s%s", at->parent->parent ? "." : "", at->key);
	else
		text_append(path, "[%zu]", at->index);
}

int json_error(const struct json_at *at, struct error *err, int code, const char *format, ...)
{
	char message[ERROR_TEXT_MAX];
	auto_text path = { 0 };
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(message, sizeof message, format, arguments);
	va_end(arguments);
	append_path(at, &path);
	return error_set(err, code, "%s%s%s", path.data ? path.data : "", at->parent ? ": " : "",
			 message);
}

/* "must be a number from 1 to 5, not "x"" */
static int wrong(const struct json_at *at, struct error *err, const char *what)
{
	auto_free char *value = json_dumps(at->value, JANSSON_COMPACT | JSON_ENCODE_ANY);
	if (value && strlen(value) > VALUE_TEXT_MAX)
		memcpy(value + VALUE_TEXT_MAX - 4, "...", 4);
	return json_error(at, err, EINVAL, "must be %s, not %s", what, value ? value : "this");
}

/* 1: there is a value; 0: none, and none is needed. */
static int find(const struct json_at *at, const char *key, enum json_need need, struct json_at *ret,
		struct error *err)
{
	if (json_is_present(at) && !json_is_object(at))
		return wrong(at, err, "an object");
	*ret = json_member(at, key);
	if (json_is_present(ret))
		return 1;
	return need == JSON_REQUIRED ? json_error(ret, err, EINVAL, "is missing") : 0;
}

int json_as_string(const struct json_at *at, const char **ret, struct error *err)
{
	if (!json_is_string(at))
		return wrong(at, err, "a string");
	*ret = json_string_value(at->value);
	return 0;
}

int json_as_integer(const struct json_at *at, int64_t min, int64_t max, int64_t *ret,
		    struct error *err)
{
	char range[80];
	snprintf(range, sizeof range, "a whole number from %lld to %lld", (long long)min,
		 (long long)max);
	if (!at->value || json_typeof(at->value) != JSON_INTEGER ||
	    json_integer_value(at->value) < min || json_integer_value(at->value) > max)
		return wrong(at, err, range);
	*ret = json_integer_value(at->value);
	return 0;
}

int json_get_string(const struct json_at *at, const char *key, enum json_need need,
		    const char **ret, struct error *err)
{
	struct json_at member;
	int r = find(at, key, need, &member, err);
	return r <= 0 ? r : json_as_string(&member, ret, err);
}

int json_get_bool(const struct json_at *at, const char *key, enum json_need need, bool *ret,
		  struct error *err)
{
	struct json_at member;
	int r = find(at, key, need, &member, err);
	if (r <= 0)
		return r;
	if (!json_is_boolean(member.value))
		return wrong(&member, err, "true or false");
	*ret = json_is_true(member.value);
	return 0;
}

int json_get_integer(const struct json_at *at, const char *key, enum json_need need, int64_t min,
		     int64_t max, int64_t *ret, struct error *err)
{
	struct json_at member;
	int r = find(at, key, need, &member, err);
	return r <= 0 ? r : json_as_integer(&member, min, max, ret, err);
}

int json_get_ip(const struct json_at *at, const char *key, enum json_need need, struct ip *ret,
		struct error *err)
{
	struct json_at member;
	struct error inner;
	int r = find(at, key, need, &member, err);
	if (r <= 0)
		return r;
	if (!json_is_string(&member) || ip_parse(json_string_value(member.value), ret, &inner) < 0)
		return wrong(&member, err, "an address such as \"10.1.2.3\"");
	return 0;
}

int json_get_prefix(const struct json_at *at, const char *key, enum json_need need,
		    struct prefix *ret, struct error *err)
{
	struct json_at member;
	struct error inner;
	int r = find(at, key, need, &member, err);
	if (r <= 0)
		return r;
	if (!json_is_string(&member) ||
	    prefix_parse(json_string_value(member.value), ret, &inner) < 0)
		return wrong(&member, err, "a prefix such as \"10.1.0.0/16\"");
	return 0;
}

int json_get_mac(const struct json_at *at, const char *key, enum json_need need, struct mac *ret,
		 struct error *err)
{
	struct json_at member;
	struct error inner;
	int r = find(at, key, need, &member, err);
	if (r <= 0)
		return r;
	if (!json_is_string(&member) || mac_parse(json_string_value(member.value), ret, &inner) < 0)
		return wrong(&member, err, "a unicast MAC such as \"02:42:0a:01:00:05\"");
	return 0;
}

int json_get_object(const struct json_at *at, const char *key, enum json_need need,
		    struct json_at *ret, struct error *err)
{
	int r = find(at, key, need, ret, err);
	if (r == 0)
		ret->value = NULL;
	if (r <= 0)
		return r;
	return json_is_object(ret) ? 0 : wrong(ret, err, "an object");
}

int json_get_array(const struct json_at *at, const char *key, enum json_need need,
		   struct json_at *ret, struct error *err)
{
	int r = find(at, key, need, ret, err);
	if (r == 0)
		ret->value = NULL;
	if (r <= 0)
		return r;
	return json_is_array(ret) ? 0 : wrong(ret, err, "a list");
}
