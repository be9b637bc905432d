/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "base/file.h"
#include "base/store.h"

#define SIZE_MAX_BYTES (16u << 20)

struct fixture {
	char folder[32];
	char path[64];
	struct store *store;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);
	struct error err;
	make_folder(fixture->folder);
	snprintf(fixture->path, sizeof fixture->path, "%s/state.mdb", fixture->folder);
	MUST(store_open(fixture->path, STORE_NO_SYNC, SIZE_MAX_BYTES, &fixture->store, &err), err);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	struct error err;
	store_free(fixture->store);
	MUST(tree_remove(fixture->folder, &err), err);
	free(fixture);
	return 0;
}

static void put(struct store *store, const char *table, const char *key, const char *value)
{
	AUTO(store_txn) txn = NULL;
	struct error err;
	MUST(store_begin(store, STORE_WRITE, &txn, &err), err);
	MUST(store_put(txn, table, bytes_of_text(key), bytes_of_text(value), &err), err);
	MUST(store_commit(&txn, &err), err);
}

/* The value of a key as text, "-" if there is none. */
static void get(struct store *store, const char *table, const char *key, char out[64])
{
	AUTO(store_txn) txn = NULL;
	struct bytes value;
	struct error err;
	MUST(store_begin(store, STORE_READ, &txn, &err), err);
	int r = store_get(txn, table, bytes_of_text(key), &value, &err);
	MUST(r, err);
	snprintf(out, 64, "%.*s", r ? (int)value.size : 1, r ? (const char *)value.data : "-");
}

static void assert_value(struct store *store, const char *table, const char *key,
			 const char *wanted)
{
	char value[64];
	get(store, table, key, value);
	assert_string_equal(value, wanted);
}

static void what_is_committed_is_read(void **state)
{
	struct fixture *fixture = *state;
	assert_value(fixture->store, "leases", "a", "-");
	put(fixture->store, "leases", "a", "1");
	put(fixture->store, "leases", "a", "2");
	assert_value(fixture->store, "leases", "a", "2");
	assert_value(fixture->store, "ports", "a", "-");
}

static void what_is_aborted_is_not(void **state)
{
	struct fixture *fixture = *state;
	struct error err;
	for (int i = 0; i < 3; i++) {
		/* The table itself is made in the aborted transaction. */
		AUTO(store_txn) txn = NULL;
		MUST(store_begin(fixture->store, STORE_WRITE, &txn, &err), err);
		MUST(store_put(txn, "new", bytes_of_text("a"), bytes_of_text("1"), &err), err);
	}
	assert_value(fixture->store, "new", "a", "-");
	put(fixture->store, "new", "a", "2");
	assert_value(fixture->store, "new", "a", "2");
}

static void adding_and_deleting_tell_what_was_there(void **state)
{
	struct fixture *fixture = *state;
	struct bytes key = bytes_of_text("k"), value = bytes_of_text("v");
	AUTO(store_txn) txn = NULL;
	struct error err;
	MUST(store_begin(fixture->store, STORE_WRITE, &txn, &err), err);
	assert_int_equal(store_delete(txn, "t", key, &err), 0);
	assert_int_equal(store_add(txn, "t", key, value, &err), 1);
	assert_int_equal(store_add(txn, "t", key, bytes_of_text("w"), &err), 0);
	assert_int_equal(store_get(txn, "t", key, &value, &err), 1);
	assert_memory_equal(value.data, "v", 1);
	assert_int_equal(store_delete(txn, "t", key, &err), 1);
	assert_int_equal(store_get(txn, "t", key, &value, &err), 0);
}

static int append_key(struct bytes key, struct bytes value, void *context, struct error *err)
{
	char *out = context;
	(void)value;
	(void)err;
	snprintf(out + strlen(out), 64 - strlen(out), "%.*s", (int)key.size,
		 (const char *)key.data);
	return key.size == 1 && *(const char *)key.data == 'x';
}

static void walks_go_in_order(void **state)
{
	struct fixture *fixture = *state;
	static const struct {
		const char *key, *next, *before;
	} rows[] = {
		{ "", "a1", "c" },   { "a", "a1", "-" }, { "a1", "a1", "-" },
		{ "a2", "b", "a1" }, { "b", "b", "a1" }, { "c1", "-", "c" },
	};
	AUTO(store_txn) txn = NULL;
	struct error err;
	put(fixture->store, "t", "b", "");
	put(fixture->store, "t", "c", "");
	put(fixture->store, "t", "a1", "");
	MUST(store_begin(fixture->store, STORE_READ, &txn, &err), err);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bytes key = bytes_of_text("-"), value;
		MUST(store_seek(txn, "t", bytes_of_text(rows[i].key), &key, &value, &err), err);
		CHECK_ROW(i, rows[i].key,
			  key.size == strlen(rows[i].next) &&
				  !memcmp(key.data, rows[i].next, key.size));
		key = bytes_of_text("-");
		MUST(store_seek_before(txn, "t", bytes_of_text(rows[i].key), &key, &value, &err),
		     err);
		CHECK_ROW(i, rows[i].key,
			  key.size == strlen(rows[i].before) &&
				  !memcmp(key.data, rows[i].before, key.size));
	}
	assert_int_equal(store_seek(txn, "none", bytes_of_text(""), &(struct bytes){ 0 },
				    &(struct bytes){ 0 }, &err),
			 0);
}

