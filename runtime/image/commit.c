/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * image_commit: a container's upper directory becomes a layer on its image, in
 * the way of a build of one step. The directory is copied, since the container
 * goes on with its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/loop.h"
#include "build_making.h"
#include "build_walk.h"
#include "tree.h"

static int replace_words(struct words *to, const struct words *from, struct error *err)
{
	if (!from)
		return 0;
	words_free(to);
	*to = (struct words){ 0 };
	return words_copy(from, to, err);
}

static int replace_text(char **to, const char *from, struct error *err)
{
	if (!from)
		return 0;
	free(*to);
	*to = NULL;
	return text_copy(from, to, err);
}

static int add_pairs(struct words *to, const struct words *from, struct error *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && from && i < from->count; i++) {
		size_t size = strcspn(from->items[i], "=");
		auto_free char *name = strndup(from->items[i], size);
		if (!name)
			return error_set(err, ENOMEM, "no memory for an image");
		r = words_set(to, name, from->items[i][size] ? from->items[i] + size + 1 : "", err);
	}
	return r;
}

/* What `run` was told holds for the image too. */
static int apply_container(struct build_stage *stage, const struct image_commit *commit,
			   struct error *err)
{
	struct image_config *config = &stage->config;
	int r = replace_words(&config->entrypoint, commit->entrypoint, err);
	if (r == 0)
		r = replace_words(&config->command, commit->command, err);
	if (r == 0)
		r = replace_text(&config->user, commit->user, err);
	if (r == 0)
		r = replace_text(&config->working_dir, commit->working_dir, err);
	if (r == 0)
		r = add_pairs(&config->env, commit->env, err);
	return r < 0 ? r : add_pairs(&config->labels, commit->labels, err);
}

static bool may_change(enum instruction_kind kind)
{
	static const enum instruction_kind kinds[] = {
		INSTRUCTION_CMD,         INSTRUCTION_ENTRYPOINT, INSTRUCTION_ENV,
		INSTRUCTION_EXPOSE,      INSTRUCTION_LABEL,      INSTRUCTION_USER,
		INSTRUCTION_VOLUME,      INSTRUCTION_WORKDIR,    INSTRUCTION_STOPSIGNAL,
		INSTRUCTION_HEALTHCHECK,
	};
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kind == kinds[i])
			return true;
	return false;
}

static int apply_change(struct build *build, const struct instruction *step, struct error *err)
{
	char **working_dir = &build_stage_now(build)->config.working_dir;
	auto_free char *path = NULL;
	if (!may_change(step->kind))
		return error_set(err, EINVAL,
				 "%s is none of CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, USER, VOLUME, "
				 "WORKDIR, STOPSIGNAL, HEALTHCHECK",
				 instruction_name(step->kind));
	if (step->kind != INSTRUCTION_WORKDIR)
		return step_config(build, step, err);
	int r = step_path(build, step->rest, &path, err);
	if (r < 0)
		return r;
	free(*working_dir);
	*working_dir = TAKE(path);
	return 0;
}

static int apply_changes(struct build *build, const struct image_commit *commit, struct error *err)
{
	int r = apply_container(build_stage_now(build), commit, err);
	for (size_t i = 1; r == 0 && i < build->dockerfile.count; i++) {
		build->step = &build->dockerfile.items[i];
		r = apply_change(build, build->step, err);
		if (r < 0)
			return error_wrap(err, "--change \"%.200s\"", build->step->text);
	}
	return r;
}

/* "FROM id", then a line for each change: all are checked before anything is made. */
static int parse_changes(struct build *build, const struct image_commit *commit, struct error *err)
{
	auto_text text = { 0 };
	text_append(&text, "FROM %s\n", commit->base_id ? commit->base_id : "scratch");
	for (size_t i = 0; i < commit->changes.count; i++) {
		if (strchr(commit->changes.items[i], '\n'))
			return error_set(err, EINVAL, "--change: is more than one line");
		text_append(&text, "%s\n", commit->changes.items[i]);
	}
	if (text.failed)
		return error_set(err, ENOMEM, "no memory for an image");
	return dockerfile_parse("--change", text.data, text.size, &build->dockerfile, err);
}

