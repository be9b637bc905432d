/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an image says of itself: its config, and its history with the size of each layer. */
#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "manifest.h"
#include "store.h"

int image_document(struct image_store *store, const char *id, struct json_t **ret_document,
		   struct error *err)
{
	struct digest digest;
	char path[STORE_PATH_MAX];
	int r = digest_check(id, "image", &digest, err);
	if (r < 0)
		return r;
	store_blob_path(store, &digest, path);
	return json_read_file(path, MANIFEST_SIZE_MAX, ret_document, err);
}

int image_layer_sizes(struct image_store *store, const struct image *image, uint64_t *ret_sizes,
		      struct error *err)
{
	AUTO(store_txn) txn = NULL;
	int r = store_begin(store->db, STORE_READ, &txn, err);
	for (size_t i = 0; r >= 0 && i < image->chain_ids.count; i++) {
		struct layer_record layer = { .size_bytes = 0 };
		r = store_layer_find(txn, image->chain_ids.items[i], &layer, err);
		ret_sizes[i] = layer.size_bytes;
	}
	return r < 0 ? r : 0;
}
