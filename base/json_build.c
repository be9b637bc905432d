/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Building documents without a check at each step: what failed leaves a mark
 * in its container that no dump gets past, and json_format reports it.
 */
#include "json_private.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

/* No UTF-8, and so refused by the dump wherever it stands. */
static const char broken_mark[] = "\xff";

static void mark_broken(struct json_t *container)
{
	if (!container)
		return;
	struct json_t *mark = json_stringn_nocheck(broken_mark, 1);
	int r = json_typeof(container) == JSON_ARRAY
			? json_array_append_new(container, mark)
			: json_object_set_new_nocheck(container, broken_mark, mark);
	/* Not even memory for the mark: a type that no dump knows; it costs a leak. */
	if (r < 0)
		container->type = (json_type)-1;
}

/* Bytes of the valid UTF-8 sequence at text, 0 if it is none. */
static size_t sequence_size(const unsigned char *text)
{
	static const struct {
		unsigned char mask, lead;
		size_t size;
		uint32_t min;
	} forms[] = {
		{ 0x80, 0x00, 1, 0 },
		{ 0xe0, 0xc0, 2, 0x80 },
		{ 0xf0, 0xe0, 3, 0x800 },
		{ 0xf8, 0xf0, 4, 0x10000 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		if ((text[0] & forms[i].mask) != forms[i].lead)
			continue;
		uint32_t point = text[0] & (unsigned char)~forms[i].mask;
		for (size_t k = 1; k < forms[i].size; k++) {
			if ((text[k] & 0xc0) != 0x80) /* the NUL at the end too */
				return 0;
			point = point << 6 | (text[k] & 0x3f);
		}
		bool surrogate = point >= 0xd800 && point <= 0xdfff;
		return point < forms[i].min || point > 0x10ffff || surrogate ? 0 : forms[i].size;
	}
	return 0;
}

static bool is_utf8(const char *text)
{
	for (size_t size; *text; text += size) {
		size = sequence_size((const unsigned char *)text);
		if (size == 0)
			return false;
	}
	return true;
}

/* A copy with each byte that belongs to no character replaced; NULL without memory. */
static char *as_utf8(const char *text)
{
	char *copy = strdup(text);
	for (char *c = copy; c && *c;) {
		size_t size = sequence_size((unsigned char *)c);
		if (size == 0)
			*c = '?';
		c += size ? size : 1;
	}
	return copy;
}

struct json_t *json_new_object(void)
{
	return json_object();
}

struct json_t *json_new_array(void)
{
	return json_array();
}

struct json_t *json_new_string(const char *text)
{
	if (!text)
		return json_null();
	if (is_utf8(text))
		return json_string_nocheck(text);
	auto_free char *clean = as_utf8(text);
	return clean ? json_string_nocheck(clean) : NULL;
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

void json_put(struct json_t *object, const char *key, struct json_t *value)
{
	auto_free char *clean = is_utf8(key) ? NULL : as_utf8(key);
	if (clean)
		key = clean;
	/* Takes value in any case. */
	if (!value || json_object_set_new(object, key, value) < 0)
		mark_broken(object);
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
	if (!value || json_array_append_new(array, value) < 0)
		mark_broken(array);
}

int json_format(const struct json_t *value, enum json_style style, char **ret_text,
		struct error *err)
{
	size_t flags = JSON_ENCODE_ANY;
	flags |= style == JSON_INDENTED ? JSON_INDENT(2) : JANSSON_COMPACT;
	char *text = value ? json_dumps(value, flags) : NULL;
	if (!text)
		return error_set(err, ENOMEM, "no memory for a JSON document");
	*ret_text = text;
	return 0;
}
