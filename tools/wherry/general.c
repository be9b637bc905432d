/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verbs about the program itself; and explain, which does another verb aloud. */
#include <errno.h>
#include <stdio.h>

#include "explain.h"
#include "runtime/engine.h"
#include "verbs.h"

static int run_help(struct cli *cli, const void *options, const struct words *words,
		    struct error *err)
{
	int used;
	auto_free char *text = NULL;
	(void)cli;
	(void)options;
	if (!words->count) {
		cli_print_overview();
		return 0;
	}
	const struct verb *verb = verb_find((int)words->count, words->items, &used);
	if (!verb)
		return error_set(err, EINVAL, "%s: no such verb", words->items[0]);
	int r = options_help("wherry", &verb->spec, &text, err);
	if (r == 0)
		fputs(text, stdout);
	return r;
}

struct explain_options {
	bool pause;
};
static const struct option_spec explain_rows[] = {
	{ "pause", 0, OPTION_FLAG, offsetof(struct explain_options, pause), NULL,
	  "Wait for Return after each step" },
};

static int run_explain(struct cli *cli, const void *data, const struct words *words,
		       struct error *err)
{
	const struct explain_options *options = data;
	AUTO(steps_printer) printer = NULL;
	if (text_equal(words->items[0], "explain"))
		return error_set(err, EINVAL, "explains other verbs, not itself");
	int r = steps_printer_create(options->pause ? EXPLAIN_PAUSE : EXPLAIN_RUN, &printer, err);
	if (r < 0)
		return r;
	cli->printer = printer;
	r = cli_dispatch(cli, (int)words->count, words->items);
	/* The engine ends before its printer does. */
	engine_free(cli->engine);
	cli->engine = NULL;
	cli->printer = NULL;
	return r;
}

static const struct verb verbs[] = {
	{
		.spec = { .name = "explain",
			  .words = "VERB [OPTION…] [WORD…]",
			  .summary = "Do a verb, and tell each step and how to see it",
			  .detail = "The steps go to standard error, the verb's own output to "
				    "standard output.",
			  .options = explain_rows,
			  .option_count = ARRAY_SIZE(explain_rows),
			  .style = OPTIONS_STOP_AT_WORD,
			  .words_min = 1,
			  .words_max = -1 },
		.options_size = sizeof(struct explain_options),
		.run = run_explain,
	},
	{
		.spec = { .name = "help",
			  .words = "[VERB]",
			  .summary = "List the verbs, or the options of one",
			  .style = OPTIONS_STOP_AT_WORD,
			  .words_max = 2 },
		.run = run_help,
	},
};

const struct verb_group verb_group_general = { "Wherry itself", verbs, ARRAY_SIZE(verbs) };
