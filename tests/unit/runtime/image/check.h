/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What the unit tests of images share. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/text.h"

/* Prints the row that failed; used in loops over tables. */
#define CHECK_ROW(row, condition)                                           \
	do {                                                                \
		if (!(condition))                                           \
			fail_msg("row %zu: %s", (size_t)(row), #condition); \
	} while (0)
#define CHECK_ROW_TEXT(row, text, wanted)                                                       \
	do {                                                                                    \
		if (!text_equal(text, wanted))                                                  \
			fail_msg("row %zu: \"%s\" instead of \"%s\"", (size_t)(row),            \
				 (text) ? (text) : "nothing", (wanted) ? (wanted) : "nothing"); \
	} while (0)
#define CHECK(call, err)                                       \
	do {                                                   \
		if ((call) < 0)                                \
			fail_msg("%s: %s", #call, (err).text); \
	} while (0)
