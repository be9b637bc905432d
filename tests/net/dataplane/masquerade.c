/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Masquerading as networks and the administrator want it: destinations left out,
 * other sources, one port for all destinations, and ports of the host left alone.
 */
#include "world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/process.h"

#define CONTAINER "10.1.0.2/24,fd01::2/64"
#define SUBNETS "10.1.0.0/24,fd01::/64"

static struct masquerade_options options_of(const char *key, const char *value)
{
	struct masquerade_options options = { .open = false };
	struct error err = { 0 };
	world_claim(masquerade_options_take(key, value, &options, &err), &err);
	return options;
}

static void network_with(struct world *world, const char *key, const char *value)
{
	world_network_as(world, "web", SUBNETS,
			 (struct network_spec){ .masquerade = true,
						.masquerade_options = options_of(key, value) });
}

static void configure(struct world *world, const char *text)
{
	char path[INSTANCE_PATH_MAX + 16];
	struct error err = { 0 };
	snprintf(path, sizeof path, "%s/config.json", scene_instance(world->scene)->config);
	world_claim(file_replace(path, text, strlen(text), 0644, FILE_NO_SYNC, &err), &err);
}

static void assert_seen(struct world *world, const char *v4, const char *v6)
{
	scene_assert_tcp(world->scene, "c1", "10.99.0.2", 80, "client", v4);
	scene_assert_udp(world->scene, "c1", "10.99.0.2", 53, "client", v4);
	scene_assert_ping(world->scene, "c1", "10.99.0.2");
	scene_assert_tcp(world->scene, "c1", "fd99::2", 80, "client", v6);
	scene_assert_udp(world->scene, "c1", "fd99::2", 53, "client", v6);
	scene_assert_ping(world->scene, "c1", "fd99::2");
}

static void start_servers(struct world *world)
{
	scene_tcp_server(world->scene, "client", 80);
	scene_udp_server(world->scene, "client", 53);
}

/* Answers come back; what begins there does not come in; and it ends with the option. */
static void destinations_left_out_see_the_containers_address(void **state)
{
	struct world *world = *state;
	struct scene *scene = world->scene;
	network_with(world, "except", "10.99.0.0/24,fd99::2");
	world_container(world, "c1", "web", CONTAINER);
	scene_route(scene, "client", "10.1.0.0/24", "10.99.0.1");
	scene_route(scene, "client", "fd01::/64", "fd99::1");
	start_servers(world);
	scene_tcp_server(scene, "c1", 80);
	assert_seen(world, "10.1.0.2", "fd01::2");
	scene_assert_no_tcp(scene, "client", "10.1.0.2", 80);
	print_message("no more\n");
	world_network(world, "web", SUBNETS);
	assert_seen(world, "10.99.0.1", "fd99::1");
}

static void what_the_config_leaves_out_is_left_out_of_all_networks(void **state)
{
	struct world *world = *state;
	configure(world, "{ \"masqueradeExcept\": [ \"10.99.0.2\", \"fd99::/64\" ] }");
	world_network(world, "web", SUBNETS);
	world_container(world, "c1", "web", CONTAINER);
	scene_route(world->scene, "client", "10.1.0.0/24", "10.99.0.1");
	scene_route(world->scene, "client", "fd01::/64", "fd99::1");
	start_servers(world);
	assert_seen(world, "10.1.0.2", "fd01::2");
}

static void the_source_is_the_one_that_the_network_chose(void **state)
{
	struct world *world = *state;
	struct error err = { 0 };
	scene_address(world->scene, "node", "up0", "10.99.0.7/24");
	scene_address(world->scene, "node", "up0", "fd99::7/64");
	world_claim(uplinks_refresh(world->dataplane, &err), &err);
	network_with(world, "source", "10.99.0.7,fd99::7");
	world_container(world, "c1", "web", CONTAINER);
	start_servers(world);
	assert_seen(world, "10.99.0.7", "fd99::7");
	print_message("the host loses it\n");
	scene_assert_run(world->scene, "ip", "addr", "del", "10.99.0.7/24", "dev", "up0", NULL);
	world_claim(uplinks_refresh(world->dataplane, &err), &err);
	scene_assert_no_tcp(world->scene, "c1", "10.99.0.2", 80);
	assert_true(world_drops(world, "no-source", "c1") > 0);
}

