/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store over LMDB. Table handles are opened on first use and kept for the
 * process only after the transaction that opened them has committed, as LMDB
 * asks: a handle of an aborted transaction is gone with it.
 */
#include "base/store.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"

#define TABLE_NAME_MAX 64
#define READERS_MAX 1024 /* processes that read at the same time */

struct store_table {
	char name[TABLE_NAME_MAX];
	MDB_dbi handle;
};

struct store {
	MDB_env *env;
	char *path;
	struct store_table tables[STORE_TABLES_MAX];
	size_t table_count;
};

struct store_txn {
	struct store *store;
	MDB_txn *txn;
	enum store_access access;
	struct store_table fresh[STORE_TABLES_MAX]; /* opened in this transaction */
	size_t fresh_count;
};

struct bytes bytes_of_text(const char *text)
{
	return bytes_of(text, strlen(text));
}

static int fail(const struct store *store, int code, const char *what, struct error *err)
{
	if (code == MDB_MAP_FULL)
		return error_set(err, ENOSPC, "%s: the store is full", store->path);
	if (code > 0)
		return error_set_errno(err, code, "%s: %s", store->path, what);
	return error_set(err, EIO, "%s: %s: %s", store->path, what, mdb_strerror(code));
}

static int open_environment(struct store *store, enum store_sync sync, size_t size_max,
			    struct error *err)
{
	unsigned flags = MDB_NOSUBDIR | MDB_NOTLS;
	int dead;
	if (sync == STORE_NO_SYNC)
		flags |= MDB_NOSYNC | MDB_NOMETASYNC;
	int code = mdb_env_create(&store->env);
	if (code == 0)
		code = mdb_env_set_maxdbs(store->env, STORE_TABLES_MAX);
	if (code == 0)
		code = mdb_env_set_maxreaders(store->env, READERS_MAX);
	if (code == 0)
		code = mdb_env_set_mapsize(store->env, size_max);
	if (code == 0)
		code = mdb_env_open(store->env, store->path, flags, 0600);
	if (code == 0)
		code = mdb_reader_check(store->env, &dead);
	return code == 0 ? 0 : fail(store, code, "cannot be opened", err);
}

int store_open(const char *path, enum store_sync sync, size_t size_max, struct store **ret_store,
	       struct error *err)
{
	AUTO(store) store = calloc(1, sizeof *store);
	if (!store)
		return error_set(err, ENOMEM, "no memory for a store");
	int r = text_copy(path, &store->path, err);
	if (r == 0)
		r = open_environment(store, sync, size_max, err);
	if (r < 0)
		return r;
	*ret_store = TAKE(store);
	return 0;
}

void store_free(struct store *store)
{
	if (!store)
		return;
	if (store->env)
		mdb_env_close(store->env);
	free(store->path);
	free(store);
}

int store_begin(struct store *store, enum store_access access, struct store_txn **ret_txn,
		struct error *err)
{
	AUTO(store_txn) txn = calloc(1, sizeof *txn);
	if (!txn)
		return error_set(err, ENOMEM, "no memory for a transaction");
	txn->store = store;
	txn->access = access;
	int code =
		mdb_txn_begin(store->env, NULL, access == STORE_READ ? MDB_RDONLY : 0, &txn->txn);
	if (code != 0)
		return fail(store, code, "no transaction", err);
	*ret_txn = TAKE(txn);
	return 0;
}

static void keep_handles(struct store_txn *txn)
{
	struct store *store = txn->store;
	for (size_t i = 0; i < txn->fresh_count && store->table_count < STORE_TABLES_MAX; i++)
		store->tables[store->table_count++] = txn->fresh[i];
}

int store_commit(struct store_txn **txn_at, struct error *err)
{
	AUTO(store_txn) txn = TAKE(*txn_at);
	int code = mdb_txn_commit(txn->txn);
	txn->txn = NULL; /* freed by LMDB, whatever the result */
	if (code != 0)
		return fail(txn->store, code, "cannot be written", err);
	keep_handles(txn);
	return 0;
}

void store_txn_free(struct store_txn *txn)
{
	if (!txn)
		return;
	if (txn->txn)
		mdb_txn_abort(txn->txn);
	free(txn);
}

static const struct store_table *known_table(const struct store_txn *txn, const char *name)
{
	for (size_t i = 0; i < txn->store->table_count; i++)
		if (text_equal(txn->store->tables[i].name, name))
			return &txn->store->tables[i];
	for (size_t i = 0; i < txn->fresh_count; i++)
		if (text_equal(txn->fresh[i].name, name))
			return &txn->fresh[i];
	return NULL;
}

/* 1 and the handle; 0 if a reader asks for a table that nobody has made yet. */
static int table_of(struct store_txn *txn, const char *name, MDB_dbi *ret_handle, struct error *err)
{
	const struct store_table *known = known_table(txn, name);
	struct store_table *fresh = &txn->fresh[txn->fresh_count];
	if (known) {
		*ret_handle = known->handle;
		return 1;
	}
	if (txn->store->table_count + txn->fresh_count >= STORE_TABLES_MAX)
		return error_set(err, ENFILE, "%s: over %d tables", txn->store->path,
				 STORE_TABLES_MAX);
	int code = mdb_dbi_open(txn->txn, name, txn->access == STORE_WRITE ? MDB_CREATE : 0,
				&fresh->handle);
	if (code == MDB_NOTFOUND)
		return 0;
	if (code != 0)
		return fail(txn->store, code, name, err);
	snprintf(fresh->name, sizeof fresh->name, "%s", name);
	txn->fresh_count++;
	*ret_handle = fresh->handle;
	return 1;
}

