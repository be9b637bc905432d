/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "names.h"

#include "fixture.h"
#include "record.h"

#define LONG_ID "0123456789abcdef0123456789abcdef"

static void put_network(struct store_txn *txn, const char *name, uint16_t id)
{
	struct error err = { 0 };
	auto_text text = { 0 };
	struct network_info info = { .id = id };
	snprintf(info.spec.name, sizeof info.spec.name, "%s", name);
	assert_int_equal(network_encode(&info, &text, &err), 0);
	assert_int_equal(store_put(txn, TABLE_NETWORKS, bytes_of_text(name),
				   bytes_of(text.data, text.size), &err),
			 0);
}

/* names ends with NULL */
static struct endpoint_info put_endpoint(struct store_txn *txn, const char *id, const char *address,
					 uint32_t slot, const char *const *names)
{
	struct error err = { 0 };
	struct endpoint_info info = endpoint_named(id, address);
	struct key key = endpoint_key_of(id, "eth0");
	struct key place = address_key_of(1, info.address.ip);
	info.slot = slot;
	snprintf(info.hostname, sizeof info.hostname, "host%u", slot);
	for (; *names; names++)
		assert_int_equal(words_append(&info.names, *names, &err), 0);
	if (slot == 1) {
		info.link_count = 1;
		info.links = calloc(1, sizeof *info.links);
		snprintf(info.links[0].name, sizeof info.links[0].name, "db");
		snprintf(info.links[0].target, sizeof info.links[0].target, "%s", LONG_ID);
	}
	assert_int_equal(endpoint_save(txn, &info, &err), 0);
	assert_int_equal(store_put(txn, TABLE_ADDRESSES, key_bytes(&place), key_bytes(&key), &err),
			 0);
	assert_int_equal(names_index(txn, &info, &err), 0);
	return info;
}

static void fill(struct store *store)
{
	static const char *const web[] = { "Web", "www", NULL };
	static const char *const store_names[] = { "store", "www", NULL };
	struct error err = { 0 };
	AUTO(store_txn) txn = NULL;
	assert_int_equal(store_begin(store, STORE_WRITE, &txn, &err), 0);
	put_network(txn, "web", 1);
	put_network(txn, "other", 2);
	struct endpoint_info first = put_endpoint(txn, "c1", "10.1.0.2", 1, web);
	struct endpoint_info second = put_endpoint(txn, LONG_ID, "10.1.0.3", 2, store_names);
	endpoint_info_release(&first);
	endpoint_info_release(&second);
	assert_int_equal(store_commit(&txn, &err), 0);
}

static void a_name_has_the_addresses_of_all_who_bear_it(void **state)
{
	static const struct {
		const char *network, *client, *name;
		int count;
		const char *first;
	} rows[] = {
		{ "web", "10.1.0.3", "web", 1, "10.1.0.2" },
		{ "web", "10.1.0.3", "WEB", 1, "10.1.0.2" },
		{ "web", "10.1.0.3", "www", 2, "10.1.0.2" },
		{ "web", "10.1.0.3", "c1", 1, "10.1.0.2" },
		{ "web", "10.1.0.2", LONG_ID, 1, "10.1.0.3" },
		{ "web", "10.1.0.2", "0123456789ab", 1, "10.1.0.3" }, /* the short id */
		{ "web", "10.1.0.2", "0123456789a", 0, NULL },
		{ "web", "10.1.0.2", "host2", 1, "10.1.0.3" },
		{ "web", "10.1.0.2", "db", 1, "10.1.0.3" }, /* its own link */
		{ "web", "10.1.0.3", "db", 0, NULL },       /* another's link */
		{ "web", "10.1.0.2", "ww", 0, NULL },
		{ "web", "10.1.0.2", "", 0, NULL },
		{ "other", "10.1.0.2", "web", 0, NULL },
		{ "none", "10.1.0.2", "web", 0, NULL },
	};
	struct fixture *fixture = *state;
	fill(fixture->store);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error err = { 0 };
		struct ip ips[4] = { 0 };
		int r = names_resolve(fixture->store, rows[i].network, ip_of(rows[i].client),
				      rows[i].name, ips, 4, &err);
		if (r != rows[i].count || (r > 0 && !ip_equal(ips[0], ip_of(rows[i].first))))
			fail_msg("row %zu (%s): %d, %s", i, rows[i].name, r,
				 ip_format(ips[0]).text);
	}
}

static void no_more_is_written_than_there_is_room_for(void **state)
{
	struct fixture *fixture = *state;
	struct error err = { 0 };
	struct ip ips[2] = { 0 };
	fill(fixture->store);
	assert_int_equal(
		names_resolve(fixture->store, "web", (struct ip){ 0 }, "www", ips, 1, &err), 2);
	assert_true(ip_is_unset(ips[1]));
}

static void an_address_has_its_first_name(void **state)
{
	struct fixture *fixture = *state;
	struct error err = { 0 };
	char name[64];
	fill(fixture->store);
	assert_int_equal(
		names_reverse(fixture->store, "web", ip_of("10.1.0.2"), name, sizeof name, &err),
		1);
	assert_string_equal(name, "Web");
	assert_int_equal(
		names_reverse(fixture->store, "web", ip_of("10.1.0.9"), name, sizeof name, &err),
		0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(a_name_has_the_addresses_of_all_who_bear_it),
		FIXTURE_TEST(no_more_is_written_than_there_is_room_for),
		FIXTURE_TEST(an_address_has_its_first_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