static void the_source_is_the_one_that_the_config_chose_for_the_uplink(void **state)
{
	struct world *world = *state;
	struct error err = { 0 };
	scene_address(world->scene, "node", "up0", "10.99.0.8/24");
	scene_address(world->scene, "node", "up0", "fd99::8/64");
	configure(world, "{ \"uplinks\": { \"masqueradeSource\": { \"up0\": [ \"10.99.0.8\", "
			 "\"fd99::8\" ] } } }");
	world_claim(uplinks_refresh(world->dataplane, &err), &err);
	world_network(world, "web", SUBNETS);
	world_container(world, "c1", "web", CONTAINER);
	start_servers(world);
	assert_seen(world, "10.99.0.8", "fd99::8");
}

static void wrong_wishes_are_refused_by_name(void **state)
{
	static const struct {
		const char *key, *value;
		bool masquerade;
		const char *text;
	} rows[] = {
		{ "source", "192.0.2.55", true,
		  "network web: masquerade source 192.0.2.55 is no address of this host" },
		{ "source", "10.99.0.1", false,
		  "network web: it is not masqueraded, so masquerading has no options" },
		{ "filtering", "endpoint-independent", true,
		  "network web: endpoint-independent filtering needs endpoint-independent mapping "
		  "beside it" },
	};
	struct world *world = *state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error err = { 0 };
		struct network_info info;
		struct network_spec spec = {
			.name = "web",
			.masquerade = rows[i].masquerade,
			.masquerade_options = options_of(rows[i].key, rows[i].value),
		};
		world_claim(prefix_parse("10.1.0.0/24", &spec.subnet, &err), &err);
		assert_true(network_ensure(world->dataplane, &spec, &info, &err) < 0);
		assert_string_equal(err.text, rows[i].text);
		assert_int_equal(
			network_find(dataplane_store(world->dataplane), "web", &info, &err), 0);
	}
}

/* --- ports ----------------------------------------------------------------------- */

/* A datagram of c1's port 5000; returns the port that the server saw. */
static uint16_t port_seen(int fd, const char *address, uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	char line[128] = "", server[32], peer[64];
	uint16_t seen = 0;
	assert_int_equal(inet_pton(AF_INET, address, &to.sin_addr), 1);
	assert_int_equal(sendto(fd, "?", 1, 0, (struct sockaddr *)&to, sizeof to), 1);
	assert_int_equal(poll(&wait, 1, SCENE_WAIT_MS), 1);
	assert_true(recv(fd, line, sizeof line - 1, 0) > 0);
	assert_int_equal(sscanf(line, "%31s %63s %hu", server, peer, &seen), 3);
	return seen;
}

static int bound_socket(struct world *world, const char *host, uint16_t port)
{
	struct sockaddr_in own = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct error err = { 0 };
	int fd = -1;
	world_claim(
		netns_socket(scene_netns_fd(world->scene, host), AF_INET, SOCK_DGRAM, 0, &fd, &err),
		&err);
	assert_int_equal(bind(fd, (struct sockaddr *)&own, sizeof own), 0);
	return fd;
}

/* Two destinations see one port, or two; a third may send there if it was asked for. */
static void a_port_is_the_same_for_all_destinations_where_asked(void **state)
{
	struct world *world = *state;
	network_with(world, "endpoint-independent", "true");
	world_container(world, "c1", "web", CONTAINER);
	scene_udp_server(world->scene, "client", 53);
	scene_udp_server(world->scene, "client", 54);
	scene_address(world->scene, "client", "eth0", "10.99.0.3/24");
	auto_fd fd = bound_socket(world, "c1", 5000), stranger = bound_socket(world, "client", 99);
	uint16_t port = port_seen(fd, "10.99.0.2", 53);
	assert_int_equal(port_seen(fd, "10.99.0.2", 54), port);
	assert_int_equal(port_seen(fd, "10.99.0.3", 53), port);
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	assert_int_equal(inet_pton(AF_INET, "10.99.0.1", &to.sin_addr), 1);
	assert_int_equal(sendto(stranger, "!", 1, 0, (struct sockaddr *)&to, sizeof to), 1);
	assert_int_equal(poll(&wait, 1, SCENE_QUIET_MS), 0);
	print_message("open to all\n");
	struct masquerade_options open = options_of("endpoint-independent", "true");
	open.open = true;
	world_network_as(world, "web", SUBNETS,
			 (struct network_spec){ .masquerade = true, .masquerade_options = open });
	/* A mapping that is there is opened by the next flow that begins by it. */
	scene_udp_server(world->scene, "client", 55);
	assert_int_equal(port_seen(fd, "10.99.0.2", 55), port);
	assert_int_equal(connect(stranger, (struct sockaddr *)&to, sizeof to), 0);
	(void)send(stranger, "!", 1, 0); /* the first may fail by the refusal of the last one */
	assert_int_equal(send(stranger, "!", 1, 0), 1);
	assert_int_equal(poll(&wait, 1, SCENE_WAIT_MS), 1);
}

