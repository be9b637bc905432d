/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A claim is a sentence and whether it held. Points write them to a descriptor
 * as they go, so that those of a point that hangs are not lost.
 */
#include "conformance.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"

#define SENTENCE_MAX 400

static void write_claim(struct world *world, enum verdict verdict, const char *text,
			const char *detail)
{
	auto_json line = json_new_object();
	auto_free char *formatted = NULL;
	struct error err;
	json_put_integer(line, "verdict", verdict);
	json_put_string(line, "text", text);
	if (detail)
		json_put_string(line, "detail", detail);
	if (json_format(line, JSON_COMPACT, &formatted, &err) < 0)
		return;
	fd_write_all(world->claims_fd, formatted, strlen(formatted));
	fd_write_all(world->claims_fd, "\n", 1);
}

void claim(struct world *world, bool held, const char *format, ...)
{
	char text[SENTENCE_MAX];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	write_claim(world, held ? VERDICT_PASS : VERDICT_FAIL, text, held ? NULL : world->detail);
}

void skip(struct world *world, const char *format, ...)
{
	char text[SENTENCE_MAX];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	write_claim(world, VERDICT_SKIP, text, NULL);
}

void show(struct world *world, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(world->detail, sizeof world->detail, format, arguments);
	va_end(arguments);
}
