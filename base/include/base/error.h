/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * One error type for all of Wherry. A function that can fail returns 0 or a
 * negative errno, takes `struct error *err` last and fills it exactly when it
 * fails. Callers put their purpose in front with error_wrap; only the edge of
 * a program prints.
 */
#include <stdarg.h>

#define ERROR_TEXT_MAX 1024 /* bytes, with the final NUL; longer texts are cut */

struct error {
	int code;                  /* positive errno; 0: no error */
	char text[ERROR_TEXT_MAX]; /* one line, no final stop, no newline */
};

/**
 * Fills err with code (a positive errno) and the formatted text, and returns
 * -code, so that `return error_set(err, EINVAL, ...)` is the usual form.
 * Control bytes in the text are replaced by '?': hostile names may be in it.
 */
int error_set(struct error *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/** As error_set, with ": " and the text of errno `code` behind the message. */
int error_set_errno(struct error *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * Puts "purpose: " in front of the text that err holds already; the code
 * stays. Returns -err->code, so that `return error_wrap(err, ...)` works.
 */
int error_wrap(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Makes err empty again. */
void error_clear(struct error *err);
