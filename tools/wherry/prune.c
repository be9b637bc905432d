/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What nobody uses is removed: container, image, network, volume and system prune. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "filter.h"
#include "image_rows.h"
#include "output.h"
#include "runtime/engine.h"
#include "verbs.h"

struct prune_options {
	bool all, force, volumes;
	struct words filters;
};
#define PRUNE(member) offsetof(struct prune_options, member)
#define FORCE_ROW                                                           \
	{                                                                   \
		"force", 'f', OPTION_FLAG, PRUNE(force), NULL, "Do not ask" \
	}
#define FILTER_ROW                                                     \
	{                                                              \
		"filter", 0, OPTION_LIST, PRUNE(filters), "KEY=VALUE", \
			"Only those with label=, label!=, until=TIME"  \
	}
static const struct option_spec plain_rows[] = { FORCE_ROW, FILTER_ROW };
static const struct option_spec image_prune_rows[] = {
	{ "all", 'a', OPTION_FLAG, PRUNE(all), NULL,
	  "Those with a name too, if no container has them" },
	FORCE_ROW,
	FILTER_ROW,
};
static const struct option_spec volume_prune_rows[] = {
	{ "all", 'a', OPTION_FLAG, PRUNE(all), NULL, "Those with a name of their own too" },
	FORCE_ROW,
	FILTER_ROW,
};
static const struct option_spec system_prune_rows[] = {
	{ "all", 'a', OPTION_FLAG, PRUNE(all), NULL, "All images that no container has" },
	{ "volumes", 0, OPTION_FLAG, PRUNE(volumes), NULL, "Volumes without a name too" },
	FORCE_ROW,
	FILTER_ROW,
};

static const struct filter_key keys[] = {
	{ "label", FILTER_LABEL, "Labels" },
	{ "label!", FILTER_NO_LABEL, "Labels" },
	{ "until", FILTER_OLDER, "CreatedAt" },
};

/* What one prune has freed. */
struct freed {
	uint64_t bytes;
	bool any;
};

static void print_title(struct freed *freed, const char *title)
{
	if (!freed->any)
		printf("%s:\n", title);
	freed->any = true;
}

static const char *text_of(const struct json_at *row, const char *key)
{
	const char *text = "";
	struct error ignored;
	(void)json_get_string(row, key, JSON_OPTIONAL, &text, &ignored);
	return text;
}

/* --- each kind ------------------------------------------------------------------------------- */

static int prune_containers(struct cli *cli, const struct prune_options *options,
			    struct freed *total, struct error *err)
{
	struct freed freed = { 0 };
	struct container_filter all = { .all = true };
	auto_json rows = NULL;
	int r = containers_list(cli->engine, &all, &rows, err);
	if (r == 0)
		r = filter_rows(&options->filters, keys, ARRAY_SIZE(keys), &rows, err);
	struct json_at root = json_root(rows, "containers");
	for (size_t i = 0; r == 0 && i < json_count(&root); i++) {
		struct json_at row = json_element(&root, i);
		const char *id = text_of(&row, "FullID"), *state = text_of(&row, "State");
		uint64_t bytes = 0;
		struct error ignored;
		if (!text_equal(state, "exited") && !text_equal(state, "created"))
			continue;
		(void)container_disk_usage(cli->engine, id, &bytes, &ignored);
		/* One that somebody starts at this moment stays. */
		if (container_remove(cli->engine, id, CONTAINER_GENTLE, false, &ignored) < 0)
			continue;
		print_title(&freed, "Deleted Containers");
		printf("%s\n", id);
		total->bytes += bytes;
	}
	if (freed.any)
		printf("\n");
	return r;
}

static int prune_networks(struct cli *cli, const struct prune_options *options, struct error *err)
{
	struct freed freed = { 0 };
	auto_json rows = NULL;
	int r = engine_networks_list(cli->engine, &rows, err);
	if (r == 0)
		r = filter_rows(&options->filters, keys, ARRAY_SIZE(keys), &rows, err);
	struct json_at root = json_root(rows, "networks");
	for (size_t i = 0; r == 0 && i < json_count(&root); i++) {
		struct json_at row = json_element(&root, i);
		const char *name = text_of(&row, "Name");
		struct error busy;
		if (text_equal(name, "bridge") ||
		    engine_network_remove(cli->engine, name, &busy) < 0)
			continue;
		print_title(&freed, "Deleted Networks");
		printf("%s\n", name);
	}
	if (freed.any)
		printf("\n");
	return r;
}

