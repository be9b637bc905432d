/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The record of a container: a JSON document in one of the two stores, and the
 * fields of it that are used often. Names are unique over both.
 */
#include "internal.h"
#include "runtime/state.h"

/* A network that a container is in, or is to be in when it starts. */
struct container {
	struct json_t *document; /* owns all texts below */
	const char *id, *name, *image, *image_id, *hostname;
	const char *network_mode; /* "networks", "none", "host", "container:ID" */
	const char *stop_signal, *restart;
	int64_t created_ns, started_ns, finished_ns, exit_code, stop_timeout_s;
	bool temporary; /* --rm */
	bool terminal, interactive;
	bool started_once;
};
void container_free(struct container *container);
DEFINE_FREEP(container)

/** Makes a container of a document (owned from now on, also on failure). Gate. */
int container_from_document(struct json_t *document, struct container **ret_container,
			    struct error *err);
/** By name, id, or beginning of an id. -ENOENT, or -EINVAL (several begin so), with a text. */
int container_find(struct engine *engine, const char *reference, struct container **ret_container,
		   struct error *err);
/** Adds a new record and its name; -EEXIST names the container that has the name. */
int container_add(struct engine *engine, const struct container *container, struct error *err);
/** Writes the record again. */
int container_update(struct engine *engine, const struct container *container, struct error *err);
int container_set_name(struct engine *engine, struct container *container, const char *name,
		       struct error *err);
int container_delete(struct engine *engine, const struct container *container, struct error *err);
/** Visits all, of both stores, in the order of ids. A non-zero result of visit ends the walk. */
int containers_each(struct engine *engine,
		    int (*visit)(struct container *container, void *context, struct error *err),
		    void *context, struct error *err);
/** The cursor of the record's document. */
struct json_at container_root(const struct container *container);
/** Copies a list of texts of the document. */
int container_words(const struct container *container, const char *key, struct words *ret_words,
		    struct error *err);

/* What a container does right now. */
struct container_now {
	enum container_status status;
	struct container_state state; /* zero if it never ran in this boot */
	int64_t started_ns, finished_ns;
	int exit_code;
	bool orphaned; /* its monitor is gone without having cleared up */
	bool paused;   /* all its processes are stopped where they are */
	bool removed;  /* by container_settle, as --rm wants */
};
#define PAUSED_MARK "paused" /* a file of the run directory */
/** "running", "paused", "exited": the word that ps and inspect have. */
const char *container_now_name(const struct container_now *now);
int container_look(struct engine *engine, const struct container *container,
		   struct container_now *ret_now, struct error *err);
static inline bool container_is_running(const struct container_now *now)
{
	return now->status == CONTAINER_RUNNING || now->status == CONTAINER_RESTARTING;
}
