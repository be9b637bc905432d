/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>

#include "base/ip.h"

static struct ip ip(const char *text)
{
	struct ip value;
	struct error err;
	MUST(ip_parse(text, &value, &err), err);
	return value;
}

static struct prefix prefix(const char *text)
{
	struct prefix value;
	struct error err;
	MUST(prefix_parse(text, &value, &err), err);
	return value;
}

static void addresses_are_read_and_written(void **state)
{
	static const struct {
		const char *text, *out; /* out NULL: refused */
	} rows[] = {
		{ "10.1.2.3", "10.1.2.3" },
		{ "0.0.0.0", "0.0.0.0" },
		{ "255.255.255.255", "255.255.255.255" },
		{ "fd00::1", "fd00::1" },
		{ "FD00:0:0:0:0:0:0:1", "fd00::1" },
		{ "::", "::" },
		{ "::ffff:10.1.2.3", "10.1.2.3" }, /* the same address in the other spelling */
		{ "1:0:0:2:0:0:0:3", "1:0:0:2::3" },
		{ "10.1.2", NULL },
		{ "10.1.2.256", NULL },
		{ "010.1.2.3", NULL }, /* octal or decimal: nobody knows */
		{ "10.1.2.3 ", NULL },
		{ " 10.1.2.3", NULL },
		{ "10.1.2.3/24", NULL },
		{ "fe80::1%eth0", NULL },
		{ "1:2:3:4:5:6:7:8:9", NULL },
		{ "::1::", NULL },
		{ "", NULL },
		{ "localhost", NULL },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct ip value;
		struct error err = { 0 };
		int r = ip_parse(rows[i].text, &value, &err);
		CHECK_ROW(i, rows[i].text, r == (rows[i].out ? 0 : -EINVAL));
		CHECK_ROW(i, rows[i].text, (err.code != 0) == !rows[i].out);
		if (rows[i].out)
			assert_string_equal(ip_format(value).text, rows[i].out);
	}
}

static void kinds_of_addresses_are_told_apart(void **state)
{
	static const struct {
		const char *text;
		bool v4, unset, loopback, multicast;
	} rows[] = {
		{ "0.0.0.0", true, true, false, false },
		{ "::", false, true, false, false },
		{ "127.0.0.1", true, false, true, false },
		{ "127.255.0.1", true, false, true, false },
		{ "::1", false, false, true, false },
		{ "224.0.0.1", true, false, false, true },
		{ "239.255.255.255", true, false, false, true },
		{ "240.0.0.1", true, false, false, false },
		{ "ff02::1", false, false, false, true },
		{ "10.0.0.1", true, false, false, false },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct ip value = ip(rows[i].text);
		CHECK_ROW(i, rows[i].text, ip_is_v4(value) == rows[i].v4);
		CHECK_ROW(i, rows[i].text, ip_is_unset(value) == rows[i].unset);
		CHECK_ROW(i, rows[i].text, ip_is_loopback(value) == rows[i].loopback);
		CHECK_ROW(i, rows[i].text, ip_is_multicast(value) == rows[i].multicast);
	}
	assert_true(ip_is_unset((struct ip){ { 0 } }));
}

static void arithmetic_wraps_and_cuts_as_promised(void **state)
{
	(void)state;
	assert_int_equal(ip_distance(ip("10.0.0.1"), ip("10.0.1.1")), 256);
	assert_true(ip_distance(ip("10.0.1.1"), ip("10.0.0.1")) == UINT64_MAX);
	assert_true(ip_distance(ip("::"), ip("1::")) == UINT64_MAX);
	assert_true(ip_equal(ip_add(ip("10.0.0.255"), 1), ip("10.0.1.0")));
	assert_true(ip_equal(ip_add(ip("fd00::ffff:ffff:ffff:ffff"), 1), ip("fd00:0:0:1::")));
	assert_true(ip_equal(ip_add(ip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), 1), ip("::")));
	assert_true(ip_compare(ip("10.0.0.2"), ip("10.0.0.10")) < 0);
	assert_true(ip_compare(ip("10.0.0.2"), ip("fd00::")) < 0);
	assert_int_equal(ip_to_v4(ip("1.2.3.4")).s_addr, htonl(0x01020304));
	assert_int_equal(ip_to_v4(ip("fd00::1")).s_addr, 0);
}

