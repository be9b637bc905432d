/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The small verbs on images: find, list, tag, remove.
 */
#include <errno.h>
#include <string.h>

#include "path.h"
#include "store.h"

int image_find(struct image_store *store, const char *reference, struct image *ret_image,
	       struct error *err)
{
	AUTO(store_txn) txn = NULL;
	char id[DIGEST_TEXT_MAX];
	auto_free char *name = NULL;
	int r = store_begin(store->db, STORE_READ, &txn, err);
	if (r == 0)
		r = reference_resolve(txn, reference, id, &name, err);
	return r == 1 ? record_get(store, txn, id, ret_image, err) : r;
}

static int visit_one(struct image_store *store, const char *id,
		     int (*visit)(const struct image *image, void *context, struct error *err),
		     void *context, struct error *err)
{
	struct image image = { 0 };
	AUTO(store_txn) txn = NULL;
	int r = store_begin(store->db, STORE_READ, &txn, err);
	if (r == 0)
		r = record_get(store, txn, id, &image, err);
	store_txn_free(TAKE(txn)); /* the visitor may change the store */
	if (r == 1)
		r = visit(&image, context, err);
	image_release(&image);
	return r;
}

int image_each(struct image_store *store,
	       int (*visit)(const struct image *image, void *context, struct error *err),
	       void *context, struct error *err)
{
	auto_words ids = { 0 };
	AUTO(store_txn) txn = NULL;
	int r = store_begin(store->db, STORE_READ, &txn, err);
	if (r == 0)
		r = table_keys(txn, TABLE_IMAGES, &ids, err);
	store_txn_free(TAKE(txn));
	for (size_t i = 0; r == 0 && i < ids.count; i++)
		r = visit_one(store, ids.items[i], visit, context, err);
	return r;
}

static int not_found(const char *reference, struct error *err)
{
	return error_set(err, ENOENT, "no image %.200s", reference);
}

int image_tag(struct image_store *store, const char *reference, const char *name, struct error *err)
{
	AUTO(store_txn) txn = NULL;
	char id[DIGEST_TEXT_MAX];
	auto_free char *old = NULL, *new = NULL;
	int r = image_reference_normalise(name, &new, err);
	if (r == 0)
		r = store_begin(store->db, STORE_WRITE, &txn, err);
	if (r == 0)
		r = reference_resolve(txn, reference, id, &old, err);
	if (r <= 0)
		return r < 0 ? r : not_found(reference, err);
	r = name_put(txn, new, id, err);
	return r < 0 ? r : store_commit(&txn, err);
}

/* What a removal takes away. */
struct removal {
	struct words names;
	bool record;
};

/*
 * By name, only that name goes while others are left; by id all names go, and
 * more than one needs force. A container that needs the image keeps its record.
 */
static int decide(const struct image *image, const char *name, bool force, const char *user,
		  struct removal *ret, struct error *err)
{
	bool last = !name || image->names.count <= 1;
	if (!name && image->names.count > 1 && !force)
		return error_set(err, EBUSY,
				 "image %.19s has %zu names: remove them by name, or use force",
				 image->id, image->names.count);
	if (last && *user && !force)
		return error_set(err, EBUSY, "image %s is needed by container %s",
				 name ? name : image->id, user);
	ret->record = last && !*user;
	if (!last || name)
		return words_append(&ret->names, name, err);
	return words_copy(&image->names, &ret->names, err);
}

static int collect_chains(struct image_store *store, struct store_txn *txn,
			  struct path_set *ret_chains, struct error *err)
{
	auto_words ids = { 0 };
	int r = table_keys(txn, TABLE_IMAGES, &ids, err);
	for (size_t i = 0; r >= 0 && i < ids.count; i++) {
		struct image image = { 0 };
		r = record_get(store, txn, ids.items[i], &image, err);
		for (size_t j = 0; r == 1 && j < image.chain_ids.count; j++)
			if (!path_set_find(ret_chains, image.chain_ids.items[j]) &&
			    !path_set_put(ret_chains, image.chain_ids.items[j]))
				r = error_set(err, ENOMEM, "no memory for layers");
		image_release(&image);
	}
	return r < 0 ? r : 0;
}

/* Cached build steps whose layers no image has go too: nothing else would remove them. */
static int forget_cache(struct image_store *store, struct store_txn *txn, struct error *err)
{
	auto_words keys = { 0 };
	struct path_set chains = { 0 };
	int r = table_keys(txn, TABLE_CACHE, &keys, err);
	if (r == 0 && keys.count > 0)
		r = collect_chains(store, txn, &chains, err);
	for (size_t i = 0; r >= 0 && i < keys.count; i++) {
		struct bytes value = { 0 };
		struct cache_record record;
		r = store_get(txn, TABLE_CACHE, bytes_of_text(keys.items[i]), &value, err);
		if (r != 1 || value.size != sizeof record)
			continue;
		memcpy(&record, value.data, sizeof record);
		if (!path_set_find(&chains, record.chain_id.text))
			r = store_delete(txn, TABLE_CACHE, bytes_of_text(keys.items[i]), err);
	}
	path_set_release(&chains);
	return r < 0 ? r : 0;
}

