/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One event, one line, one write: lines of several processes on one stderr do
 * not mix.
 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"

#define LOG_LINE_MAX 2048

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};
_Static_assert(ARRAY_SIZE(level_names) == LOG_LEVEL_DEBUG + 1, "each level has a name");

static size_t clamp(int size, size_t room)
{
	return size < 0 ? 0 : (size_t)size < room ? (size_t)size : room - 1;
}

void log_write(const struct log *log, enum log_level level, const char *format, ...)
{
	if (level > log->level)
		return;
	char line[LOG_LINE_MAX];
	size_t room = sizeof line - 1; /* the newline */
	size_t used =
		clamp(snprintf(line, room, "%s: %s: ", log->program, level_names[level]), room);
	va_list args;
	va_start(args, format);
	used += clamp(vsnprintf(line + used, room - used, format, args), room - used);
	va_end(args);
	for (size_t i = 0; i < used; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	line[used++] = '\n';
	/* A log that cannot be written has nobody left to tell. */
	ssize_t written = write(STDERR_FILENO, line, used);
	(void)written;
}
