/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The image store's files: blobs, layers, and the work folders in which they
 * are made.
 */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

#define WORK_MODE 0700 /* layers hold set-id programs: nobody else may reach them */

/* Locks are made with the store, so that a refused load leaves nothing new. */
static int make_file(struct image_store *store, const char *name, struct error *err)
{
	char path[STORE_PATH_MAX + 16];
	snprintf(path, sizeof path, "%s/%s", store->lib, name);
	auto_fd fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	return fd < 0 ? error_set_errno(err, errno, "make %s", path) : 0;
}

int image_store_open(const struct instance *instance, struct image_store **ret_store,
		     struct error *err)
{
	AUTO(image_store) store = calloc(1, sizeof *store);
	if (!store)
		return error_set(err, ENOMEM, "no memory for the image store");
	snprintf(store->lib, sizeof store->lib, "%s", instance->lib);
	snprintf(store->blobs, sizeof store->blobs, "%s/blobs/sha256", instance->lib);
	snprintf(store->layers, sizeof store->layers, "%s/layers", instance->lib);
	snprintf(store->work, sizeof store->work, "%s/work", instance->lib);
	int r = directory_make(store->blobs, WORK_MODE, err);
	if (r == 0)
		r = directory_make(store->layers, WORK_MODE, err);
	if (r == 0)
		r = directory_make(store->work, WORK_MODE, err);
	auto_free char *path = NULL;
	if (r == 0)
		r = make_file(store, "images.lock", err);
	if (r == 0)
		r = make_file(store, "images.commit", err);
	if (r == 0)
		r = text_format(&path, err, "%s/images.mdb", instance->lib);
	if (r == 0)
		r = store_open(path, STORE_SYNC, IMAGES_MAP_SIZE, &store->db, err);
	if (r == 0)
		*ret_store = TAKE(store);
	return r;
}

void image_store_free(struct image_store *store)
{
	if (!store)
		return;
	store_free(store->db);
	free(store);
}

static int lock_file(struct image_store *store, int operation, int *ret_fd, struct error *err)
{
	auto_free char *path = NULL;
	int r = text_format(&path, err, "%s/images.lock", store->lib);
	if (r < 0)
		return r;
	auto_fd fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_set_errno(err, errno, "open %s", path);
	do
		r = flock(fd, operation);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return error_set_errno(err, errno, "lock %s", path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int store_lock(struct image_store *store, enum store_share share, int *ret_fd, struct error *err)
{
	return lock_file(store, share == STORE_SHARED ? LOCK_SH : LOCK_EX | LOCK_NB, ret_fd, err);
}

int store_work_begin(struct image_store *store, struct store_work *ret_work, struct error *err)
{
	auto_store_work work = { .lock_fd = -1 };
	int r = store_sweep(store, err);
	if (r == 0)
		r = store_lock(store, STORE_SHARED, &work.lock_fd, err);
	if (r < 0)
		return r;
	char sub[STORE_PATH_MAX + 8];
	snprintf(work.path, sizeof work.path, "%s/XXXXXX", store->work);
	if (!mkdtemp(work.path)) {
		*work.path = 0;
		return error_set_errno(err, errno, "make a folder in %s", store->work);
	}
	snprintf(sub, sizeof sub, "%s/blobs", work.path);
	if (mkdir(sub, WORK_MODE) == 0) {
		snprintf(sub, sizeof sub, "%s/layers", work.path);
		if (mkdir(sub, WORK_MODE) == 0) {
			*ret_work = work;
			work = (struct store_work){ .lock_fd = -1 };
			return 0;
		}
	}
	return error_set_errno(err, errno, "make %s", sub);
}

void store_work_end(struct store_work *work)
{
	struct error ignored;
	if (*work->path)
		tree_remove(work->path, &ignored);
	cleanup_fd(&work->lock_fd);
	*work = (struct store_work){ .lock_fd = -1 };
}

void store_layer_path(const struct image_store *store, const char *chain_id,
		      char ret_path[STORE_PATH_MAX])
{
	snprintf(ret_path, STORE_PATH_MAX, "%s/%.*s", store->layers, LAYER_NAME_SIZE,
		 chain_id + strlen(DIGEST_PREFIX));
}

void store_blob_path(const struct image_store *store, const struct digest *digest,
		     char ret_path[STORE_PATH_MAX])
{
	snprintf(ret_path, STORE_PATH_MAX, "%s/%s", store->blobs, digest_hex(digest));
}

int store_blob_adopt(struct image_store *store, const char *path, const struct digest *digest,
		     struct error *err)
{
	char to[STORE_PATH_MAX];
	store_blob_path(store, digest, to);
	if (rename(path, to) < 0)
		return error_set_errno(err, errno, "move a blob to %s", to);
	return 0;
}

int store_layer_find(struct store_txn *txn, const char *chain_id, struct layer_record *ret_record,
		     struct error *err)
{
	struct bytes value;
	int r = store_get(txn, TABLE_LAYERS, bytes_of_text(chain_id), &value, err);
	if (r != 1)
		return r;
	if (value.size != sizeof *ret_record)
		return error_set(err, EBADMSG, "the record of layer %s is damaged", chain_id);
	memcpy(ret_record, value.data, sizeof *ret_record);
	return 1;
}

int store_layer_put(struct store_txn *txn, const struct digest *chain_id,
		    const struct layer_record *record, struct error *err)
{
	return store_put(txn, TABLE_LAYERS, bytes_of_text(chain_id->text),
			 bytes_of(record, sizeof *record), err);
}

int store_layer_adopt(struct image_store *store, const char *path, const struct digest *chain_id,
		      struct error *err)
{
	char to[STORE_PATH_MAX];
	struct layer_record known;
	AUTO(store_txn) txn = NULL;
	int r = store_begin(store->db, STORE_READ, &txn, err);
	if (r == 0)
		r = store_layer_find(txn, chain_id->text, &known, err);
	if (r != 0)
		return r < 0 ? r : 0;
	store_layer_path(store, chain_id->text, to);
	/* One that no record names is a dead load's: it changes places with ours. */
	if (renameat2(AT_FDCWD, path, AT_FDCWD, to, RENAME_NOREPLACE) < 0 &&
	    (errno != EEXIST || renameat2(AT_FDCWD, path, AT_FDCWD, to, RENAME_EXCHANGE) < 0))
		return error_set_errno(err, errno, "move a layer to %s", to);
	return 1;
}

int store_commit_lock(struct image_store *store, int *ret_fd, struct error *err)
{
	auto_free char *path = NULL;
	int r = text_format(&path, err, "%s/images.commit", store->lib);
	return r < 0 ? r : lock_take(path, -1, ret_fd, err);
}

int store_flush(struct image_store *store, struct error *err)
{
	auto_fd fd = open(store->lib, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || syncfs(fd) < 0)
		return error_set_errno(err, errno, "write %s to the disk", store->lib);
	return 0;
}
