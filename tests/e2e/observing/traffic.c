/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verbs that watch traffic: connections with names and bytes, the raw table, endpoints, rates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kit.h"

/* An open connection from outside to web's published port, that has carried something. */
static int connect_from_outside(struct scene *scene)
{
	struct scene_reply reply;
	scene_tcp_server(scene, "web", 80);
	int fd = scene_tcp_open(scene, "client", "10.99.0.1", 8080, &reply);
	assert_true(fd >= 0);
	assert_int_equal(scene_tcp_echo(fd, "a line of some length\n", SCENE_WAIT_MS), 0);
	return fd;
}

static void published_flow_is_told_with_names_bytes_and_round_trip(void **state)
{
	struct scene *scene = *state;
	kit_build(scene);
	auto_fd fd = connect_from_outside(scene);
	assert_int_equal(scene_run(scene, NULL, "wherry", "flows", NULL), 0);
	kit_assert_told(scene, "10.99.0.1:8080");
	kit_assert_told(scene, "published   web:80");
	kit_assert_told(scene, "established");
	assert_int_equal(scene_run(scene, NULL, "wherry", "flows", "-o", "json", NULL), 0);
	kit_assert_told(scene, "\"clientIp\": \"10.99.0.2\"");
	kit_assert_told(scene, "\"translatedServerContainer\": \"web\"");
	kit_assert_told(scene, "\"network\": \"front\"");
	kit_assert_not_told(scene, "\"bytes\": 0");
	kit_assert_not_told(scene, "\"replyBytes\": 0");
	kit_assert_not_told(scene, "\"answerMicroseconds\": 0");
}

static void masqueraded_flow_is_told_with_its_outer_port(void **state)
{
	struct scene *scene = *state;
	kit_build(scene);
	scene_udp_server(scene, "client", 53);
	scene_assert_udp(scene, "shop", "10.99.0.2", 53, "client", "10.99.0.1");
	assert_int_equal(scene_run(scene, NULL, "wherry", "flows", NULL), 0);
	kit_assert_told(scene, "shop:");
	kit_assert_told(scene, "10.99.0.2:53   masqueraded   10.99.0.1:");
}

static void filters_choose_flows(void **state)
{
	static const struct {
		const char *option, *value;
		bool shown;
	} rows[] = {
		{ "--container", "web", true },     { "--container", "shop", false },
		{ "--network", "front", true },     { "--network", "back", false },
		{ "--port", "8080", true },         { "--port", "81", false },
		{ "--address", "10.99.0.2", true }, { "--address", "10.99.0.3", false },
		{ "--protocol", "tcp", true },      { "--protocol", "udp", false },
		{ "--state", "established", true }, { "--state", "closed", false },
	};
	struct scene *scene = *state;
	kit_build(scene);
	auto_fd fd = connect_from_outside(scene);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(scene_run(scene, NULL, "wherry", "flows", rows[i].option,
					   rows[i].value, NULL),
				 0);
		if (!strstr(scene_output(scene), "8080") == rows[i].shown)
			fail_msg("%s %s:\n%s", rows[i].option, rows[i].value, scene_output(scene));
	}
}

static void bad_filters_get_one_line(void **state)
{
	static const struct {
		const char *option, *value, *error;
	} rows[] = {
		{ "--container", "nosuch", "wherry: flows: no such container: nosuch\n" },
		{ "--state", "open",
		  "wherry: flows: --state: open is none of opening, established, closing, closed, "
		  "reset, host-firewall\n" },
		{ "--protocol", "tpc",
		  "wherry: flows: --protocol: tpc is none of tcp, udp, icmp, sctp, and no "
		  "number\n" },
		{ "--port", "65536", "wherry: flows: --port 65536: is over 65535\n" },
	};
	struct scene *scene = *state;
	kit_build(scene);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(scene_run(scene, NULL, "wherry", "flows", rows[i].option,
					   rows[i].value, NULL),
				 1);
		assert_string_equal(scene_errors(scene), rows[i].error);
		assert_string_equal(scene_output(scene), "");
	}
}

static void raw_table_has_both_directions(void **state)
{
	struct scene *scene = *state;
	kit_build(scene);
	auto_fd fd = connect_from_outside(scene);
	assert_int_equal(scene_run(scene, NULL, "wherry", "ct", "-o", "json", NULL), 0);
	kit_assert_told(scene, "\"destination\": \"10.99.0.1:8080\"");
	kit_assert_told(scene, "\"source\": \"10.21.0.2:80\"");
	kit_assert_told(scene, "(reply)");
}

