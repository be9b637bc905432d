/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Numbers of system calls by their names.
 */
#include <stdint.h>

#define FILTER_YOUNGEST_CALL 469 /* the last that we know: file_setattr, of Linux 6.17 */

/** Number of the call on an architecture (SCMP_ARCH_*); -1 if it has none there. */
int filter_call_number(uint32_t arch, const char *name);
