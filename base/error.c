/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The error text is made here and nowhere else: cut to its buffer at the
 * border of a character, and free of control bytes whatever the arguments held.
 */
#include "base/error.h"

#include <errno.h>
#include <string.h>

/* A cut in the middle of a UTF-8 sequence would leave bytes that no terminal shows. */
static void drop_partial_character(char *text, size_t size)
{
	size_t tail = 0;
	while (tail < 3 && tail < size && ((unsigned char)text[size - 1 - tail] & 0xc0) == 0x80)
		tail++;
	if (tail == size)
		return;
	unsigned char lead = (unsigned char)text[size - 1 - tail];
	size_t wanted = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
	if (wanted > tail)
		text[size - 1 - tail] = '\0';
}

static void clean_text(char *text)
{
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
}

__attribute__((format(printf, 2, 0))) static void format_text(struct error *err, const char *format,
							      va_list args)
{
	int size = vsnprintf(err->text, sizeof err->text, format, args);
	if (size < 0)
		err->text[0] = '\0';
	if (size >= (int)sizeof err->text)
		drop_partial_character(err->text, sizeof err->text - 1);
	clean_text(err->text);
}

static void append_text(struct error *err, const char *separator, const char *more)
{
	size_t used = strlen(err->text);
	int size = snprintf(err->text + used, sizeof err->text - used, "%s%s", separator, more);
	if (size >= (int)(sizeof err->text - used))
		drop_partial_character(err->text, sizeof err->text - 1);
}

int error_set(struct error *err, int code, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	err->code = code;
	format_text(err, format, args);
	va_end(args);
	return -code;
}

int error_set_errno(struct error *err, int code, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	err->code = code;
	format_text(err, format, args);
	va_end(args);
	/* Nobody who reads it called a function. */
	const char *reason = code == ENOSYS ? "this kernel does not have what is needed for it"
					    : strerrordesc_np(code);
	append_text(err, ": ", reason ? reason : "unknown error");
	return -code;
}

int error_wrap(struct error *err, const char *format, ...)
{
	/* The arguments may point into err->text: it is copied before it is written. */
	struct error inner = *err;
	struct error outer;
	va_list args;
	va_start(args, format);
	format_text(&outer, format, args);
	va_end(args);
	outer.code = inner.code;
	append_text(&outer, ": ", inner.text);
	*err = outer;
	return -err->code;
}

void error_clear(struct error *err)
{
	err->code = 0;
	err->text[0] = '\0';
}
