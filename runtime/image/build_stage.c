/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stage of a build: what FROM begins with, and what the image's config is
 * after each step.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/loop.h"
#include "build.h"

const char *words_value(const struct words *words, const char *name)
{
	size_t size = strlen(name);
	for (size_t i = words->count; i-- > 0;)
		if (strncmp(words->items[i], name, size) == 0 && words->items[i][size] == '=')
			return words->items[i] + size + 1;
	return NULL;
}

int words_set(struct words *words, const char *name, const char *value, struct error *err)
{
	size_t size = strlen(name);
	auto_free char *word = NULL;
	int r = text_format(&word, err, "%s=%s", name, value);
	if (r < 0)
		return r;
	for (size_t i = 0; i < words->count; i++)
		if (strncmp(words->items[i], name, size) == 0 && words->items[i][size] == '=') {
			free(words->items[i]);
			words->items[i] = TAKE(word);
			return 0;
		}
	return words_append(words, word, err);
}

void stage_release(struct build_stage *stage)
{
	free(stage->name);
	free(stage->layers);
	image_config_release(&stage->config);
	words_free(&stage->shell);
	words_free(&stage->args);
	json_free(stage->history);
	*stage = (struct build_stage){ 0 };
}

static int copy_config(const struct image_config *from, struct image_config *to, struct error *err)
{
	const struct words *lists[] = { &from->entrypoint, &from->command,       &from->env,
					&from->volumes,    &from->exposed_ports, &from->labels };
	struct words *copies[] = { &to->entrypoint, &to->command,       &to->env,
				   &to->volumes,    &to->exposed_ports, &to->labels };
	const char *texts[] = { from->user, from->working_dir, from->stop_signal,
				from->healthcheck_json };
	char **text_copies[] = { &to->user, &to->working_dir, &to->stop_signal,
				 &to->healthcheck_json };
	int r = 0;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(lists); i++)
		r = words_copy(lists[i], copies[i], err);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(texts); i++)
		r = texts[i] ? text_copy(texts[i], text_copies[i], err) : 0;
	return r;
}

static int copy_stage(const struct build_stage *from, struct build_stage *to, struct error *err)
{
	to->layers = calloc(from->layer_count + 1, sizeof *to->layers);
	if (!to->layers)
		return error_set(err, ENOMEM, "no memory for layers");
	memcpy(to->layers, from->layers, from->layer_count * sizeof *to->layers);
	to->layer_count = from->layer_count;
	to->created_ns = from->created_ns;
	to->size_bytes = from->size_bytes;
	to->history = json_clone(from->history);
	return copy_config(&from->config, &to->config, err);
}

/* The history of the base's own config; an image without one gets an empty list. */
static int read_history(struct build *build, const char *id, struct build_stage *stage,
			struct error *err)
{
	struct digest digest;
	char path[STORE_PATH_MAX];
	auto_json document = NULL;
	struct json_at history;
	snprintf(digest.text, sizeof digest.text, "%s", id);
	store_blob_path(build->store, &digest, path);
	int r = json_read_file(path, MANIFEST_SIZE_MAX, &document, err);
	if (r < 0)
		return r;
	struct json_at root = json_root(document, path);
	r = json_get_array(&root, "history", JSON_OPTIONAL, &history, err);
	if (r == 0)
		stage->history =
			json_is_present(&history) ? json_clone(history.value) : json_new_array();
	return r;
}

int stage_from_image(struct build *build, const char *reference, struct build_stage *ret_stage,
		     struct error *err)
{
	struct image image = { 0 };
	int r = image_find(build->store, reference, &image, err);
	if (r == 0)
		return error_set(err, ENOENT, "no image %.200s: load it first", reference);
	if (r < 0)
		return r;
	size_t count = image.chain_ids.count;
	ret_stage->layers = calloc(count + 1, sizeof *ret_stage->layers);
	if (!ret_stage->layers)
		r = error_set(err, ENOMEM, "no memory for layers");
	for (size_t i = 0; r >= 0 && i < count; i++) {
		struct build_layer *layer = &ret_stage->layers[i];
		r = digest_check(image.chain_ids.items[i], "chain", &layer->chain_id, err);
		if (r == 0)
			r = digest_check(image.diff_ids.items[i], "diff", &layer->diff_id, err);
		snprintf(layer->path, sizeof layer->path, "%s",
			 image.layer_paths.items[count - 1 - i]);
		snprintf(layer->blob_path, sizeof layer->blob_path, "%s", image.blobs.items[i]);
		ret_stage->layer_count = i + 1;
	}
	if (r >= 0)
		r = copy_config(&image.config, &ret_stage->config, err);
	if (r >= 0)
		r = read_history(build, image.id, ret_stage, err);
	ret_stage->created_ns = image.created_ns;
	ret_stage->size_bytes = image.size_bytes;
	snprintf(ret_stage->base_id, sizeof ret_stage->base_id, "%s", image.id);
	image_release(&image);
	return r < 0 ? r : 0;
}

