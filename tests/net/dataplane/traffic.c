/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who reaches whom, and as whom: containers, the host, the outside. */
#include "world.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <linux/ip.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/process.h"

static void containers_of_one_network_reach_each_other(void **state)
{
	struct world *world = *state;
	world_network(world, "web", "10.1.0.0/24");
	world_container(world, "c1", "web", "10.1.0.2/24");
	world_container(world, "c2", "web", "10.1.0.3/24");
	scene_tcp_server(world->scene, "c1", 80);
	scene_udp_server(world->scene, "c1", 53);
	scene_assert_tcp(world->scene, "c2", "10.1.0.2", 80, "c1", "10.1.0.3");
	scene_assert_udp(world->scene, "c2", "10.1.0.2", 53, "c1", "10.1.0.3");
	scene_assert_ping(world->scene, "c2", "10.1.0.2");
}

static void the_host_and_its_containers_reach_each_other(void **state)
{
	struct world *world = *state;
	world_network(world, "web", "10.1.0.0/24");
	world_container(world, "c1", "web", "10.1.0.2/24");
	scene_tcp_server(world->scene, "c1", 80);
	scene_tcp_server(world->scene, "node", 81);
	scene_assert_tcp(world->scene, "node", "10.1.0.2", 80, "c1", "10.1.0.1");
	scene_assert_tcp(world->scene, "c1", "10.1.0.1", 81, "node", "10.1.0.2");
	scene_assert_tcp(world->scene, "c1", "10.99.0.1", 81, "node", "10.1.0.2");
	scene_assert_ping(world->scene, "c1", "10.1.0.1");
	scene_assert_ping(world->scene, "node", "10.1.0.2");
}

static void a_published_port_answers_from_everywhere(void **state)
{
	static const struct {
		const char *from, *to;
		const char *seen; /* the client's address as the server sees it; NULL: any */
	} rows[] = {
		{ "client", "10.99.0.1", "10.99.0.2" }, /* kept */
		{ "node", "10.99.0.1", NULL },
		{ "node", "10.1.0.1", NULL },
		{ "node", "127.0.0.1", NULL },
		{ "c2", "10.99.0.1", NULL },
		{ "c2", "10.1.0.1", NULL },
		{ "c1", "10.99.0.1", NULL }, /* itself: a hairpin */
	};
	struct world *world = *state;
	world_network(world, "web", "10.1.0.0/24");
	world_publish(world, "c1", "web", "10.1.0.2/24", "8080:80", "5300:53/udp", NULL);
	world_container(world, "c2", "web", "10.1.0.3/24");
	scene_tcp_server(world->scene, "c1", 80);
	scene_udp_server(world->scene, "c1", 53);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		print_message("row %zu: %s to %s\n", i, rows[i].from, rows[i].to);
		scene_assert_tcp(world->scene, rows[i].from, rows[i].to, 8080, "c1", rows[i].seen);
		scene_assert_udp(world->scene, rows[i].from, rows[i].to, 5300, "c1", rows[i].seen);
	}
}

/* The host has a route to a container that publishes by its link, and not to others. */
static void what_is_published_answers_under_every_rp_filter(void **state)
{
	static const char *const filters[] = { "0", "1", "2" };
	struct world *world = *state;
	char command[128];
	scene_route(world->scene, "node", "0.0.0.0/0", "10.99.0.2");
	world_network(world, "web", "10.1.0.0/24");
	world_publish(world, "c1", "web", "10.1.0.2/24", "8080:80", "5300:53/udp", NULL);
	world_container(world, "c2", "web", "10.1.0.3/24");
	scene_tcp_server(world->scene, "c1", 80);
	scene_tcp_server(world->scene, "c1", 81);
	scene_udp_server(world->scene, "c1", 53);
	scene_tcp_server(world->scene, "c2", 80);
	scene_tcp_server(world->scene, "node", 81);
	for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
		print_message("rp_filter %s\n", filters[i]);
		snprintf(command, sizeof command,
			 "for d in all default up0; do echo %s > "
			 "/proc/sys/net/ipv4/conf/$d/rp_filter; done",
			 filters[i]);
		scene_assert_run(world->scene, "sh", "-c", command, NULL);
		scene_assert_tcp(world->scene, "node", "127.0.0.1", 8080, "c1", "10.1.0.1");
		scene_assert_tcp(world->scene, "node", "10.99.0.1", 8080, "c1", NULL);
		scene_assert_udp(world->scene, "node", "127.0.0.1", 5300, "c1", NULL);
		scene_assert_tcp(world->scene, "node", "10.1.0.2", 81, "c1", "10.1.0.1");
		scene_assert_tcp(world->scene, "node", "10.1.0.3", 80, "c2", "10.1.0.1");
		scene_assert_tcp(world->scene, "c1", "10.1.0.1", 81, "node", "10.1.0.2");
		scene_assert_tcp(world->scene, "c1", "10.99.0.1", 81, "node", "10.1.0.2");
		scene_assert_tcp(world->scene, "c2", "10.1.0.1", 81, "node", "10.1.0.3");
		scene_assert_tcp(world->scene, "client", "10.99.0.1", 8080, "c1", "10.99.0.2");
		scene_assert_tcp(world->scene, "c1", "10.1.0.1", 8080, "c1", NULL);
		scene_assert_ping(world->scene, "c1", "10.1.0.1");
		scene_assert_ping(world->scene, "node", "10.1.0.2");
	}
}

