/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/error.h"

#include <stdio.h>
#include <string.h>

/* Hostile names may be in a text that goes to a terminal: one line, no control bytes. */
static void clean(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

int error_set(struct error *err, int code, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	err->code = code;
	vsnprintf(err->text, sizeof err->text, format, arguments);
	va_end(arguments);
	clean(err->text);
	return -code;
}

int error_set_errno(struct error *err, int code, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	err->code = code;
	vsnprintf(err->text, sizeof err->text, format, arguments);
	va_end(arguments);
	size_t size = strlen(err->text);
	snprintf(err->text + size, sizeof err->text - size, ": %s", strerrordesc_np(code));
	clean(err->text);
	return -code;
}

int error_wrap(struct error *err, const char *format, ...)
{
	char before[ERROR_TEXT_MAX];
	va_list arguments;
	memcpy(before, err->text, sizeof before);
	va_start(arguments, format);
	vsnprintf(err->text, sizeof err->text, format, arguments);
	va_end(arguments);
	size_t size = strlen(err->text);
	snprintf(err->text + size, sizeof err->text - size, ": %s", before);
	clean(err->text);
	return -err->code;
}

void error_clear(struct error *err)
{
	err->code = 0;
	err->text[0] = '\0';
}
