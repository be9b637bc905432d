/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What the files of the store share. */
#include "base/store.h"

#include <lmdb.h>

struct store_table {
	char *name;
	MDB_dbi dbi;
};

struct store {
	MDB_env *env;
	char *path;
	struct store_table tables[STORE_TABLES_MAX];
	unsigned table_count;
};

/*
 * Handles opened inside stay the transaction's own until its commit: LMDB
 * closes them when it is aborted.
 */
struct store_txn {
	struct store *store;
	MDB_txn *txn;
	enum store_access access;
	struct store_table opened[STORE_TABLES_MAX];
	unsigned opened_count;
};

/* What processes take in turns: bytes of the data file's locks (store_turn.c). */
enum store_turn { STORE_TURN_WRITER, STORE_TURN_READERS };
/** Waits for the turn. 0 or an errno, as LMDB's own functions. */
int store_turn_take(struct store *store, enum store_turn turn);
void store_turn_give(struct store *store, enum store_turn turn);

/** Fills err with what LMDB says of this table; returns a negative errno. */
int store_fail_table(const struct store_txn *txn, int r, const char *doing, const char *table,
		     struct error *err);
/** 1 with the handle; 0 if there is no such table, and flags lack MDB_CREATE. */
int store_open_table(struct store_txn *txn, const char *table, unsigned flags, MDB_dbi *ret,
		     struct error *err);

static inline MDB_val to_val(struct bytes bytes)
{
	return (MDB_val){ .mv_data = (void *)bytes.data, .mv_size = bytes.size };
}

static inline struct bytes from_val(MDB_val val)
{
	return bytes_of(val.mv_data, val.mv_size);
}