static void a_published_range_and_address_hold_to_themselves(void **state)
{
	struct world *world = *state;
	scene_address(world->scene, "node", "up0", "10.99.0.7/24");
	world_network(world, "web", "10.1.0.0/24");
	world_publish(world, "c1", "web", "10.1.0.2/24", "9000:90+3", "10.99.0.7:8080:91", NULL);
	scene_tcp_server(world->scene, "c1", 90);
	scene_tcp_server(world->scene, "c1", 91);
	scene_tcp_server(world->scene, "c1", 92);
	scene_assert_tcp(world->scene, "client", "10.99.0.1", 9000, "c1", "10.99.0.2");
	scene_assert_tcp(world->scene, "client", "10.99.0.1", 9002, "c1", "10.99.0.2");
	scene_assert_no_tcp(world->scene, "client", "10.99.0.1", 9003);
	scene_assert_tcp(world->scene, "client", "10.99.0.7", 8080, "c1", "10.99.0.2");
	scene_assert_no_tcp(world->scene, "client", "10.99.0.1", 8080);
}

static void the_outside_sees_the_hosts_address(void **state)
{
	struct world *world = *state;
	world_network(world, "web", "10.1.0.0/24");
	world_container(world, "c1", "web", "10.1.0.2/24");
	scene_tcp_server(world->scene, "client", 80);
	scene_udp_server(world->scene, "client", 53);
	for (int i = 0; i < 20; i++)
		scene_assert_tcp(world->scene, "c1", "10.99.0.2", 80, "client", "10.99.0.1");
	scene_assert_udp(world->scene, "c1", "10.99.0.2", 53, "client", "10.99.0.1");
	scene_assert_ping(world->scene, "c1", "10.99.0.2");
}

/* Counts what was captured, and how much of it had an address of 10.1.0.0/16. */
static void count_captured(int fd, unsigned *ret_all, unsigned *ret_leaked)
{
	struct iphdr header;
	while (recv(fd, &header, sizeof header, MSG_DONTWAIT) >= (ssize_t)sizeof header) {
		++*ret_all;
		if (ntohl(header.saddr) >> 16 == 0x0a01 || ntohl(header.daddr) >> 16 == 0x0a01)
			++*ret_leaked;
	}
}

