/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verbs on images. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/loop.h"
#include "filter.h"
#include "image_rows.h"
#include "output.h"
#include "runtime/engine.h"
#include "runtime/image.h"
#include "runtime/oci.h"
#include "verbs.h"

#define ID_SHOWN 12

struct load_options {
	const char *input;
	bool quiet;
};
static const struct option_spec load_rows[] = {
	{ "input", 'i', OPTION_TEXT, offsetof(struct load_options, input), "FILE",
	  "A docker-archive or OCI archive, or an OCI layout's directory (default: standard "
	  "input)" },
	{ "quiet", 'q', OPTION_FLAG, offsetof(struct load_options, quiet), NULL,
	  "Do not show progress" },
};

/* On a terminal one line that moves; elsewhere nothing but the result. */
static void show_progress(void *context, const char *what, uint64_t done, uint64_t total)
{
	(void)context;
	if (total)
		fprintf(stderr, "\r%-40.40s %3u%%", what, (unsigned)(done * 100 / total));
	else
		fprintf(stderr, "\r%-40.40s %8llu KiB", what, (unsigned long long)(done >> 10));
}

int cli_images(struct cli *cli, struct image_store **ret_store, struct error *err)
{
	struct engine *engine;
	int r = cli_engine(cli, &engine, err);
	return r < 0 ? r : engine_images(engine, ret_store, err);
}

void image_tell(struct engine *engine, const char *action, const char *id)
{
	struct engine_event event = { .type = "image", .action = action, .id = id };
	struct error ignored;
	(void)words_append_format(&event.attributes, &ignored, "name=%s", id);
	engine_event(engine, &event);
	words_free(&event.attributes);
}

void image_tell_removed(struct engine *engine, const char *line)
{
	static const char untagged[] = "Untagged: ", deleted[] = "Deleted: ";
	if (text_starts_with(line, untagged))
		image_tell(engine, "untag", line + strlen(untagged));
	else if (text_starts_with(line, deleted))
		image_tell(engine, "delete", line + strlen(deleted));
}

static int run_load(struct cli *cli, const void *data, const struct words *words, struct error *err)
{
	const struct load_options *options = data;
	struct image_store *store;
	auto_words names = { 0 };
	struct image_progress progress = { .step = show_progress };
	bool show = !options->quiet && isatty(STDERR_FILENO);
	const char *input = options->input ? options->input : words->count ? words->items[0] : "-";
	if (text_equal(input, "-") && isatty(STDIN_FILENO))
		return error_set(err, EINVAL, "name a file with -i, or give it on standard input");
	int r = cli_images(cli, &store, err);
	if (r == 0)
		r = image_load(store, input, show ? &progress : NULL, &names, err);
	if (show)
		fprintf(stderr, "\r%60s\r", "");
	for (size_t i = 0; r == 0 && i < names.count; i++) {
		printf("Loaded image: %s\n", names.items[i]);
		image_tell(cli->engine, "load", names.items[i]);
	}
	return r;
}

/* --- images ---------------------------------------------------------------------- */

struct images_options {
	const char *format, *output;
	struct words filters;
	bool quiet, whole, all, digests;
};
static const struct option_spec images_rows[] = {
	{ "all", 'a', OPTION_FLAG, offsetof(struct images_options, all), NULL,
	  "As without it: no image is hidden" },
	{ "digests", 0, OPTION_FLAG, offsetof(struct images_options, digests), NULL,
	  "The digest of each manifest too" },
	{ "filter", 'f', OPTION_LIST, offsetof(struct images_options, filters), "KEY=VALUE",
	  "Only those with dangling=, label=, reference=NAME (with * and ?), until=TIME" },
	{ "quiet", 'q', OPTION_FLAG, offsetof(struct images_options, quiet), NULL, "Only ids" },
	{ "no-trunc", 0, OPTION_FLAG, offsetof(struct images_options, whole), NULL, "Whole ids" },
	{ "format", 0, OPTION_TEXT, offsetof(struct images_options, format), "TEMPLATE",
	  "Such as {{.Repository}}:{{.Tag}}; json" },
	{ "output", 'o', OPTION_TEXT, offsetof(struct images_options, output), "FORMAT",
	  "table or json" },
};

static void put_labels(const struct image *image, struct json_t *row)
{
	struct json_t *labels = json_new_object();
	for (size_t i = 0; i < image->config.labels.count; i++) {
		const char *text = image->config.labels.items[i];
		size_t size = strcspn(text, "=");
		auto_free char *key = strndup(text, size);
		if (key)
			json_put_string(labels, key, text[size] ? text + size + 1 : "");
	}
	json_put(row, "Labels", labels);
}

