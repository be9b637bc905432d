/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The end of a build: new layers go to their places and into the cache, the
 * image gets its documents, record and name, all in one commit.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "build.h"

typedef int layer_visit(struct build *build, struct build_layer *layer, void *context,
			struct error *err);

/* Layers that stages share come more than once. */
static int each_fresh(struct build *build, layer_visit *visit, void *context, struct error *err)
{
	for (size_t i = 0; i < build->stage_count; i++)
		for (size_t j = 0; j < build->stages[i].layer_count; j++) {
			struct build_layer *layer = &build->stages[i].layers[j];
			int r = layer->fresh ? visit(build, layer, context, err) : 0;
			if (r < 0)
				return r;
		}
	return 0;
}

static int move_layer(struct build *build, struct build_layer *layer, void *context,
		      struct error *err)
{
	(void)context;
	if (!path_exists(layer->blob_path))
		return 0; /* moved for another stage */
	int r = store_blob_adopt(build->store, layer->blob_path, &layer->diff_id, err);
	if (r == 0)
		r = store_layer_adopt(build->store, layer->path, &layer->chain_id, err);
	return r < 0 ? r : 0;
}

static int put_layer(struct build *build, struct build_layer *layer, void *context,
		     struct error *err)
{
	struct store_txn *txn = context;
	struct layer_record known, record = { layer->diff_id, layer->size_bytes };
	struct cache_record cache = { layer->chain_id, layer->diff_id, layer->created_ns,
				      layer->size_bytes };
	(void)build;
	int r = store_layer_find(txn, layer->chain_id.text, &known, err);
	if (r == 0)
		r = store_layer_put(txn, &layer->chain_id, &record, err);
	return r < 0 ? r
		     : store_put(txn, TABLE_CACHE, bytes_of_text(layer->key),
				 bytes_of(&cache, sizeof cache), err);
}

static int put_document(struct build *build, const char *text, struct digest *ret_digest,
			struct error *err)
{
	char path[STORE_PATH_MAX + 32];
	int r = digest_of(text, strlen(text), ret_digest, err);
	if (r < 0)
		return r;
	snprintf(path, sizeof path, "%s/blobs/document", build->work.path);
	r = file_replace(path, text, strlen(text), 0644, FILE_NO_SYNC, err);
	return r < 0 ? r : store_blob_adopt(build->store, path, ret_digest, err);
}

/* The blob of each layer; those of the base keep the one they were loaded from. */
static int collect_blobs(struct build *build, struct image *image, struct error *err)
{
	const struct build_stage *stage = build_stage_now(build);
	int r = 0;
	for (size_t i = 0; r == 0 && i < stage->layer_count; i++) {
		const struct build_layer *layer = &stage->layers[i];
		r = words_append(&image->chain_ids, layer->chain_id.text, err);
		if (r == 0)
			r = words_append(&image->blobs,
					 layer->fresh ? layer->diff_id.text : layer->blob_path,
					 err);
	}
	return r;
}

static int64_t blob_size(struct build *build, const char *text)
{
	struct digest digest;
	struct stat st;
	char path[STORE_PATH_MAX];
	snprintf(digest.text, sizeof digest.text, "%s", text);
	store_blob_path(build->store, &digest, path);
	return stat(path, &st) < 0 ? 0 : (int64_t)st.st_size;
}

static enum compression blob_compression(struct build *build, const char *text)
{
	struct digest digest;
	char path[STORE_PATH_MAX];
	uint8_t head[4] = { 0 };
	snprintf(digest.text, sizeof digest.text, "%s", text);
	store_blob_path(build->store, &digest, path);
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, head, sizeof head);
	return compression_sniff(head, n > 0 ? (size_t)n : 0);
}

static int put_manifest(struct build *build, const struct image *image, const char *config,
			struct digest *ret_digest, struct error *err)
{
	static const char *const types[COMPRESSION_COUNT] = { MEDIA_LAYER, MEDIA_LAYER "+gzip",
							      MEDIA_LAYER "+zstd" };
	auto_json root = json_new_object();
	auto_free char *text = NULL;
	struct json_t *descriptor = json_new_object(), *layers = json_new_array();
	json_put_integer(root, "schemaVersion", 2);
	json_put_string(root, "mediaType", MEDIA_MANIFEST);
	json_put_string(descriptor, "mediaType", MEDIA_CONFIG);
	json_put_string(descriptor, "digest", image->id);
	json_put_integer(descriptor, "size", (int64_t)strlen(config));
	json_put(root, "config", descriptor);
	for (size_t i = 0; i < image->blobs.count; i++) {
		struct json_t *layer = json_new_object();
		const char *digest = image->blobs.items[i];
		json_put_string(layer, "mediaType", types[blob_compression(build, digest)]);
		json_put_string(layer, "digest", digest);
		json_put_integer(layer, "size", blob_size(build, digest));
		json_append(layers, layer);
	}
	json_put(root, "layers", layers);
	int r = json_format(root, JSON_COMPACT, &text, err);
	return r < 0 ? r : put_document(build, text, ret_digest, err);
}

