/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Walks over a table in the order of its keys. A cursor lives for one call. */
#include "store_private.h"

#include <string.h>

static void close_cursor(MDB_cursor **cursor)
{
	if (*cursor)
		mdb_cursor_close(*cursor);
}
#define auto_cursor __attribute__((cleanup(close_cursor))) MDB_cursor *

/* As open_table; *ret is the caller's. */
static int open_cursor(struct store_txn *txn, const char *table, MDB_cursor **ret,
		       struct error *err)
{
	MDB_dbi dbi;
	int r = store_open_table(txn, table, 0, &dbi, err);
	if (r <= 0)
		return r;
	r = mdb_cursor_open(txn->txn, dbi, ret);
	return r ? store_fail_table(txn, r, "cannot walk", table, err) : 1;
}

/* The result of a cursor's move as 1, 0 (end) or an error. */
static int moved(struct store_txn *txn, const char *table, int r, struct error *err)
{
	if (r == MDB_NOTFOUND)
		return 0;
	return r ? store_fail_table(txn, r, "cannot walk", table, err) : 1;
}

int store_seek(struct store_txn *txn, const char *table, struct bytes key, struct bytes *ret_key,
	       struct bytes *ret_value, struct error *err)
{
	auto_cursor cursor = NULL;
	int r = open_cursor(txn, table, &cursor, err);
	if (r <= 0)
		return r;
	MDB_val at = to_val(key), value;
	r = mdb_cursor_get(cursor, &at, &value, key.size ? MDB_SET_RANGE : MDB_FIRST);
	r = moved(txn, table, r, err);
	if (r == 1) {
		*ret_key = from_val(at);
		*ret_value = from_val(value);
	}
	return r;
}

int store_seek_before(struct store_txn *txn, const char *table, struct bytes key,
		      struct bytes *ret_key, struct bytes *ret_value, struct error *err)
{
	auto_cursor cursor = NULL;
	int r = open_cursor(txn, table, &cursor, err);
	if (r <= 0)
		return r;
	MDB_val at = to_val(key), value;
	r = key.size ? mdb_cursor_get(cursor, &at, &value, MDB_SET_RANGE) : MDB_NOTFOUND;
	/* Nothing at or after the key: the last of all lies before it. */
	r = mdb_cursor_get(cursor, &at, &value, r == MDB_NOTFOUND ? MDB_LAST : MDB_PREV);
	r = moved(txn, table, r, err);
	if (r == 1) {
		*ret_key = from_val(at);
		*ret_value = from_val(value);
	}
	return r;
}

int store_each(struct store_txn *txn, const char *table, struct bytes prefix,
	       int (*visit)(struct bytes key, struct bytes value, void *context, struct error *err),
	       void *context, struct error *err)
{
	auto_cursor cursor = NULL;
	int r = open_cursor(txn, table, &cursor, err);
	if (r <= 0)
		return r;
	MDB_val at = to_val(prefix), value;
	r = mdb_cursor_get(cursor, &at, &value, prefix.size ? MDB_SET_RANGE : MDB_FIRST);
	for (; r == 0; r = mdb_cursor_get(cursor, &at, &value, MDB_NEXT)) {
		if (at.mv_size < prefix.size ||
		    (prefix.size > 0 && memcmp(at.mv_data, prefix.data, prefix.size) != 0))
			return 0;
		int visited = visit(from_val(at), from_val(value), context, err);
		if (visited)
			return visited;
	}
	return moved(txn, table, r, err);
}