static void the_outside_never_sees_a_containers_address(void **state)
{
	struct world *world = *state;
	struct error err = { 0 };
	struct scene_reply reply;
	unsigned all = 0, leaked = 0;
	auto_fd capture = -1;
	world_network(world, "web", "10.1.0.0/24");
	world_publish(world, "c1", "web", "10.1.0.2/24", "8080:80", NULL);
	world_container(world, "c2", "web", "10.1.0.3/24");
	world_claim(netns_socket(scene_netns_fd(world->scene, "client"), AF_PACKET, SOCK_DGRAM,
				 htons(ETH_P_IP), &capture, &err),
		    &err);
	scene_tcp_server(world->scene, "c1", 80);
	scene_tcp_server(world->scene, "client", 80);
	scene_assert_tcp(world->scene, "client", "10.99.0.1", 8080, "c1", NULL);
	for (int i = 0; i < 30; i++) {
		scene_assert_tcp(world->scene, "c2", "10.99.0.2", 80, "client", "10.99.0.1");
		count_captured(capture, &all, &leaked);
	}
	assert_int_equal(
		scene_tcp_request(world->scene, "c2", "10.99.0.2", 9, SCENE_WAIT_MS, &reply),
		-ECONNREFUSED);
	/* A connection that outlives its flow, its programs' replacement and its publication. */
	int out = scene_tcp_open(world->scene, "c2", "10.99.0.2", 80, &reply);
	int in = scene_tcp_open(world->scene, "client", "10.99.0.1", 8080, &reply);
	assert_true(out >= 0 && in >= 0);
	world_claim(dataplane_reconcile(world->dataplane, &err), &err);
	assert_int_equal(scene_tcp_echo(out, "on", SCENE_WAIT_MS), 0);
	world_delete(world, "c1");
	scene_tcp_echo(in, "late", SCENE_QUIET_MS);
	world_network_as(world, "web", "10.1.0.0/24", (struct network_spec){ .internal = true });
	scene_tcp_echo(out, "late", SCENE_QUIET_MS);
	close(out);
	close(in);
	count_captured(capture, &all, &leaked);
	assert_true(all >= 30 * 3); /* at least SYN, ACK and FIN of each */
	assert_int_equal(leaked, 0);
}

static void an_icmp_error_reaches_the_container_that_it_is_about(void **state)
{
	struct world *world = *state;
	struct scene_reply reply;
	world_network(world, "web", "10.1.0.0/24");
	world_container(world, "c1", "web", "10.1.0.2/24");
	world_container(world, "c2", "web", "10.1.0.3/24");
	assert_int_equal(
		scene_udp_request(world->scene, "c1", "10.99.0.2", 9, SCENE_WAIT_MS, &reply),
		-ECONNREFUSED);
	assert_int_equal(
		scene_udp_request(world->scene, "c2", "10.99.0.2", 9, SCENE_WAIT_MS, &reply),
		-ECONNREFUSED);
}

static void networks_are_isolated_from_each_other(void **state)
{
	struct world *world = *state;
	world_network(world, "web", "10.1.0.0/24");
	world_network(world, "db", "10.2.0.0/24");
	world_container(world, "c1", "web", "10.1.0.2/24");
	world_container(world, "c2", "db", "10.2.0.2/24");
	scene_tcp_server(world->scene, "c1", 80);
	scene_assert_no_tcp(world->scene, "c2", "10.1.0.2", 80);
	assert_true(world_drops(world, "isolated", "c2") > 0);
}

static void an_internal_network_has_no_way_outside(void **state)
{
	struct world *world = *state;
	world_network_as(world, "db", "10.2.0.0/24", (struct network_spec){ .internal = true });
	world_container(world, "c1", "db", "10.2.0.2/24");
	world_container(world, "c2", "db", "10.2.0.3/24");
	scene_tcp_server(world->scene, "client", 80);
	scene_tcp_server(world->scene, "c1", 80);
	scene_assert_no_tcp(world->scene, "c1", "10.99.0.2", 80);
	scene_assert_tcp(world->scene, "c2", "10.2.0.2", 80, "c1", "10.2.0.3");
	assert_true(world_drops(world, "internal", "c1") > 0);
}

static void another_host_does_not_reach_a_container_directly(void **state)
{
	struct world *world = *state;
	world_network(world, "web", "10.1.0.0/24");
	world_container(world, "c1", "web", "10.1.0.2/24");
	world_publish(world, "c2", "web", "10.1.0.3/24", "8080:80", NULL);
	/* A host that forwards, as one with another container engine does. */
	scene_assert_run(world->scene, "sh", "-c",
			 "echo 1 > /proc/sys/net/ipv4/conf/up0/forwarding", NULL);
	scene_route(world->scene, "client", "10.1.0.0/24", "10.99.0.1");
	scene_tcp_server(world->scene, "c1", 80);
	scene_tcp_server(world->scene, "c2", 80);
	scene_assert_no_tcp(world->scene, "client", "10.1.0.2", 80);
	assert_true(world_drops(world, "direct", "c1") > 0);
	scene_assert_no_tcp(world->scene, "client", "10.1.0.3", 80);
	assert_true(world_drops(world, "direct", "c2") > 0);
}

