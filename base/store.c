/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * LMDB behind named tables. What LMDB asks of its users is kept here: one
 * environment a file and process, a table's handle only from a transaction
 * that was committed, no writable map, dead readers cleared.
 */
#include "store_private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define READERS_MAX 1022      /* transactions at a time, of all processes; 64 bytes each */
#define READER_SIZE 64        /* of LMDB's lock file */
#define LOCK_HEADER_SIZE 4096 /* more than LMDB's */
#define META_PAGES 2          /* what LMDB writes when it makes a file */

static int code_of(int r)
{
	switch (r) {
	case MDB_MAP_FULL:
	case MDB_TXN_FULL:
	case MDB_DBS_FULL:
		return ENOSPC;
	case MDB_READERS_FULL:
		return EAGAIN;
	case MDB_BAD_VALSIZE:
		return EINVAL;
	default:
		return r > 0 ? r : EIO;
	}
}

static int fail(const struct store *store, int r, const char *doing, struct error *err)
{
	if (r == MDB_MAP_FULL)
		return error_set(err, ENOSPC, "%s: store %s is full", doing, store->path);
	return error_set(err, code_of(r), "%s: store %s: %s", doing, store->path, mdb_strerror(r));
}

int store_fail_table(const struct store_txn *txn, int r, const char *doing, const char *table,
		     struct error *err)
{
	int code = fail(txn->store, r, doing, err);
	error_wrap(err, "table %s", table);
	return code;
}

/*
 * A process that died while it made the file may have left a part of its
 * first pages, which LMDB takes for damage. The maker holds a flock on the
 * file, so that a short file without the flock is such a rest. (The flock is
 * on the data file: closing a descriptor of the lock file would drop LMDB's.)
 */