static MDB_val value_of(struct bytes bytes)
{
	return (MDB_val){ .mv_size = bytes.size, .mv_data = (void *)bytes.data };
}

int store_get(struct store_txn *txn, const char *table, struct bytes key, struct bytes *ret_value,
	      struct error *err)
{
	MDB_val name = value_of(key), value;
	MDB_dbi handle;
	int r = table_of(txn, table, &handle, err);
	if (r <= 0)
		return r;
	int code = mdb_get(txn->txn, handle, &name, &value);
	if (code == MDB_NOTFOUND)
		return 0;
	if (code != 0)
		return fail(txn->store, code, table, err);
	*ret_value = bytes_of(value.mv_data, value.mv_size);
	return 1;
}

/* 1 if written, 0 if the key was there and flags say to keep it. */
static int put(struct store_txn *txn, const char *table, struct bytes pair[2], unsigned flags,
	       struct error *err)
{
	MDB_val name = value_of(pair[0]), content = value_of(pair[1]);
	MDB_dbi handle;
	int r = table_of(txn, table, &handle, err);
	if (r <= 0)
		return r;
	int code = mdb_put(txn->txn, handle, &name, &content, flags);
	if (code == MDB_KEYEXIST)
		return 0;
	return code == 0 ? 1 : fail(txn->store, code, table, err);
}

int store_put(struct store_txn *txn, const char *table, struct bytes key, struct bytes value,
	      struct error *err)
{
	int r = put(txn, table, (struct bytes[2]){ key, value }, 0, err);
	return r < 0 ? r : 0;
}

int store_add(struct store_txn *txn, const char *table, struct bytes key, struct bytes value,
	      struct error *err)
{
	return put(txn, table, (struct bytes[2]){ key, value }, MDB_NOOVERWRITE, err);
}

int store_delete(struct store_txn *txn, const char *table, struct bytes key, struct error *err)
{
	MDB_val name = value_of(key);
	MDB_dbi handle;
	int r = table_of(txn, table, &handle, err);
	if (r <= 0)
		return r;
	int code = mdb_del(txn->txn, handle, &name, NULL);
	if (code == MDB_NOTFOUND)
		return 0;
	return code == 0 ? 1 : fail(txn->store, code, table, err);
}

/* Moves a cursor from key; before: to the entry in front of it. LMDB's code. */
static int move(MDB_cursor *cursor, MDB_val *key, MDB_val *value, bool before)
{
	if (key->mv_size == 0)
		return mdb_cursor_get(cursor, key, value, before ? MDB_LAST : MDB_FIRST);
	int code = mdb_cursor_get(cursor, key, value, MDB_SET_RANGE);
	if (!before)
		return code;
	return mdb_cursor_get(cursor, key, value, code == MDB_NOTFOUND ? MDB_LAST : MDB_PREV);
}

static int seek(struct store_txn *txn, const char *table, struct bytes pair[2], bool before,
		struct error *err)
{
	MDB_val name = value_of(pair[0]), value;
	MDB_cursor *cursor;
	MDB_dbi handle;
	int r = table_of(txn, table, &handle, err);
	if (r <= 0)
		return r;
	int code = mdb_cursor_open(txn->txn, handle, &cursor);
	if (code != 0)
		return fail(txn->store, code, table, err);
	code = move(cursor, &name, &value, before);
	mdb_cursor_close(cursor);
	if (code == MDB_NOTFOUND)
		return 0;
	if (code != 0)
		return fail(txn->store, code, table, err);
	pair[0] = bytes_of(name.mv_data, name.mv_size);
	pair[1] = bytes_of(value.mv_data, value.mv_size);
	return 1;
}

int store_seek(struct store_txn *txn, const char *table, struct bytes key, struct bytes *ret_key,
	       struct bytes *ret_value, struct error *err)
{
	struct bytes pair[2] = { key };
	int r = seek(txn, table, pair, false, err);
	if (r == 1) {
		*ret_key = pair[0];
		*ret_value = pair[1];
	}
	return r;
}

int store_seek_before(struct store_txn *txn, const char *table, struct bytes key,
		      struct bytes *ret_key, struct bytes *ret_value, struct error *err)
{
	struct bytes pair[2] = { key };
	int r = seek(txn, table, pair, true, err);
	if (r == 1) {
		*ret_key = pair[0];
		*ret_value = pair[1];
	}
	return r;
}

static bool begins_with(MDB_val key, struct bytes prefix)
{
	return key.mv_size >= prefix.size &&
	       (prefix.size == 0 || memcmp(key.mv_data, prefix.data, prefix.size) == 0);
}

int store_each(struct store_txn *txn, const char *table, struct bytes prefix,
	       int (*visit)(struct bytes key, struct bytes value, void *context, struct error *err),
	       void *context, struct error *err)
{
	MDB_val key = value_of(prefix), value;
	MDB_cursor *cursor;
	MDB_dbi handle;
	int r = table_of(txn, table, &handle, err);
	if (r <= 0)
		return r;
	int code = mdb_cursor_open(txn->txn, handle, &cursor);
	if (code != 0)
		return fail(txn->store, code, table, err);
	r = 0;
	code = move(cursor, &key, &value, false);
	while (code == 0 && r == 0 && begins_with(key, prefix)) {
		r = visit(bytes_of(key.mv_data, key.mv_size),
			  bytes_of(value.mv_data, value.mv_size), context, err);
		code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
	}
	mdb_cursor_close(cursor);
	if (r == 0 && code != 0 && code != MDB_NOTFOUND)
		return fail(txn->store, code, table, err);
	return r;
}
