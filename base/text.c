/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The growing text and the small questions one asks of strings. Appending never fails on the spot:
 * the text remembers that memory ran out, and text_take says so once.
 */
#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#define CAPACITY_MIN 64

void text_free(struct text *text)
{
	free(text->data);
	*text = (struct text){ 0 };
}

static bool make_room(struct text *text, size_t more)
{
	size_t wanted = text->size + more + 1;
	if (text->failed || wanted < more)
		text->failed = true;
	if (text->failed || wanted <= text->capacity)
		return !text->failed;
	size_t capacity = text->capacity ? text->capacity : CAPACITY_MIN;
	while (capacity < wanted)
		capacity *= 2;
	char *data = realloc(text->data, capacity);
	if (!data) {
		text->failed = true;
		return false;
	}
	text->data = data;
	text->capacity = capacity;
	return true;
}

void text_append_bytes(struct text *text, const void *data, size_t size)
{
	if (!make_room(text, size))
		return;
	if (size)
		memcpy(text->data + text->size, data, size);
	text->size += size;
	text->data[text->size] = '\0';
}

void text_append(struct text *text, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	char *piece;
	int size = vasprintf(&piece, format, arguments);
	va_end(arguments);
	if (size < 0) {
		text->failed = true;
		return;
	}
	text_append_bytes(text, piece, (size_t)size);
	free(piece);
}

int text_take(struct text *text, char **ret_text, struct error *err)
{
	text_append_bytes(text, "", 0);
	if (text->failed)
		return error_set(err, ENOMEM, "no memory for a text");
	*ret_text = TAKE(text->data);
	*text = (struct text){ 0 };
	return 0;
}

int text_format(char **ret_text, struct error *err, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	char *text;
	int size = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (size < 0)
		return error_set(err, ENOMEM, "no memory for a text");
	*ret_text = text;
	return 0;
}

int text_copy(const char *text, char **ret_text, struct error *err)
{
	char *copy = strdup(text);
	if (!copy)
		return error_set(err, ENOMEM, "no memory for a text");
	*ret_text = copy;
	return 0;
}

bool text_equal(const char *a, const char *b)
{
	if (!a || !b)
		return a == b;
	return strcmp(a, b) == 0;
}

bool text_starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool text_ends_with(const char *text, const char *suffix)
{
	size_t size = strlen(text), tail = strlen(suffix);
	return size >= tail && strcmp(text + size - tail, suffix) == 0;
}

bool text_is_name(const char *text, size_t max)
{
	size_t size = strlen(text);
	if (size == 0 || size > max || !isalnum((unsigned char)text[0]) || !isascii(text[0]))
		return false;
	for (; *text; text++)
		if (!isascii(*text) || !(isalnum((unsigned char)*text) || strchr("_.-", *text)))
			return false;
	return true;
}

void text_from_hex_bytes(const uint8_t *bytes, size_t size, char *out)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < size; i++) {
		*out++ = digits[bytes[i] >> 4];
		*out++ = digits[bytes[i] & 15];
	}
	*out = '\0';
}
