/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "load.h"

#include <errno.h>

#include "fixture.h"

static void write_config(struct instance *instance, const char *folder, const char *text)
{
	char path[600];
	struct error err = { 0 };
	*instance = (struct instance){ .tag = "" };
	snprintf(instance->config, sizeof instance->config, "%s", folder);
	snprintf(path, sizeof path, "%s/config.json", folder);
	assert_int_equal(file_replace(path, text, strlen(text), 0644, FILE_NO_SYNC, &err), 0);
}

static void the_configuration_chooses_the_masquerade_ports(void **state)
{
	static const struct {
		const char *text;
		int result;
		uint16_t first, count;
		const char *says;
	} rows[] = {
		{ "{}", 0, 16384, 16384, "" },
		{ "{\"masqueradePorts\": \"32768-65535\"}", 0, 32768, 32768, "" },
		{ "{\"masqueradePorts\": \"61440-62463\"}", 0, 61440, 1024, "" },
		{ "{\"masqueradePorts\": \"1000-2023\"}", -EINVAL, 0, 0, "1000-2023" },
		{ "{\"masqueradePorts\": \"20000-20999\"}", -EINVAL, 0, 0, "power of two" },
		{ "{\"masqueradePorts\": \"30000-20000\"}", -EINVAL, 0, 0, "30000-20000" },
		{ "{\"masqueradePorts\": \"20000\"}", -EINVAL, 0, 0, "FIRST-LAST" },
		{ "{\"masqueradePorts\": 20000}", -EINVAL, 0, 0, "masqueradePorts" },
		{ "{\"masqueradePorts\": ", -EINVAL, 0, 0, "config.json" },
	};
	struct fixture *fixture = *state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct instance instance;
		struct port_range range = { 0 };
		struct error err = { 0 };
		write_config(&instance, fixture->folder, rows[i].text);
		int r = load_masquerade_ports(&instance, &range, &err);
		if (r != rows[i].result || !strstr(err.text, rows[i].says) ||
		    (r == 0 && (range.first != rows[i].first || range.count != rows[i].count)))
			fail_msg("row %zu: %d, %u + %u, %s", i, r, range.first, range.count,
				 err.text);
	}
}

static void another_instance_has_a_slice_of_its_own(void **state)
{
	struct fixture *fixture = *state;
	struct instance instance = { .tag = "0123abcd" };
	struct port_range range;
	struct error err = { 0 };
	snprintf(instance.config, sizeof instance.config, "%s/none", fixture->folder);
	assert_int_equal(load_masquerade_ports(&instance, &range, &err), 0);
	assert_int_equal(range.count, 1024);
	assert_in_range(range.first, 61440, 65535 - 1023);
	assert_int_equal(range.first % 1024, 0);
}

static void the_configuration_bounds_the_flows(void **state)
{
	static const struct {
		const char *text;
		int result;
		uint32_t flows, each;
		const char *says;
	} rows[] = {
		{ "{\"flows\": 100000}", 0, 100000, 50000, "" },
		{ "{\"flows\": 100000, \"flowsPerEndpoint\": 1000}", 0, 100000, 1000, "" },
		{ "{\"flows\": 10000, \"flowsPerEndpoint\": 20000}", 0, 10000, 10000, "" },
		{ "{\"flows\": 10}", -EINVAL, 0, 0, "flows" },
		{ "{\"flows\": \"many\"}", -EINVAL, 0, 0, "flows" },
		{ "{\"flowsPerEndpoint\": 0}", -EINVAL, 0, 0, "flowsPerEndpoint" },
	};
	struct fixture *fixture = *state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct instance instance;
		struct flow_limits limits = { 0 };
		struct error err = { 0 };
		write_config(&instance, fixture->folder, rows[i].text);
		int r = load_flow_limits(&instance, &limits, &err);
		if (r != rows[i].result || !strstr(err.text, rows[i].says) ||
		    (r == 0 &&
		     (limits.flows != rows[i].flows || limits.per_endpoint != rows[i].each)))
			fail_msg("row %zu: %d, %u, %u each, %s", i, r, limits.flows,
				 limits.per_endpoint, err.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(the_configuration_chooses_the_masquerade_ports),
		FIXTURE_TEST(the_configuration_bounds_the_flows),
		FIXTURE_TEST(another_instance_has_a_slice_of_its_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
