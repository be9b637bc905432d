/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses and ports change hands: what belonged to the old holder never reaches the new one. */
#include "world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <linux/ip.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/process.h"

static int open_socket(struct world *world, const char *host, int domain, int type, int protocol)
{
	struct error err = { 0 };
	int fd;

	world_claim(
		netns_socket(scene_netns_fd(world->scene, host), domain, type, protocol, &fd, &err),
		&err);
	return fd;
}

static struct sockaddr_in address_of(const char *text, uint16_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };

	assert_int_equal(inet_pton(AF_INET, text, &address.sin_addr), 1);
	return address;
}

static int open_client(struct world *world, int type, uint16_t own_port)
{
	struct sockaddr_in own = { .sin_family = AF_INET, .sin_port = htons(own_port) };
	int fd = open_socket(world, "client", AF_INET, type, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	assert_int_equal(bind(fd, (struct sockaddr *)&own, sizeof own), 0);
	return fd;
}

/* Reads the greeting up to the end of its first word. */
static void assert_served_by(int fd, const char *server)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	char line[128] = "";

	assert_int_equal(poll(&ready, 1, SCENE_WAIT_MS), 1);
	ssize_t got = recv(fd, line, sizeof line - 1, 0);
	assert_true(got > 0);
	line[strcspn(line, " ")] = '\0';
	assert_string_equal(line, server);
}

static void udp_client_of_a_published_port_follows_the_replacement(void **state)
{
	static const char *const addresses[] = { "10.1.0.2/24", "10.1.0.2/24", "10.1.0.7/24" };
	static const char *const names[] = { "c1", "c2", "c3" };
	struct world *world = *state;
	struct sockaddr_in to = address_of("10.99.0.1", 5300);

	world_network(world, "web", "10.1.0.0/24");
	auto_fd fd = open_client(world, SOCK_DGRAM, 4000);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		world_publish(world, names[i], "web", addresses[i], "5300:53/udp", NULL);
		scene_udp_server(world->scene, names[i], 53);
		for (int packet = 0; packet < 3; packet++) { /* the second makes the flow stay */
			assert_int_equal(send(fd, "?", 1, 0), 1);
			assert_served_by(fd, names[i]);
		}
		world_delete(world, names[i]);
	}
}

/* Packets of IPv4 that have come to the container's link, but for those of its own questions. */
static unsigned count_arrived(int capture)
{
	struct iphdr header;
	unsigned count = 0;

	while (recv(capture, &header, sizeof header, MSG_DONTWAIT) >= (ssize_t)sizeof header)
		count += ntohl(header.saddr) >> 24 == 10;
	return count;
}

static void new_container_with_the_old_address_gets_no_old_packets(void **state)
{
	struct world *world = *state;
	struct scene_reply reply;

	world_network(world, "web", "10.1.0.0/24");
	world_publish(world, "c1", "web", "10.1.0.2/24", "8080:80", NULL);
	scene_tcp_server(world->scene, "c1", 80);
	scene_tcp_server(world->scene, "client", 80);
	auto_fd in = scene_tcp_open(world->scene, "client", "10.99.0.1", 8080, &reply);
	auto_fd out = scene_tcp_open(world->scene, "c1", "10.99.0.2", 80, &reply);
	assert_true(in >= 0 && out >= 0);
	assert_int_equal(scene_tcp_echo(in, "on", SCENE_WAIT_MS), 0);
	assert_int_equal(scene_tcp_echo(out, "on", SCENE_WAIT_MS), 0);
	struct sockaddr_in server = address_of("10.99.0.2", 5300);
	auto_fd outside = open_client(world, SOCK_DGRAM, 5300);
	auto_fd udp = open_socket(world, "c1", AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in seen;
	socklen_t size = sizeof seen;
	char byte;
	assert_int_equal(sendto(udp, "?", 1, 0, (struct sockaddr *)&server, sizeof server), 1);
	assert_int_equal(recvfrom(outside, &byte, 1, 0, (struct sockaddr *)&seen, &size), 1);

	world_delete(world, "c1");
	world_publish(world, "c2", "web", "10.1.0.2/24", "8080:80", NULL);
	auto_fd capture = open_socket(world, "c2", AF_PACKET, SOCK_DGRAM, htons(ETH_P_IP));
	/* The old flows' far ends speak on: published TCP, answers to masqueraded UDP. */
	assert_true(scene_tcp_echo(in, "late", SCENE_QUIET_MS) < 0);
	sendto(outside, "late", 4, 0, (struct sockaddr *)&seen, size);
	assert_int_equal(count_arrived(capture), 0);
	scene_tcp_server(world->scene, "c2", 80);
	scene_assert_tcp(world->scene, "client", "10.99.0.1", 8080, "c2", "10.99.0.2");
	assert_true(count_arrived(capture) > 0);
}

static void port_may_be_used_again_at_once_after_a_reset(void **state)
{
	struct world *world = *state;
	struct sockaddr_in to = address_of("10.99.0.1", 8080);
	struct linger abort = { .l_onoff = 1 };

	world_network(world, "web", "10.1.0.0/24");
	world_publish(world, "c1", "web", "10.1.0.2/24", "8080:80", NULL);
	scene_tcp_server(world->scene, "c1", 80);
	for (int i = 0; i < 20; i++) {
		auto_fd fd = open_client(world, SOCK_STREAM, 4000);

		setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
		if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0)
			fail_msg("connection %d: %s", i, strerror(errno));
		assert_served_by(fd, "c1");
	}
}

int main(void)
{
#define SCENE_TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
	const struct CMUnitTest tests[] = {
		SCENE_TEST(udp_client_of_a_published_port_follows_the_replacement),
		SCENE_TEST(new_container_with_the_old_address_gets_no_old_packets),
		SCENE_TEST(port_may_be_used_again_at_once_after_a_reset),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
