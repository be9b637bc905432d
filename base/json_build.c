/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Building and writing documents. A member that could not be made leaves its
 * parent without it and marked: an array or object that lost something holds a
 * marker that json_format finds, so that nobody writes half a document.
 */
#include "base/json.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "base/text.h"

struct json_t *json_new_object(void)
{
	return json_object();
}

struct json_t *json_new_array(void)
{
	return json_array();
}

/* Bytes above 0x7f that are no UTF-8 would make jansson refuse the whole string. */
static json_t *string_with_question_marks(const char *text)
{
	auto_free char *copy = strdup(text);
	if (!copy)
		return NULL;
	for (char *c = copy; *c; c++)
		if ((unsigned char)*c > 0x7f)
			*c = '?';
	return json_string(copy);
}

struct json_t *json_new_string(const char *text)
{
	json_t *value = json_string(text);
	return value ? value : string_with_question_marks(text);
}

struct json_t *json_new_integer(int64_t number)
{
	return json_integer(number);
}

struct json_t *json_new_bool(bool value)
{
	return json_boolean(value);
}

struct json_t *json_new_null(void)
{
	return json_null();
}

struct json_t *json_clone(const struct json_t *value)
{
	return json_deep_copy(value);
}

/* A real number can be in no document that we build: it marks what was lost. */
static void mark_lost(struct json_t *parent)
{
	if (json_typeof(parent) == JSON_OBJECT)
		json_object_set_new(parent, "", json_real(0.5));
	else
		json_array_append_new(parent, json_real(0.5));
}

void json_put(struct json_t *object, const char *key, struct json_t *value)
{
	if (!object) {
		json_free(value);
		return;
	}
	if (json_object_set_new(object, key, value) < 0)
		mark_lost(object);
}

void json_put_string(struct json_t *object, const char *key, const char *text)
{
	json_put(object, key, json_new_string(text));
}

void json_put_integer(struct json_t *object, const char *key, int64_t number)
{
	json_put(object, key, json_new_integer(number));
}

void json_put_bool(struct json_t *object, const char *key, bool value)
{
	json_put(object, key, json_new_bool(value));
}

void json_append(struct json_t *array, struct json_t *value)
{
	if (!array) {
		json_free(value);
		return;
	}
	if (json_array_append_new(array, value) < 0)
		mark_lost(array);
}

static bool is_whole(const json_t *value)
{
	const char *key;
	json_t *member;
	size_t i;
	if (json_typeof(value) == JSON_OBJECT) {
		member = json_object_get(value, "");
		if (member && json_typeof(member) == JSON_REAL)
			return false;
		json_object_foreach((json_t *)value, key,
				    member) if (!is_whole(member)) return false;
	} else if (json_typeof(value) == JSON_ARRAY) {
		json_array_foreach(value, i,
				   member) if (json_typeof(member) == JSON_REAL &&
					       json_real_value(member) == 0.5) return false;
		else if (!is_whole(member)) return false;
	}
	return true;
}

int json_format(const struct json_t *value, enum json_style style, char **ret_text,
		struct error *err)
{
	size_t flags = JSON_ENCODE_ANY | (style == JSON_INDENTED ? JSON_INDENT(2) : JSON_COMPACT);
	char *text = value && is_whole(value) ? json_dumps(value, flags) : NULL;
	if (!text)
		return error_set(err, ENOMEM, "no memory for a JSON document");
	*ret_text = text;
	return 0;
}
