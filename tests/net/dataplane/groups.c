/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Multicast and broadcast: carried where a network is told to, at a bounded cost; else nowhere. */
#include "world.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/process.h"

#define MDNS "224.0.0.251"
#define PORT 5353

static int open_socket(struct world *world, const char *host, uint16_t port)
{
	struct error err = { 0 };
	struct sockaddr_in own = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd, on = 1;

	world_claim(
		netns_socket(scene_netns_fd(world->scene, host), AF_INET, SOCK_DGRAM, 0, &fd, &err),
		&err);
	setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on);
	assert_int_equal(bind(fd, (struct sockaddr *)&own, sizeof own), 0);
	return fd;
}

/* Listens to the group by the interface that has this address. */
static int open_member(struct world *world, const char *host, const char *address)
{
	struct ip_mreq request = { 0 };
	int fd = open_socket(world, host, PORT);

	assert_int_equal(inet_pton(AF_INET, MDNS, &request.imr_multiaddr), 1);
	assert_int_equal(inet_pton(AF_INET, address, &request.imr_interface), 1);
	assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof request),
			 0);
	return fd;
}

static void say(int fd, const char *to)
{
	struct sockaddr_in target = { .sin_family = AF_INET, .sin_port = htons(PORT) };

	assert_int_equal(inet_pton(AF_INET, to, &target.sin_addr), 1);
	assert_int_equal(sendto(fd, to, strlen(to), 0, (struct sockaddr *)&target, sizeof target),
			 strlen(to));
}

static bool hears(int fd, const char *what, int timeout_ms)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	char text[64] = "";

	return poll(&ready, 1, timeout_ms) == 1 && recv(fd, text, sizeof text - 1, 0) > 0 &&
	       strcmp(text, what) == 0;
}

static void all_of_a_network_that_carries_multicast_hear_it(void **state)
{
	static const char *const groups[] = { MDNS, "10.1.0.255", "255.255.255.255" };
	struct world *world = *state;

	world_network_as(world, "web", "10.1.0.0/24",
			 (struct network_spec){ .masquerade = true, .multicast = true });
	world_network_as(world, "db", "10.2.0.0/24",
			 (struct network_spec){ .masquerade = true, .multicast = true });
	world_container(world, "c1", "web", "10.1.0.2/24");
	world_container(world, "c2", "web", "10.1.0.3/24");
	world_container(world, "c3", "web", "10.1.0.4/24");
	world_container(world, "c4", "db", "10.2.0.4/24");
	auto_fd c1 = open_member(world, "c1", "10.1.0.2");
	auto_fd c2 = open_member(world, "c2", "10.1.0.3");
	auto_fd c3 = open_member(world, "c3", "10.1.0.4");
	auto_fd c4 = open_member(world, "c4", "10.2.0.4");
	auto_fd node = open_member(world, "node", "10.1.0.1");
	auto_fd speaker = open_socket(world, "c1", 0);

	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		print_message("%s\n", groups[i]);
		say(speaker, groups[i]);
		assert_true(hears(c2, groups[i], SCENE_WAIT_MS));
		assert_true(hears(c3, groups[i], SCENE_WAIT_MS));
		assert_true(hears(node, groups[i], SCENE_WAIT_MS));
	}
	assert_false(hears(c4, MDNS, SCENE_QUIET_MS));
}

static void network_that_does_not_carry_multicast_drops_it(void **state)
{
	struct world *world = *state;

	world_network(world, "web", "10.1.0.0/24");
	world_container(world, "c1", "web", "10.1.0.2/24");
	world_container(world, "c2", "web", "10.1.0.3/24");
	auto_fd c2 = open_member(world, "c2", "10.1.0.3");
	auto_fd speaker = open_socket(world, "c1", 0);

	uint64_t before = world_drops(world, "multicast", "c1");
	say(speaker, MDNS);
	say(speaker, "10.1.0.255");
	assert_false(hears(c2, MDNS, SCENE_QUIET_MS));
	assert_true(world_drops(world, "multicast", "c1") >= before + 2);
}

static void one_sender_has_so_much_and_no_more(void **state)
{
	struct world *world = *state;

	world_network_as(world, "web", "10.1.0.0/24", (struct network_spec){ .multicast = true });
	world_container(world, "c1", "web", "10.1.0.2/24");
	world_container(world, "c2", "web", "10.1.0.3/24");
	world_container(world, "c3", "web", "10.1.0.4/24");
	auto_fd c2 = open_member(world, "c2", "10.1.0.3");
	auto_fd speaker = open_socket(world, "c1", 0);
	auto_fd other = open_socket(world, "c3", 0);

	for (int i = 0; i < 2000; i++)
		say(speaker, MDNS);
	assert_true(world_drops(world, "rate", "c1") > 0);
	while (hears(c2, MDNS, 0))
		;
	say(other, "10.1.0.255");
	assert_true(hears(c2, "10.1.0.255", SCENE_WAIT_MS));
}

int main(void)
{
#define SCENE_TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
	const struct CMUnitTest tests[] = {
		SCENE_TEST(all_of_a_network_that_carries_multicast_hear_it),
		SCENE_TEST(network_that_does_not_carry_multicast_drops_it),
		SCENE_TEST(one_sender_has_so_much_and_no_more),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
