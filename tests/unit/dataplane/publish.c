/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "publish.h"

#include <errno.h>

#include "fixture.h"

static int reserve(struct store_txn *txn, const char *id, const char *host_ip, uint16_t port,
		   uint16_t count, uint8_t protocol, char *ret_holder)
{
	struct error err = { 0 };
	struct publish_conflict conflict;
	struct publish_spec publish = {
		.host_port = port, .container_port = 80, .count = count, .protocol = protocol
	};
	struct endpoint_info info = endpoint_named(id, "10.1.0.2");
	if (text_equal(host_ip, "both") || strchr(host_ip, ':'))
		info.address6 = (struct prefix){ ip_of("fd00::2"), 64 };
	if (text_equal(host_ip, "::"))
		publish.family = PUBLISH_IPV6;
	else if (text_equal(host_ip, "both"))
		publish.family = PUBLISH_BOTH;
	else if (host_ip[0])
		publish.host_ip = ip_of(host_ip);
	info.publish = &publish;
	info.publish_count = 1;
	int r = publish_reserve(txn, &info, PUBLISH_IGNORE_LISTENERS, &conflict, &err);
	if (r == 1)
		snprintf(ret_holder, 16, "%s", (const char *)conflict.holder.bytes);
	return r;
}

static void a_publication_meets_what_overlaps_it(void **state)
{
	static const struct {
		const char *ip;
		uint16_t port, count;
		uint8_t protocol;
		const char *holder; /* NULL: free */
	} rows[] = {
		{ "", 8080, 1, PROTOCOL_TCP, "all" },
		{ "192.0.2.1", 8080, 1, PROTOCOL_TCP, "all" }, /* a wildcard holds each address */
		{ "", 8080, 1, PROTOCOL_UDP, NULL },
		{ "", 8079, 1, PROTOCOL_TCP, NULL },
		{ "", 8081, 1, PROTOCOL_TCP, NULL },
		{ "", 8000, 200, PROTOCOL_TCP, "all" },
		{ "", 9000, 1, PROTOCOL_TCP, "range" },
		{ "", 9099, 1, PROTOCOL_TCP, "range" },
		{ "", 9100, 1, PROTOCOL_TCP, NULL },
		{ "", 8990, 10, PROTOCOL_TCP, NULL },
		{ "", 8990, 11, PROTOCOL_TCP, "range" },
		{ "", 9050, 10, PROTOCOL_TCP, "range" },
		{ "", 7000, 1, PROTOCOL_TCP, "one" }, /* each address is held from a wildcard */
		{ "192.0.2.7", 7000, 1, PROTOCOL_TCP, "one" },
		{ "192.0.2.8", 7000, 1, PROTOCOL_TCP, NULL },
		{ "", 65535, 1, PROTOCOL_TCP, "last" },
		{ "", 65530, 6, PROTOCOL_TCP, "last" },
		{ "", 65530, 5, PROTOCOL_TCP, NULL },
		{ "::", 8080, 1, PROTOCOL_TCP, NULL }, /* families have ports of their own */
		{ "both", 8080, 1, PROTOCOL_TCP, "all" },
		{ "", 6000, 1, PROTOCOL_TCP, NULL },
		{ "::", 6000, 1, PROTOCOL_TCP, "six" },
		{ "both", 6009, 1, PROTOCOL_TCP, "six" },
		{ "2001:db8::9", 6009, 1, PROTOCOL_TCP, "six" },
		{ "", 6100, 1, PROTOCOL_TCP, NULL },
		{ "::", 6100, 1, PROTOCOL_TCP, "last6" }, /* behind all of IPv4 */
		{ "both", 6200, 1, PROTOCOL_TCP, "loop6" },
		{ "::1", 6200, 1, PROTOCOL_TCP, "loop6" },
		{ "2001:db8::9", 6200, 1, PROTOCOL_TCP, NULL },
		{ "", 6300, 1, PROTOCOL_TCP, "two" },
		{ "::", 6300, 1, PROTOCOL_TCP, "two" },
	};
	static const struct {
		const char *id, *ip;
		uint16_t port, count;
	} there[] = { { "all", "", 8080, 1 },          { "range", "", 9000, 100 },
		      { "one", "192.0.2.7", 7000, 1 }, { "last", "", 65535, 1 },
		      { "six", "::", 6000, 10 },       { "last6", "fe80::1", 6100, 1 },
		      { "loop6", "::1", 6200, 1 },     { "two", "both", 6300, 1 } };
	struct fixture *fixture = *state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error err = { 0 };
		char holder[16] = "";
		AUTO(store_txn) txn = NULL;
		assert_int_equal(store_begin(fixture->store, STORE_WRITE, &txn, &err), 0);
		for (size_t k = 0; k < ARRAY_SIZE(there); k++)
			assert_int_equal(reserve(txn, there[k].id, there[k].ip, there[k].port,
						 there[k].count, PROTOCOL_TCP, holder),
					 0);
		int r = reserve(txn, "new", rows[i].ip, rows[i].port, rows[i].count,
				rows[i].protocol, holder);
		if (r != (rows[i].holder != NULL) || (r == 1 && strcmp(holder, rows[i].holder)))
			fail_msg("row %zu: %d, held by \"%s\"", i, r, holder);
	}
}

