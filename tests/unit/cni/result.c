/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One result, told in each version; and what other plugins give, understood. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "result.h"

static struct ip ip(const char *text)
{
	struct error err = { 0 };
	struct ip value = { { 0 } };
	assert_int_equal(ip_parse(text, &value, &err), 0);
	return value;
}

static struct json_t *parse(const char *text)
{
	struct json_t *document = NULL;
	struct error err = { 0 };
	if (json_parse("test", text, strlen(text), &document, &err) < 0)
		fail_msg("%s", err.text);
	return document;
}

static struct cni_result sample(void)
{
	struct cni_result result = {
		.interfaces = { { "cni0", { { 2, 0, 0, 0, 0, 1 } }, 1500, NULL },
				{ "veth1", { { 2, 0, 0, 0, 0, 2 } }, 1500, NULL },
				{ "eth0", { { 2, 0x42, 0xa, 1, 0, 5 } }, 1500, "/run/netns/t1" } },
		.interface_count = 3,
		.addresses = { { { ip("10.1.0.5"), 16 }, ip("10.1.0.1"), 2 } },
		.address_count = 1,
		.routes = parse("[{\"dst\":\"0.0.0.0/0\",\"gw\":\"10.1.0.1\",\"mtu\":1400}]"),
	};
	return result;
}

#define INTERFACES                                                           \
	"\"interfaces\":[{\"name\":\"cni0\",\"mac\":\"02:00:00:00:00:01\"}," \
	"{\"name\":\"veth1\",\"mac\":\"02:00:00:00:00:02\"},"                \
	"{\"name\":\"eth0\",\"mac\":\"02:42:0a:01:00:05\",\"sandbox\":\"/run/netns/t1\"}],"
#define ROUTES "\"routes\":[{\"dst\":\"0.0.0.0/0\",\"gw\":\"10.1.0.1\"}]"
#define ADDRESS "\"interface\":2,\"address\":\"10.1.0.5/16\",\"gateway\":\"10.1.0.1\"}],"
#define OLD "\"ip4\":{\"ip\":\"10.1.0.5/16\",\"gateway\":\"10.1.0.1\"," ROUTES "},\"dns\":{}}"

static void cni_027_a_result_has_the_form_of_its_version(void **state)
{
	static const char *const expected[] = {
		[CNI_0_1_0] = "{\"cniVersion\":\"0.1.0\"," OLD,
		[CNI_0_2_0] = "{\"cniVersion\":\"0.2.0\"," OLD,
		[CNI_0_3_0] = "{\"cniVersion\":\"0.3.0\"," INTERFACES
			      "\"ips\":[{\"version\":\"4\"," ADDRESS ROUTES ",\"dns\":{}}",
		[CNI_0_3_1] = "{\"cniVersion\":\"0.3.1\"," INTERFACES
			      "\"ips\":[{\"version\":\"4\"," ADDRESS ROUTES ",\"dns\":{}}",
		[CNI_0_4_0] = "{\"cniVersion\":\"0.4.0\"," INTERFACES
			      "\"ips\":[{\"version\":\"4\"," ADDRESS ROUTES ",\"dns\":{}}",
		[CNI_1_0_0] =
			"{\"cniVersion\":\"1.0.0\"," INTERFACES "\"ips\":[{" ADDRESS ROUTES "}",
		[CNI_1_1_0] = "{\"cniVersion\":\"1.1.0\",\"interfaces\":[{\"name\":\"cni0\","
			      "\"mac\":\"02:00:00:00:00:01\",\"mtu\":1500},{\"name\":\"veth1\","
			      "\"mac\":\"02:00:00:00:00:02\",\"mtu\":1500},{\"name\":\"eth0\","
			      "\"mac\":\"02:42:0a:01:00:05\",\"mtu\":1500,"
			      "\"sandbox\":\"/run/netns/t1\"}],\"ips\":[{" ADDRESS
			      "\"routes\":[{\"dst\":\"0.0.0.0/0\",\"gw\":\"10.1.0.1\",\"mtu\":1400}"
			      "]}",
	};
	auto_cni_result result = sample();
	(void)state;
	for (int v = 0; v < CNI_VERSION_COUNT; v++) {
		auto_json document = NULL;
		auto_free char *text = NULL;
		struct error err = { 0 };
		assert_int_equal(cni_result_format(&result, (enum cni_version)v, &document, &err),
				 0);
		assert_int_equal(json_format(document, JSON_COMPACT, &text, &err), 0);
		assert_string_equal(text, expected[v]);
	}
}

static void cni_028_no_address_cannot_be_told_in_the_oldest_versions(void **state)
{
	struct cni_result result = { .address_count = 0 };
	struct json_t *document = NULL;
	struct error err = { 0 };
	(void)state;
	assert_true(cni_result_format(&result, CNI_0_2_0, &document, &err) < 0);
	assert_string_equal(err.text, "a result without an address cannot be told in cniVersion "
				      "0.2.0: 0.3.0 or above would be right");
}

static void cni_029_results_of_every_version_are_understood(void **state)
{
	static const struct {
		const char *text, *address; /* "": none */
		int result;
	} rows[] = {
		{ "{\"ips\":[{\"address\":\"10.1.0.5/16\",\"gateway\":\"10.1.0.1\"}]}",
		  "10.1.0.5/16", 0 },
		{ "{\"cniVersion\":\"0.4.0\",\"ips\":[{\"version\":\"4\",\"address\":\"10.1.0.5/"
		  "16\"}]}",
		  "10.1.0.5/16", 0 },
		{ "{\"cniVersion\":\"0.2.0\",\"ip4\":{\"ip\":\"10.1.0.5/16\",\"routes\":[{\"dst\":"
		  "\"0.0.0.0/0\"}]}}",
		  "10.1.0.5/16", 0 },
		{ "{}", "", 0 },
		{ "[]", "", -1 },
		{ "{\"ips\":[{}]}", "", -1 },
		{ "{\"ips\":[{\"address\":\"10.1\"}]}", "", -1 },
		{ "{\"cniVersion\":\"9\"}", "", -1 },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		auto_json document = parse(rows[i].text);
		struct json_at at = json_root(document, "plugin");
		auto_cni_result result = { 0 };
		struct error err = { 0 };
		int r = cni_result_read(&at, CNI_1_0_0, &result, &err);
		if ((r < 0) != (rows[i].result < 0))
			fail_msg("row %zu: %s: %d %s", i, rows[i].text, r, err.text);
		assert_int_equal(result.address_count, *rows[i].address ? 1 : 0);
		if (*rows[i].address)
			assert_string_equal(prefix_format(result.addresses[0].address).text,
					    rows[i].address);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cni_027_a_result_has_the_form_of_its_version),
		cmocka_unit_test(cni_028_no_address_cannot_be_told_in_the_oldest_versions),
		cmocka_unit_test(cni_029_results_of_every_version_are_understood),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