static void a_routed_network_is_reached_as_it_is(void **state)
{
	struct world *world = *state;
	world_network_as(world, "web", "10.1.0.0/24", (struct network_spec){ .routed = true });
	world_container(world, "c1", "web", "10.1.0.2/24");
	scene_assert_run(world->scene, "sh", "-c",
			 "echo 1 > /proc/sys/net/ipv4/conf/up0/forwarding", NULL);
	scene_route(world->scene, "client", "10.1.0.0/24", "10.99.0.1");
	scene_tcp_server(world->scene, "c1", 80);
	scene_tcp_server(world->scene, "client", 81);
	scene_assert_tcp(world->scene, "client", "10.1.0.2", 80, "c1", "10.99.0.2");
	scene_assert_tcp(world->scene, "c1", "10.99.0.2", 81, "client", "10.1.0.2");
}

static void containers_that_may_not_meet_do_not(void **state)
{
	struct world *world = *state;
	world_network_as(world, "web", "10.1.0.0/24",
			 (struct network_spec){ .masquerade = true, .no_icc = true });
	world_container(world, "c1", "web", "10.1.0.2/24");
	world_container(world, "c2", "web", "10.1.0.3/24");
	scene_tcp_server(world->scene, "c1", 80);
	scene_tcp_server(world->scene, "client", 81);
	scene_assert_no_tcp(world->scene, "c2", "10.1.0.2", 80);
	scene_assert_tcp(world->scene, "node", "10.1.0.2", 80, "c1", NULL);
	scene_assert_tcp(world->scene, "c1", "10.99.0.2", 81, "client", "10.99.0.1");
	assert_true(world_drops(world, "no-icc", "c2") > 0);
}

/* As network connect makes it: one namespace, two networks, an address in each. */
static void a_container_of_two_networks_reaches_both(void **state)
{
	struct world *world = *state;
	struct error err = { 0 };
	struct endpoint_info info __attribute__((cleanup(endpoint_info_release))) = { 0 };
	world_network(world, "web", "10.1.0.0/24");
	world_network(world, "db", "10.2.0.0/24");
	world_container(world, "c1", "web", "10.1.0.2/24");
	world_container(world, "c2", "web", "10.1.0.3/24");
	world_container(world, "c3", "db", "10.2.0.3/24");
	struct endpoint_spec spec = { .container_id = "c1",
				      .interface = "eth1",
				      .network = "db",
				      .netns_path = scene_netns_path(world->scene, "c1"),
				      .netns_fd = scene_netns_fd(world->scene, "c1") };
	world_claim(prefix_parse("10.2.0.2/24", &spec.address, &err), &err);
	world_claim(endpoint_add(world->dataplane, &spec, &info, &err), &err);
	scene_tcp_server(world->scene, "c2", 80);
	scene_tcp_server(world->scene, "c3", 80);
	scene_assert_tcp(world->scene, "c1", "10.1.0.3", 80, "c2", "10.1.0.2");
	scene_assert_tcp(world->scene, "c1", "10.2.0.3", 80, "c3", "10.2.0.2");
	world_claim(endpoint_delete(world->dataplane, "c1", "eth1", ENDPOINT_DELETE_LINK, &err),
		    &err);
	scene_assert_tcp(world->scene, "c1", "10.1.0.3", 80, "c2", "10.1.0.2");
	assert_false(scene_has_device(world->scene, "c1", "eth1"));
}

int main(void)
{
#define SCENE_TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
	const struct CMUnitTest tests[] = {
		SCENE_TEST(containers_of_one_network_reach_each_other),
		SCENE_TEST(the_host_and_its_containers_reach_each_other),
		SCENE_TEST(a_published_port_answers_from_everywhere),
		SCENE_TEST(what_is_published_answers_under_every_rp_filter),
		SCENE_TEST(a_published_range_and_address_hold_to_themselves),
		SCENE_TEST(the_outside_sees_the_hosts_address),
		SCENE_TEST(the_outside_never_sees_a_containers_address),
		SCENE_TEST(an_icmp_error_reaches_the_container_that_it_is_about),
		SCENE_TEST(networks_are_isolated_from_each_other),
		SCENE_TEST(an_internal_network_has_no_way_outside),
		SCENE_TEST(a_routed_network_is_reached_as_it_is),
		SCENE_TEST(containers_that_may_not_meet_do_not),
		SCENE_TEST(a_container_of_two_networks_reaches_both),
		SCENE_TEST(another_host_does_not_reach_a_container_directly),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
