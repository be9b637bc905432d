/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records: what is known of an image, and the names that point to it. A record
 * has all that a container's start needs, so that finding an image is one read.
 */
#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "manifest.h"
#include "store.h"

void image_release(struct image *image)
{
	words_free(&image->names);
	words_free(&image->layer_paths);
	words_free(&image->diff_ids);
	words_free(&image->chain_ids);
	words_free(&image->blobs);
	image_config_release(&image->config);
	free(image->architecture);
	free(image->os);
	*image = (struct image){ 0 };
}

static struct json_t *words_json(const struct words *words)
{
	struct json_t *array = json_new_array();
	for (size_t i = 0; i < words->count; i++)
		json_append(array, json_new_string(words->items[i]));
	return array;
}

int record_put(struct store_txn *txn, const struct image *image, struct error *err)
{
	auto_json root = json_new_object();
	struct json_t *config = NULL, *rootfs = json_new_object();
	json_put_string(root, "manifest", image->manifest);
	json_put_string(root, "architecture", image->architecture);
	json_put_string(root, "os", image->os);
	json_put_integer(root, "created_ns", image->created_ns);
	json_put_integer(root, "size", (int64_t)image->size_bytes);
	json_put(rootfs, "diff_ids", words_json(&image->diff_ids));
	json_put(root, "rootfs", rootfs);
	json_put(root, "chains", words_json(&image->chain_ids));
	json_put(root, "blobs", words_json(&image->blobs));
	int r = image_config_write(&image->config, &config, err);
	if (r < 0)
		return r;
	json_put(root, "config", config);
	auto_free char *text = NULL;
	r = json_format(root, JSON_COMPACT, &text, err);
	if (r < 0)
		return r;
	return store_put(txn, TABLE_IMAGES, bytes_of_text(image->id), bytes_of_text(text), err);
}

static int read_list(const struct json_at *root, const char *key, struct words *ret,
		     struct error *err)
{
	struct json_at array;
	int r = json_get_array(root, key, JSON_REQUIRED, &array, err);
	for (size_t i = 0; r == 0 && i < json_count(&array); i++) {
		struct json_at item = json_element(&array, i);
		const char *text = NULL;
		r = json_as_string(&item, &text, err);
		if (r == 0)
			r = words_append(ret, text, err);
	}
	return r;
}

static int read_record(const struct json_at *root, struct image *image, struct error *err)
{
	const char *manifest = NULL;
	int64_t size = 0;
	int r = image_config_read(root, image, err);
	if (r == 0)
		r = json_get_string(root, "manifest", JSON_REQUIRED, &manifest, err);
	if (r == 0)
		r = json_get_integer(root, "created_ns", JSON_REQUIRED, INT64_MIN, INT64_MAX,
				     &image->created_ns, err);
	if (r == 0)
		r = json_get_integer(root, "size", JSON_REQUIRED, 0, INT64_MAX, &size, err);
	if (r == 0)
		r = read_list(root, "chains", &image->chain_ids, err);
	if (r == 0)
		r = read_list(root, "blobs", &image->blobs, err);
	if (r == 0) {
		snprintf(image->manifest, sizeof image->manifest, "%s", manifest);
		image->size_bytes = (uint64_t)size;
	}
	return r;
}

/* Overlay wants the top first. */
static int fill_paths(struct image_store *store, struct image *image, struct error *err)
{
	for (size_t i = image->chain_ids.count; i-- > 0;) {
		char path[STORE_PATH_MAX];
		store_layer_path(store, image->chain_ids.items[i], path);
		int r = words_append(&image->layer_paths, path, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int collect_name(struct bytes key, struct bytes value, void *context, struct error *err)
{
	struct image *image = context;
	if (value.size != strlen(image->id) || memcmp(value.data, image->id, value.size) != 0)
		return 0;
	return words_append_format(&image->names, err, "%.*s", (int)key.size,
				   (const char *)key.data);
}

int record_get(struct image_store *store, struct store_txn *txn, const char *id,
	       struct image *ret_image, struct error *err)
{
	struct bytes value;
	int r = store_get(txn, TABLE_IMAGES, bytes_of_text(id), &value, err);
	if (r != 1)
		return r;
	auto_json json = NULL;
	r = json_parse(id, value.data, value.size, &json, err);
	if (r < 0)
		return r;
	struct json_at root = json_root(json, id);
	struct image image = { 0 };
	snprintf(image.id, sizeof image.id, "%s", id);
	r = read_record(&root, &image, err);
	if (r == 0)
		r = fill_paths(store, &image, err);
	if (r == 0)
		r = store_each(txn, TABLE_NAMES, bytes_of(NULL, 0), collect_name, &image, err);
	if (r < 0)
		image_release(&image);
	else
		*ret_image = image;
	return r < 0 ? r : 1;
}

int name_put(struct store_txn *txn, const char *name, const char *id, struct error *err)
{
	return store_put(txn, TABLE_NAMES, bytes_of_text(name), bytes_of_text(id), err);
}

static int collect_key(struct bytes key, struct bytes value, void *context, struct error *err)
{
	(void)value;
	return words_append_format(context, err, "%.*s", (int)key.size, (const char *)key.data);
}

int table_keys(struct store_txn *txn, const char *table, struct words *ret_keys, struct error *err)
{
	return store_each(txn, table, bytes_of(NULL, 0), collect_key, ret_keys, err);
}

/* An id or the begin of one; with or without "sha256:". */
static int resolve_id(struct store_txn *txn, const char *reference, char ret_id[DIGEST_TEXT_MAX],
		      struct error *err)
{
	char prefix[DIGEST_TEXT_MAX];
	struct bytes key, value;
	const char *hex = text_starts_with(reference, DIGEST_PREFIX)
				  ? reference + strlen(DIGEST_PREFIX)
				  : reference;
	if (!*hex || strlen(hex) > DIGEST_HEX_SIZE || hex[strspn(hex, "0123456789abcdef")])
		return 0;
	size_t size = (size_t)snprintf(prefix, sizeof prefix, DIGEST_PREFIX "%s", hex);
	int r = store_seek(txn, TABLE_IMAGES, bytes_of(prefix, size), &key, &value, err);
	if (r != 1 || key.size < size || memcmp(key.data, prefix, size) != 0)
		return r < 0 ? r : 0;
	snprintf(ret_id, DIGEST_TEXT_MAX, "%.*s", (int)key.size, (const char *)key.data);
	/* The next key after this one: its text and one more byte. */
	r = store_seek(txn, TABLE_IMAGES, bytes_of(ret_id, strlen(ret_id) + 1), &key, &value, err);
	if (r == 1 && key.size >= size && memcmp(key.data, prefix, size) == 0)
		return error_set(err, EINVAL, "image id %.80s is ambiguous: give more of it",
				 reference);
	return r < 0 ? r : 1;
}

int reference_resolve(struct store_txn *txn, const char *reference, char ret_id[DIGEST_TEXT_MAX],
		      char **ret_name, struct error *err)
{
	auto_free char *name = NULL;
	struct error ignored;
	struct bytes value;
	if (image_reference_normalise(reference, &name, &ignored) == 0) {
		int r = store_get(txn, TABLE_NAMES, bytes_of_text(name), &value, err);
		if (r < 0)
			return r;
		if (r == 1) {
			snprintf(ret_id, DIGEST_TEXT_MAX, "%.*s", (int)value.size,
				 (const char *)value.data);
			*ret_name = TAKE(name);
			return 1;
		}
	}
	return resolve_id(txn, reference, ret_id, err);
}
