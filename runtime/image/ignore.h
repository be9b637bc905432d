/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Patterns of file names, as Dockerfiles (COPY) and .dockerignore have them:
 * '*' and '?' stay within a component, "**" crosses them, "[a-z]" is a class.
 */
#include <stdbool.h>

#include "base/error.h"
#include "base/text.h"

bool pattern_match(const char *pattern, const char *path);
bool pattern_has_wildcards(const char *text);

struct ignore {
	struct words patterns; /* clean; a leading '!' lets in again */
};
void ignore_release(struct ignore *ignore);
/** Gate: the text of a .dockerignore. */
int ignore_parse(const char *text, struct ignore *ret_ignore, struct error *err);
/** Tells whether path (relative, clean) is left out; the last pattern that fits decides. */
bool ignore_matches(const struct ignore *ignore, const char *path);
/** True if some pattern lets in again: then ignored directories must be looked into. */
bool ignore_has_exceptions(const struct ignore *ignore);
