/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <time.h>

#include "kit.h"

#define MANY 100000 /* leases; the same holds for a million, which takes a minute here */

static void expect_failure(struct kit *kit, const struct ipam_config *config, const char *id,
			   const char *wanted, const char *text)
{
	struct lease leases[IPAM_SETS_MAX];
	struct error err = { 0 };
	int r = kit_take(kit, config, id, wanted, leases, &err);

	assert_true(r < 0);
	assert_string_equal(err.text, text);
}

static void cni_062_released_address_rests_before_it_is_given_again(void **state)
{
	static const char *const expected[] = { "10.1.0.2", "10.1.0.3", "10.1.0.4",
						"10.1.0.5", "10.1.0.6", "10.1.0.2" };
	struct ipam_config config = kit_config("10.1.0.0/29");

	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		assert_string_equal(kit_address(*state, &config, "web"), expected[i]);
		assert_int_equal(kit_release(*state, "web"), 1);
	}
}

static void cni_062_the_search_goes_on_where_it_was_after_a_restart(void **state)
{
	struct kit *kit = *state;
	struct ipam_config config = kit_config("10.1.0.0/29");

	assert_string_equal(kit_address(kit, &config, "web"), "10.1.0.2");
	assert_int_equal(kit_release(kit, "web"), 1);
	store_free(kit->store);
	kit_open(kit);
	assert_string_equal(kit_address(kit, &config, "web"), "10.1.0.3");
}

static void cni_061_every_address_but_the_gateway_is_given_once(void **state)
{
	struct ipam_config config = kit_config("10.1.0.0/29");
	char id[16];

	for (int i = 2; i <= 6; i++) {
		char expected[16];
		snprintf(id, sizeof id, "c%d", i);
		snprintf(expected, sizeof expected, "10.1.0.%d", i);
		assert_string_equal(kit_address(*state, &config, id), expected);
	}
	expect_failure(*state, &config, "late", NULL,
		       "no free address in 10.1.0.1-10.1.0.6 of network net");
	assert_int_equal(kit_release(*state, "c4"), 1);
	assert_string_equal(kit_address(*state, &config, "late"), "10.1.0.4");
}

static void cni_065_a_wanted_address_must_be_free_and_in_a_range(void **state)
{
	struct ipam_config config = kit_config("10.1.0.0/24");
	struct lease leases[IPAM_SETS_MAX];
	struct error err = { 0 };

	config.sets[0].ranges[0].last = kit_ip("10.1.0.99");
	config.excludes[config.exclude_count++] = kit_ip("10.1.0.7");
	assert_int_equal(kit_take(*state, &config, "web", "10.1.0.50", leases, &err), 0);
	assert_string_equal(prefix_format(leases[0].address).text, "10.1.0.50/24");
	expect_failure(*state, &config, "b", "10.1.0.50",
		       "address 10.1.0.50 of network net is held by container web (eth0)");
	expect_failure(*state, &config, "b", "10.1.0.1", "address 10.1.0.1 is the gateway");
	expect_failure(*state, &config, "b", "10.1.0.7",
		       "address 10.1.0.7 is kept for another use");
	expect_failure(*state, &config, "b", "10.1.0.100",
		       "address 10.1.0.100 is in no range: 10.1.0.1-10.1.0.99 would be right");
	assert_string_equal(kit_address(*state, &config, "b"), "10.1.0.2");
}

static void excluded_addresses_are_stepped_over(void **state)
{
	struct ipam_config config = kit_config("10.1.0.0/24");

	config.excludes[config.exclude_count++] = kit_ip("10.1.0.2");
	config.excludes[config.exclude_count++] = kit_ip("10.1.0.3");
	assert_string_equal(kit_address(*state, &config, "web"), "10.1.0.4");
}

static void cni_066_an_owner_has_one_lease_and_keeps_it(void **state)
{
	struct ipam_config config = kit_config("10.1.0.0/24");

	assert_string_equal(kit_address(*state, &config, "web"), "10.1.0.2");
	expect_failure(*state, &config, "web", NULL,
		       "container web (eth0) holds address 10.1.0.2 of network net already");
	assert_int_equal(kit_release(*state, "web"), 1);
	assert_int_equal(kit_release(*state, "web"), 0);
}

static void cni_009_owners_that_differ_in_the_last_byte_share_nothing(void **state)
{
	struct ipam_config config = kit_config("10.1.0.0/24");
	char a[201], b[201];

	memset(a, 'x', 200);
	a[200] = '\0';
	memcpy(b, a, sizeof b);
	b[199] = 'y';
	assert_string_equal(kit_address(*state, &config, a), "10.1.0.2");
	assert_string_equal(kit_address(*state, &config, b), "10.1.0.3");
	assert_int_equal(kit_release(*state, a), 1);
	assert_int_equal(kit_release(*state, b), 1);
}

static void cni_059_each_set_gives_one_address_and_its_ranges_are_one_pool(void **state)
{
	struct ipam_config config = { 0 };
	struct lease leases[IPAM_SETS_MAX];
	struct error err = { 0 };

	config.sets[0].ranges[0].subnet = kit_prefix("10.1.0.0/30");
	config.sets[0].ranges[1].subnet = kit_prefix("10.2.0.0/30");
	config.sets[0].count = 2;
	config.sets[1].ranges[0].subnet = kit_prefix("fd00::/64");
	config.sets[1].count = 1;
	config.set_count = 2;
	assert_int_equal(ipam_config_finish(&config, &err), 0);

	assert_int_equal(kit_take(*state, &config, "a", NULL, leases, &err), 0);
	assert_string_equal(prefix_format(leases[0].address).text, "10.1.0.2/30");
	assert_string_equal(prefix_format(leases[1].address).text, "fd00::2/64");
	assert_int_equal(kit_take(*state, &config, "b", NULL, leases, &err), 0);
	assert_string_equal(prefix_format(leases[0].address).text, "10.2.0.2/30");
	assert_string_equal(ip_format(leases[0].gateway).text, "10.2.0.1");
	expect_failure(*state, &config, "c", NULL,
		       "no free address in 10.1.0.1-10.1.0.2 and the other ranges of its set of "
		       "network net");
	assert_int_equal(kit_release(*state, "a"), 2);
}

