/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Garbage: blobs, layers and work folders that no record names, left by a
 * killed load, a failed build or a removed image. Swept only by who is alone.
 */
#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "path.h"
#include "store.h"

/* What must stay. */
struct live {
	struct path_set blobs;  /* hex digits */
	struct path_set layers; /* short names */
	struct path_set chains; /* chain ids */
};

static void live_release(struct live *live)
{
	path_set_release(&live->blobs);
	path_set_release(&live->layers);
	path_set_release(&live->chains);
}

static int keep(struct path_set *set, const char *name, struct error *err)
{
	if (path_set_find(set, name) || path_set_put(set, name))
		return 0;
	return error_set(err, ENOMEM, "no memory to sweep the image store");
}

static int keep_blob(struct live *live, const char *digest, struct error *err)
{
	return *digest ? keep(&live->blobs, digest + strlen(DIGEST_PREFIX), err) : 0;
}

static int keep_chain(struct live *live, const char *chain_id, struct error *err)
{
	char name[LAYER_NAME_SIZE + 1];
	snprintf(name, sizeof name, "%.*s", LAYER_NAME_SIZE, chain_id + strlen(DIGEST_PREFIX));
	int r = keep(&live->layers, name, err);
	return r < 0 ? r : keep(&live->chains, chain_id, err);
}

static int keep_image(struct live *live, const struct image *image, struct error *err)
{
	int r = keep_blob(live, image->id, err);
	if (r == 0)
		r = keep_blob(live, image->manifest, err);
	for (size_t i = 0; r == 0 && i < image->blobs.count; i++)
		r = keep_blob(live, image->blobs.items[i], err);
	for (size_t i = 0; r == 0 && i < image->chain_ids.count; i++)
		r = keep_chain(live, image->chain_ids.items[i], err);
	return r;
}

static int keep_images(struct image_store *store, struct store_txn *txn, struct live *live,
		       struct error *err)
{
	auto_words ids = { 0 };
	int r = table_keys(txn, TABLE_IMAGES, &ids, err);
	for (size_t i = 0; r == 0 && i < ids.count; i++) {
		struct image image = { 0 };
		r = record_get(store, txn, ids.items[i], &image, err);
		if (r == 1)
			r = keep_image(live, &image, err);
		image_release(&image);
	}
	return r < 0 ? r : 0;
}

static int keep_cached(struct bytes key, struct bytes value, void *context, struct error *err)
{
	struct cache_record record;
	struct live *live = context;
	(void)key;
	if (value.size != sizeof record)
		return 0;
	memcpy(&record, value.data, sizeof record);
	int r = keep_chain(live, record.chain_id.text, err);
	return r < 0 ? r : keep_blob(live, record.diff_id.text, err);
}

/* Records of layers that nothing needs any more. */
static int forget_layers(struct store_txn *txn, const struct live *live, struct error *err)
{
	auto_words chains = { 0 };
	int r = table_keys(txn, TABLE_LAYERS, &chains, err);
	for (size_t i = 0; r >= 0 && i < chains.count; i++)
		if (!path_set_find(&live->chains, chains.items[i]))
			r = store_delete(txn, TABLE_LAYERS, bytes_of_text(chains.items[i]), err);
	return r < 0 ? r : 0;
}

/* keep NULL: nothing stays. */
static int sweep_folder(const char *folder, const struct path_set *keep_set, struct error *err)
{
	auto_dir dir = opendir(folder);
	if (!dir)
		return error_set_errno(err, errno, "open %s", folder);
	struct dirent *entry;
	while ((entry = readdir(dir))) {
		char path[STORE_PATH_MAX + NAME_MAX + 2];
		if (text_equal(entry->d_name, ".") || text_equal(entry->d_name, "..") ||
		    (keep_set && path_set_find(keep_set, entry->d_name)))
			continue;
		snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		int r = tree_remove(path, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int find_live(struct image_store *store, struct live *live, struct error *err)
{
	AUTO(store_txn) txn = NULL;
	int r = store_begin(store->db, STORE_WRITE, &txn, err);
	if (r == 0)
		r = keep_images(store, txn, live, err);
	if (r == 0)
		r = store_each(txn, TABLE_CACHE, bytes_of(NULL, 0), keep_cached, live, err);
	if (r == 0)
		r = forget_layers(txn, live, err);
	return r < 0 ? r : store_commit(&txn, err);
}

int store_sweep(struct image_store *store, struct error *err)
{
	auto_fd lock = -1;
	struct error busy;
	int r = store_lock(store, STORE_EXCLUSIVE, &lock, &busy);
	if (r < 0) {
		if (busy.code == EWOULDBLOCK)
			return 0;
		*err = busy;
		return r;
	}
	struct live live = { 0 };
	r = find_live(store, &live, err);
	if (r == 0)
		r = sweep_folder(store->work, NULL, err);
	if (r == 0)
		r = sweep_folder(store->blobs, &live.blobs, err);
	if (r == 0)
		r = sweep_folder(store->layers, &live.layers, err);
	live_release(&live);
	return r;
}