static void ports_that_are_no_ports_are_refused(void **state)
{
	static const struct {
		struct publish_spec publish;
		int result;
	} rows[] = {
		{ { .host_port = 80, .container_port = 80, .count = 1, .protocol = 6 }, 0 },
		{ { .host_port = 0, .container_port = 80, .count = 1, .protocol = 6 }, 0 },
		{ { .host_port = 65535, .container_port = 65535, .count = 1, .protocol = 17 }, 0 },
		{ { .host_port = 80, .container_port = 80, .count = 1, .protocol = 33 },
		  -EPROTONOSUPPORT },
		{ { .host_port = 80, .container_port = 80, .count = 0, .protocol = 6 }, -EINVAL },
		{ { .host_port = 80, .container_port = 0, .count = 1, .protocol = 6 }, -EINVAL },
		{ { .host_port = 65535, .container_port = 80, .count = 2, .protocol = 6 },
		  -EINVAL },
		{ { .host_port = 80, .container_port = 65535, .count = 2, .protocol = 6 },
		  -EINVAL },
		{ { .host_port = 0, .container_port = 80, .count = 2, .protocol = 6 }, -EINVAL },
		{ { .host_port = 80, .container_port = 80, .count = 1, .protocol = 6, .family = 6 },
		  0 },
		{ { .host_port = 80, .container_port = 80, .count = 1, .protocol = 6, .family = 9 },
		  -EINVAL },
		{ { .host_ip = { { [15] = 1 } },
		    .host_port = 80,
		    .container_port = 80,
		    .count = 1,
		    .protocol = 6,
		    .family = PUBLISH_IPV4 },
		  -EINVAL },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error err = { 0 };
		int r = publish_check(&rows[i].publish, 1, &err);
		if (r != rows[i].result)
			fail_msg("row %zu: %d", i, r);
	}
}

static void what_is_given_back_is_free(void **state)
{
	struct fixture *fixture = *state;
	struct error err = { 0 };
	char holder[16];
	struct publish_spec publish = { .host_port = 80, .count = 1, .protocol = PROTOCOL_TCP };
	struct endpoint_info info = endpoint_named("c1", "10.1.0.2"),
			     other = endpoint_named("c2", "10.1.0.3");
	AUTO(store_txn) txn = NULL;
	info.publish = other.publish = &publish;
	info.publish_count = other.publish_count = 1;
	assert_int_equal(store_begin(fixture->store, STORE_WRITE, &txn, &err), 0);
	assert_int_equal(reserve(txn, "c1", "", 80, 1, PROTOCOL_TCP, holder), 0);
	/* Another's port is not given back by who wanted it in vain. */
	assert_int_equal(publish_unreserve(txn, &other, &err), 0);
	assert_int_equal(reserve(txn, "c2", "", 80, 1, PROTOCOL_TCP, holder), 1);
	assert_int_equal(publish_unreserve(txn, &info, &err), 0);
	assert_int_equal(reserve(txn, "c2", "", 80, 1, PROTOCOL_TCP, holder), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(a_publication_meets_what_overlaps_it),
		cmocka_unit_test(ports_that_are_no_ports_are_refused),
		FIXTURE_TEST(what_is_given_back_is_free),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
