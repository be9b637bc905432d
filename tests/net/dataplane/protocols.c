/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between containers any IP protocol works, whole or in fragments; and what leaves is told why not.
 */
#include "world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/process.h"

#define IP_HEADER 20

static int open_raw(struct world *world, const char *host, int protocol)
{
	struct error err = { 0 };
	int fd;

	world_claim(netns_socket(scene_netns_fd(world->scene, host), AF_INET, SOCK_RAW, protocol,
				 &fd, &err),
		    &err);
	return fd;
}

static ssize_t send_to(int fd, const char *address, const void *data, size_t size)
{
	struct sockaddr_in to = { .sin_family = AF_INET };

	assert_int_equal(inet_pton(AF_INET, address, &to.sin_addr), 1);
	return sendto(fd, data, size, 0, (struct sockaddr *)&to, sizeof to);
}

/* Waits for a packet with this payload; false if none comes. */
static bool receive(int fd, const void *data, size_t size, int timeout_ms)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	uint8_t packet[8192];

	while (poll(&ready, 1, timeout_ms) == 1) {
		ssize_t got = recv(fd, packet, sizeof packet, 0);

		if (got == (ssize_t)(IP_HEADER + size) &&
		    memcmp(packet + IP_HEADER, data, size) == 0)
			return true;
	}
	return false;
}

static void containers_speak_any_protocol_with_each_other(void **state)
{
	static const int protocols[] = { 99, 47, 50, 132, 2 };
	struct world *world = *state;
	uint8_t data[4000];

	world_network(world, "web", "10.1.0.0/24");
	world_container(world, "c1", "web", "10.1.0.2/24");
	world_container(world, "c2", "web", "10.1.0.3/24");
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		auto_fd from = open_raw(world, "c1", protocols[i]);
		auto_fd to = open_raw(world, "c2", protocols[i]);

		for (size_t size = 40; size <= sizeof data; size *= 10) { /* 4000: in fragments */
			memset(data, (int)(size + i), sizeof data);
			assert_int_equal(send_to(from, "10.1.0.3", data, size), size);
			if (!receive(to, data, size, SCENE_WAIT_MS))
				fail_msg("protocol %d, %zu bytes", protocols[i], size);
		}
	}
}

static void protocol_that_cannot_be_translated_is_dropped_by_name(void **state)
{
	struct world *world = *state;

	world_network(world, "web", "10.1.0.0/24");
	world_container(world, "c1", "web", "10.1.0.2/24");
	auto_fd from = open_raw(world, "c1", 99);
	auto_fd to = open_raw(world, "client", 99);
	assert_int_equal(send_to(from, "10.99.0.2", "hello", 5), 5);
	assert_false(receive(to, "hello", 5, SCENE_QUIET_MS));
	assert_int_equal(world_drops(world, "unsupported", "c1"), 1);
}

int main(void)
{
#define SCENE_TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
	const struct CMUnitTest tests[] = {
		SCENE_TEST(containers_speak_any_protocol_with_each_other),
		SCENE_TEST(protocol_that_cannot_be_translated_is_dropped_by_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