static const char *look_up_global(const void *context, const char *name)
{
	return words_value(context, name);
}

static int begin_from(struct build *build, const char *base, struct build_stage *stage,
		      struct error *err)
{
	if (text_equal(base, "scratch")) {
		stage->history = json_new_array();
		stage->created_ns = clock_wall_ns();
		stage->layers = calloc(1, sizeof *stage->layers);
		return stage->layers ? 0 : error_set(err, ENOMEM, "no memory for layers");
	}
	for (size_t i = 0; i < build->stage_count; i++)
		if (build->stages[i].name && strcasecmp(build->stages[i].name, base) == 0)
			return copy_stage(&build->stages[i], stage, err);
	return stage_from_image(build, base, stage, err);
}

int stage_begin(struct build *build, struct error *err)
{
	const struct instruction *step = build->step;
	struct build_stage stage = { 0 };
	auto_free char *base = NULL;
	if (step->flags.count > 0)
		return error_set(err, ENOTSUP, "%s is not supported", step->flags.items[0]);
	if (step->args.count == 2 ||
	    (step->args.count == 3 && strcasecmp(step->args.items[1], "AS") != 0))
		return error_set(err, EINVAL, "must be FROM IMAGE [AS NAME]");
	int r = dockerfile_expand(step->args.items[0], build->dockerfile.escape, look_up_global,
				  &build->global_args, &base, err);
	if (r == 0 && !*base)
		return error_set(err, EINVAL, "\"%.100s\" expands to no image name",
				 step->args.items[0]);
	if (r == 0 && step->args.count == 3)
		r = text_copy(step->args.items[2], &stage.name, err);
	if (r == 0)
		r = begin_from(build, base, &stage, err);
	if (r == 0)
		r = words_append(&stage.shell, "/bin/sh", err);
	if (r == 0)
		r = words_append(&stage.shell, "-c", err);
	struct build_stage *more = NULL;
	if (r == 0)
		more = reallocarray(build->stages, build->stage_count + 1, sizeof *more);
	if (!more) {
		stage_release(&stage);
		return r < 0 ? r : error_set(err, ENOMEM, "no memory for a stage");
	}
	build->stages = more;
	build->stages[build->stage_count++] = stage;
	return 0;
}

void stage_add_history(struct build_stage *stage, const char *text, bool empty_layer)
{
	char time[TIME_TEXT_MAX];
	struct json_t *entry = json_new_object();
	time_format(stage->created_ns, time);
	json_put_string(entry, "created", time);
	json_put_string(entry, "created_by", text);
	if (empty_layer)
		json_put_bool(entry, "empty_layer", true);
	json_append(stage->history, entry);
}

int stage_format_config(const struct build_stage *stage, char **ret_json, struct error *err)
{
	char time[TIME_TEXT_MAX];
	auto_json root = json_new_object();
	struct json_t *config = NULL, *rootfs = json_new_object(), *diff_ids = json_new_array();
	time_format(stage->created_ns, time);
	json_put_string(root, "created", time);
	json_put_string(root, "architecture", platform_architecture());
	json_put_string(root, "os", "linux");
	if (stage->author)
		json_put_string(root, "author", stage->author);
	if (stage->comment)
		json_put_string(root, "comment", stage->comment);
	json_put_string(rootfs, "type", "layers");
	for (size_t i = 0; i < stage->layer_count; i++)
		json_append(diff_ids, json_new_string(stage->layers[i].diff_id.text));
	json_put(rootfs, "diff_ids", diff_ids);
	json_put(root, "rootfs", rootfs);
	json_put(root, "history", json_clone(stage->history));
	int r = image_config_write(&stage->config, &config, err);
	if (r < 0)
		return r;
	json_put(root, "config", config);
	return json_format(root, JSON_COMPACT, ret_json, err);
}

int stage_lower_paths(const struct build_stage *stage, struct words *ret, struct error *err)
{
	int r = 0;
	for (size_t i = stage->layer_count; r == 0 && i-- > 0;)
		r = words_append(ret, stage->layers[i].path, err);
	return r;
}
