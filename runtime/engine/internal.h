/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The engine as its own files see it. */
#include "base/process.h"
#include "base/store.h"
#include "runtime/engine.h"

#define ENGINE_PATH_MAX (INSTANCE_PATH_MAX + 512)

struct engine {
	struct instance instance;
	struct store *saved; /* engine.mdb: synced */
	struct store *boot;  /* containers.mdb: containers with --rm */
	struct dataplane *dataplane;
	struct image_store *images;
	struct engine_steps steps;
	void (*warn)(const char *text, void *context);
	void *warn_context;
};

struct path {
	char text[ENGINE_PATH_MAX];
};

/** Opens the data path at the first call; lent. */
int engine_dataplane(struct engine *engine, struct dataplane **ret_dataplane, struct error *err);
/** The store of the boot without the data path: what ps and inspect need. Lent. */
int engine_state_store(struct engine *engine, struct store **ret_store, struct error *err);
/** Tells `explain` of a step. shown_by: a command, or NULL. */
void engine_step(struct engine *engine, const char *shown_by, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void engine_warn(struct engine *engine, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** Directory of a container (config, log, upper), and its place in /run. */
struct path container_dir(const struct engine *engine, const char *id);
struct path container_run_dir(const struct engine *engine, const char *id);
/** dir/name. */
struct path path_in(struct path dir, const char *name);
/** Path of a program that lies beside this one, or in PATH's usual places. */
int program_find(const char *name, struct path *ret_path, struct error *err);
/** A fresh id. */
int container_id_make(char ret_id[CONTAINER_ID_SIZE], struct error *err);