static void put_row(const struct image *image, const char *name, struct json_t *rows)
{
	struct json_t *row = json_new_object();
	const char *colon = name ? strrchr(name, ':') : NULL;
	const char *hex = strchr(image->id, ':');
	char id[ID_SHOWN + 1], age[TIME_TEXT_MAX], created[TIME_TEXT_MAX], size[32];
	auto_text repository = { 0 }, since = { 0 };
	snprintf(id, sizeof id, "%.*s", ID_SHOWN, hex ? hex + 1 : image->id);
	time_format_age(clock_wall_ns() - image->created_ns, age);
	time_format(image->created_ns, created);
	output_size(image->size_bytes, size, sizeof size);
	text_append(&repository, "%.*s", colon ? (int)(colon - name) : 6, colon ? name : "<none>");
	text_append(&since, "%s ago", age);
	json_put_string(row, "ID", id);
	json_put_string(row, "Repository", repository.data);
	json_put_string(row, "Tag", colon ? colon + 1 : "<none>");
	json_put_string(row, "Reference", name ? name : "<none>:<none>");
	json_put_string(row, "CreatedSince", since.data);
	json_put_string(row, "CreatedAt", created);
	json_put_string(row, "Size", size);
	json_put_integer(row, "SizeBytes", (int64_t)image->size_bytes);
	json_put_string(row, "Digest", image->manifest);
	json_put_string(row, "FullID", image->id);
	json_put_bool(row, "Dangling", !name);
	put_labels(image, row);
	json_append(rows, row);
}

static int list_image(const struct image *image, void *context, struct error *err)
{
	(void)err;
	for (size_t i = 0; i < image->names.count; i++)
		put_row(image, image->names.items[i], context);
	if (!image->names.count)
		put_row(image, NULL, context);
	return 0;
}

/* `images busybox`, `images busybox:1*`. */
static int keep_named(const char *name, struct json_t **rows, struct error *err)
{
	static const struct filter_key whole[] = { { "is", FILTER_NAME, "Reference" } };
	static const struct filter_key repository[] = { { "is", FILTER_NAME, "Repository" } };
	auto_words filter = { 0 };
	int r = words_append_format(&filter, err, "is=%s", name);
	return r < 0 ? r
		     : filter_rows(&filter, strchr(name, ':') ? whole : repository, 1, rows, err);
}

int image_rows(struct cli *cli, struct json_t **ret_rows, struct error *err)
{
	struct image_store *store;
	auto_json rows = json_new_array();
	int r = cli_images(cli, &store, err);
	if (r == 0)
		r = image_each(store, list_image, rows, err);
	if (r == 0)
		*ret_rows = TAKE(rows);
	return r;
}

static int run_images(struct cli *cli, const void *data, const struct words *words,
		      struct error *err)
{
	static const struct output_column columns[] = {
		{ "REPOSITORY", "Repository" }, { "TAG", "Tag" },   { "IMAGE ID", "ID" },
		{ "CREATED", "CreatedSince" },  { "SIZE", "Size" },
	};
	static const struct output_column with_digests[] = {
		{ "REPOSITORY", "Repository" }, { "TAG", "Tag" },
		{ "DIGEST", "Digest" },         { "IMAGE ID", "ID" },
		{ "CREATED", "CreatedSince" },  { "SIZE", "Size" },
	};
	static const struct output_column ids[] = { { "IMAGE ID", "ID" } };
	const struct images_options *options = data;
	struct output output = { options->quiet ? ids : columns,
				 options->quiet ? ARRAY_SIZE(ids) : ARRAY_SIZE(columns),
				 options->format,
				 options->output,
				 options->quiet,
				 options->whole };
	static const struct filter_key keys[] = {
		{ "dangling", FILTER_EQUAL, "Dangling" },
		{ "label", FILTER_LABEL, "Labels" },
		{ "reference", FILTER_NAME, "Reference" },
		{ "until", FILTER_OLDER, "CreatedAt" },
	};
	auto_json rows = NULL;
	if (options->digests && !options->quiet) {
		output.columns = with_digests;
		output.column_count = ARRAY_SIZE(with_digests);
	}
	int r = image_rows(cli, &rows, err);
	if (r == 0 && words->count)
		r = keep_named(words->items[0], &rows, err);
	if (r == 0)
		r = filter_rows(&options->filters, keys, ARRAY_SIZE(keys), &rows, err);
	return r < 0 ? r : output_rows(&output, rows, stdout, err);
}

/* --- rmi, tag, build --------------------------------------------------------------- */

struct rmi_options {
	bool force;
};
static const struct option_spec rmi_rows[] = {
	{ "force", 'f', OPTION_FLAG, offsetof(struct rmi_options, force), NULL,
	  "Also if a container was made from it" },
};