static void prefixes_bound_a_walk(void **state)
{
	struct fixture *fixture = *state;
	static const char *const keys[] = { "a", "ab", "ac", "b", "x", "y" };
	static const struct {
		const char *prefix, *seen;
		int result;
	} rows[] = { { "a", "aabac", 0 }, { "ab", "ab", 0 }, { "q", "", 0 }, { "", "aabacbx", 1 } };
	AUTO(store_txn) txn = NULL;
	struct error err;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		put(fixture->store, "t", keys[i], "");
	MUST(store_begin(fixture->store, STORE_READ, &txn, &err), err);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char seen[64] = "";
		int r = store_each(txn, "t", bytes_of_text(rows[i].prefix), append_key, seen, &err);
		CHECK_ROW(i, rows[i].prefix, r == rows[i].result && !strcmp(seen, rows[i].seen));
	}
}

static void bad_keys_are_refused(void **state)
{
	struct fixture *fixture = *state;
	static const char long_key[STORE_KEY_MAX + 1];
	AUTO(store_txn) txn = NULL;
	struct error err;
	struct bytes value = bytes_of_text("v");
	MUST(store_begin(fixture->store, STORE_WRITE, &txn, &err), err);
	assert_int_equal(store_put(txn, "t", bytes_of(long_key, 0), value, &err), -EINVAL);
	assert_int_equal(store_put(txn, "t", bytes_of(long_key, sizeof long_key), value, &err),
			 -EINVAL);
	assert_int_equal(store_put(txn, "t", bytes_of(long_key, STORE_KEY_MAX), value, &err), 0);
}

static void a_full_store_says_so_and_stays_whole(void **state)
{
	struct fixture *fixture = *state;
	auto_free char *value = calloc(1, 1 << 20);
	struct error err;
	int r = 0;
	put(fixture->store, "t", "kept", "1");
	for (int i = 0; r == 0 && i < 100; i++) {
		AUTO(store_txn) txn = NULL;
		MUST(store_begin(fixture->store, STORE_WRITE, &txn, &err), err);
		r = store_put(txn, "t", bytes_of(&i, sizeof i), bytes_of(value, 1 << 20), &err);
		if (r == 0)
			r = store_commit(&txn, &err);
	}
	assert_int_equal(r, -ENOSPC);
	assert_value(fixture->store, "t", "kept", "1");
	put(fixture->store, "t", "kept", "2");
	assert_value(fixture->store, "t", "kept", "2");
}

static void what_a_dead_maker_left_is_no_damage(void **state)
{
	struct fixture *fixture = *state;
	struct error err;
	for (off_t size = 0; size < 8192; size += 1024) {
		char path[80];
		AUTO(store) store = NULL;
		snprintf(path, sizeof path, "%s/%ld.mdb", fixture->folder, (long)size);
		auto_fd fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		assert_int_equal(ftruncate(fd, size), 0);
		MUST(store_open(path, STORE_NO_SYNC, SIZE_MAX_BYTES, &store, &err), err);
		put(store, "t", "k", "v");
		assert_value(store, "t", "k", "v");
	}
}

static void garbage_is_refused(void **state)
{
	struct fixture *fixture = *state;
	char path[80], garbage[16384];
	AUTO(store) store = NULL;
	struct error err;
	snprintf(path, sizeof path, "%s/garbage", fixture->folder);
	memset(garbage, 'x', sizeof garbage);
	MUST(file_replace(path, garbage, sizeof garbage, 0600, FILE_NO_SYNC, &err), err);
	assert_true(store_open(path, STORE_NO_SYNC, SIZE_MAX_BYTES, &store, &err) < 0);
	assert_non_null(strstr(err.text, path));
}

/*
 * Two counters that each transaction moves together, with a long value that
 * spreads over pages: whoever is killed, they agree.
 */
static void count_up(struct store *store)
{
	AUTO(store_txn) txn = NULL;
	struct error err;
	struct bytes value;
	char page[6000] = { 0 };
	uint64_t a = 0, b = 0;
	if (store_begin(store, STORE_WRITE, &txn, &err) < 0)
		_exit(2);
	if (store_get(txn, "a", bytes_of_text("n"), &value, &err) == 1)
		memcpy(&a, value.data, sizeof a);
	if (store_get(txn, "b", bytes_of_text("n"), &value, &err) == 1)
		memcpy(&b, value.data, sizeof b);
	if (a != b)
		_exit(3);
	memcpy(page, &(uint64_t){ a + 1 }, sizeof a);
	if (store_put(txn, "a", bytes_of_text("n"), bytes_of(page, sizeof page), &err) < 0 ||
	    store_put(txn, "b", bytes_of_text("n"), bytes_of(page, sizeof a), &err) < 0 ||
	    store_commit(&txn, &err) < 0)
		_exit(4);
}