/* The config is read as a loaded one is: what it may not hold is found here. */
static int prepare_image(struct build *build, const char *config, struct image *image,
			 struct error *err)
{
	auto_json document = NULL;
	struct digest id, manifest;
	int r = json_parse("config", config, strlen(config), &document, err);
	struct json_at root = json_root(document, "config");
	if (r == 0)
		r = image_config_read(&root, image, err);
	if (r == 0)
		r = collect_blobs(build, image, err);
	if (r == 0)
		r = put_document(build, config, &id, err);
	if (r < 0)
		return r;
	snprintf(image->id, sizeof image->id, "%s", id.text);
	image->size_bytes = build_stage_now(build)->size_bytes;
	r = put_manifest(build, image, config, &manifest, err);
	if (r == 0)
		snprintf(image->manifest, sizeof image->manifest, "%s", manifest.text);
	return r;
}

static int put_records(struct build *build, const struct image *image, struct error *err)
{
	AUTO(store_txn) txn = NULL;
	auto_free char *name = NULL;
	int r = build->request->tag && image
			? image_reference_normalise(build->request->tag, &name, err)
			: 0;
	if (r == 0)
		r = store_begin(build->store->db, STORE_WRITE, &txn, err);
	if (r == 0)
		r = each_fresh(build, put_layer, txn, err);
	if (r == 0 && image)
		r = record_put(txn, image, err);
	if (r == 0 && name)
		r = name_put(txn, name, image->id, err);
	return r < 0 ? r : store_commit(&txn, err);
}

static bool has_fresh(const struct build *build)
{
	for (size_t i = 0; i < build->stage_count; i++)
		for (size_t j = 0; j < build->stages[i].layer_count; j++)
			if (build->stages[i].layers[j].fresh)
				return true;
	return false;
}

/* All came from the cache, and the image is there: only its name is to be given. 1, 0, -errno. */
static int name_known_image(struct build *build, const char *image_json,
			    char ret_id[DIGEST_TEXT_MAX], struct error *err)
{
	AUTO(store_txn) txn = NULL;
	auto_free char *name = NULL;
	struct digest id;
	struct bytes value;
	if (has_fresh(build))
		return 0;
	int r = digest_of(image_json, strlen(image_json), &id, err);
	if (r == 0 && build->request->tag)
		r = image_reference_normalise(build->request->tag, &name, err);
	if (r == 0)
		r = store_begin(build->store->db, STORE_WRITE, &txn, err);
	if (r == 0)
		r = store_get(txn, TABLE_IMAGES, bytes_of_text(id.text), &value, err);
	if (r != 1)
		return r;
	r = name ? name_put(txn, name, id.text, err) : 0;
	if (r == 0)
		r = store_commit(&txn, err);
	if (r == 0)
		snprintf(ret_id, DIGEST_TEXT_MAX, "%s", id.text);
	return r < 0 ? r : 1;
}

int build_commit(struct build *build, const char *image_json, char ret_id[DIGEST_TEXT_MAX],
		 struct error *err)
{
	auto_fd lock = -1;
	struct image image = { 0 };
	int r = image_json ? name_known_image(build, image_json, ret_id, err) : 0;
	if (r != 0)
		return r < 0 ? r : 0;
	r = store_commit_lock(build->store, &lock, err);
	if (r == 0)
		r = each_fresh(build, move_layer, NULL, err);
	if (r == 0 && image_json)
		r = prepare_image(build, image_json, &image, err);
	if (r == 0)
		r = store_flush(build->store, err);
	if (r == 0)
		r = put_records(build, image_json ? &image : NULL, err);
	if (r == 0 && image_json)
		snprintf(ret_id, DIGEST_TEXT_MAX, "%s", image.id);
	image_release(&image);
	return r;
}
