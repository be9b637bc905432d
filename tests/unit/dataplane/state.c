/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fixture.h"

#include <errno.h>

#define CAPACITY 5 /* slots 1 to 4 */

static struct slot_grant take(struct store_txn *txn, const char *id)
{
	struct error err = { 0 };
	struct slot_grant grant = { 0 };
	struct key key = endpoint_key_of(id, "eth0");
	assert_int_equal(slot_take(txn, CAPACITY, &key, &grant, &err), 0);
	return grant;
}

static void a_generation_is_never_given_again(void **state)
{
	struct fixture *fixture = *state;
	struct error err = { 0 };
	uint32_t last = 0;
	AUTO(store_txn) txn = NULL;
	assert_int_equal(store_begin(fixture->store, STORE_WRITE, &txn, &err), 0);
	for (int i = 0; i < 20; i++) {
		struct slot_grant grant = take(txn, "c1");
		assert_true(grant.generation > last);
		last = grant.generation;
		assert_int_equal(slot_release(txn, grant.slot, &err), 0);
	}
}

static void the_slot_that_rested_longest_comes_first(void **state)
{
	struct fixture *fixture = *state;
	struct error err = { 0 };
	struct key key = endpoint_key_of("c9", "eth0");
	struct slot_grant grant;
	AUTO(store_txn) txn = NULL;
	assert_int_equal(store_begin(fixture->store, STORE_WRITE, &txn, &err), 0);
	for (uint32_t slot = 1; slot < CAPACITY; slot++) {
		grant = take(txn, "c1");
		assert_int_equal(grant.slot, slot);
		assert_false(grant.used_before);
	}
	assert_int_equal(slot_take(txn, CAPACITY, &key, &grant, &err), -ENOSPC);
	assert_string_equal(err.text, "all 4 endpoints of this instance are in use");
	assert_int_equal(slot_release(txn, 3, &err), 0);
	assert_int_equal(slot_release(txn, 1, &err), 0);
	grant = take(txn, "c1");
	assert_int_equal(grant.slot, 3);
	assert_true(grant.used_before);
	assert_int_equal(take(txn, "c1").slot, 1);
}

static void a_slot_is_released_once(void **state)
{
	struct fixture *fixture = *state;
	struct error err = { 0 };
	AUTO(store_txn) txn = NULL;
	assert_int_equal(store_begin(fixture->store, STORE_WRITE, &txn, &err), 0);
	uint32_t slot = take(txn, "c1").slot;
	assert_int_equal(slot_release(txn, slot, &err), 0);
	assert_int_equal(slot_release(txn, slot, &err), 0);
	for (int i = 0; i < CAPACITY - 2; i++)
		take(txn, "c1");
	take(txn, "c1");
	struct slot_grant grant;
	struct key key = endpoint_key_of("c1", "eth0");
	assert_int_equal(slot_take(txn, CAPACITY, &key, &grant, &err), -ENOSPC);
}

static void an_intent_is_alive_as_long_as_its_process(void **state)
{
	struct fixture *fixture = *state;
	struct error err = { 0 };
	struct key own = endpoint_key_of("c1", "eth0"), other = endpoint_key_of("c2", "eth0");
	struct process_identity gone = { .pid = 1, .start_time = 1ull << 60 };
	AUTO(store_txn) txn = NULL;
	assert_int_equal(store_begin(fixture->store, STORE_WRITE, &txn, &err), 0);
	assert_int_equal(intent_put(txn, &own, &err), 0);
	assert_int_equal(store_put(txn, TABLE_INTENTS, key_bytes(&other),
				   bytes_of(&gone, sizeof gone), &err),
			 0);
	assert_int_equal(intent_is_alive(txn, key_bytes(&own), &err), 1);
	assert_int_equal(intent_is_alive(txn, key_bytes(&other), &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(a_generation_is_never_given_again),
		FIXTURE_TEST(the_slot_that_rested_longest_comes_first),
		FIXTURE_TEST(a_slot_is_released_once),
		FIXTURE_TEST(an_intent_is_alive_as_long_as_its_process),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