static void prefixes_are_read_and_written(void **state)
{
	static const struct {
		const char *text;
		const char *network, *last; /* NULL: refused */
	} rows[] = {
		{ "10.1.0.5/16", "10.1.0.0/16", "10.1.255.255" },
		{ "10.1.0.5/32", "10.1.0.5/32", "10.1.0.5" },
		{ "10.1.0.5/31", "10.1.0.4/31", "10.1.0.5" },
		{ "0.0.0.0/0", "0.0.0.0/0", "255.255.255.255" },
		{ "10.1.2.3/9", "10.0.0.0/9", "10.127.255.255" },
		{ "fd00::1/64", "fd00::/64", "fd00::ffff:ffff:ffff:ffff" },
		{ "fd00::1/128", "fd00::1/128", "fd00::1" },
		{ "::/0", "::/0", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
		{ "10.1.0.0/33", NULL, NULL },
		{ "fd00::/129", NULL, NULL },
		{ "10.1.0.0", NULL, NULL },
		{ "10.1.0.0/", NULL, NULL },
		{ "10.1.0.0/-1", NULL, NULL },
		{ "10.1.0.0/+8", NULL, NULL },
		{ "10.1.0.0/255.255.0.0", NULL, NULL },
		{ "/8", NULL, NULL },
		{ "10.1.0.0/8/8", NULL, NULL },
		{ "1111:1111:1111:1111:1111:1111:1111:1111:1111:1111/64", NULL, NULL },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct prefix value;
		struct error err = { 0 };
		int r = prefix_parse(rows[i].text, &value, &err);
		CHECK_ROW(i, rows[i].text, r == (rows[i].network ? 0 : -EINVAL));
		if (!rows[i].network)
			continue;
		assert_int_equal(err.code, 0);
		assert_string_equal(prefix_format(value).text, rows[i].text);
		assert_string_equal(prefix_format(prefix_network(value)).text, rows[i].network);
		assert_string_equal(ip_format(prefix_last(value)).text, rows[i].last);
	}
}

static void prefixes_contain_and_overlap(void **state)
{
	static const struct {
		const char *a, *b;
		bool overlap;
	} rows[] = {
		{ "10.1.0.0/16", "10.1.2.0/24", true },
		{ "10.1.0.0/16", "10.2.0.0/16", false },
		{ "10.1.0.9/24", "10.1.0.77/24", true }, /* host bits say nothing */
		{ "0.0.0.0/0", "10.0.0.0/8", true },
		{ "::/0", "10.0.0.0/8", false }, /* another family, though a part as a number */
		{ "fd00::/8", "fd12::/16", true },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CHECK_ROW(i, rows[i].a,
			  prefix_overlaps(prefix(rows[i].a), prefix(rows[i].b)) == rows[i].overlap);
		CHECK_ROW(i, rows[i].b,
			  prefix_overlaps(prefix(rows[i].b), prefix(rows[i].a)) == rows[i].overlap);
	}
	assert_true(prefix_contains(prefix("10.1.0.0/16"), ip("10.1.255.255")));
	assert_false(prefix_contains(prefix("10.1.0.0/16"), ip("10.2.0.0")));
	assert_int_equal(prefix_netmask(prefix("10.0.0.0/20")).s_addr, htonl(0xfffff000));
	assert_int_equal(prefix_netmask(prefix("0.0.0.0/0")).s_addr, 0);
	assert_true(prefix_is_unset((struct prefix){ 0 }));
	assert_false(prefix_is_unset(prefix("0.0.0.0/0")));
}

static void hardware_addresses_are_read_and_written(void **state)
{
	static const struct {
		const char *text, *out;
	} rows[] = {
		{ "02:42:0a:01:00:05", "02:42:0a:01:00:05" },
		{ "02:42:0A:FF:00:05", "02:42:0a:ff:00:05" },
		{ "00:00:00:00:00:00", NULL },
		{ "01:00:5e:00:00:01", NULL },
		{ "2:42:a:1:0:5", NULL },
		{ "02-42-0a-01-00-05", NULL },
		{ "02:42:0a:01:00", NULL },
		{ "02:42:0a:01:00:05:06", NULL },
		{ "02:42:0a:01:00:g5", NULL },
		{ "02:42:0a:01:00:+5", NULL },
		{ "", NULL },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct mac value;
		struct error err = { 0 };
		int r = mac_parse(rows[i].text, &value, &err);
		CHECK_ROW(i, rows[i].text, r == (rows[i].out ? 0 : -EINVAL));
		if (rows[i].out)
			assert_string_equal(mac_format(value).text, rows[i].out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_read_and_written),
		cmocka_unit_test(kinds_of_addresses_are_told_apart),
		cmocka_unit_test(arithmetic_wraps_and_cuts_as_promised),
		cmocka_unit_test(prefixes_are_read_and_written),
		cmocka_unit_test(prefixes_contain_and_overlap),
		cmocka_unit_test(hardware_addresses_are_read_and_written),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
