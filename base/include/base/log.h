/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The log of a long-lived program: one line an event on stderr,
 * "LEVEL text key=value". Libraries do not log; programs do.
 */
enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

struct log {
	enum log_level level; /* what is less important is not written */
	const char *program;
};
void log_write(const struct log *log, enum log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
