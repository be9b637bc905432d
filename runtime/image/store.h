/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The image store: blobs and layers as files, names and records in LMDB. New
 * content is made in a work folder and renamed into place, then one commit
 * makes it count; what no record names is garbage, and is swept at the next
 * change when nobody else is at work.
 */
#include "base/store.h"
#include "digest.h"
#include "runtime/image.h"

#define STORE_FOLDER_MAX (INSTANCE_PATH_MAX + 16) /* lib and "/blobs/sha256" */
#define STORE_PATH_MAX 1024
#define LAYER_NAME_SIZE 20 /* hex digits of the chain id: 80 bits */
#define IMAGES_MAP_SIZE (256u << 20)

#define TABLE_NAMES "names"   /* name:tag -> image id */
#define TABLE_IMAGES "images" /* image id -> record, JSON */
#define TABLE_LAYERS "layers" /* chain id -> struct layer_record */
#define TABLE_CACHE "cache"   /* build step's key -> struct cache_record */

struct image_store {
	char lib[INSTANCE_PATH_MAX];
	char blobs[STORE_FOLDER_MAX], layers[STORE_FOLDER_MAX], work[STORE_FOLDER_MAX];
	struct store *db;
};
/* A layer that is unpacked. */
struct layer_record {
	struct digest blob; /* the one that it was unpacked from */
	uint64_t size_bytes;
};
struct cache_record {
	struct digest chain_id, diff_id;
	int64_t created_ns;
	uint64_t size_bytes;
};

enum store_share { STORE_SHARED, STORE_EXCLUSIVE };
/** Held while content is added (shared) or garbage is swept (exclusive). */
int store_lock(struct image_store *store, enum store_share share, int *ret_fd, struct error *err);
/** Removes all that no record names, if nobody else is at work; else does nothing. */
int store_sweep(struct image_store *store, struct error *err);
/**
 * Begins a change: sweeps, takes the shared lock, makes an empty work folder
 * with "blobs" and "layers" in it. The caller removes it by store_work_end.
 */
struct store_work {
	int lock_fd;
	char path[STORE_PATH_MAX]; /* "" if there is none */
};
int store_work_begin(struct image_store *store, struct store_work *ret_work, struct error *err);
void store_work_end(struct store_work *work);
#define auto_store_work __attribute__((cleanup(store_work_end))) struct store_work

void store_layer_path(const struct image_store *store, const char *chain_id,
		      char ret_path[STORE_PATH_MAX]);
void store_blob_path(const struct image_store *store, const struct digest *digest,
		     char ret_path[STORE_PATH_MAX]);
/** Moves a file of the work folder into the blobs. */
int store_blob_adopt(struct image_store *store, const char *path, const struct digest *digest,
		     struct error *err);
/**
 * Moves an unpacked layer into place, unless it is there and counts already.
 * To be called under store_commit_lock. 1: moved, 0: was there.
 */
int store_layer_adopt(struct image_store *store, const char *path, const struct digest *chain_id,
		      struct error *err);
int store_layer_put(struct store_txn *txn, const struct digest *chain_id,
		    const struct layer_record *record, struct error *err);
/** One at a time moves content into place; released by closing *ret_fd. */
int store_commit_lock(struct image_store *store, int *ret_fd, struct error *err);
/** All that was written and moved reaches the disk. */
int store_flush(struct image_store *store, struct error *err);
/** 1: this chain is unpacked; 0: it is not. */
int store_layer_find(struct store_txn *txn, const char *chain_id, struct layer_record *ret_record,
		     struct error *err);

/* record.c */
/** Puts an image without its names. */
int record_put(struct store_txn *txn, const struct image *image, struct error *err);
/** 1 found, 0 not. With names and paths filled; the caller releases. */
int record_get(struct image_store *store, struct store_txn *txn, const char *id,
	       struct image *ret_image, struct error *err);
int name_put(struct store_txn *txn, const char *name, const char *id, struct error *err);
/** Resolves a name, id or prefix of an id to an id. 1, 0; -EINVAL: ambiguous. */
int reference_resolve(struct store_txn *txn, const char *reference, char ret_id[DIGEST_TEXT_MAX],
		      char **ret_name, struct error *err);
/** All keys of a table. */
int table_keys(struct store_txn *txn, const char *table, struct words *ret_keys, struct error *err);
