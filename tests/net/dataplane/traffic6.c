/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IPv6 alone and beside IPv4: who reaches whom, and as whom. */
#include "world.h"

#include <errno.h>

/* Networks that the cells below are repeated in. */
static const struct {
	const char *subnet, *first, *second;
} kinds[] = {
	{ "10.1.0.0/24,fd01::/64", "10.1.0.2/24,fd01::2/64", "10.1.0.3/24,fd01::3/64" },
	{ "fd01::/64", "fd01::2/64", "fd01::3/64" },
};

static void make_network(struct world *world, size_t kind)
{
	world_network(world, "web", kinds[kind].subnet);
	world_container(world, "c1", "web", kinds[kind].first);
	world_container(world, "c2", "web", kinds[kind].second);
}

static void take_network(struct world *world)
{
	struct error err = { 0 };
	world_delete(world, "c1");
	world_delete(world, "c2");
	world_claim(network_delete(world->dataplane, "web", &err), &err);
	scene_remove(world->scene, "c1");
	scene_remove(world->scene, "c2");
}

static void containers_of_one_network_reach_each_other(void **state)
{
	struct world *world = *state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		make_network(world, i);
		scene_tcp_server(world->scene, "c1", 80);
		scene_udp_server(world->scene, "c1", 53);
		scene_assert_tcp(world->scene, "c2", "fd01::2", 80, "c1", "fd01::3");
		scene_assert_udp(world->scene, "c2", "fd01::2", 53, "c1", "fd01::3");
		scene_assert_ping(world->scene, "c2", "fd01::2");
		take_network(world);
	}
}

static void both_families_of_one_container_work(void **state)
{
	struct world *world = *state;
	make_network(world, 0);
	scene_tcp_server(world->scene, "c1", 80);
	scene_assert_tcp(world->scene, "c2", "10.1.0.2", 80, "c1", "10.1.0.3");
	scene_assert_tcp(world->scene, "c2", "fd01::2", 80, "c1", "fd01::3");
}

static void the_host_and_its_containers_reach_each_other(void **state)
{
	struct world *world = *state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		make_network(world, i);
		scene_tcp_server(world->scene, "c1", 80);
		scene_tcp_server(world->scene, "node", (uint16_t)(81 + i));
		scene_assert_tcp(world->scene, "node", "fd01::2", 80, "c1", "fd01::1");
		scene_assert_tcp(world->scene, "c1", "fd01::1", (uint16_t)(81 + i), "node",
				 "fd01::2");
		scene_assert_tcp(world->scene, "c1", "fd99::1", (uint16_t)(81 + i), "node",
				 "fd01::2");
		scene_assert_ping(world->scene, "c1", "fd01::1");
		scene_assert_ping(world->scene, "node", "fd01::2");
		take_network(world);
	}
}

static void the_outside_sees_the_hosts_address(void **state)
{
	struct world *world = *state;
	scene_tcp_server(world->scene, "client", 80);
	scene_udp_server(world->scene, "client", 53);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		make_network(world, i);
		for (int k = 0; k < 20; k++)
			scene_assert_tcp(world->scene, "c1", "fd99::2", 80, "client", "fd99::1");
		scene_assert_udp(world->scene, "c1", "fd99::2", 53, "client", "fd99::1");
		scene_assert_ping(world->scene, "c1", "fd99::2");
		take_network(world);
	}
}

static void an_icmp_error_reaches_the_container_that_it_is_about(void **state)
{
	struct world *world = *state;
	struct scene_reply reply;
	make_network(world, 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(scene_udp_request(world->scene, i ? "c2" : "c1", "fd99::2", 9,
						   SCENE_WAIT_MS, &reply),
				 -ECONNREFUSED);
}

static void networks_are_isolated_from_each_other(void **state)
{
	struct world *world = *state;
	make_network(world, 1);
	world_network(world, "db", "fd02::/64");
	world_container(world, "c3", "db", "fd02::2/64");
	scene_tcp_server(world->scene, "c1", 80);
	scene_assert_no_tcp(world->scene, "c3", "fd01::2", 80);
	assert_true(world_drops(world, "isolated", "c3") > 0);
}

static void an_internal_network_has_no_way_outside(void **state)
{
	struct world *world = *state;
	world_network_as(world, "db", "fd02::/64", (struct network_spec){ .internal = true });
	world_container(world, "c1", "db", "fd02::2/64");
	world_container(world, "c2", "db", "fd02::3/64");
	scene_tcp_server(world->scene, "client", 80);
	scene_tcp_server(world->scene, "c1", 80);
	scene_assert_no_tcp(world->scene, "c1", "fd99::2", 80);
	scene_assert_tcp(world->scene, "c2", "fd02::2", 80, "c1", "fd02::3");
	assert_true(world_drops(world, "internal", "c1") > 0);
}

static void containers_that_may_not_meet_do_not(void **state)
{
	struct world *world = *state;
	world_network_as(world, "web", "fd01::/64",
			 (struct network_spec){ .masquerade = true, .no_icc = true });
	world_container(world, "c1", "web", "fd01::2/64");
	world_container(world, "c2", "web", "fd01::3/64");
	scene_tcp_server(world->scene, "c1", 80);
	scene_tcp_server(world->scene, "client", 81);
	scene_assert_no_tcp(world->scene, "c2", "fd01::2", 80);
	scene_assert_tcp(world->scene, "node", "fd01::2", 80, "c1", NULL);
	scene_assert_tcp(world->scene, "c1", "fd99::2", 81, "client", "fd99::1");
	assert_true(world_drops(world, "no-icc", "c2") > 0);
}

static void forward_on(struct world *world)
{
	scene_assert_run(world->scene, "sh", "-c",
			 "echo 1 > /proc/sys/net/ipv6/conf/all/forwarding", NULL);
	scene_route(world->scene, "client", "fd01::/64", "fd99::1");
}

static void another_host_does_not_reach_a_container_directly(void **state)
{
	struct world *world = *state;
	make_network(world, 1);
	forward_on(world);
	scene_tcp_server(world->scene, "c1", 80);
	scene_assert_no_tcp(world->scene, "client", "fd01::2", 80);
	assert_true(world_drops(world, "direct", NULL) > 0);
}

static void a_routed_network_is_reached_as_it_is(void **state)
{
	struct world *world = *state;
	world_network_as(world, "web", "fd01::/64", (struct network_spec){ .routed = true });
	world_container(world, "c1", "web", "fd01::2/64");
	forward_on(world);
	scene_tcp_server(world->scene, "c1", 80);
	scene_tcp_server(world->scene, "client", 81);
	scene_assert_tcp(world->scene, "client", "fd01::2", 80, "c1", "fd99::2");
	scene_assert_tcp(world->scene, "c1", "fd99::2", 81, "client", "fd01::2");
}

int main(void)
{
#define SCENE_TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up_dual, world_tear_down)
	const struct CMUnitTest tests[] = {
		SCENE_TEST(containers_of_one_network_reach_each_other),
		SCENE_TEST(both_families_of_one_container_work),
		SCENE_TEST(the_host_and_its_containers_reach_each_other),
		SCENE_TEST(the_outside_sees_the_hosts_address),
		SCENE_TEST(an_icmp_error_reaches_the_container_that_it_is_about),
		SCENE_TEST(networks_are_isolated_from_each_other),
		SCENE_TEST(an_internal_network_has_no_way_outside),
		SCENE_TEST(containers_that_may_not_meet_do_not),
		SCENE_TEST(another_host_does_not_reach_a_container_directly),
		SCENE_TEST(a_routed_network_is_reached_as_it_is),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
