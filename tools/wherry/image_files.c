/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verbs that show and carry images: save, import, history, image inspect. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/loop.h"
#include "image_files.h"
#include "image_rows.h"
#include "output.h"
#include "runtime/engine.h"
#include "runtime/image.h"
#include "when.h"

#define ID_SHOWN 12
#define CREATED_BY_SHOWN 45

/* --- save --------------------------------------------------------------------------------- */

struct save_options {
	const char *output;
};
static const struct option_spec save_rows[] = {
	{ "output", 'o', OPTION_TEXT, offsetof(struct save_options, output), "FILE",
	  "Write to FILE (default: standard output)" },
};

static int run_save(struct cli *cli, const void *data, const struct words *words, struct error *err)
{
	const struct save_options *options = data;
	struct image_store *store;
	auto_fd fd = -1;
	if (!options->output && isatty(STDOUT_FILENO))
		return error_set(err, EINVAL, "an archive is not for a terminal: --output FILE");
	int r = cli_images(cli, &store, err);
	if (r == 0 && options->output) {
		fd = open(options->output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		if (fd < 0)
			return error_set_errno(err, errno, "--output %s", options->output);
	}
	if (r == 0)
		r = image_save(store, words, fd >= 0 ? fd : STDOUT_FILENO, err);
	if (r < 0 && fd >= 0)
		(void)unlink(options->output);
	for (size_t i = 0; r == 0 && i < words->count; i++)
		image_tell(cli->engine, "save", words->items[i]);
	return r;
}

/* --- import ------------------------------------------------------------------------------- */

struct import_options {
	const char *message;
	struct words changes;
};
static const struct option_spec import_rows[] = {
	{ "change", 'c', OPTION_LIST, offsetof(struct import_options, changes), "LINE",
	  "A line of a Dockerfile: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, USER, VOLUME, WORKDIR" },
	{ "message", 'm', OPTION_TEXT, offsetof(struct import_options, message), "TEXT",
	  "What it is" },
};

static int run_import(struct cli *cli, const void *data, const struct words *words,
		      struct error *err)
{
	const struct import_options *options = data;
	struct image_store *store;
	char id[DIGEST_TEXT_MAX];
	const char *path = words->items[0];
	auto_fd fd = -1;
	struct image_commit commit = { .tag = words->count > 1 ? words->items[1] : NULL,
				       .message = options->message,
				       .created_by = "",
				       .changes = options->changes };
	int r = cli_images(cli, &store, err);
	if (r < 0)
		return r;
	if (!text_equal(path, "-")) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return error_set_errno(err, errno, "%s", path);
	} else if (isatty(STDIN_FILENO)) {
		return error_set(err, EINVAL, "an archive does not come from a terminal: < FILE");
	}
	commit.archive_fd = fd >= 0 ? fd : STDIN_FILENO;
	r = image_commit(store, &commit, id, err);
	if (r < 0)
		return r;
	printf("%s\n", id);
	image_tell(cli->engine, "import", id);
	return 0;
}

/* --- history ------------------------------------------------------------------------------ */

struct history_options {
	const char *format, *output;
	bool quiet, whole, human;
};
#define HISTORY(member) offsetof(struct history_options, member)
static const struct option_spec history_rows[] = {
	{ "quiet", 'q', OPTION_FLAG, HISTORY(quiet), NULL, "Only ids" },
	{ "no-trunc", 0, OPTION_FLAG, HISTORY(whole), NULL, "Whole ids and steps" },
	{ "human", 'H', OPTION_FLAG, HISTORY(human), NULL,
	  "Sizes and ages for people (the default; --human=false)" },
	{ "format", 0, OPTION_TEXT, HISTORY(format), "TEMPLATE", "Such as {{.CreatedBy}}; json" },
	{ "output", 'o', OPTION_TEXT, HISTORY(output), "FORMAT", "table or json" },
};
static const struct history_options history_defaults = { .human = true };

static const char *text_of(const struct json_at *at, const char *key)
{
	const char *text = "";
	struct error ignored;
	(void)json_get_string(at, key, JSON_OPTIONAL, &text, &ignored);
	return text;
}

