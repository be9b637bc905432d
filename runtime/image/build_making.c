/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A layer in the making: asked from the cache by its key, or made in an
 * overlay's upper directory, which then is the layer.
 */
#include "build_making.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/loop.h"
#include "diff.h"
#include "overlay.h"

void making_release(struct making *making)
{
	words_free(&making->lower);
}

/* The key: what the layer is built on, what is done, and with what. */
int making_key(struct build *build, const struct instruction *step, const char *what,
	       const struct words *more, char ret_key[DIGEST_TEXT_MAX], struct error *err)
{
	const struct build_stage *stage = build_stage_now(build);
	AUTO(hash) hash = NULL;
	int r = hash_create(&hash, err);
	if (r < 0)
		return r;
	const char *parent =
		stage->layer_count ? stage->layers[stage->layer_count - 1].chain_id.text : "";
	const char *name = instruction_name(step->kind);
	hash_update(hash, parent, strlen(parent) + 1);
	hash_update(hash, name, strlen(name) + 1);
	hash_update(hash, what, strlen(what) + 1);
	for (size_t i = 0; more && i < more->count; i++)
		hash_update(hash, more->items[i], strlen(more->items[i]) + 1);
	snprintf(ret_key, DIGEST_TEXT_MAX, "%s", hash_finish(hash).text);
	return 0;
}

static int push_layer(struct build *build, const struct build_layer *layer, struct error *err)
{
	struct build_stage *stage = build_stage_now(build);
	if (stage->layer_count == IMAGE_LAYERS_MAX)
		return error_set(err, EINVAL, "over %d layers", IMAGE_LAYERS_MAX);
	struct build_layer *more =
		reallocarray(stage->layers, stage->layer_count + 1, sizeof *more);
	if (!more)
		return error_set(err, ENOMEM, "no memory for a layer");
	stage->layers = more;
	stage->layers[stage->layer_count++] = *layer;
	stage->size_bytes += layer->size_bytes;
	if (layer->created_ns > stage->created_ns)
		stage->created_ns = layer->created_ns;
	return 0;
}

/* A layer of this very build under the same key; stages may share steps. */
static const struct build_layer *find_fresh(const struct build *build, const char *key)
{
	for (size_t i = 0; i < build->stage_count; i++)
		for (size_t j = 0; j < build->stages[i].layer_count; j++)
			if (build->stages[i].layers[j].fresh &&
			    text_equal(build->stages[i].layers[j].key, key))
				return &build->stages[i].layers[j];
	return NULL;
}

static int find_cached(struct build *build, const char *key, struct build_layer *ret,
		       struct error *err)
{
	AUTO(store_txn) txn = NULL;
	struct bytes value = { 0 };
	struct cache_record record;
	struct layer_record layer;
	int r = store_begin(build->store->db, STORE_READ, &txn, err);
	if (r == 0)
		r = store_get(txn, TABLE_CACHE, bytes_of_text(key), &value, err);
	if (r != 1 || value.size != sizeof record)
		return r < 0 ? r : 0;
	memcpy(&record, value.data, sizeof record);
	r = store_layer_find(txn, record.chain_id.text, &layer, err);
	if (r != 1)
		return r;
	*ret = (struct build_layer){ .chain_id = record.chain_id,
				     .diff_id = record.diff_id,
				     .created_ns = record.created_ns,
				     .size_bytes = record.size_bytes };
	store_layer_path(build->store, record.chain_id.text, ret->path);
	snprintf(ret->blob_path, sizeof ret->blob_path, "%s", layer.blob.text);
	return 1;
}

/* 1: the cache has it, and it is on the stage now. */
int making_from_cache(struct build *build, const char *key, struct error *err)
{
	struct build_layer layer;
	const struct build_layer *fresh = find_fresh(build, key);
	int r = 1;
	if (fresh)
		layer = *fresh;
	else if (build->request->no_cache)
		return 0;
	else
		r = find_cached(build, key, &layer, err);
	if (r != 1)
		return r;
	build_say(build, " ---> Using cache");
	r = push_layer(build, &layer, err);
	return r < 0 ? r : 1;
}

/* The new root looks like the one below. */
static int copy_root(const char *upper, const struct words *lower, struct error *err)
{
	struct stat st;
	if (lower->count == 0)
		return 0;
	if (stat(lower->items[0], &st) < 0 || chown(upper, st.st_uid, st.st_gid) < 0 ||
	    chmod(upper, st.st_mode & 07777) < 0)
		return error_set_errno(err, errno, "root of the new layer");
	return 0;
}

int making_begin(struct build *build, const char *key, struct making *making, struct error *err)
{
	struct build_layer *layer = &making->layer;
	size_t number = build->fresh_count++;
	layer->fresh = true;
	snprintf(layer->key, sizeof layer->key, "%s", key);
	snprintf(layer->path, sizeof layer->path, "%s/layers/%zu", build->work.path, number);
	snprintf(layer->blob_path, sizeof layer->blob_path, "%s/blobs/%zu", build->work.path,
		 number);
	snprintf(making->scratch, sizeof making->scratch, "%s/step%zu", build->work.path, number);
	if (mkdir(layer->path, 0755) < 0 || chmod(layer->path, 0755) < 0 ||
	    mkdir(making->scratch, 0700) < 0)
		return error_set_errno(err, errno, "make a folder in %s", build->work.path);
	int r = stage_lower_paths(build_stage_now(build), &making->lower, err);
	return r < 0 ? r : copy_root(layer->path, &making->lower, err);
}

int making_mount(struct making *making, int *ret_fd, struct error *err)
{
	return overlay_open(&making->lower, making->layer.path, making->scratch, ret_fd, err);
}

int making_end(struct build *build, struct making *making, struct error *err)
{
	struct build_layer *layer = &making->layer;
	const struct build_stage *stage = build_stage_now(build);
	const struct digest *parent =
		stage->layer_count ? &stage->layers[stage->layer_count - 1].chain_id : NULL;
	auto_fd fd = open(layer->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_set_errno(err, errno, "open %s", layer->path);
	int r = diff_write(fd, layer->blob_path, &layer->diff_id, &layer->size_bytes, err);
	if (r == 0)
		r = digest_chain(parent, &layer->diff_id, &layer->chain_id, err);
	if (r == 0)
		r = tree_remove(making->scratch, err);
	layer->created_ns = clock_wall_ns();
	return r < 0 ? r : push_layer(build, layer, err);
}
