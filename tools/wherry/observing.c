/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verbs that show what is there, and those that mend it. No engine is needed. */
#include <errno.h>

#include "leases.h"
#include "observe.h"
#include "repair.h"
#include "reset.h"
#include "verbs.h"

struct list_options {
	const char *output;
	bool follow, exposure;
	struct drop_choice choice;
};
#define OUTPUT_ROW                                                                           \
	{                                                                                    \
		"output", 'o', OPTION_TEXT, offsetof(struct list_options, output), "FORMAT", \
			"Print as table or json (default: table)"                            \
	}
static const struct option_spec list_rows[] = { OUTPUT_ROW };
static const struct option_spec ports_rows[] = {
	OUTPUT_ROW,
	{ "exposure", 0, OPTION_FLAG, offsetof(struct list_options, exposure), NULL,
	  "Tell who can reach each port, and why" },
};
static const struct option_spec drops_rows[] = {
	OUTPUT_ROW,
	{ "follow", 'f', OPTION_FLAG, offsetof(struct list_options, follow), NULL,
	  "Print each packet that is dropped from now on, until interrupted" },
	{ "container", 'c', OPTION_TEXT, offsetof(struct list_options, choice.container),
	  "CONTAINER", "Only of this container" },
	{ "network", 'n', OPTION_TEXT, offsetof(struct list_options, choice.network), "NETWORK",
	  "Only of this network" },
	{ "reason", 'r', OPTION_TEXT, offsetof(struct list_options, choice.reason), "REASON",
	  "Only for this reason" },
};

struct check_options {
	const char *output;
	bool repair;
};
static const struct option_spec check_rows[] = {
	{ "repair", 0, OPTION_FLAG, offsetof(struct check_options, repair), NULL,
	  "Put back what is wanted and not there" },
	{ "output", 'o', OPTION_TEXT, offsetof(struct check_options, output), "FORMAT",
	  "Print as table or json (default: table)" },
};

struct reset_options {
	bool force;
};
static const struct option_spec reset_rows[] = {
	{ "force", 'f', OPTION_FLAG, offsetof(struct reset_options, force), NULL,
	  "Do it: without this, only what would be done is said" },
};

static int run_drops(struct cli *cli, const void *data, const struct words *words,
		     struct error *err)
{
	const struct list_options *options = data;
	AUTO(dataplane) dataplane = NULL;
	enum listing_format format;
	struct drop_filter filter;
	(void)words;
	int r = listing_format_parse(options->output, &format, err);
	if (r == 0)
		r = dataplane_open(&cli->instance, &dataplane, err);
	if (r == 0)
		r = drop_filter_fill(dataplane, &options->choice, &filter, err);
	if (r < 0)
		return r;
	return options->follow ? observe_drops_follow(dataplane, &filter, format, stdout, err)
			       : observe_drops(dataplane, &filter, format, stdout, err);
}

static int run_ports(struct cli *cli, const void *data, const struct words *words,
		     struct error *err)
{
	const struct list_options *options = data;
	AUTO(store) store = NULL;
	enum listing_format format;
	(void)words;
	int r = listing_format_parse(options->output, &format, err);
	if (r == 0)
		r = dataplane_open_store(&cli->instance, &store, err);
	if (r == 0 && options->exposure)
		return observe_exposure(store, format, stdout, err);
	return r < 0 ? r : observe_ports(store, format, stdout, err);
}

static int run_maps(struct cli *cli, const void *data, const struct words *words, struct error *err)
{
	const struct list_options *options = data;
	enum listing_format format;
	(void)words;
	int r = listing_format_parse(options->output, &format, err);
	return r < 0 ? r : observe_maps(&cli->instance, format, stdout, err);
}

static int run_doctor(struct cli *cli, const void *data, const struct words *words,
		      struct error *err)
{
	const struct list_options *options = data;
	enum listing_format format;
	(void)words;
	int r = listing_format_parse(options->output, &format, err);
	return r < 0 ? r : observe_doctor(&cli->instance, format, stdout, err);
}