static int carry_out(struct image_store *store, struct store_txn *txn, const struct image *image,
		     const struct removal *removal, struct words *ret_removed, struct error *err)
{
	int r = 0;
	for (size_t i = 0; r >= 0 && i < removal->names.count; i++) {
		r = store_delete(txn, TABLE_NAMES, bytes_of_text(removal->names.items[i]), err);
		if (r >= 0)
			r = words_append_format(ret_removed, err, "Untagged: %s",
						removal->names.items[i]);
	}
	if (r < 0 || !removal->record)
		return r < 0 ? r : 0;
	r = store_delete(txn, TABLE_IMAGES, bytes_of_text(image->id), err);
	if (r >= 0)
		r = forget_cache(store, txn, err);
	return r < 0 ? r : words_append_format(ret_removed, err, "Deleted: %s", image->id);
}

int image_remove(struct image_store *store, const char *reference, bool force,
		 int (*in_use)(const char *image_id, char *ret_name, size_t size, void *context),
		 void *context, struct words *ret_removed, struct error *err)
{
	char id[DIGEST_TEXT_MAX], user[128] = "";
	auto_free char *name = NULL;
	struct image image = { 0 };
	struct removal removal = { 0 };
	AUTO(store_txn) txn = NULL;
	int r = store_begin(store->db, STORE_WRITE, &txn, err);
	if (r == 0)
		r = reference_resolve(txn, reference, id, &name, err);
	if (r == 1)
		r = record_get(store, txn, id, &image, err);
	if (r == 0)
		return not_found(reference, err);
	if (r == 1 && in_use && in_use(id, user, sizeof user, context) == 0)
		*user = 0;
	if (r == 1)
		r = decide(&image, name, force, user, &removal, err);
	if (r == 0)
		r = carry_out(store, txn, &image, &removal, ret_removed, err);
	if (r == 0)
		r = store_commit(&txn, err);
	words_free(&removal.names);
	image_release(&image);
	if (r == 0 && removal.record)
		r = store_sweep(store, err);
	return r;
}

/* --- what it takes on the disk ----------------------------------------------------------- */

struct counting {
	struct image_store *store;
	struct path_set all, used; /* chains that images have, and those of images in use */
	struct image_disk *disk;
	int (*in_use)(const char *image_id, char *ret_name, size_t size, void *context);
	void *context;
};

static int add_chains(struct path_set *set, const struct image *image, struct error *err)
{
	for (size_t i = 0; i < image->chain_ids.count; i++)
		if (!path_set_find(set, image->chain_ids.items[i]) &&
		    !path_set_put(set, image->chain_ids.items[i]))
			return error_set(err, ENOMEM, "no memory for layers");
	return 0;
}

static int count_image(const struct image *image, void *context, struct error *err)
{
	struct counting *counting = context;
	char name[128];
	counting->disk->images++;
	int r = add_chains(&counting->all, image, err);
	if (r < 0 || !counting->in_use ||
	    counting->in_use(image->id, name, sizeof name, counting->context) != 1)
		return r;
	counting->disk->images_used++;
	return add_chains(&counting->used, image, err);
}

static int count_layers(struct counting *counting, struct store_txn *txn, struct error *err)
{
	auto_words keys = { 0 };
	int r = table_keys(txn, TABLE_LAYERS, &keys, err);
	for (size_t i = 0; r >= 0 && i < keys.count; i++) {
		struct layer_record layer;
		r = store_layer_find(txn, keys.items[i], &layer, err);
		if (r != 1)
			continue;
		if (!path_set_find(&counting->all, keys.items[i])) {
			counting->disk->cached_layers++;
			counting->disk->cache_bytes += layer.size_bytes;
			continue;
		}
		counting->disk->bytes += layer.size_bytes;
		if (path_set_find(&counting->used, keys.items[i]))
			counting->disk->used_bytes += layer.size_bytes;
	}
	return r < 0 ? r : 0;
}

int image_disk_usage(struct image_store *store,
		     int (*in_use)(const char *image_id, char *ret_name, size_t size,
				   void *context),
		     void *context, struct image_disk *ret_disk, struct error *err)
{
	struct counting counting = {
		.store = store, .disk = ret_disk, .in_use = in_use, .context = context
	};
	AUTO(store_txn) txn = NULL;
	*ret_disk = (struct image_disk){ 0 };
	int r = image_each(store, count_image, &counting, err);
	if (r == 0)
		r = store_begin(store->db, STORE_READ, &txn, err);
	if (r == 0)
		r = count_layers(&counting, txn, err);
	path_set_release(&counting.all);
	path_set_release(&counting.used);
	return r;
}

int image_forget_cache(struct image_store *store, struct error *err)
{
	AUTO(store_txn) txn = NULL;
	int r = store_begin(store->db, STORE_WRITE, &txn, err);
	if (r == 0)
		r = forget_cache(store, txn, err);
	if (r == 0)
		r = store_commit(&txn, err);
	return r < 0 ? r : store_sweep(store, err);
}
