/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What the unit tests of base share. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/error.h"

/** Fails with the number and name of the row of a table that does not hold. */
#define CHECK_ROW(i, name, condition)                                                  \
	do {                                                                           \
		if (!(condition))                                                      \
			fail_msg("row %zu (%s): %s", (size_t)(i), (name), #condition); \
	} while (0)

/** A call that must work. */
#define MUST(call, err)                                        \
	do {                                                   \
		if ((call) < 0)                                \
			fail_msg("%s: %s", #call, (err).text); \
	} while (0)

/** A folder of the test's own; removed by the caller. */
static inline void make_folder(char path[32])
{
	snprintf(path, 32, "/tmp/wherry-unit.XXXXXX");
	assert_non_null(mkdtemp(path));
}
