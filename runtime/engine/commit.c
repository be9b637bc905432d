/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `commit`: what a container has changed, and what it was told, as an image. */
#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "events.h"
#include "saved.h"

/* What the record says that the container was told; NULL: as its image. */
struct told {
	struct words entrypoint, command, env, labels;
};
static void told_release(struct told *told)
{
	words_free(&told->entrypoint);
	words_free(&told->command);
	words_free(&told->env);
	words_free(&told->labels);
}

static int read_list(const struct container *container, const char *key, struct words *words,
		     const struct words **ret, struct error *err)
{
	struct json_at root = container_root(container);
	if (!json_member(&root, key).value)
		return 0;
	*ret = words;
	return container_words(container, key, words, err);
}

static int read_told(const struct container *container, struct told *told,
		     struct image_commit *commit, struct error *err)
{
	struct json_at root = container_root(container);
	int r = read_list(container, "entrypoint", &told->entrypoint, &commit->entrypoint, err);
	if (r == 0)
		r = read_list(container, "arguments", &told->command, &commit->command, err);
	if (r == 0)
		r = read_list(container, "env", &told->env, &commit->env, err);
	if (r == 0)
		r = read_list(container, "labels", &told->labels, &commit->labels, err);
	if (r == 0)
		r = json_get_string(&root, "user", JSON_OPTIONAL, &commit->user, err);
	return r < 0 ? r
		     : json_get_string(&root, "workingDir", JSON_OPTIONAL, &commit->working_dir,
				       err);
}

static int created_by(const struct container *container, struct text *text, struct error *err)
{
	auto_words words = { 0 };
	int r = container_words(container, "command", &words, err);
	for (size_t i = 0; r == 0 && i < words.count; i++)
		text_append(text, "%s%s", i ? " " : "", words.items[i]);
	return r;
}

static int make_image(struct engine *engine, const struct container *container,
		      struct image_commit *commit, char ret_id[DIGEST_TEXT_MAX], struct error *err)
{
	struct image_store *store;
	auto_saved saved = { 0 };
	auto_text command = { 0 };
	__attribute__((cleanup(told_release))) struct told told = { 0 };
	int r = engine_images(engine, &store, err);
	if (r == 0)
		r = saved_load(engine, container->id, &saved, err);
	if (r == 0)
		r = read_told(container, &told, commit, err);
	if (r == 0)
		r = created_by(container, &command, err);
	commit->base_id = container->image_id;
	commit->upper = saved.spec.overlay_upper;
	commit->created_by = command.data ? command.data : "";
	return r < 0 ? r : image_commit(store, commit, ret_id, err);
}

int container_commit(struct engine *engine, const char *reference, const char *name,
		     const struct container_commit_options *options, char ret_id[DIGEST_TEXT_MAX],
		     struct error *err)
{
	AUTO(container) container = NULL;
	struct container_now now;
	struct image_commit commit = { .tag = name,
				       .author = options->author,
				       .message = options->message,
				       .changes = options->changes };
	struct error ignored;
	int r = container_find_now(engine, reference, &container, &now, err);
	if (r < 0)
		return r;
	bool paused = options->pause && now.status == CONTAINER_RUNNING && !now.paused &&
		      container_pause(engine, container->id, err) == 0;
	r = make_image(engine, container, &commit, ret_id, err);
	if (paused)
		(void)container_unpause(engine, container->id, &ignored);
	if (r < 0)
		return r;
	event_container(engine, container, "commit", "imageID", ret_id);
	engine_step(engine, "wherry images", "its own files are a new layer of image %.19s",
		    ret_id);
	return 0;
}
