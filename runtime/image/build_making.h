/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* How the instructions that make a layer do it; shared by RUN, WORKDIR, COPY and ADD. */
#include "build.h"

/* A layer in the making. */
struct making {
	struct build_layer layer;
	struct words lower;
	char scratch[STORE_PATH_MAX + 32]; /* overlay's work, ADD's archives */
};

void making_release(struct making *making);
#define auto_making __attribute__((cleanup(making_release))) struct making

/**
 * The key of a step in the cache: the layers below, the instruction, `what` and
 * `more` (may be NULL), all that its result depends on.
 */
int making_key(struct build *build, const struct instruction *step, const char *what,
	       const struct words *more, char ret_key[DIGEST_TEXT_MAX], struct error *err);
/** 1: the cache has the layer, and it is on the stage now; 0: it must be made. */
int making_from_cache(struct build *build, const char *key, struct error *err);
/** Makes the folders of a new layer. */
int making_begin(struct build *build, const char *key, struct making *making, struct error *err);
/** The stage's tree with the new layer on top; closing *ret_fd unmounts. */
int making_mount(struct making *making, int *ret_fd, struct error *err);
/** The upper directory becomes a layer of the stage. Nothing may be mounted on it any more. */
int making_end(struct build *build, struct making *making, struct error *err);

/** What a container's mounts left in the upper directory goes: empty places, no content. */
void making_remove_places(const char *upper);

/** COPY and ADD. */
int step_copy(struct build *build, const struct instruction *step, struct error *err);
/** A word as a path of the image: expanded, relative to WORKDIR; a final '/' stays. */
int step_path(struct build *build, const char *word, char **ret, struct error *err);