static double seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double take_many(struct kit *kit, const struct ipam_config *config, int from, int count)
{
	struct error err = { 0 };
	AUTO(store_txn) txn = NULL;
	double start = seconds();

	assert_int_equal(store_begin(kit->store, STORE_WRITE, &txn, &err), 0);
	for (int i = from; i < from + count; i++) {
		char id[16];
		struct lease lease;
		struct lease_owner owner = { id, "eth0" };
		snprintf(id, sizeof id, "c%d", i);
		if (lease_take(txn, "net", config, &owner, NULL, 0, &lease, &err) < 0)
			fail_msg("%s", err.text);
	}
	assert_int_equal(store_commit(&txn, &err), 0);
	return seconds() - start;
}

static int count_lease(struct ip ip, const char *id, const char *interface, int64_t taken_at_ns,
		       void *context, struct error *err)
{
	(void)ip, (void)id, (void)interface, (void)taken_at_ns, (void)err;
	++*(int *)context;
	return 0;
}

/* O(log n): the last thousand may cost some more than the first, not a hundred times. */
static void cni_072_cost_does_not_grow_with_the_leases(void **state)
{
	struct kit *kit = *state;
	struct ipam_config config = kit_config("10.0.0.0/8");
	struct error err = { 0 };
	AUTO(store_txn) txn = NULL;
	int count = 0;

	double first = take_many(kit, &config, 0, 1000);
	take_many(kit, &config, 1000, MANY - 2000);
	double last = take_many(kit, &config, MANY - 1000, 1000);
	if (last > first * 10)
		fail_msg("1000 leases took %.1f ms at first and %.1f ms at the end", first * 1e3,
			 last * 1e3);
	assert_int_equal(store_begin(kit->store, STORE_READ, &txn, &err), 0);
	assert_int_equal(lease_each(txn, "net", count_lease, &count, &err), 0);
	assert_int_equal(count, MANY);
}

static void a_forgotten_network_leaves_no_lease_and_others_keep_theirs(void **state)
{
	struct kit *kit = *state;
	struct ipam_config config = kit_config("10.1.0.0/24");
	struct lease_owner owner = { "other", "eth0" };
	struct lease lease;
	struct error err = { 0 };
	AUTO(store_txn) txn = NULL;
	int count = 0;

	kit_address(kit, &config, "web");
	assert_int_equal(store_begin(kit->store, STORE_WRITE, &txn, &err), 0);
	assert_int_equal(lease_take(txn, "net2", &config, &owner, NULL, 0, &lease, &err), 0);
	assert_int_equal(lease_forget_network(txn, "net", &err), 0);
	assert_int_equal(lease_each(txn, "net", count_lease, &count, &err), 0);
	assert_int_equal(count, 0);
	assert_int_equal(lease_each(txn, "net2", count_lease, &count, &err), 0);
	assert_int_equal(count, 1);
}

/* Takes and releases at random, with a plain table as the judge. */
static void runs_agree_with_a_plain_table(void **state)
{
	struct ipam_config config = kit_config("10.1.0.0/26");
	bool held[64] = { false };
	unsigned seed = 7;

	for (int i = 0; i < 2000; i++) {
		char id[16], wanted[32];
		unsigned host = 2 + (unsigned)rand_r(&seed) % 61;
		struct lease lease;
		struct error err = { 0 };
		snprintf(id, sizeof id, "c%u", host);
		snprintf(wanted, sizeof wanted, "10.1.0.%u", host);
		if (held[host])
			assert_int_equal(kit_release(*state, id), 1);
		else if (kit_take(*state, &config, id, wanted, &lease, &err) < 0)
			fail_msg("step %d: %s", i, err.text);
		held[host] = !held[host];
	}
	for (unsigned host = 2; host <= 62; host++) {
		char id[16];
		snprintf(id, sizeof id, "c%u", host);
		assert_int_equal(kit_release(*state, id), held[host] ? 1 : 0);
	}
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, kit_setup, kit_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STORE(cni_062_released_address_rests_before_it_is_given_again),
		WITH_STORE(cni_062_the_search_goes_on_where_it_was_after_a_restart),
		WITH_STORE(cni_061_every_address_but_the_gateway_is_given_once),
		WITH_STORE(cni_065_a_wanted_address_must_be_free_and_in_a_range),
		WITH_STORE(excluded_addresses_are_stepped_over),
		WITH_STORE(cni_066_an_owner_has_one_lease_and_keeps_it),
		WITH_STORE(cni_009_owners_that_differ_in_the_last_byte_share_nothing),
		WITH_STORE(cni_059_each_set_gives_one_address_and_its_ranges_are_one_pool),
		WITH_STORE(cni_072_cost_does_not_grow_with_the_leases),
		WITH_STORE(a_forgotten_network_leaves_no_lease_and_others_keep_theirs),
		WITH_STORE(runs_agree_with_a_plain_table),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
