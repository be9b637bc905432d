/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kit.h"

static const struct {
	const char *json, *error; /* NULL: good */
} rows[] = {
	{ "{'subnet':'10.1.0.0/16'}", NULL },
	{ "{'ranges':[[{'subnet':'10.1.0.0/24'}],[{'subnet':'fd00::/64'}]]}", NULL },
	{ "{'ranges':[[{'Subnet':'10.1.0.0/24','RangeStart':'10.1.0.9'}]]}", NULL },
	{ "{'subnet':'10.1.0.0/24','gateway':'192.168.0.1'}", NULL }, /* may lie outside */
	{ "{}", "ipam: no range to take an address from" },
	{ "{'ranges':[[]]}", "ipam: ranges[0]: must be a list of 1 to 16 ranges" },
	{ "{'ranges':[[{}]]}", "ipam: ranges[0][0].subnet: is missing" },
	{ "{'subnet':'10.1.0.5/16'}",
	  "ipam: subnet 10.1.0.5/16 has host bits: 10.1.0.0/16 would be right" },
	{ "{'subnet':'10.1.0.0/31'}", "ipam: subnet 10.1.0.0/31 is too small: at most /30" },
	{ "{'subnet':'fd00::/127'}", "ipam: subnet fd00::/127 is too small: at most /126" },
	{ "{'subnet':'10.1.0.0/24','rangeStart':'10.2.0.1'}",
	  "ipam: rangeStart 10.2.0.1 lies outside subnet 10.1.0.0/24" },
	{ "{'subnet':'10.1.0.0/24','rangeEnd':'10.1.0.255'}",
	  "ipam: rangeEnd 10.1.0.255 is the broadcast address of subnet 10.1.0.0/24" },
	{ "{'subnet':'10.1.0.0/24','rangeStart':'10.1.0.0'}",
	  "ipam: rangeStart 10.1.0.0 is the network address of subnet 10.1.0.0/24" },
	{ "{'subnet':'10.1.0.0/24','rangeStart':'10.1.0.9','rangeEnd':'10.1.0.8'}",
	  "ipam: rangeEnd 10.1.0.8 comes before rangeStart 10.1.0.9" },
	{ "{'subnet':'10.1.0.0/24','gateway':'fd00::1'}",
	  "ipam: gateway fd00::1 is of another family than subnet 10.1.0.0/24" },
	{ "{'ranges':[[{'subnet':'10.1.0.0/24'},{'subnet':'fd00::/64'}]]}",
	  "ipam: subnets 10.1.0.0/24 and fd00::/64 of one set are of two families" },
	{ "{'ranges':[[{'subnet':'10.1.0.0/24'}],[{'subnet':'10.1.0.128/25'}]]}",
	  "ipam: ranges 10.1.0.1-10.1.0.254 and 10.1.0.129-10.1.0.254 overlap" },
	{ "{'subnet':'255.255.255.252/30'}", NULL }, /* the end of the address space */
	{ "{'subnet':'10.1.0.0/24','routes':[{'dst':'0.0.0.0/0','gw':'fd00::1'}]}",
	  "ipam: routes[0]: gw fd00::1 is of another family than dst 0.0.0.0/0" },
};

static void read_row(size_t i, const char *json, const char *expected)
{
	auto_json document = NULL;
	struct error err = { 0 };
	struct ipam_config config = { 0 };
	char text[512];

	snprintf(text, sizeof text, "%s", json);
	for (char *at = text; *at; at++)
		if (*at == '\'')
			*at = '"';
	if (json_parse("ipam", text, strlen(text), &document, &err) < 0)
		fail_msg("row %zu: %s", i, err.text);
	struct json_at at = json_root(document, "ipam");
	int r = ipam_config_read(&at, &config, &err);
	if ((r < 0) != (expected != NULL))
		fail_msg("row %zu: %s: %d %s", i, json, r, err.text);
	if (expected && strcmp(expected, err.text) != 0)
		fail_msg("row %zu: %s\n  is       %s\n  expected %s", i, json, err.text, expected);
}

static void cni_060_ranges_that_cannot_be_meant_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		read_row(i, rows[i].json, rows[i].error);
}

static void cni_061_a_range_is_the_usable_part_of_its_subnet(void **state)
{
	static const struct {
		const char *subnet, *first, *last, *gateway;
	} defaults[] = {
		{ "10.1.0.0/29", "10.1.0.1", "10.1.0.6", "10.1.0.1" },
		{ "fd00::/125", "fd00::1", "fd00::7", "fd00::1" },
		{ "255.255.255.252/30", "255.255.255.253", "255.255.255.254", "255.255.255.253" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++) {
		struct ipam_config config = kit_config(defaults[i].subnet);
		const struct ipam_range *range = &config.sets[0].ranges[0];
		assert_string_equal(ip_format(range->first).text, defaults[i].first);
		assert_string_equal(ip_format(range->last).text, defaults[i].last);
		assert_string_equal(ip_format(range->gateway).text, defaults[i].gateway);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cni_060_ranges_that_cannot_be_meant_are_refused),
		cmocka_unit_test(cni_061_a_range_is_the_usable_part_of_its_subnet),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
