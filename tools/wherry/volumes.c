/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verbs on volumes. */
#include <errno.h>
#include <stdio.h>

#include "each.h"

#define CREATE(member) offsetof(struct volume_options, member)
static const struct option_spec create_rows[] = {
	{ "driver", 'd', OPTION_TEXT, CREATE(driver), "DRIVER", "local, the only one" },
	{ "label", 0, OPTION_LIST, CREATE(labels), "KEY[=VALUE]", "Label it" },
};

static int run_create(struct cli *cli, const void *data, const struct words *words,
		      struct error *err)
{
	struct engine *engine;
	char name[CONTAINER_NAME_MAX];
	int r = cli_engine(cli, &engine, err);
	if (r == 0)
		r = volume_create(engine, words->count ? words->items[0] : NULL, data, name,
				  sizeof name, err);
	if (r == 0)
		printf("%s\n", name);
	return r;
}

struct ls_options {
	const char *format, *output;
	struct words filters;
	bool quiet;
};
#define LS(member) offsetof(struct ls_options, member)
static const struct option_spec ls_rows[] = {
	{ "quiet", 'q', OPTION_FLAG, LS(quiet), NULL, "Only names" },
	{ "filter", 'f', OPTION_LIST, LS(filters), "KEY=VALUE",
	  "Only those with name=, label=, dangling=true" },
	{ "format", 0, OPTION_TEXT, LS(format), "TEMPLATE", "Such as {{.Name}}; json" },
	{ "output", 'o', OPTION_TEXT, LS(output), "FORMAT", "table or json" },
};

static int list_volumes(struct engine *engine, const void *data, struct json_t **ret_rows,
			struct error *err)
{
	return volumes_list(engine, data, ret_rows, err);
}

static int run_ls(struct cli *cli, const void *data, const struct words *words, struct error *err)
{
	static const struct output_column columns[] = { { "DRIVER", "Driver" },
							{ "VOLUME NAME", "Name" } };
	const struct ls_options *options = data;
	struct output output = { .columns = options->quiet ? columns + 1 : columns,
				 .column_count = options->quiet ? 1 : ARRAY_SIZE(columns),
				 .format = options->format,
				 .output = options->output,
				 .quiet = options->quiet };
	(void)words;
	return list_all(cli, list_volumes, &options->filters, &output, err);
}

struct inspect_options {
	const char *format;
};
static const struct option_spec inspect_rows[] = {
	{ "format", 'f', OPTION_TEXT, offsetof(struct inspect_options, format), "TEMPLATE",
	  "Such as {{.Mountpoint}}" },
};

static int inspect_one(struct engine *engine, const char *reference, const void *data,
		       struct json_t **ret_object, struct error *err)
{
	(void)data;
	return volume_inspect(engine, reference, ret_object, err);
}

static int run_inspect(struct cli *cli, const void *data, const struct words *words,
		       struct error *err)
{
	const struct inspect_options *options = data;
	struct show show = { inspect_one, NULL, options->format };
	return show_each(cli, words, &show, err);
}

struct rm_options {
	bool force;
};
static const struct option_spec rm_rows[] = {
	{ "force", 'f', OPTION_FLAG, offsetof(struct rm_options, force), NULL,
	  "No error for what is not there" },
};

static int remove_one(struct engine *engine, const char *reference, const void *data,
		      struct error *err)
{
	const struct rm_options *options = data;
	int r = volume_delete(engine, reference, err);
	return r == -ENOENT && options->force ? 0 : r;
}

static int run_rm(struct cli *cli, const void *data, const struct words *words, struct error *err)
{
	return do_each(cli, "volume rm", words, remove_one, data, err);
}

static const struct verb verbs[] = {
	{
		.spec = { .name = "volume create",
			  .words = "[NAME]",
			  .summary = "Make a volume",
			  .options = create_rows,
			  .option_count = ARRAY_SIZE(create_rows),
			  .words_max = 1 },
		.options_size = sizeof(struct volume_options),
		.run = run_create,
	},
	{
		.spec = { .name = "volume ls",
			  .words = "",
			  .summary = "List volumes",
			  .options = ls_rows,
			  .option_count = ARRAY_SIZE(ls_rows) },
		.options_size = sizeof(struct ls_options),
		.run = run_ls,
	},
	{
		.spec = { .name = "volume inspect",
			  .words = "VOLUME…",
			  .summary = "Show all of volumes as JSON",
			  .options = inspect_rows,
			  .option_count = ARRAY_SIZE(inspect_rows),
			  .words_min = 1,
			  .words_max = -1 },
		.options_size = sizeof(struct inspect_options),
		.run = run_inspect,
	},
	{
		.spec = { .name = "volume rm",
			  .words = "VOLUME…",
			  .summary = "Remove volumes and what is in them",
			  .options = rm_rows,
			  .option_count = ARRAY_SIZE(rm_rows),
			  .words_min = 1,
			  .words_max = -1 },
		.options_size = sizeof(struct rm_options),
		.run = run_rm,
	},
};

const struct verb_group verb_group_volumes = { "Volumes", verbs, ARRAY_SIZE(verbs) };
