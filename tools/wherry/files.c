/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verbs on the files of containers. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "each.h"

static int print_change(char kind, const char *path, void *context, struct error *err)
{
	(void)context;
	(void)err;
	printf("%c %s\n", kind, path);
	return 0;
}

static int run_diff(struct cli *cli, const void *data, const struct words *words, struct error *err)
{
	struct engine *engine;
	(void)data;
	int r = cli_engine(cli, &engine, err);
	return r < 0 ? r : container_changes(engine, words->items[0], print_change, NULL, err);
}

struct export_options {
	const char *output;
};
static const struct option_spec export_rows[] = {
	{ "output", 'o', OPTION_TEXT, offsetof(struct export_options, output), "FILE",
	  "Write to FILE (default: standard output)" },
};

static int run_export(struct cli *cli, const void *data, const struct words *words,
		      struct error *err)
{
	const struct export_options *options = data;
	struct engine *engine;
	auto_fd fd = -1;
	if (!options->output && isatty(STDOUT_FILENO))
		return error_set(err, EINVAL, "an archive is not for a terminal: --output FILE");
	int r = cli_engine(cli, &engine, err);
	if (r == 0 && options->output) {
		fd = open(options->output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		if (fd < 0)
			return error_set_errno(err, errno, "--output %s", options->output);
	}
	if (r == 0)
		r = container_export(engine, words->items[0], fd >= 0 ? fd : STDOUT_FILENO, err);
	if (r < 0 && fd >= 0)
		(void)unlink(options->output);
	return r;
}

/* --- cp -------------------------------------------------------------------------- */

static const struct option_spec cp_rows[] = {
	{ "archive", 'a', OPTION_FLAG, offsetof(struct container_copy_options, archive), NULL,
	  "Keep owners, set-id bits and devices" },
	{ "follow-link", 'L', OPTION_FLAG, offsetof(struct container_copy_options, follow), NULL,
	  "Copy what a link as SOURCE leads to" },
};

/* CONTAINER:PATH, unless it looks like a path of the host: /a:b, ./a:b. The name is the caller's.
 */
static int read_end(const char *word, char **ret_container, struct container_copy_end *ret_end,
		    struct error *err)
{
	const char *colon = strchr(word, ':');
	ret_end->path = word;
	if (word[0] == '/' || word[0] == '.' || !colon)
		return 0;
	if (colon == word)
		return error_set(err, EINVAL, "%s: a container's name is missing before the colon",
				 word);
	ret_end->path = colon + 1;
	int r = text_format(ret_container, err, "%.*s", (int)(colon - word), word);
	ret_end->container = *ret_container;
	return r;
}

static int run_cp(struct cli *cli, const void *data, const struct words *words, struct error *err)
{
	struct engine *engine;
	struct container_copy_end from = { 0 }, to = { 0 };
	auto_free char *from_name = NULL, *to_name = NULL;
	int r = read_end(words->items[0], &from_name, &from, err);
	if (r == 0)
		r = read_end(words->items[1], &to_name, &to, err);
	if (r < 0)
		return r;
	if (from.container && to.container)
		return error_set(err, EINVAL, "%s and %s: one of them must be a path of the host",
				 words->items[0], words->items[1]);
	if (!from.container && !to.container)
		return error_set(err, EINVAL, "%s and %s: one of them must be CONTAINER:PATH",
				 words->items[0], words->items[1]);
	if (text_equal(to.path, "-") && !to.container && isatty(STDOUT_FILENO))
		return error_set(err, EINVAL, "an archive is not for a terminal: > FILE");
	r = cli_engine(cli, &engine, err);
	return r < 0 ? r : container_copy(engine, &from, &to, data, err);
}

/* --- commit ----------------------------------------------------------------------- */

#define COMMIT(member) offsetof(struct container_commit_options, member)
static const struct option_spec commit_rows[] = {
	{ "author", 'a', OPTION_TEXT, COMMIT(author), "NAME", "Who made it" },
	{ "message", 'm', OPTION_TEXT, COMMIT(message), "TEXT", "What it is" },
	{ "change", 'c', OPTION_LIST, COMMIT(changes), "LINE",
	  "A line of a Dockerfile: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, USER, VOLUME, WORKDIR" },
	{ "pause", 'p', OPTION_FLAG, COMMIT(pause), NULL,
	  "Pause it meanwhile (the default; --pause=false)" },
};
static const struct container_commit_options commit_defaults = { .pause = true };

static int run_commit(struct cli *cli, const void *data, const struct words *words,
		      struct error *err)
{
	struct engine *engine;
	char id[DIGEST_TEXT_MAX];
	const char *name = words->count > 1 ? words->items[1] : NULL;
	int r = cli_engine(cli, &engine, err);
	if (r == 0)
		r = container_commit(engine, words->items[0], name, data, id, err);
	if (r == 0)
		printf("%s\n", id);
	return r;
}

static const struct verb verbs[] = {
	{
		.spec = { .name = "commit",
			  .words = "CONTAINER [NAME[:TAG]]",
			  .summary = "Make an image of a container",
			  .options = commit_rows,
			  .option_count = ARRAY_SIZE(commit_rows),
			  .words_min = 1,
			  .words_max = 2 },
		.options_size = sizeof(struct container_commit_options),
		.defaults = &commit_defaults,
		.run = run_commit,
	},
	{
		.spec = { .name = "cp",
			  .words = "CONTAINER:PATH|PATH|- CONTAINER:PATH|PATH|-",
			  .summary = "Copy files between a container and the host",
			  .detail = "\"-\" is a tar archive on standard input or output.",
			  .options = cp_rows,
			  .option_count = ARRAY_SIZE(cp_rows),
			  .words_min = 2,
			  .words_max = 2 },
		.options_size = sizeof(struct container_copy_options),
		.run = run_cp,
	},
	{
		.spec = { .name = "diff",
			  .words = "CONTAINER",
			  .summary = "List what a container's files have otherwise than its image",
			  .detail = "A: added, C: changed, D: deleted.",
			  .words_min = 1,
			  .words_max = 1 },
		.run = run_diff,
	},
	{
		.spec = { .name = "export",
			  .words = "CONTAINER",
			  .summary = "Write all files of a container as a tar archive",
			  .options = export_rows,
			  .option_count = ARRAY_SIZE(export_rows),
			  .words_min = 1,
			  .words_max = 1 },
		.options_size = sizeof(struct export_options),
		.run = run_export,
	},
};

const struct verb_group verb_group_files = { "Files of containers", verbs, ARRAY_SIZE(verbs) };