static void endpoints_are_told_with_what_they_carried(void **state)
{
	struct scene *scene = *state;
	kit_build(scene);
	scene_assert_ping(scene, "shop", "10.21.0.2");
	assert_int_equal(scene_run(scene, NULL, "wherry", "endpoints", "-o", "json", NULL), 0);
	kit_assert_told(scene, "\"container\": \"store\"");
	kit_assert_told(scene, "\"address\": \"10.22.0.2/24\"");
	kit_assert_told(scene, "\"state\": \"ready\"");
	kit_assert_told(scene, "\"sentPackets\": 1");
}

static void drops_are_chosen_and_told_with_their_age(void **state)
{
	struct scene *scene = *state;
	kit_build(scene);
	scene_assert_no_ping(scene, "shop", "10.22.0.2");
	assert_int_equal(scene_run(scene, NULL, "wherry", "drops", "--reason", "isolated",
				   "--container", "shop", NULL),
			 0);
	kit_assert_told(scene, "isolated   shop");
	kit_assert_told(scene, " s ago");
	assert_int_equal(scene_run(scene, NULL, "wherry", "drops", "--reason", "isolated",
				   "--container", "web", NULL),
			 0);
	kit_assert_not_told(scene, "isolated");
	assert_int_equal(scene_run(scene, NULL, "wherry", "drops", "--reason", "nosuch", NULL), 1);
	assert_string_equal(scene_errors(scene),
			    "wherry: drops: --reason nosuch: there is no such reason\n");
}

static void check_tells_what_is_missing_and_mends_it(void **state)
{
	struct scene *scene = *state;
	char device[DEVICE_NAME_MAX];
	kit_build(scene);
	assert_int_equal(scene_run(scene, NULL, "wherry", "check", NULL), 0);
	assert_int_equal(scene_run(scene, NULL, "wherry", "check", "-o", "json", NULL), 0);
	assert_string_equal(scene_output(scene), "[]\n");
	kit_host_device(scene, WEB_ID, device);
	scene_assert_run(scene, "ip", "link", "set", device, "down", NULL);
	assert_int_equal(scene_run(scene, NULL, "wherry", "check", NULL), 1);
	kit_assert_told(scene, "missing   " WEB_ID);
	assert_int_equal(scene_run(scene, NULL, "wherry", "check", "--repair", NULL), 0);
	kit_assert_told(scene, "mended   " WEB_ID);
	assert_int_equal(scene_run(scene, NULL, "wherry", "check", NULL), 0);
}

static void doctor_names_what_is_in_the_way_and_the_mend(void **state)
{
	static const char rules[] = "table inet mine {\nchain input { "
				    "type filter hook input priority 0; policy drop; }\n"
				    "chain ufw-user-input { }\n}\n";
	const char *const nft[] = { "nft", "-f", "-", NULL };
	struct scene *scene = *state;
	struct scene_command command = { .argv = nft, .input = rules };
	kit_build(scene);
	assert_int_equal(scene_run(scene, NULL, "wherry", "doctor", NULL), 0);
	kit_assert_not_told(scene, "warning");
	if (scene_execute(scene, &command) != 0)
		skip(); /* no nft here, or a kernel without nftables */
	scene_assert_run(scene, "ip", "link", "set", "up0", "mtu", "1400", NULL);
	scene_assert_run(scene, "ip", "route", "add", "10.21.0.128/25", "dev", "up0", NULL);
	assert_int_equal(scene_run(scene, NULL, "wherry", "doctor", NULL), 0);
	kit_assert_told(scene, "nft insert rule inet mine input iifname \"br-");
	kit_assert_told(scene, "make the network with --mtu 1400");
	kit_assert_told(scene, "the host's route to 10.21.0.128/25 by up0 overlaps network front");
	kit_assert_told(scene, "its rules for routed ones do, and close what they do not allow");
	scene_assert_run(scene, "nft", "delete", "table", "inet", "mine", NULL);
}

static void top_without_a_container_tells_rates(void **state)
{
	struct scene *scene = *state;
	kit_build(scene);
	assert_int_equal(scene_run(scene, NULL, "wherry", "top", NULL), 0);
	kit_assert_told(scene, "CONTAINER   NETWORK   SENT/S");
	kit_assert_told(scene, "store");
}

#define scene_test(name) cmocka_unit_test_setup_teardown(name, scene_set_up, scene_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		scene_test(published_flow_is_told_with_names_bytes_and_round_trip),
		scene_test(masqueraded_flow_is_told_with_its_outer_port),
		scene_test(filters_choose_flows),
		scene_test(bad_filters_get_one_line),
		scene_test(raw_table_has_both_directions),
		scene_test(endpoints_are_told_with_what_they_carried),
		scene_test(drops_are_chosen_and_told_with_their_age),
		scene_test(check_tells_what_is_missing_and_mends_it),
		scene_test(doctor_names_what_is_in_the_way_and_the_mend),
		scene_test(top_without_a_container_tells_rates),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
