/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/text.h"

void words_free(struct words *words)
{
	for (size_t i = 0; i < words->count; i++)
		free(words->items[i]);
	free(words->items);
	*words = (struct words){ 0 };
}

/* Takes over item, also when it fails. NULL: there was no memory for it. */
static int append_owned(struct words *words, char *item, struct error *err)
{
	auto_free char *owned = item;
	/* Room doubles at each power of two; one more is for the NULL behind the last. */
	bool full = (words->count & (words->count + 1)) == 0;
	if (owned && full) {
		char **items = realloc(words->items, (2 * words->count + 2) * sizeof *items);
		if (!items)
			return error_set(err, ENOMEM, "no memory for a list");
		words->items = items;
	}
	if (!owned)
		return error_set(err, ENOMEM, "no memory for a list");
	words->items[words->count++] = TAKE(owned);
	words->items[words->count] = NULL;
	return 0;
}

int words_append(struct words *words, const char *text, struct error *err)
{
	return append_owned(words, strdup(text), err);
}

int words_append_format(struct words *words, struct error *err, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	char *text;
	int size = vasprintf(&text, format, arguments);
	va_end(arguments);
	return append_owned(words, size < 0 ? NULL : text, err);
}

int words_copy(const struct words *from, struct words *to, struct error *err)
{
	auto_words copy = { 0 };
	for (size_t i = 0; i < from->count; i++) {
		int r = words_append(&copy, from->items[i], err);
		if (r < 0)
			return r;
	}
	words_free(to);
	*to = copy;
	copy = (struct words){ 0 };
	return 0;
}

int words_split(const char *text, char separator, struct words *ret, struct error *err)
{
	for (;;) {
		const char *end = strchrnul(text, separator);
		int r = append_owned(ret, strndup(text, (size_t)(end - text)), err);
		if (r < 0 || !*end)
			return r;
		text = end + 1;
	}
}
