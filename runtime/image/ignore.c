/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Patterns of file names, as Dockerfiles (COPY) and .dockerignore have them.
 */
#include "ignore.h"

#include <string.h>

#include "path.h"

#define PATTERN_STEPS_MAX 100000 /* of backtracking: hostile patterns end early */

/* "[a-z]" or "[^a-z]" at *pattern against c; *pattern moves behind it. */
static bool match_class(const char **pattern, char c)
{
	const char *at = *pattern + 1;
	bool negated = *at == '^' || *at == '!', found = false;
	at += negated;
	for (bool first = true; *at && (first || *at != ']'); first = false) {
		if (*at == '\\' && at[1])
			at++;
		char low = *at++, high = low;
		if (*at == '-' && at[1] && at[1] != ']') {
			high = at[1];
			at += 2;
		}
		found = found || (c >= low && c <= high);
	}
	if (!*at)
		return false;
	*pattern = at + 1;
	return found != negated;
}

static bool match(const char *pattern, const char *path, int *steps);

static bool match_star(const char *pattern, const char *path, int *steps)
{
	bool deep = pattern[1] == '*';
	const char *rest = pattern + 1 + deep;
	if (deep && *rest == '/' && match(rest + 1, path, steps))
		return true; /* "**" may be nothing at all */
	for (;; path++) {
		if (match(rest, path, steps))
			return true;
		if (!*path || (!deep && *path == '/'))
			return false;
	}
}

static bool match(const char *pattern, const char *path, int *steps)
{
	for (; *pattern; path++) {
		if (--*steps < 0)
			return false;
		if (*pattern == '*')
			return match_star(pattern, path, steps);
		if (!*path)
			return false;
		if (*pattern == '[') {
			if (*path == '/' || !match_class(&pattern, *path))
				return false;
			continue;
		}
		if (*pattern == '?') {
			if (*path == '/')
				return false;
			pattern++;
			continue;
		}
		if (*pattern == '\\' && pattern[1])
			pattern++;
		if (*pattern++ != *path)
			return false;
	}
	return !*path;
}

bool pattern_match(const char *pattern, const char *path)
{
	int steps = PATTERN_STEPS_MAX;
	return match(pattern, path, &steps);
}

bool pattern_has_wildcards(const char *text)
{
	return strpbrk(text, "*?[") != NULL;
}

void ignore_release(struct ignore *ignore)
{
	words_free(&ignore->patterns);
	*ignore = (struct ignore){ 0 };
}

static int add_pattern(struct ignore *ignore, char *line, struct error *err)
{
	line += strspn(line, " \t");
	for (size_t size = strlen(line); size > 0 && strchr(" \t\r", line[size - 1]);)
		line[--size] = 0;
	if (!*line || *line == '#')
		return 0;
	bool exception = *line == '!';
	line += exception;
	line += strspn(line, "/ \t");
	auto_free char *clean = NULL;
	struct error ignored;
	/* "..": outside of the context, so nothing there can match. */
	if (!*line || layer_path_clean(line, &clean, &ignored) < 0)
		return 0;
	return words_append_format(&ignore->patterns, err, "%s%s", exception ? "!" : "",
				   *clean ? clean : "*");
}

int ignore_parse(const char *text, struct ignore *ret_ignore, struct error *err)
{
	auto_words lines = { 0 };
	struct ignore ignore = { 0 };
	int r = words_split(text, '\n', &lines, err);
	for (size_t i = 0; r == 0 && i < lines.count; i++)
		r = add_pattern(&ignore, lines.items[i], err);
	if (r < 0)
		ignore_release(&ignore);
	else
		*ret_ignore = ignore;
	return r;
}

/* A pattern fits a path if it fits it or a directory above it. */
static bool fits(const char *pattern, const char *path)
{
	char prefix[4096];
	if (pattern_match(pattern, path))
		return true;
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(prefix, sizeof prefix, "%.*s", (int)(slash - path), path);
		if (pattern_match(pattern, prefix))
			return true;
	}
	return false;
}

bool ignore_matches(const struct ignore *ignore, const char *path)
{
	bool ignored = false;
	for (size_t i = 0; i < ignore->patterns.count; i++) {
		const char *pattern = ignore->patterns.items[i];
		bool exception = *pattern == '!';
		if (ignored == exception && fits(pattern + exception, path))
			ignored = !exception;
	}
	return ignored;
}

bool ignore_has_exceptions(const struct ignore *ignore)
{
	for (size_t i = 0; i < ignore->patterns.count; i++)
		if (*ignore->patterns.items[i] == '!')
			return true;
	return false;
}