/* Opens, counts and tells each commit through a pipe, until it is killed or has done all. */
static pid_t start_writer(const char *path, int told_fd, int count)
{
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	struct store *store;
	struct error err;
	for (int i = 0; i < count; i++) {
		/* Opened anew now and then: death may come there as well. */
		if (i % 8 == 0) {
			if (i > 0)
				store_free(store);
			if (store_open(path, STORE_NO_SYNC, SIZE_MAX_BYTES, &store, &err) < 0)
				_exit(5);
		}
		count_up(store);
		if (write(told_fd, "", 1) != 1)
			_exit(6);
	}
	_exit(0);
}

static uint64_t read_counter(const char *path)
{
	AUTO(store) store = NULL;
	AUTO(store_txn) txn = NULL;
	struct bytes value;
	struct error err;
	uint64_t count = 0;
	MUST(store_open(path, STORE_NO_SYNC, SIZE_MAX_BYTES, &store, &err), err);
	MUST(store_begin(store, STORE_READ, &txn, &err), err);
	if (store_get(txn, "a", bytes_of_text("n"), &value, &err) == 1)
		memcpy(&count, value.data, sizeof count);
	return count;
}

static uint64_t count_bytes(int fd)
{
	char data[4096];
	uint64_t count = 0;
	for (ssize_t got; (got = read(fd, data, sizeof data)) > 0;)
		count += (uint64_t)got;
	return count;
}

static void killed_writers_lose_nothing_and_block_nobody(void **state)
{
	struct fixture *fixture = *state;
	enum { WRITERS = 8, ROUNDS = 20, COUNT = 200 };
	int rounds = getenv("WHERRY_TEST_LONG") ? 25 * ROUNDS : ROUNDS;
	char path[80];
	uint64_t told = 0, killed = 0;
	int told_pipe[2];
	snprintf(path, sizeof path, "%s/shared.mdb", fixture->folder);
	assert_int_equal(pipe2(told_pipe, O_CLOEXEC | O_NONBLOCK), 0);
	for (int round = 0; round < rounds; round++) {
		pid_t writers[WRITERS];
		for (int i = 0; i < WRITERS; i++)
			writers[i] = start_writer(path, told_pipe[1], COUNT);
		/* Half of them die somewhere in their work, each a little later. */
		for (int i = 0; i < WRITERS; i += 2) {
			nanosleep(&(struct timespec){ .tv_nsec = 300000 * (round % 7) }, NULL);
			kill(writers[i], SIGKILL);
		}
		for (int i = 0; i < WRITERS; i++) {
			int status;
			assert_int_equal(waitpid(writers[i], &status, 0), writers[i]);
			if (WIFSIGNALED(status))
				killed++;
			else
				assert_int_equal(WEXITSTATUS(status), 0);
			told += count_bytes(told_pipe[0]);
		}
	}
	close(told_pipe[0]);
	close(told_pipe[1]);
	assert_true(killed > 0);
	/* A writer may die between its commit and telling of it. */
	uint64_t count = read_counter(path);
	if (count < told || count > told + killed)
		fail_msg("%lu commits told, %lu writers killed, %lu counted", told, killed, count);
}

static void dead_readers_are_forgotten(void **state)
{
	struct fixture *fixture = *state;
	char path[80];
	struct error err;
	snprintf(path, sizeof path, "%s/readers.mdb", fixture->folder);
	for (int i = 0; i < 50; i++) {
		pid_t pid = fork();
		if (pid == 0) {
			struct store *store;
			struct store_txn *txn;
			if (store_open(path, STORE_NO_SYNC, 1 << 20, &store, &err) < 0 ||
			    store_begin(store, STORE_READ, &txn, &err) < 0)
				_exit(1);
			kill(getpid(), SIGKILL);
		}
		int status;
		waitpid(pid, &status, 0);
		assert_true(WIFSIGNALED(status));
	}
	/* Each dead reader would hold the pages of its time: a small map would fill. */
	AUTO(store) store = NULL;
	MUST(store_open(path, STORE_NO_SYNC, 1 << 20, &store, &err), err);
	for (int i = 0; i < 2000; i++) {
		char value[4000] = { 0 };
		AUTO(store_txn) txn = NULL;
		MUST(store_begin(store, STORE_WRITE, &txn, &err), err);
		MUST(store_put(txn, "t", bytes_of_text("k"), bytes_of(value, sizeof value), &err),
		     err);
		MUST(store_commit(&txn, &err), err);
	}
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(what_is_committed_is_read),
		IN_FOLDER(what_is_aborted_is_not),
		IN_FOLDER(adding_and_deleting_tell_what_was_there),
		IN_FOLDER(walks_go_in_order),
		IN_FOLDER(prefixes_bound_a_walk),
		IN_FOLDER(bad_keys_are_refused),
		IN_FOLDER(a_full_store_says_so_and_stays_whole),
		IN_FOLDER(what_a_dead_maker_left_is_no_damage),
		IN_FOLDER(garbage_is_refused),
		IN_FOLDER(killed_writers_lose_nothing_and_block_nobody),
		IN_FOLDER(dead_readers_are_forgotten),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