/* Two ports are there: one is the host's, one is given once; then the reason is named. */
static void a_port_of_the_host_is_never_given_out(void **state)
{
	struct world *world = *state;
	struct error err = { 0 };
	dataplane_free(TAKE(world->dataplane));
	world_claim(dataplane_reset(scene_instance(world->scene), &err), &err);
	configure(world, "{ \"masqueradePorts\": \"20000-20001\" }");
	world_claim(dataplane_open(scene_instance(world->scene), &world->dataplane, &err), &err);
	world_network(world, "web", SUBNETS);
	world_container(world, "c1", "web", CONTAINER);
	world_container(world, "c2", "web", "10.1.0.3/24");
	scene_udp_server(world->scene, "client", 53);
	scene_tcp_server(world->scene, "client", 80);
	auto_fd host = bound_socket(world, "node", 20001);
	auto_fd first = bound_socket(world, "c1", 5000), second = bound_socket(world, "c2", 5000);
	scene_tcp_server(world->scene, "node", 20000);
	assert_int_equal(port_seen(first, "10.99.0.2", 53), 20000);
	print_message("TCP has the other one\n");
	struct scene_reply reply;
	assert_int_equal(
		scene_tcp_request(world->scene, "c1", "10.99.0.2", 80, SCENE_WAIT_MS, &reply), 0);
	assert_int_equal(reply.peer_port, 20001);
	print_message("none is left\n");
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(53) };
	assert_int_equal(inet_pton(AF_INET, "10.99.0.2", &to.sin_addr), 1);
	assert_int_equal(connect(second, (struct sockaddr *)&to, sizeof to), 0);
	assert_int_equal(send(second, "?", 1, 0), 1);
	struct pollfd wait = { .fd = second, .events = POLLIN };
	assert_int_equal(poll(&wait, 1, SCENE_WAIT_MS), 1); /* told by ICMP */
	char byte;
	assert_int_equal(recv(second, &byte, 1, 0), -1);
	assert_int_equal(world_drops(world, "ports-full", "c2"), 1);
}

/* Neither masqueraded nor let through. */
static void own_networks_never_see_a_masqueraded_packet(void **state)
{
	struct world *world = *state;
	network_with(world, "except", "10.0.0.0/8,fd00::/8");
	world_network(world, "db", "10.2.0.0/24,fd02::/64");
	world_container(world, "c1", "web", CONTAINER);
	world_container(world, "c2", "db", "10.2.0.2/24,fd02::2/64");
	scene_tcp_server(world->scene, "c1", 80);
	scene_tcp_server(world->scene, "c2", 80);
	scene_assert_no_tcp(world->scene, "c2", "10.1.0.2", 80);
	scene_assert_no_tcp(world->scene, "c1", "10.2.0.2", 80);
	scene_assert_no_tcp(world->scene, "c1", "fd02::2", 80);
	assert_true(world_drops(world, "isolated", "c1") > 0);
	assert_true(world_drops(world, "isolated", "c2") > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up_dual, world_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(destinations_left_out_see_the_containers_address),
		TEST(what_the_config_leaves_out_is_left_out_of_all_networks),
		TEST(the_source_is_the_one_that_the_network_chose),
		TEST(the_source_is_the_one_that_the_config_chose_for_the_uplink),
		TEST(wrong_wishes_are_refused_by_name),
		TEST(a_port_is_the_same_for_all_destinations_where_asked),
		TEST(a_port_of_the_host_is_never_given_out),
		TEST(own_networks_never_see_a_masqueraded_packet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
