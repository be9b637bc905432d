/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The help text of a verb, made of its table. */
#include <string.h>

#include "base/options.h"

static void append_option(struct text *text, const struct option_spec *option)
{
	char left[80];
	snprintf(left, sizeof left, "  %s%.1s%s%s%s%s%s", option->letter ? "-" : "    ",
		 option->letter ? &option->letter : "", option->letter && option->name ? ", " : "",
		 option->name ? "--" : "", option->name ? option->name : "",
		 option->argument ? " " : "", option->argument ? option->argument : "");
	if (strlen(left) > 34)
		text_append(text, "%s\n%36s%s\n", left, "", option->help);
	else
		text_append(text, "%-34s  %s\n", left, option->help);
}

int options_help(const char *program, const struct verb_spec *verb, char **ret_text,
		 struct error *err)
{
	auto_text text = { 0 };
	text_append(&text, "usage: %s %s%s%s%s\n\n%s\n", program, verb->name,
		    verb->option_count ? " [OPTION…]" : "", verb->words ? " " : "",
		    verb->words ? verb->words : "", verb->summary);
	if (verb->detail)
		text_append(&text, "%s\n", verb->detail);
	if (verb->option_count)
		text_append(&text, "\nOptions:\n");
	for (size_t i = 0; i < verb->option_count; i++)
		append_option(&text, &verb->options[i]);
	return text_take(&text, ret_text, err);
}