static int run_rmi(struct cli *cli, const void *data, const struct words *words, struct error *err)
{
	const struct rmi_options *options = data;
	struct engine *engine;
	struct image_store *store;
	int result = 0, r = cli_images(cli, &store, err);
	if (r == 0)
		r = cli_engine(cli, &engine, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < words->count; i++) {
		auto_words removed = { 0 };
		r = image_remove(store, words->items[i], options->force, engine_image_in_use,
				 engine, &removed, err);
		if (r < 0) {
			fprintf(stderr, "wherry: rmi: %s\n", err->text);
			result = 1;
		}
		for (size_t k = 0; r == 0 && k < removed.count; k++) {
			printf("%s\n", removed.items[k]);
			image_tell_removed(engine, removed.items[k]);
		}
	}
	return result;
}

static int run_tag(struct cli *cli, const void *data, const struct words *words, struct error *err)
{
	struct image_store *store;
	(void)data;
	int r = cli_images(cli, &store, err);
	if (r == 0)
		r = image_tag(store, words->items[0], words->items[1], err);
	if (r == 0)
		image_tell(cli->engine, "tag", words->items[1]);
	return r;
}

struct build_options {
	const char *tag, *file, *network;
	struct words arguments;
	bool no_cache, quiet;
};
#define BUILD(member) offsetof(struct build_options, member)
static const struct option_spec build_rows[] = {
	{ "tag", 't', OPTION_TEXT, BUILD(tag), "NAME[:TAG]", "Name it" },
	{ "file", 'f', OPTION_TEXT, BUILD(file), "FILE",
	  "The Dockerfile (default: DIR/Dockerfile)" },
	{ "build-arg", 0, OPTION_LIST, BUILD(arguments), "NAME=VALUE", "Value of an ARG" },
	{ "network", 0, OPTION_TEXT, BUILD(network), "NETWORK",
	  "The network of RUN steps: a name, none, or host" },
	{ "no-cache", 0, OPTION_FLAG, BUILD(no_cache), NULL, "Do every step anew" },
	{ "quiet", 'q', OPTION_FLAG, BUILD(quiet), NULL, "Print only the id" },
};

static int run_build(struct cli *cli, const void *data, const struct words *words,
		     struct error *err)
{
	const struct build_options *options = data;
	struct engine *engine;
	struct image_store *store;
	char id[DIGEST_TEXT_MAX];
	struct build_request request = { .context_dir = words->items[0],
					 .dockerfile = options->file,
					 .tag = options->tag,
					 .no_cache = options->no_cache,
					 .build_args = options->arguments,
					 .output = options->quiet ? NULL : stderr };
	/* It becomes the parent of what RUN steps run. */
	int r = oci_protect_self(cli->argv, err);
	if (r == 0)
		r = cli_images(cli, &store, err);
	if (r == 0)
		r = cli_engine(cli, &engine, err);
	if (r < 0)
		return r;
	struct build_runner runner;
	struct engine_build build = { .engine = engine, .network = options->network };
	r = engine_build_runner(&build, &runner, err);
	if (r == 0)
		r = image_build(store, &request, &runner, id, err);
	if (r == 0) {
		printf("%s\n", id);
		image_tell(engine, "build", id);
	}
	return r;
}

static const struct verb verbs[] = {
	{
		.spec = { .name = "load",
			  .words = "[FILE]",
			  .summary = "Take in images from an archive or a directory",
			  .options = load_rows,
			  .option_count = ARRAY_SIZE(load_rows),
			  .words_max = 1 },
		.options_size = sizeof(struct load_options),
		.run = run_load,
	},
	{
		.spec = { .name = "images",
			  .words = "[NAME[:TAG]]",
			  .words_max = 1,
			  .summary = "List images",
			  .options = images_rows,
			  .option_count = ARRAY_SIZE(images_rows) },
		.options_size = sizeof(struct images_options),
		.run = run_images,
	},
	{
		.spec = { .name = "build",
			  .words = "DIR",
			  .summary = "Make an image by a Dockerfile",
			  .options = build_rows,
			  .option_count = ARRAY_SIZE(build_rows),
			  .words_min = 1,
			  .words_max = 1 },
		.options_size = sizeof(struct build_options),
		.run = run_build,
	},
	{
		.spec = { .name = "rmi",
			  .words = "IMAGE…",
			  .summary = "Remove names of images, and images without one",
			  .options = rmi_rows,
			  .option_count = ARRAY_SIZE(rmi_rows),
			  .words_min = 1,
			  .words_max = -1 },
		.options_size = sizeof(struct rmi_options),
		.run = run_rmi,
	},
	{
		.spec = { .name = "tag",
			  .words = "IMAGE NAME[:TAG]",
			  .summary = "Give an image a further name",
			  .words_min = 2,
			  .words_max = 2 },
		.run = run_tag,
	},
};

const struct verb_group verb_group_images = { "Images", verbs, ARRAY_SIZE(verbs) };
