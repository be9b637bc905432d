/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The store: named tables of byte keys to byte values, in one LMDB file that
 * several processes share without a daemon. Writers take turns, readers never
 * wait; kill -9 of anyone at any instant loses no committed transaction and
 * blocks nobody (the writer's lock is robust, dead readers are cleared at
 * open). No netlink request, no wait and no network inside a write transaction.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

struct store;
struct store_txn;

/* A lent run of bytes. */
struct bytes {
	const void *data;
	size_t size;
};

enum store_sync {
	STORE_SYNC,    /* commits reach the disk: /var/lib */
	STORE_NO_SYNC, /* tmpfs: the file goes with the boot anyway */
};
enum store_access { STORE_READ, STORE_WRITE };

#define STORE_KEY_MAX 511   /* bytes; LMDB's limit */
#define STORE_TABLES_MAX 32 /* tables of one file */

/**
 * Opens or makes the store at path (a file; path + "-lock" lies beside it) of
 * at most size_max bytes. One process opens one path once. The caller owns
 * *ret_store. Never a writable map: a full file system is an error (-ENOSPC)
 * at commit and not a SIGBUS.
 */
int store_open(const char *path, enum store_sync sync, size_t size_max, struct store **ret_store,
	       struct error *err);
void store_free(struct store *store);
DEFINE_FREEP(store)

/**
 * Starts a transaction; a thread has one at a time. STORE_WRITE waits for its
 * turn. The caller ends it by store_commit or lets AUTO(store_txn) abort it.
 */
int store_begin(struct store *store, enum store_access access, struct store_txn **ret_txn,
		struct error *err);
/** Commits and frees *txn, which becomes NULL, also on failure. -ENOSPC: full. */
int store_commit(struct store_txn **txn, struct error *err);
/** Aborts; NULL is fine. */
void store_txn_free(struct store_txn *txn);
DEFINE_FREEP(store_txn)

/**
 * Looks up key in table. Returns 1 and lends *ret_value until the next write
 * or the transaction's end; 0 if there is none (or no such table yet).
 * Values are not aligned: copy them out.
 */
int store_get(struct store_txn *txn, const char *table, struct bytes key, struct bytes *ret_value,
	      struct error *err);
/** Puts or replaces. -ENOSPC when the map is full. */
int store_put(struct store_txn *txn, const char *table, struct bytes key, struct bytes value,
	      struct error *err);
/** Puts if the key is new: returns 1 if put, 0 if it was there (nothing changed). */
int store_add(struct store_txn *txn, const char *table, struct bytes key, struct bytes value,
	      struct error *err);
/** Returns 1 if it was there and is deleted, 0 if it was not. */
int store_delete(struct store_txn *txn, const char *table, struct bytes key, struct error *err);
/**
 * The first entry at or after `key` (all keys in memcmp order; size 0: the
 * first of all). Returns 1 with both lent, or 0 at the end. O(log n).
 */
int store_seek(struct store_txn *txn, const char *table, struct bytes key, struct bytes *ret_key,
	       struct bytes *ret_value, struct error *err);
/** The last entry before `key` (size 0: the last of all). Returns 1 or 0. */
int store_seek_before(struct store_txn *txn, const char *table, struct bytes key,
		      struct bytes *ret_key, struct bytes *ret_value, struct error *err);
/**
 * Calls visit for each entry whose key begins with `prefix`, in order. The
 * visitor may not change the table. A non-zero result of visit ends the walk
 * and is returned.
 */
int store_each(struct store_txn *txn, const char *table, struct bytes prefix,
	       int (*visit)(struct bytes key, struct bytes value, void *context, struct error *err),
	       void *context, struct error *err);

static inline struct bytes bytes_of(const void *data, size_t size)
{
	return (struct bytes){ .data = data, .size = size };
}
/** The bytes of a string, without its NUL. */
struct bytes bytes_of_text(const char *text);
