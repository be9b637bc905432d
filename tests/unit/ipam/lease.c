/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <time.h>

#include "kit.h"

#define MANY 100000 /* leases; a million with tools/test --long */
#define SAMPLE 1000

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

/* The cost of one operation in us of this process's own time, which neighbours do not change. */
static double now_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

enum operation { TAKE_ONE, FIND_ADDRESS, FIND_OWNER, FIND_IN_NETWORK, RELEASE, OPERATIONS };
static const char *const operation_name[] = { "take", "by address", "by container",
					      "in the network", "release" };

static int stop_at_first(struct ip ip, const char *id, const char *interface, int64_t taken_at_ns,
			 void *context, struct error *err)
{
	(void)id, (void)interface, (void)taken_at_ns, (void)err;
	*(struct ip *)context = ip;
	return 1;
}

static int operate(struct store_txn *txn, const struct ipam_config *config, enum operation what,
		   int number, struct error *err)
{
	char id[16], holder[256], interface[16];
	struct lease_owner owner = { id, "eth0" };
	struct lease lease;
	struct ip ip = ip_add(config->sets[0].ranges[0].first, (uint64_t)number + 1);

	snprintf(id, sizeof id, "c%d", number);
	switch (what) {
	case TAKE_ONE:
		return lease_take(txn, "net", config, &owner, NULL, 0, &lease, err);
	case FIND_ADDRESS:
		return lease_find(txn, "net", ip, holder, sizeof holder, interface,
				  sizeof interface, err);
	case FIND_OWNER:
		return lease_of_owner(txn, "net", &owner, &ip, 1, err);
	case FIND_IN_NETWORK:
		return lease_each(txn, "net", stop_at_first, &ip, err);
	default:
		return lease_release(txn, "net", &owner, err);
	}
}

/* us for each of `count` operations on the leases from number `from` on. */
static double operate_many(struct kit *kit, const struct ipam_config *config, enum operation what,
			   int from, int count)
{
	struct error err = { 0 };
	AUTO(store_txn) txn = NULL;
	double start = now_us();

	assert_int_equal(store_begin(kit->store, STORE_WRITE, &txn, &err), 0);
	for (int i = from; i < from + count; i++) {
		int r = operate(txn, config, what, i, &err);
		if (r != (what == TAKE_ONE ? 0 : 1))
			fail_msg("%s of number %d: %d %s", operation_name[what], i, r, err.text);
	}
	assert_int_equal(store_commit(&txn, &err), 0);
	return (now_us() - start) / count;
}

static int count_lease(struct ip ip, const char *id, const char *interface, int64_t taken_at_ns,
		       void *context, struct error *err)
{
	(void)ip, (void)id, (void)interface, (void)taken_at_ns, (void)err;
	++*(int *)context;
	return 0;
}

/*
 * O(log n): the last thousand may cost some more than the first, not a hundred
 * times. 20 us is what a build without sanitizers is asked for: it takes 0.2 to 6.
 */
static void cost_is_flat(struct kit *kit, const char *subnet)
{
	struct ipam_config config = kit_config(subnet);
	int many = getenv("WHERRY_TEST_LONG") ? 1000000 : MANY, count = 0;
	double first[OPERATIONS], last[OPERATIONS];
	struct error err = { 0 };
	AUTO(store_txn) txn = NULL;

	for (enum operation what = 0; what < OPERATIONS; what++)
		first[what] = operate_many(kit, &config, what, 0, SAMPLE);
	operate_many(kit, &config, TAKE_ONE, SAMPLE, many - SAMPLE);
	for (enum operation what = 0; what < OPERATIONS; what++) {
		int from = what == TAKE_ONE ? many : many / 2;
		last[what] = operate_many(kit, &config, what, from, SAMPLE);
		print_message("%s: %s: %.1f us at first, %.1f us with %d leases\n", subnet,
			      operation_name[what], first[what], last[what], many);
		if (last[what] > first[what] * 10)
			fail_msg("%s does not stay flat", operation_name[what]);
	}
	assert_int_equal(store_begin(kit->store, STORE_READ, &txn, &err), 0);
	assert_int_equal(lease_each(txn, "net", count_lease, &count, &err), 0);
	assert_int_equal(count, many - SAMPLE);
}

static void cni_072_cost_does_not_grow_with_the_leases(void **state)
{
	cost_is_flat(*state, "10.0.0.0/8");
}

static void cni_072_cost_does_not_grow_with_the_leases_of_ipv6(void **state)
{
	cost_is_flat(*state, "fd00:1::/64");
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
		WITH_STORE(cni_072_cost_does_not_grow_with_the_leases_of_ipv6),
		WITH_STORE(a_forgotten_network_leaves_no_lease_and_others_keep_theirs),
		WITH_STORE(runs_agree_with_a_plain_table),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
