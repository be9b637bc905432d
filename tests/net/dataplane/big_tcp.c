/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TCP segments beyond 64 KiB: made between containers where nobody would have to cut them. */
#include "world.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/process.h"

#define USUAL 65536
#define SENT_MAX (256u << 20) /* by then a segment beyond the usual has been seen */
#define PORT 80

/* Sees what comes from the container, before any program of the data path. */
static int open_tap(struct world *world, const char *container)
{
	struct error err = { 0 };
	struct endpoint_info info = { 0 };
	int found =
		endpoint_find(dataplane_store(world->dataplane), container, "eth0", &info, &err);
	struct sockaddr_ll place = { .sll_family = AF_PACKET,
				     .sll_protocol = htons(ETH_P_ALL),
				     .sll_ifindex = (int)info.host_ifindex };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	assert_int_equal(found, 1);
	endpoint_info_release(&info);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&place, sizeof place), 0);
	return fd;
}

/* The longest of the frames that have come since the last look. */
static ssize_t longest(int tap)
{
	char start[64];
	ssize_t size, most = 0;

	while ((size = recv(tap, start, sizeof start, MSG_TRUNC | MSG_DONTWAIT)) >= 0)
		if (size > most)
			most = size;
	return most;
}

static int open_sink(struct world *world, const char *container, int family)
{
	struct error err = { 0 };
	const struct sockaddr_in6 own = { .sin6_family = AF_INET6, .sin6_port = htons(PORT) };
	const struct sockaddr_in own4 = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int fd, v6 = family == AF_INET6, on = 1;

	world_claim(netns_socket(scene_netns_fd(world->scene, container), family, SOCK_STREAM, 0,
				 &fd, &err),
		    &err);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	assert_int_equal(bind(fd, v6 ? (const void *)&own : (const void *)&own4,
			      v6 ? sizeof own : sizeof own4),
			 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

/* Sends until a frame is longer than `enough`, or much has been sent; what came was whole. */
static ssize_t pour(int sender, int receiver, int tap, ssize_t enough)
{
	static char data[1 << 18], taken[1 << 18];
	ssize_t most = 0;
	size_t sent = 0, come = 0;

	memset(data, 'w', sizeof data);
	while (come < sent || (most <= enough && sent < SENT_MAX)) {
		struct pollfd fds[] = { { receiver, POLLIN, 0 },
					{ sender, most <= enough && sent < SENT_MAX ? POLLOUT : 0,
					  0 } };
		assert_true(poll(fds, 2, SCENE_WAIT_MS) > 0);
		if (fds[1].revents & POLLOUT) {
			ssize_t size = send(sender, data, sizeof data, MSG_DONTWAIT);
			sent += size > 0 ? (size_t)size : 0;
		}
		if (fds[0].revents & POLLIN) {
			ssize_t size = recv(receiver, taken, sizeof taken, MSG_DONTWAIT);
			assert_true(size > 0);
			assert_memory_equal(taken, data, (size_t)size);
			come += (size_t)size;
		}
		ssize_t seen = longest(tap);
		most = seen > most ? seen : most;
	}
	return most;
}

static ssize_t longest_to(struct world *world, int family, const char *address, ssize_t enough)
{
	auto_fd tap = open_tap(world, "c1");
	auto_fd sink = open_sink(world, "c2", family);
	struct sockaddr_in6 to = { .sin6_family = AF_INET6, .sin6_port = htons(PORT) };
	struct sockaddr_in to4 = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	struct error err = { 0 };
	int fd;

	assert_int_equal(
		inet_pton(family, address,
			  family == AF_INET6 ? (void *)&to.sin6_addr : (void *)&to4.sin_addr),
		1);
	world_claim(
		netns_socket(scene_netns_fd(world->scene, "c1"), family, SOCK_STREAM, 0, &fd, &err),
		&err);
	auto_fd sender = fd;
	assert_int_equal(connect(sender, family == AF_INET6 ? (void *)&to : (void *)&to4,
				 family == AF_INET6 ? sizeof to : sizeof to4),
			 0);
	auto_fd receiver = accept(sink, NULL, NULL);
	assert_true(receiver >= 0);
	return pour(sender, receiver, tap, enough);
}

static void containers(struct world *world, const char *network)
{
	world_container(world, "c1", network, "10.1.0.2/24,fd01::2/64");
	world_container(world, "c2", network, "10.1.0.3/24,fd01::3/64");
}

/* Since 6.3. What the kernel knows of a device is in no file, and Debian 12's ip shows it not. */
static bool kernel_has_it_for_ipv4(void)
{
	struct utsname name;
	unsigned major = 0, minor = 0;

	uname(&name);
	return sscanf(name.release, "%u.%u", &major, &minor) == 2 &&
	       (major > 6 || (major == 6 && minor >= 3));
}

static void network_without_a_way_outside_sends_big_segments(void **state)
{
	struct world *world = *state;
	const ssize_t with_headers = USUAL + 100;

	world_network_as(world, "web", "10.1.0.0/24,fd01::/64",
			 (struct network_spec){ .internal = true });
	containers(world, "web");
	assert_true(longest_to(world, AF_INET6, "fd01::3", with_headers) > with_headers);
	if (kernel_has_it_for_ipv4())
		assert_true(longest_to(world, AF_INET, "10.1.0.3", with_headers) > with_headers);
}

static void uplink_that_would_cut_them_keeps_segments_small(void **state)
{
	struct world *world = *state;

	world_network(world, "web", "10.1.0.0/24,fd01::/64");
	containers(world, "web");
	assert_true(longest_to(world, AF_INET6, "fd01::3", USUAL + 100) <= USUAL + 100);
}

static void segments_are_as_big_as_the_network_was_told(void **state)
{
	struct world *world = *state;

	world_network_as(world, "web", "10.1.0.0/24,fd01::/64",
			 (struct network_spec){ .masquerade = true, .big_tcp = BIG_TCP_ON });
	containers(world, "web");
	assert_true(longest_to(world, AF_INET6, "fd01::3", USUAL + 100) > USUAL + 100);
}

int main(void)
{
#define SCENE_TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up_dual, world_tear_down)
	const struct CMUnitTest tests[] = {
		SCENE_TEST(network_without_a_way_outside_sends_big_segments),
		SCENE_TEST(uplink_that_would_cut_them_keeps_segments_small),
		SCENE_TEST(segments_are_as_big_as_the_network_was_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
