/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A build: stages of layers and configs, made step by step. New layers stay in
 * the work folder until the end; then those of all good steps are kept, so
 * that a failed build goes on where it failed.
 */
#include "base/json.h"
#include "dockerfile.h"
#include "ignore.h"
#include "manifest.h"
#include "store.h"

struct build_layer {
	struct digest chain_id, diff_id;
	bool fresh; /* made now: to be moved into the store */
	char path[STORE_PATH_MAX + 32], blob_path[STORE_PATH_MAX + 32];
	char key[DIGEST_TEXT_MAX]; /* in the cache */
	int64_t created_ns;
	uint64_t size_bytes;
};
struct build_stage {
	char *name;                    /* of "AS name", or NULL */
	char base_id[DIGEST_TEXT_MAX]; /* of FROM's image, or "" */
	struct build_layer *layers;    /* bottom first */
	size_t layer_count;
	struct image_config config;
	struct words shell, args; /* args: name=value in scope */
	struct json_t *history;
	int64_t created_ns;
	uint64_t size_bytes;
	const char *author, *comment; /* lent; NULL: none */
	bool command_set;             /* CMD in this stage: ENTRYPOINT does not reset it */
};
struct build {
	struct image_store *store;
	const struct build_request *request;
	const struct build_runner *runner;
	struct store_work work;
	struct dockerfile dockerfile;
	struct ignore ignore;
	int context_fd;
	struct words global_args; /* ARG before the first FROM */
	struct build_stage *stages;
	size_t stage_count;
	size_t fresh_count;             /* numbers the work folder's names */
	const struct instruction *step; /* for errors */
};

/** Frees members; the work folder goes. */
void build_release(struct build *build);
void build_say(struct build *build, const char *format, ...) __attribute__((format(printf, 2, 3)));
struct build_stage *build_stage_now(struct build *build);
/** Puts "Dockerfile:3: COPY: " in front of the error. */
int build_wrap(struct build *build, struct error *err);

/* build_stage.c */
/** FROM: the new stage becomes the current one. */
int stage_begin(struct build *build, struct error *err);
void stage_release(struct build_stage *stage);
/** An image's layers and config, as those of FROM or COPY --from. */
int stage_from_image(struct build *build, const char *reference, struct build_stage *ret_stage,
		     struct error *err);
/** The stage's config as it would be now, compact JSON. */
int stage_format_config(const struct build_stage *stage, char **ret_json, struct error *err);
/** Adds a line to the history. */
void stage_add_history(struct build_stage *stage, const char *text, bool empty_layer);
/** Overlay's lower directories, top first. */
int stage_lower_paths(const struct build_stage *stage, struct words *ret, struct error *err);
/** Value of name=value words; NULL if unset. */
const char *words_value(const struct words *words, const char *name);
/** Sets name=value, replacing. */
int words_set(struct words *words, const char *name, const char *value, struct error *err);

/* build_config.c */
/** Instructions that change only the config. */
int step_config(struct build *build, const struct instruction *step, struct error *err);
/** Expands variables of the current stage in a word. */
int step_expand(struct build *build, const char *text, char **ret, struct error *err);

/* build_layer.c */
/** RUN, COPY, ADD, WORKDIR: those that make a layer. */
int step_layer(struct build *build, const struct instruction *step, struct error *err);

/* build_commit.c */
/** Moves the fresh layers of all stages into the store; with an image, unless image_json is NULL.
 */
int build_commit(struct build *build, const char *image_json, char ret_id[DIGEST_TEXT_MAX],
		 struct error *err);
