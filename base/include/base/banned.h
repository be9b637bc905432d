/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What must not be called does not compile. Forced into every user-space file
 * by the build. Beside each: what to use.
 */
#include <string.h>
#include <stdlib.h>
#include <stdio.h>
#include <time.h>

/* Under _FORTIFY_SOURCE clang sees macros here, and does not poison those. */
#undef sprintf
#undef vsprintf

#pragma GCC poison strcpy    /* text_copy, snprintf */
#pragma GCC poison strcat    /* struct text */
#pragma GCC poison strncpy   /* snprintf */
#pragma GCC poison strncat   /* struct text */
#pragma GCC poison sprintf   /* snprintf, text_format */
#pragma GCC poison vsprintf  /* vsnprintf */
#pragma GCC poison atoi      /* text_to_unsigned */
#pragma GCC poison atol      /* text_to_unsigned */
#pragma GCC poison atoll     /* text_to_unsigned */
#pragma GCC poison system    /* process_run */
#pragma GCC poison popen     /* process_run */
#pragma GCC poison localtime /* time_format */
#pragma GCC poison gmtime    /* gmtime_r */
#pragma GCC poison strtok    /* words_split */
#pragma GCC poison tmpnam    /* mkstemp */
#pragma GCC poison mktemp    /* mkstemp */
