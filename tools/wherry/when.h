/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A point of time as --since and --until take it. */
#include <stdint.h>

#include "base/error.h"

/**
 * "10m" (ago), "1700000000[.5]" (seconds since 1970), "2026-01-31[T12:00:00[.5]][Z|+01:00]" (local
 * without a zone). text NULL: *ret_ns stays.
 */
int when_read(const char *flag, const char *text, int64_t *ret_ns, struct error *err);