static void put_step(const struct history_options *options, const struct json_at *step,
		     const char *id, uint64_t bytes, struct json_t *rows)
{
	struct json_t *row = json_new_object();
	char age[TIME_TEXT_MAX] = "", size[32];
	auto_text since = { 0 }, by = { 0 }, shown = { 0 };
	const char *created = text_of(step, "created"), *what = text_of(step, "created_by");
	int64_t created_ns = 0;
	struct error ignored;
	if (*created && when_read("", created, &created_ns, &ignored) == 0)
		time_format_age(clock_wall_ns() - created_ns, age);
	text_append(&since, "%s%s", age, *age ? " ago" : "N/A");
	bool cut = !options->whole && strlen(what) > CREATED_BY_SHOWN;
	text_append(&by, "%.*s%s", cut ? CREATED_BY_SHOWN - 1 : (int)strlen(what), what,
		    cut ? "…" : "");
	const char *hex = strchr(id, ':');
	text_append(&shown, "%.*s", hex && !options->whole ? ID_SHOWN : (int)strlen(id),
		    hex && !options->whole ? hex + 1 : id);
	output_size(bytes, size, sizeof size);
	if (!options->human)
		snprintf(size, sizeof size, "%llu", (unsigned long long)bytes);
	json_put_string(row, "ID", shown.data);
	json_put_string(row, "CreatedSince", options->human ? since.data : created);
	json_put_string(row, "CreatedAt", created);
	json_put_string(row, "CreatedBy", by.data ? by.data : "");
	json_put_string(row, "Size", size);
	json_put_string(row, "Comment", text_of(step, "comment"));
	json_append(rows, row);
}

/* Newest first; steps without a layer have no size. */
static int make_history(struct image_store *store, const struct image *image,
			const struct history_options *options, struct json_t *rows,
			struct error *err)
{
	auto_json document = NULL;
	auto_free uint64_t *sizes = calloc(image->chain_ids.count + 1, sizeof *sizes);
	struct json_at history;
	int r = sizes ? image_document(store, image->id, &document, err)
		      : error_set(err, ENOMEM, "no memory for an image");
	if (r == 0)
		r = image_layer_sizes(store, image, sizes, err);
	if (r < 0)
		return r;
	struct json_at root = json_root(document, "image");
	r = json_get_array(&root, "history", JSON_OPTIONAL, &history, err);
	size_t layer = image->chain_ids.count, count = json_count(&history);
	for (size_t i = count; r == 0 && i-- > 0;) {
		struct json_at step = json_element(&history, i);
		bool empty = false;
		r = json_get_bool(&step, "empty_layer", JSON_OPTIONAL, &empty, err);
		uint64_t bytes = !empty && layer ? sizes[--layer] : 0;
		put_step(options, &step, i + 1 == count ? image->id : "<missing>", bytes, rows);
	}
	return r;
}

static int find_image(struct image_store *store, const char *reference, struct image *image,
		      struct error *err)
{
	int r = image_find(store, reference, image, err);
	if (r == 0)
		return error_set(err, ENOENT, "no image %.200s", reference);
	return r < 0 ? r : 0;
}

static int run_history(struct cli *cli, const void *data, const struct words *words,
		       struct error *err)
{
	static const struct output_column columns[] = {
		{ "IMAGE", "ID" },  { "CREATED", "CreatedSince" }, { "CREATED BY", "CreatedBy" },
		{ "SIZE", "Size" }, { "COMMENT", "Comment" },
	};
	const struct history_options *options = data;
	struct output output = { .columns = columns,
				 .column_count = ARRAY_SIZE(columns),
				 .format = options->format,
				 .output = options->output,
				 .quiet = options->quiet };
	struct image_store *store;
	struct image image = { 0 };
	auto_json rows = json_new_array();
	int r = cli_images(cli, &store, err);
	if (r == 0)
		r = find_image(store, words->items[0], &image, err);
	if (r == 0)
		r = make_history(store, &image, options, rows, err);
	image_release(&image);
	return r < 0 ? r : output_rows(&output, rows, stdout, err);
}