static int prepare_file(const char *path, int *ret_fd, struct error *err)
{
	const off_t made = META_PAGES * sysconf(_SC_PAGESIZE);
	struct stat info;
	auto_fd fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
	if (fd < 0 || fstat(fd, &info) < 0)
		return error_set_errno(err, errno, "cannot open store %s", path);
	if (info.st_size >= made)
		return 0;
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return error_set_errno(err, errno, "cannot lock store %s", path);
	if (fstat(fd, &info) < 0 ||
	    (info.st_size > 0 && info.st_size < made && ftruncate(fd, 0) < 0))
		return error_set_errno(err, errno, "cannot prepare store %s", path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/*
 * LMDB writes its lock file through a mapping: on a full disk a hole in it
 * would end the process by SIGBUS. So it gets its blocks first. Before LMDB
 * has it open: closing a descriptor of it would drop LMDB's locks.
 */
static int prepare_lock_file(const char *data_path, struct error *err)
{
	const off_t size = LOCK_HEADER_SIZE + READERS_MAX * READER_SIZE;
	char path[PATH_MAX];
	struct stat info;
	snprintf(path, sizeof path, "%s-lock", data_path);
	if (stat(path, &info) == 0 && info.st_blocks * 512 >= size)
		return 0;
	auto_fd fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
	int code = fd < 0 ? errno : posix_fallocate(fd, 0, size);
	if (code == 0 || code == EOPNOTSUPP || code == EINVAL)
		return 0;
	if (fd >= 0 && fstat(fd, &info) == 0 && info.st_size == 0)
		(void)unlink(path);
	return error_set_errno(err, code, "cannot prepare store %s", data_path);
}

static int clear_dead_readers(struct store *store)
{
	int r = store_turn_take(store, STORE_TURN_READERS);
	if (r)
		return r;
	r = mdb_reader_check(store->env, NULL);
	store_turn_give(store, STORE_TURN_READERS);
	return r;
}

static int open_environment(struct store *store, enum store_sync sync, size_t size_max,
			    struct error *err)
{
	auto_fd making_fd = -1;
	int r = prepare_file(store->path, &making_fd, err);
	if (r == 0)
		r = prepare_lock_file(store->path, err);
	if (r < 0)
		return r;
	unsigned flags = MDB_NOSUBDIR | MDB_NOTLS;
	if (sync == STORE_NO_SYNC)
		flags |= MDB_NOSYNC | MDB_NOMETASYNC;
	r = mdb_env_create(&store->env);
	if (r == 0)
		r = mdb_env_set_maxdbs(store->env, STORE_TABLES_MAX);
	if (r == 0)
		r = mdb_env_set_maxreaders(store->env, READERS_MAX);
	if (r == 0)
		r = mdb_env_set_mapsize(store->env, size_max);
	if (r == 0)
		r = mdb_env_open(store->env, store->path, flags, 0600);
	mdb_filehandle_t fd;
	if (r == 0)
		r = mdb_env_get_fd(store->env, &fd);
	if (r == 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		r = errno;
	if (r == 0)
		r = clear_dead_readers(store);
	return r ? fail(store, r, "cannot open", err) : 0;
}

int store_open(const char *path, enum store_sync sync, size_t size_max, struct store **ret_store,
	       struct error *err)
{
	AUTO(store) store = calloc(1, sizeof *store);
	if (!store || !(store->path = strdup(path)))
		return error_set(err, ENOMEM, "no memory for store %s", path);
	int r = open_environment(store, sync, size_max, err);
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
	for (unsigned i = 0; i < store->table_count; i++)
		free(store->tables[i].name);
	free(store->path);
	free(store);
}

/* A writer's turn lasts as long as its transaction, a reader's until it has a slot. */
static int begin_in_turn(struct store *store, enum store_access access, MDB_txn **ret_txn)
{
	bool reads = access == STORE_READ;
	enum store_turn turn = reads ? STORE_TURN_READERS : STORE_TURN_WRITER;
	int r = store_turn_take(store, turn);
	if (r)
		return r;
	r = mdb_txn_begin(store->env, NULL, reads ? MDB_RDONLY : 0, ret_txn);
	if (reads || r)
		store_turn_give(store, turn);
	return r;
}

/* Two reasons to fail pass: slots of dead readers, and another process with a larger map. */
static int begin(struct store *store, enum store_access access, MDB_txn **ret_txn)
{
	int r = begin_in_turn(store, access, ret_txn);
	if (r == MDB_READERS_FULL)
		r = clear_dead_readers(store);
	else if (r == MDB_MAP_RESIZED)
		r = mdb_env_set_mapsize(store->env, 0);
	else
		return r;
	return r ? r : begin_in_turn(store, access, ret_txn);
}

int store_begin(struct store *store, enum store_access access, struct store_txn **ret_txn,
		struct error *err)
{
	AUTO(store_txn) txn = calloc(1, sizeof *txn);
	if (!txn)
		return error_set(err, ENOMEM, "no memory for a transaction");
	txn->store = store;
	txn->access = access;
	int r = begin(store, access, &txn->txn);
	if (r)
		return fail(store, r, "cannot begin a transaction", err);
	*ret_txn = TAKE(txn);
	return 0;
}

/* The handles become the store's; there is room, since LMDB has no more of them. */
static void keep_tables(struct store_txn *txn)
{
	struct store *store = txn->store;
	for (unsigned i = 0; i < txn->opened_count && store->table_count < STORE_TABLES_MAX; i++) {
		store->tables[store->table_count++] = txn->opened[i];
		txn->opened[i].name = NULL;
	}
}

static void end_turn(struct store_txn *txn)
{
	if (txn->access != STORE_READ)
		store_turn_give(txn->store, STORE_TURN_WRITER);
}

int store_commit(struct store_txn **txn, struct error *err)
{
	AUTO(store_txn) ended = TAKE(*txn);
	int r = mdb_txn_commit(ended->txn);
	ended->txn = NULL; /* freed by LMDB in any case */
	end_turn(ended);
	if (r)
		return fail(ended->store, r, "cannot commit", err);
	keep_tables(ended);
	return 0;
}

void store_txn_free(struct store_txn *txn)
{
	if (!txn)
		return;
	if (txn->txn && txn->access == STORE_READ) {
		/* The same to a reader as abort, except that its handles stay open. */
		if (mdb_txn_commit(txn->txn) == 0)
			keep_tables(txn);
	} else if (txn->txn) {
		mdb_txn_abort(txn->txn);
		end_turn(txn);
	}
	for (unsigned i = 0; i < txn->opened_count; i++)
		free(txn->opened[i].name);
	free(txn);
}

static bool find_handle(const struct store_table *tables, unsigned count, const char *name,
			MDB_dbi *ret)
{
	for (unsigned i = 0; i < count; i++) {
		if (strcmp(tables[i].name, name) == 0) {
			*ret = tables[i].dbi;
			return true;
		}
	}
	return false;
}

int store_open_table(struct store_txn *txn, const char *table, unsigned flags, MDB_dbi *ret,
		     struct error *err)
{
	struct store *store = txn->store;
	if (find_handle(store->tables, store->table_count, table, ret) ||
	    find_handle(txn->opened, txn->opened_count, table, ret))
		return 1;
	int r = mdb_dbi_open(txn->txn, table, flags, ret);
	if (r == MDB_NOTFOUND)
		return 0;
	if (r)
		return store_fail_table(txn, r, "cannot open the table", table, err);
	char *name = strdup(table);
	if (!name || txn->opened_count == STORE_TABLES_MAX) {
		free(name);
		return error_set(err, ENOMEM, "no memory for table %s", table);
	}
	txn->opened[txn->opened_count++] = (struct store_table){ .name = name, .dbi = *ret };
	return 1;
}

static int check_key(struct bytes key, const char *table, struct error *err)
{
	if (key.size > 0 && key.size <= STORE_KEY_MAX)
		return 0;
	return error_set(err, EINVAL, "table %s: a key has 1 to %d bytes, not %zu", table,
			 STORE_KEY_MAX, key.size);
}

int store_get(struct store_txn *txn, const char *table, struct bytes key, struct bytes *ret_value,
	      struct error *err)
{
	MDB_dbi dbi;
	int r = check_key(key, table, err);
	if (r == 0)
		r = store_open_table(txn, table, 0, &dbi, err);
	if (r <= 0)
		return r;
	MDB_val wanted = to_val(key), value;
	r = mdb_get(txn->txn, dbi, &wanted, &value);
	if (r == MDB_NOTFOUND)
		return 0;
	if (r)
		return store_fail_table(txn, r, "cannot read", table, err);
	*ret_value = from_val(value);
	return 1;
}

/* Returns 1 if put; 0 if the flags say MDB_NOOVERWRITE and the key was there. */
static int put(struct store_txn *txn, const char *table, struct bytes key, struct bytes value,
	       unsigned flags, struct error *err)
{
	MDB_dbi dbi;
	int r = check_key(key, table, err);
	if (r == 0)
		r = store_open_table(txn, table, MDB_CREATE, &dbi, err);
	if (r < 0)
		return r;
	MDB_val at = to_val(key), data = to_val(value);
	r = mdb_put(txn->txn, dbi, &at, &data, flags);
	if (r == MDB_KEYEXIST)
		return 0;
	return r ? store_fail_table(txn, r, "cannot write", table, err) : 1;
}

int store_put(struct store_txn *txn, const char *table, struct bytes key, struct bytes value,
	      struct error *err)
{
	int r = put(txn, table, key, value, 0, err);
	return r < 0 ? r : 0;
}

int store_add(struct store_txn *txn, const char *table, struct bytes key, struct bytes value,
	      struct error *err)
{
	return put(txn, table, key, value, MDB_NOOVERWRITE, err);
}

int store_delete(struct store_txn *txn, const char *table, struct bytes key, struct error *err)
{
	MDB_dbi dbi;
	int r = check_key(key, table, err);
	if (r == 0)
		r = store_open_table(txn, table, 0, &dbi, err);
	if (r <= 0)
		return r;
	MDB_val at = to_val(key);
	r = mdb_del(txn->txn, dbi, &at, NULL);
	if (r == MDB_NOTFOUND)
		return 0;
	return r ? store_fail_table(txn, r, "cannot delete", table, err) : 1;
}

struct bytes bytes_of_text(const char *text)
{
	return bytes_of(text, strlen(text));
}
