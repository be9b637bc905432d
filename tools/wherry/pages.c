/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verbs about the verbs: completion for shells, and the beginnings of manual pages. */
#include <errno.h>

#include "completion.h"
#include "man.h"
#include "verbs.h"

#define SPECS_MAX 256
#define ALIASES_MAX 128

static int print_text(struct text *text, struct error *err)
{
	auto_free char *taken = NULL;
	int r = text_take(text, &taken, err);
	if (r == 0)
		fputs(taken, stdout);
	return r;
}

static int run_completion(struct cli *cli, const void *options, const struct words *words,
			  struct error *err)
{
	const struct verb_spec *specs[SPECS_MAX];
	struct verb_spec aliases[ALIASES_MAX];
	size_t count = verb_specs(specs, SPECS_MAX - ALIASES_MAX);
	size_t alias_count = verb_alias_specs(aliases, ALIASES_MAX);
	auto_text script = { 0 };
	for (size_t i = 0; i < alias_count; i++)
		specs[count++] = &aliases[i];
	(void)cli;
	(void)options;
	int r = completion_write(words->items[0], specs, count, &script, err);
	return r < 0 ? r : print_text(&script, err);
}

/* Without words: the names of all verbs, one a line. */
static int print_names(void)
{
	const struct verb_spec *specs[SPECS_MAX];
	size_t count = verb_specs(specs, SPECS_MAX);
	for (size_t i = 0; i < count; i++)
		printf("%s\n", specs[i]->name);
	return 0;
}

static int run_man_page(struct cli *cli, const void *options, const struct words *words,
			struct error *err)
{
	auto_text page = { 0 };
	int used;
	(void)cli;
	(void)options;
	if (!words->count)
		return print_names();
	const struct verb *verb = verb_find((int)words->count, words->items, &used);
	if (!verb || (size_t)used != words->count)
		return error_set(err, EINVAL, "%s: no such verb", words->items[0]);
	man_write(&verb->spec, &page);
	return print_text(&page, err);
}

static const struct verb verbs[] = {
	{
		.spec = { .name = "completion",
			  .words = "bash|zsh|fish",
			  .summary = "Print the completion script for a shell",
			  .words_min = 1,
			  .words_max = 1 },
		.run = run_completion,
	},
	{
		.spec = { .name = "man-page",
			  .words = "[VERB…]",
			  .summary = "Print the beginning of a verb's manual page, or all verbs",
			  .words_max = 2 },
		.run = run_man_page,
		.visibility = VERB_HIDDEN,
	},
};

const struct verb_group verb_group_pages = { "Help for shells", verbs, ARRAY_SIZE(verbs) };
