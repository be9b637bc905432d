/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "man.h"

#include <string.h>

/* scdoc reads * and _ as marks, and a few bytes at a line's beginning. */
static void append_escaped(struct text *page, const char *text)
{
	for (const char *at = text; *at; at++) {
		bool start = at == text || at[-1] == '\n';
		if (strchr("*_\\<>", *at) || (start && strchr("#-.;|[]", *at)))
			text_append(page, "\\");
		text_append_bytes(page, at, 1);
	}
}

/* "network create" as part of a page's name: network-create. */
static void append_dashed(struct text *page, const char *verb)
{
	for (; *verb; verb++)
		text_append_bytes(page, *verb == ' ' ? "-" : verb, 1);
}

static void append_head(struct text *page, const struct verb_spec *verb)
{
	text_append(page, "wherry-");
	append_dashed(page, verb->name);
	text_append(page, "(1)\n\n# NAME\n\nwherry-");
	append_dashed(page, verb->name);
	text_append(page, " - ");
	append_escaped(page, verb->summary);
	text_append(page, "\n\n# SYNOPSIS\n\n*wherry %s*%s", verb->name,
		    verb->option_count ? " [_options_]" : "");
	if (verb->words && verb->words[0]) {
		text_append(page, " ");
		append_escaped(page, verb->words);
	}
	text_append(page, "\n\n");
}

static void append_option(struct text *page, const struct option_spec *option)
{
	if (option->letter)
		text_append(page, "*-%c*%s", option->letter, option->name ? ", " : "");
	if (option->name)
		text_append(page, "*--%s*", option->name);
	if (option->argument) {
		text_append(page, " ");
		append_escaped(page, option->argument);
	}
	text_append(page, "\n\t");
	append_escaped(page, option->help);
	text_append(page, "\n\n");
}

void man_write(const struct verb_spec *verb, struct text *page)
{
	append_head(page, verb);
	if (verb->detail) {
		text_append(page, "# DESCRIPTION\n\n");
		append_escaped(page, verb->detail);
		text_append(page, "\n\n");
	}
	text_append(page, "# OPTIONS\n\n");
	for (size_t i = 0; i < verb->option_count; i++)
		append_option(page, &verb->options[i]);
	text_append(page, "*--help*\n\tPrint a short help.\n\n");
}