/* --- image inspect ------------------------------------------------------------------------ */

static struct json_t *list_of(const struct words *words)
{
	struct json_t *list = json_new_array();
	for (size_t i = 0; i < words->count; i++)
		json_append(list, json_new_string(words->items[i]));
	return list;
}

int image_show(struct engine *engine, const char *reference, const void *data,
	       struct json_t **ret_object, struct error *err)
{
	struct image_store *store;
	struct image image = { 0 };
	auto_json document = NULL;
	(void)data;
	int r = engine_images(engine, &store, err);
	if (r == 0)
		r = find_image(store, reference, &image, err);
	if (r == 0)
		r = image_document(store, image.id, &document, err);
	if (r == 0) {
		struct json_t *object = json_new_object(), *root = json_new_object();
		struct json_at at = json_root(document, "image");
		struct json_at config = json_member(&at, "config");
		char created[TIME_TEXT_MAX];
		time_format(image.created_ns, created);
		json_put_string(object, "Id", image.id);
		json_put(object, "RepoTags", list_of(&image.names));
		json_put(object, "RepoDigests", json_new_array());
		json_put_string(object, "Comment", text_of(&at, "comment"));
		json_put_string(object, "Created", created);
		json_put_string(object, "Author", text_of(&at, "author"));
		json_put(object, "Config",
			 config.value ? json_clone(config.value) : json_new_object());
		json_put_string(object, "Architecture", image.architecture);
		json_put_string(object, "Os", image.os);
		json_put_integer(object, "Size", (int64_t)image.size_bytes);
		json_put_string(root, "Type", "layers");
		json_put(root, "Layers", list_of(&image.diff_ids));
		json_put(object, "RootFS", root);
		*ret_object = object;
	}
	image_release(&image);
	return r;
}

struct inspect_options {
	const char *format;
};
static const struct option_spec inspect_rows[] = {
	{ "format", 'f', OPTION_TEXT, offsetof(struct inspect_options, format), "TEMPLATE",
	  "Such as {{.Config.Cmd}}" },
};

static int run_inspect(struct cli *cli, const void *data, const struct words *words,
		       struct error *err)
{
	const struct inspect_options *options = data;
	struct show show = { image_show, NULL, options->format };
	return show_each(cli, words, &show, err);
}

static const struct verb verbs[] = {
	{
		.spec = { .name = "save",
			  .words = "IMAGE…",
			  .summary = "Write images into an archive",
			  .options = save_rows,
			  .option_count = ARRAY_SIZE(save_rows),
			  .words_min = 1,
			  .words_max = -1 },
		.options_size = sizeof(struct save_options),
		.run = run_save,
	},
	{
		.spec = { .name = "import",
			  .words = "FILE|- [NAME[:TAG]]",
			  .summary = "Make an image of a tar archive of files",
			  .options = import_rows,
			  .option_count = ARRAY_SIZE(import_rows),
			  .words_min = 1,
			  .words_max = 2 },
		.options_size = sizeof(struct import_options),
		.run = run_import,
	},
	{
		.spec = { .name = "history",
			  .words = "IMAGE",
			  .summary = "List the steps that made an image",
			  .options = history_rows,
			  .option_count = ARRAY_SIZE(history_rows),
			  .words_min = 1,
			  .words_max = 1 },
		.options_size = sizeof(struct history_options),
		.defaults = &history_defaults,
		.run = run_history,
	},
	{
		.spec = { .name = "image inspect",
			  .words = "IMAGE…",
			  .summary = "Show all of images as JSON",
			  .options = inspect_rows,
			  .option_count = ARRAY_SIZE(inspect_rows),
			  .words_min = 1,
			  .words_max = -1 },
		.options_size = sizeof(struct inspect_options),
		.run = run_inspect,
	},
};

const struct verb_group verb_group_image_files = { "Images, shown and carried", verbs,
						   ARRAY_SIZE(verbs) };
