/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Words of a Dockerfile: splitting at blanks, quotes, escapes and variables,
 * as a shell's but without its commands and patterns.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "dockerfile.h"

#define EXPAND_DEPTH_MAX 16
#define EXPAND_SIZE_MAX (64u << 10) /* bytes of one expanded word */

int dockerfile_split(const char *text, char escape, struct words *ret_words, struct error *err)
{
	int r = 0;
	while (r == 0 && *(text += strspn(text, " \t"))) {
		const char *begin = text;
		char quote = 0;
		for (; *text && (quote || (*text != ' ' && *text != '\t')); text++) {
			if (*text == escape && quote != '\'' && text[1])
				text++;
			else if (quote && *text == quote)
				quote = 0;
			else if (!quote && (*text == '"' || *text == '\''))
				quote = *text;
		}
		if (quote)
			return error_set(err, EINVAL, "a quote (%c) is not closed", quote);
		r = words_append_format(ret_words, err, "%.*s", (int)(text - begin), begin);
	}
	return r;
}

struct expansion {
	const char *at;
	char escape;
	const char *(*look_up)(const void *context, const char *name);
	const void *context;
	struct text out;
	int depth;
};

static int expand_until(struct expansion *expansion, char end, bool keep, struct error *err);

/* "${NAME", and then "}" or an operator and a word that may hold variables again. */
static int expand_braces(struct expansion *expansion, bool keep, struct error *err)
{
	const char *begin = expansion->at;
	while (isalnum((unsigned char)*expansion->at) || *expansion->at == '_')
		expansion->at++;
	auto_free char *name = strndup(begin, (size_t)(expansion->at - begin));
	if (!name)
		return error_set(err, ENOMEM, "no memory to expand a variable");
	if (!*name || isdigit((unsigned char)*name))
		return error_set(err, EINVAL, "\"${%.40s\" names no variable", begin);
	const char *value = expansion->look_up(expansion->context, name);
	bool colon = *expansion->at == ':';
	char operator= expansion->at[colon];
	if (*expansion->at == '}') {
		expansion->at++;
		if (keep && value)
			text_append(&expansion->out, "%s", value);
		return 0;
	}
	if (operator!= '-' && operator!= '+')
		return error_set(err, EINVAL,
				 "\"${%s%.10s\" is not supported (${%s}, ${%s:-word} and "
				 "${%s:+word} are)",
				 name, expansion->at, name, name, name);
	expansion->at += colon + 1;
	bool set = value && (!colon || *value);
	if (keep && set && operator== '-')
		text_append(&expansion->out, "%s", value);
	return expand_until(expansion, '}', keep && set == (operator== '+'), err);
}

static int expand_variable(struct expansion *expansion, bool keep, struct error *err)
{
	expansion->at++;
	if (*expansion->at == '{') {
		expansion->at++;
		return expand_braces(expansion, keep, err);
	}
	const char *begin = expansion->at;
	if (!isdigit((unsigned char)*begin))
		while (isalnum((unsigned char)*expansion->at) || *expansion->at == '_')
			expansion->at++;
	if (expansion->at == begin) {
		if (keep)
			text_append(&expansion->out, "$");
		return 0;
	}
	auto_free char *name = strndup(begin, (size_t)(expansion->at - begin));
	if (!name)
		return error_set(err, ENOMEM, "no memory to expand a variable");
	const char *value = expansion->look_up(expansion->context, name);
	if (keep && value)
		text_append(&expansion->out, "%s", value);
	return 0;
}

/* A backslash inside double quotes escapes only what is special there. */
static void expand_escape(struct expansion *expansion, char quote, bool keep)
{
	char next = expansion->at[1];
	bool special = next && (!quote || next == '"' || next == '$' || next == expansion->escape);
	if (keep && !special)
		text_append_bytes(&expansion->out, expansion->at, 1);
	expansion->at++;
	if (special) {
		if (keep)
			text_append_bytes(&expansion->out, expansion->at, 1);
		expansion->at++;
	}
}

/* Up to `end` ('}' inside a variable, NUL outside), which is taken too. */
static int expand_until(struct expansion *expansion, char end, bool keep, struct error *err)
{
	char quote = 0;
	int r = 0;
	if (++expansion->depth > EXPAND_DEPTH_MAX)
		return error_set(err, EINVAL, "variables are nested over %d levels",
				 EXPAND_DEPTH_MAX);
	while (r == 0 && *expansion->at && (quote || *expansion->at != end)) {
		char c = *expansion->at;
		if (expansion->out.size > EXPAND_SIZE_MAX)
			return error_set(err, EINVAL, "a word expands to over %u bytes",
					 EXPAND_SIZE_MAX);
		if (c == expansion->escape && quote != '\'') {
			expand_escape(expansion, quote, keep);
		} else if (quote ? c == quote : c == '"' || c == '\'') {
			quote = quote ? 0 : c;
			expansion->at++;
		} else if (c == '$' && quote != '\'') {
			r = expand_variable(expansion, keep, err);
		} else {
			if (keep)
				text_append_bytes(&expansion->out, expansion->at, 1);
			expansion->at++;
		}
	}
	expansion->depth--;
	if (r == 0 && quote)
		return error_set(err, EINVAL, "a quote (%c) is not closed", quote);
	if (r == 0 && *expansion->at != end)
		return error_set(err, EINVAL, "a \"${\" is not closed");
	expansion->at += end != 0;
	return r;
}

int dockerfile_expand(const char *text, char escape,
		      const char *(*look_up)(const void *context, const char *name),
		      const void *context, char **ret_text, struct error *err)
{
	struct expansion expansion = {
		.at = text, .escape = escape, .look_up = look_up, .context = context
	};
	int r = expand_until(&expansion, 0, true, err);
	if (r == 0)
		r = text_take(&expansion.out, ret_text, err);
	text_free(&expansion.out);
	return r;
}