/* --- the layer ------------------------------------------------------------------------- */

struct opaque_copy {
	int from_fd, to_fd;
};

static int copy_opaque(const struct walk_item *item, void *context, struct error *err)
{
	const struct opaque_copy *copy = context;
	if (!S_ISDIR(item->st.st_mode) || tree_is_opaque(copy->from_fd, item->path) != 1)
		return 0;
	int r = tree_set_xattr(copy->to_fd, item->path, OVERLAY_OPAQUE, "y", 1);
	return r < 0 ? error_set_errno(err, -r, "\"%.200s\"", item->path) : 0;
}

static int copy_upper(const char *from, const char *to, struct error *err)
{
	auto_fd from_fd = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_fd to_fd = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (from_fd < 0 || to_fd < 0)
		return error_set_errno(err, errno, "open %s", from_fd < 0 ? from : to);
	struct opaque_copy copy = { from_fd, to_fd };
	int r = image_copy_directory(from_fd, to_fd, err);
	return r < 0 ? r : walk_tree(from_fd, "", NULL, copy_opaque, &copy, err);
}

static int unpack_archive(int archive_fd, const char *to, struct error *err)
{
	auto_fd to_fd = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct image_archive_place place = {
		.root_fd = to_fd, .folder = "/", .keep_owner = true, .keep_special = true
	};
	if (to_fd < 0)
		return error_set_errno(err, errno, "open %s", to);
	return image_archive_read(&place, archive_fd, err);
}

static int make_layer(struct build *build, const struct image_commit *commit, struct error *err)
{
	auto_making making = { 0 };
	char key[DIGEST_TEXT_MAX], now[TIME_TEXT_MAX];
	/* A key that no step will ever ask for. */
	time_format(clock_wall_ns(), now);
	int r = making_key(build, build->step, now, NULL, key, err);
	if (r == 0)
		r = making_begin(build, key, &making, err);
	if (r == 0 && commit->upper)
		r = copy_upper(commit->upper, making.layer.path, err);
	else if (r == 0)
		r = unpack_archive(commit->archive_fd, making.layer.path, err);
	if (r < 0)
		return r;
	making_remove_places(making.layer.path);
	return making_end(build, &making, err);
}

static void add_history(struct build_stage *stage, const struct image_commit *commit)
{
	char time[TIME_TEXT_MAX];
	struct json_t *entry = json_new_object();
	stage->created_ns = clock_wall_ns();
	time_format(stage->created_ns, time);
	json_put_string(entry, "created", time);
	json_put_string(entry, "created_by", commit->created_by);
	if (commit->author)
		json_put_string(entry, "author", commit->author);
	if (commit->message)
		json_put_string(entry, "comment", commit->message);
	json_append(stage->history, entry);
	stage->author = commit->author;
	stage->comment = commit->message;
}

static int commit_all(struct build *build, const struct image_commit *commit,
		      char ret_id[DIGEST_TEXT_MAX], struct error *err)
{
	auto_free char *json = NULL;
	int r = parse_changes(build, commit, err);
	if (r == 0) {
		build->step = &build->dockerfile.items[0];
		r = stage_begin(build, err);
	}
	if (r == 0)
		r = apply_changes(build, commit, err);
	if (r == 0) {
		build->step = &build->dockerfile.items[0];
		r = make_layer(build, commit, err);
	}
	if (r < 0)
		return r;
	add_history(build_stage_now(build), commit);
	r = stage_format_config(build_stage_now(build), &json, err);
	return r < 0 ? r : build_commit(build, json, ret_id, err);
}

int image_commit(struct image_store *store, const struct image_commit *commit,
		 char ret_id[DIGEST_TEXT_MAX], struct error *err)
{
	auto_free char *name = NULL;
	struct build_request request = { .tag = commit->tag };
	struct build build = {
		.store = store, .request = &request, .context_fd = -1, .work = { .lock_fd = -1 }
	};
	int r = commit->tag ? image_reference_normalise(commit->tag, &name, err) : 0;
	if (r == 0)
		r = store_work_begin(store, &build.work, err);
	if (r == 0)
		r = commit_all(&build, commit, ret_id, err);
	build_release(&build);
	return r;
}