static int run_ipam_ls(struct cli *cli, const void *data, const struct words *words,
		       struct error *err)
{
	const struct list_options *options = data;
	AUTO(store) store = NULL;
	enum listing_format format;
	int r = listing_format_parse(options->output, &format, err);
	if (r == 0)
		r = dataplane_open_store(&cli->instance, &store, err);
	if (r < 0)
		return r;
	return leases_list(store, words->count ? words->items[0] : NULL, format, stdout, err);
}

static int run_check(struct cli *cli, const void *data, const struct words *words,
		     struct error *err)
{
	AUTO(dataplane) dataplane = NULL;
	(void)data;
	(void)words;
	int r = dataplane_open(&cli->instance, &dataplane, err);
	if (r == 0)
		r = repair_check(dataplane, stdout, err);
	return r > 0 ? 1 : r;
}

static int run_compare(struct cli *cli, const void *data, const struct words *words,
		       struct error *err)
{
	const struct check_options *options = data;
	AUTO(dataplane) dataplane = NULL;
	enum listing_format format;
	(void)words;
	int r = listing_format_parse(options->output, &format, err);
	if (r == 0)
		r = dataplane_open(&cli->instance, &dataplane, err);
	return r < 0 ? r : repair_compare(dataplane, options->repair, format, stdout, err);
}

static int run_reconcile(struct cli *cli, const void *data, const struct words *words,
			 struct error *err)
{
	AUTO(dataplane) dataplane = NULL;
	(void)data;
	(void)words;
	int r = dataplane_open(&cli->instance, &dataplane, err);
	if (r == 0)
		r = repair_reconcile(dataplane, stdout, err);
	return r > 0 ? 1 : r;
}

static int run_reset(struct cli *cli, const void *data, const struct words *words,
		     struct error *err)
{
	const struct reset_options *options = data;
	(void)words;
	if (options->force)
		return reset_instance(&cli->instance, stdout, err);
	printf("would end wherryd and every container of this instance, and remove its networks,\n"
	       "programs and maps (%s), and %s. With --force it is done.\n",
	       cli->instance.bpf, cli->instance.run);
	return 0;
}

#define LIST_VERB(verb_name, verb_summary, verb_rows, function)              \
	{                                                                    \
		.spec = { .name = verb_name,                                 \
			  .words = "",                                       \
			  .summary = verb_summary,                           \
			  .options = verb_rows,                              \
			  .option_count = ARRAY_SIZE(verb_rows) },           \
		.options_size = sizeof(struct list_options), .run = function \
	}

static const struct verb verbs[] = {
	LIST_VERB("drops", "Show why packets were dropped", drops_rows, run_drops),
	LIST_VERB("ports", "List published ports", ports_rows, run_ports),
	LIST_VERB("maps", "Show the data path's tables and how full they are", list_rows, run_maps),
	LIST_VERB("doctor", "Check that the host has what Wherry needs", list_rows, run_doctor),
	{
		.spec = { .name = "check",
			  .words = "",
			  .summary = "Compare what is wanted with what is done, and mend it",
			  .options = check_rows,
			  .option_count = ARRAY_SIZE(check_rows) },
		.options_size = sizeof(struct check_options),
		.run = run_compare,
	},
	{
		.spec = { .name = "ipam ls",
			  .words = "[NETWORK]",
			  .summary = "List the leases of addresses",
			  .options = list_rows,
			  .option_count = ARRAY_SIZE(list_rows),
			  .words_max = 1 },
		.options_size = sizeof(struct list_options),
		.run = run_ipam_ls,
	},
	{
		.spec = { .name = "system check",
			  .words = "",
			  .summary = "Compare what is wanted with what is there" },
		.run = run_check,
	},
	{
		.spec = { .name = "system reconcile",
			  .words = "",
			  .summary = "Put back what is wanted and not there" },
		.run = run_reconcile,
	},
	{
		.spec = { .name = "system reset",
			  .words = "",
			  .summary = "Remove all that this instance made, containers too",
			  .detail = "Images and volumes stay.",
			  .options = reset_rows,
			  .option_count = ARRAY_SIZE(reset_rows) },
		.options_size = sizeof(struct reset_options),
		.run = run_reset,
	},
};

const struct verb_group verb_group_observing = { "Looking and mending", verbs, ARRAY_SIZE(verbs) };
