/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verbs that look and mend, on a data path with one container, told whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "dataplane/dataplane.h"
#include "scene/scene.h"

#define ID "aaaaaaaaaaaa0001"

#define assert_done(call, err)                                 \
	do {                                                   \
		if ((call) < 0)                                \
			fail_msg("%s: %s", #call, (err).text); \
	} while (0)

static void make_network(struct dataplane *dataplane, const char *name, const char *subnet)
{
	struct network_spec spec = { .masquerade = true };
	struct network_info info;
	struct error err;
	snprintf(spec.name, sizeof spec.name, "%s", name);
	assert_done(prefix_parse(subnet, &spec.subnet, &err), err);
	assert_done(network_ensure(dataplane, &spec, &info, &err), err);
}

/* A network, and a container "web" in it, with port 8080 published to its 80. */
static void make_web(struct scene *scene)
{
	static const char *const names[] = { "web", NULL };
	static const struct publish_spec publish = {
		.host_port = 8080, .container_port = 80, .count = 1, .protocol = PROTOCOL_TCP
	};
	AUTO(dataplane) dataplane = NULL;
	struct endpoint_info info;
	struct error err;
	scene_container(scene, "web");
	assert_done(dataplane_open(scene_instance(scene), &dataplane, &err), err);
	make_network(dataplane, "front", "10.21.0.0/24");
	struct endpoint_spec spec = { .container_id = ID,
				      .interface = "eth0",
				      .network = "front",
				      .netns_path = scene_netns_path(scene, "web"),
				      .netns_fd = scene_netns_fd(scene, "web"),
				      .default_route = true,
				      .publish = &publish,
				      .publish_count = 1,
				      .names = names,
				      .owner = "cni" };
	assert_done(prefix_parse("10.21.0.2/24", &spec.address, &err), err);
	assert_done(ip_parse("10.21.0.1", &spec.gateway, &err), err);
	assert_done(endpoint_add(dataplane, &spec, &info, &err), err);
	endpoint_info_release(&info);
}

static void ports_are_told_as_a_table_and_as_json(void **state)
{
	struct scene *scene = *state;
	make_web(scene);
	assert_int_equal(scene_run(scene, NULL, "wherry", "ports", NULL), 0);
	assert_string_equal(
		scene_output(scene),
		"ADDRESS   PORT   PROTOCOL   CONTAINER   NETWORK   TARGET      TARGET PORT\n"
		"0.0.0.0   8080   tcp        web         front     10.21.0.2   80\n");
	assert_int_equal(scene_run(scene, NULL, "wherry", "ports", "-o", "json", NULL), 0);
	assert_string_equal(scene_output(scene), "[\n"
						 "  {\n"
						 "    \"hostIp\": \"0.0.0.0\",\n"
						 "    \"hostPort\": \"8080\",\n"
						 "    \"protocol\": \"tcp\",\n"
						 "    \"container\": \"web\",\n"
						 "    \"containerId\": \"" ID "\",\n"
						 "    \"network\": \"front\",\n"
						 "    \"containerIp\": \"10.21.0.2\",\n"
						 "    \"containerPort\": \"80\"\n"
						 "  }\n"
						 "]\n");
}

static void drop_is_told_with_its_reason_and_container(void **state)
{
	struct scene *scene = *state;
	make_web(scene);
	/* Nobody has this address. */
	scene_assert_no_ping(scene, "web", "10.21.0.77");
	assert_int_equal(scene_run(scene, NULL, "wherry", "drops", NULL), 0);
	const char *row = strstr(scene_output(scene), "no-endpoint");
	assert_non_null(row);
	assert_non_null(strstr(row, "web"));
	assert_non_null(strstr(row, "nobody has this address in the network"));
}

static void check_says_what_is_missing_and_reconcile_puts_it_back(void **state)
{
	struct scene *scene = *state;
	make_web(scene);
	assert_int_equal(scene_run(scene, NULL, "wherry", "system", "check", NULL), 0);
	assert_string_equal(scene_output(scene), "");

	assert_int_equal(scene_run(scene, "web", "ip", "link", "set", "eth0", "down", NULL), 0);
	assert_int_equal(scene_run(scene, NULL, "wherry", "system", "check", NULL), 1);
	assert_non_null(strstr(scene_output(scene), "aaaaaaaaaaaa eth0: "));

	(void)scene_run(scene, NULL, "wherry", "system", "reconcile", NULL);
	assert_string_equal(scene_errors(scene), "");
}

static void maps_are_told_with_what_they_hold(void **state)
{
	struct scene *scene = *state;
	make_web(scene);
	assert_int_equal(scene_run(scene, NULL, "wherry", "maps", NULL), 0);
	const char *row = strstr(scene_output(scene), "wh1_ports");
	assert_non_null(row);
	char kind[16];
	unsigned entries;
	assert_int_equal(sscanf(row, "wh1_ports %15s %u", kind, &entries), 2);
	assert_string_equal(kind, "hash");
	assert_int_equal(entries, 1);
}

static void reset_leaves_nothing(void **state)
{
	struct scene *scene = *state;
	make_web(scene);
	assert_int_equal(scene_run(scene, NULL, "wherry", "system", "reset", NULL), 0);
	assert_int_equal(scene_run(scene, NULL, "wherry", "ports", NULL), 0);
	assert_non_null(strstr(scene_output(scene), "8080")); /* it only said what it would do */
	assert_int_equal(scene_run(scene, NULL, "wherry", "system", "reset", "--force", NULL), 0);
	assert_int_equal(scene_run(scene, NULL, "wherry", "ports", NULL), 0);
	assert_null(strstr(scene_output(scene), "8080"));
}

static void bad_words_get_one_line(void **state)
{
	static const struct {
		const char *verb, *second, *third, *error;
	} rows[] = {
		{ "ports", "-o", "xml", "wherry: ports: -o xml: is neither table nor json\n" },
		{ "ipam", "ls", "nosuch", "wherry: ipam ls: no such network: nosuch\n" },
		{ "completion", "csh", NULL,
		  "wherry: completion: csh is none of bash, zsh, fish\n" },
	};
	struct scene *scene = *state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(scene_run(scene, NULL, "wherry", rows[i].verb, rows[i].second,
					   rows[i].third, NULL),
				 1);
		assert_string_equal(scene_errors(scene), rows[i].error);
		assert_string_equal(scene_output(scene), "");
	}
}

#define scene_test(name) cmocka_unit_test_setup_teardown(name, scene_set_up, scene_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		scene_test(ports_are_told_as_a_table_and_as_json),
		scene_test(drop_is_told_with_its_reason_and_container),
		scene_test(check_says_what_is_missing_and_reconcile_puts_it_back),
		scene_test(maps_are_told_with_what_they_hold),
		scene_test(reset_leaves_nothing),
		scene_test(bad_words_get_one_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