static int prune_volumes(struct cli *cli, const struct prune_options *options, bool named,
			 struct freed *total, struct error *err)
{
	struct freed freed = { 0 };
	auto_json rows = NULL;
	auto_words none = { 0 };
	int r = volumes_list(cli->engine, &none, &rows, err);
	if (r == 0)
		r = filter_rows(&options->filters, keys, ARRAY_SIZE(keys), &rows, err);
	struct json_at root = json_root(rows, "volumes");
	for (size_t i = 0; r == 0 && i < json_count(&root); i++) {
		struct json_at row = json_element(&root, i);
		const char *name = text_of(&row, "Name");
		uint64_t bytes = 0;
		struct error busy;
		if (!named && !volume_is_anonymous(name))
			continue;
		(void)volume_disk_usage(cli->engine, name, &bytes, &busy);
		if (volume_delete(cli->engine, name, &busy) < 0)
			continue;
		print_title(&freed, "Deleted Volumes");
		printf("%s\n", name);
		total->bytes += bytes;
	}
	if (freed.any)
		printf("\n");
	return r;
}

static int remove_image(struct cli *cli, struct image_store *store, const char *id,
			struct freed *freed, struct error *err)
{
	auto_words removed = { 0 };
	char user[CONTAINER_NAME_MAX];
	if (engine_image_in_use(id, user, sizeof user, cli->engine) == 1)
		return 0;
	int r = image_remove(store, id, true, engine_image_in_use, cli->engine, &removed, err);
	for (size_t k = 0; r == 0 && k < removed.count; k++) {
		char *line = removed.items[k];
		image_tell_removed(cli->engine, line);
		line[0] = (char)(line[0] | 0x20); /* as Docker: "untagged", "deleted" */
		print_title(freed, "Deleted Images");
		printf("%s\n", line);
	}
	return r == -ENOENT ? 0 : r; /* a row for each name */
}

static int image_bytes(struct cli *cli, struct image_store *store, uint64_t *ret_bytes,
		       uint64_t *ret_cache, struct error *err)
{
	struct image_disk disk;
	int r = image_disk_usage(store, engine_image_in_use, cli->engine, &disk, err);
	*ret_bytes = r < 0 ? 0 : disk.bytes + disk.cache_bytes;
	*ret_cache = r < 0 ? 0 : disk.cache_bytes;
	return r;
}

static int prune_images(struct cli *cli, const struct prune_options *options, struct freed *total,
			struct error *err)
{
	struct freed freed = { 0 };
	struct image_store *store;
	uint64_t before = 0, after = 0, cache;
	auto_json rows = NULL;
	int r = cli_images(cli, &store, err);
	if (r == 0)
		r = image_bytes(cli, store, &before, &cache, err);
	if (r == 0)
		r = image_rows(cli, &rows, err);
	if (r == 0)
		r = filter_rows(&options->filters, keys, ARRAY_SIZE(keys), &rows, err);
	struct json_at root = json_root(rows, "images");
	for (size_t i = 0; r == 0 && i < json_count(&root); i++) {
		struct json_at row = json_element(&root, i);
		if (options->all || text_equal(text_of(&row, "Repository"), "<none>"))
			r = remove_image(cli, store, text_of(&row, "FullID"), &freed, err);
	}
	if (r == 0)
		r = image_bytes(cli, store, &after, &cache, err);
	total->bytes += before > after ? before - after : 0;
	if (freed.any)
		printf("\n");
	return r;
}

static int prune_cache(struct cli *cli, struct freed *total, struct error *err)
{
	struct image_store *store;
	uint64_t bytes, cache = 0;
	int r = cli_images(cli, &store, err);
	if (r == 0)
		r = image_bytes(cli, store, &bytes, &cache, err);
	if (r == 0)
		r = image_forget_cache(store, err);
	total->bytes += r < 0 ? 0 : cache;
	return r;
}

/* --- the verbs ------------------------------------------------------------------------------- */

/* As Docker does: whatever standard input is, "y" must come from it. */
static bool is_agreed(const struct prune_options *options, const char *what)
{
	char answer[16] = "";
	if (options->force)
		return true;
	printf("This removes %s. Go on? [y/N] ", what);
	fflush(stdout);
	if (!fgets(answer, sizeof answer, stdin))
		answer[0] = 0;
	return answer[0] == 'y' || answer[0] == 'Y';
}

static int finish(int r, const struct freed *total)
{
	char size[32];
	output_size(total->bytes, size, sizeof size);
	if (r == 0)
		printf("Total reclaimed space: %s\n", size);
	return r;
}

static int run_containers(struct cli *cli, const void *data, const struct words *words,
			  struct error *err)
{
	struct engine *engine;
	struct freed total = { 0 };
	(void)words;
	if (!is_agreed(data, "all containers that do not run"))
		return 0;
	int r = cli_engine(cli, &engine, err);
	return finish(r < 0 ? r : prune_containers(cli, data, &total, err), &total);
}

static int run_images(struct cli *cli, const void *data, const struct words *words,
		      struct error *err)
{
	const struct prune_options *options = data;
	struct engine *engine;
	struct freed total = { 0 };
	(void)words;
	if (!is_agreed(options, options->all ? "all images that no container has"
					     : "all images without a name"))
		return 0;
	int r = cli_engine(cli, &engine, err);
	return finish(r < 0 ? r : prune_images(cli, options, &total, err), &total);
}

static int run_networks(struct cli *cli, const void *data, const struct words *words,
			struct error *err)
{
	struct engine *engine;
	(void)words;
	if (!is_agreed(data, "all networks that no running container is in"))
		return 0;
	int r = cli_engine(cli, &engine, err);
	return r < 0 ? r : prune_networks(cli, data, err);
}

static int run_volumes(struct cli *cli, const void *data, const struct words *words,
		       struct error *err)
{
	const struct prune_options *options = data;
	struct engine *engine;
	struct freed total = { 0 };
	(void)words;
	if (!is_agreed(options, options->all ? "all volumes that no container has"
					     : "all volumes without a name that no container has"))
		return 0;
	int r = cli_engine(cli, &engine, err);
	return finish(r < 0 ? r : prune_volumes(cli, options, options->all, &total, err), &total);
}

static int run_system(struct cli *cli, const void *data, const struct words *words,
		      struct error *err)
{
	const struct prune_options *options = data;
	struct engine *engine;
	struct freed total = { 0 };
	auto_text what = { 0 };
	(void)words;
	text_append(&what,
		    "all containers that do not run, all networks that none is in, %s%s, and "
		    "the build cache",
		    options->volumes ? "all volumes without a name that none has, " : "",
		    options->all ? "all images that none has" : "all images without a name");
	if (what.failed || !is_agreed(options, what.data))
		return 0;
	int r = cli_engine(cli, &engine, err);
	if (r == 0)
		r = prune_containers(cli, options, &total, err);
	if (r == 0)
		r = prune_networks(cli, options, err);
	if (r == 0 && options->volumes)
		r = prune_volumes(cli, options, false, &total, err);
	if (r == 0)
		r = prune_images(cli, options, &total, err);
	if (r == 0)
		r = prune_cache(cli, &total, err);
	return finish(r, &total);
}

#define PRUNE_VERB(verb_name, verb_summary, verb_rows, function)              \
	{                                                                     \
		.spec = { .name = verb_name,                                  \
			  .words = "",                                        \
			  .summary = verb_summary,                            \
			  .options = verb_rows,                               \
			  .option_count = ARRAY_SIZE(verb_rows) },            \
		.options_size = sizeof(struct prune_options), .run = function \
	}

static const struct verb verbs[] = {
	PRUNE_VERB("container prune", "Remove containers that do not run", plain_rows,
		   run_containers),
	PRUNE_VERB("image prune", "Remove images without a name", image_prune_rows, run_images),
	PRUNE_VERB("network prune", "Remove networks that no running container is in", plain_rows,
		   run_networks),
	PRUNE_VERB("volume prune", "Remove volumes without a name that no container has",
		   volume_prune_rows, run_volumes),
	PRUNE_VERB("system prune", "Remove all that nobody uses", system_prune_rows, run_system),
};

const struct verb_group verb_group_prune = { "What nobody uses", verbs, ARRAY_SIZE(verbs) };
