/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is more than a whole packet of TCP or UDP to one container, by IPv6: any protocol, packets
 * in parts, multicast. */
#include "world.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/process.h"

#define MDNS "ff02::fb"
#define PORT 5353
#define LONG_BYTES 5000 /* four parts */

static struct sockaddr_in6 place_of(const char *address, uint16_t port)
{
	struct sockaddr_in6 place = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	assert_int_equal(inet_pton(AF_INET6, address, &place.sin6_addr), 1);
	return place;
}

static int open_socket(struct world *world, const char *host, const int kind[2])
{
	struct error err = { 0 };
	int fd;
	world_claim(netns_socket(scene_netns_fd(world->scene, host), AF_INET6, kind[0], kind[1],
				 &fd, &err),
		    &err);
	return fd;
}

static int open_udp(struct world *world, const char *host, uint16_t port)
{
	struct sockaddr_in6 own = place_of("::", port);
	int fd = open_socket(world, host, (const int[]){ SOCK_DGRAM, 0 });
	assert_int_equal(bind(fd, (struct sockaddr *)&own, sizeof own), 0);
	return fd;
}

static void send_to(int fd, const struct sockaddr_in6 *to, const void *data, size_t size)
{
	assert_int_equal(sendto(fd, data, size, 0, (const struct sockaddr *)to, sizeof *to), size);
}

/* Whether a packet with this payload comes; *ret_from: whose it is. */
static bool hears(int fd, const void *data, size_t size, struct sockaddr_in6 *ret_from)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	uint8_t got[LONG_BYTES + 1];
	socklen_t length = sizeof *ret_from;
	while (poll(&ready, 1, SCENE_WAIT_MS) == 1)
		if (recvfrom(fd, got, sizeof got, 0, (struct sockaddr *)ret_from, &length) ==
			    (ssize_t)size &&
		    memcmp(got, data, size) == 0)
			return true;
	return false;
}

static bool is_silent(int fd)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	return poll(&ready, 1, SCENE_QUIET_MS) == 0;
}

static void containers_speak_any_protocol_with_each_other(void **state)
{
	static const int protocols[] = { 99, 47, 132 };
	struct world *world = *state;
	struct sockaddr_in6 to = place_of("fd01::3", 0), from;
	uint8_t data[4000];
	world_network(world, "web", "fd01::/64");
	world_container(world, "c1", "web", "fd01::2/64");
	world_container(world, "c2", "web", "fd01::3/64");
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		const int kind[] = { SOCK_RAW, protocols[i] };
		auto_fd speaker = open_socket(world, "c1", kind);
		auto_fd listener = open_socket(world, "c2", kind);
		for (size_t size = 40; size <= sizeof data; size *= 10) { /* 4000: in parts */
			memset(data, (int)(size + i), sizeof data);
			send_to(speaker, &to, data, size);
			if (!hears(listener, data, size, &from))
				fail_msg("protocol %d, %zu bytes", protocols[i], size);
		}
	}
}

static void datagrams_in_parts_go_everywhere_and_are_answered_in_parts(void **state)
{
	static const struct {
		const char *from, *to, *address, *seen;
		uint16_t port;
	} rows[] = {
		{ "c2", "c1", "fd01::2", "fd01::3", 53 },
		{ "node", "c1", "fd01::2", "fd01::1", 53 },
		{ "c1", "client", "fd99::2", "fd99::1", 53 },   /* masqueraded */
		{ "client", "c1", "fd99::1", "fd99::2", 5300 }, /* published */
		{ "c2", "c1", "fd99::1", "fd01::1", 5300 },     /* a hairpin */
	};
	struct world *world = *state;
	uint8_t data[LONG_BYTES];
	world_network(world, "web", "10.1.0.0/24,fd01::/64");
	world_publish(world, "c1", "web", "10.1.0.2/24,fd01::2/64", "5300:53/udp", NULL);
	world_container(world, "c2", "web", "10.1.0.3/24,fd01::3/64");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sockaddr_in6 to = place_of(rows[i].address, rows[i].port), seen,
				    wanted = place_of(rows[i].seen, 0), answerer;
		auto_fd client = open_udp(world, rows[i].from, 0);
		auto_fd server = open_udp(world, rows[i].to, 53);
		memset(data, (int)i + 1, sizeof data);
		send_to(client, &to, data, sizeof data);
		if (!hears(server, data, sizeof data, &seen))
			fail_msg("row %zu: it does not arrive", i);
		assert_memory_equal(&seen.sin6_addr, &wanted.sin6_addr, sizeof seen.sin6_addr);
		memset(data, (int)i + 101, sizeof data);
		send_to(server, &seen, data, sizeof data);
		if (!hears(client, data, sizeof data, &answerer))
			fail_msg("row %zu: it is not answered", i);
		assert_memory_equal(&answerer.sin6_addr, &to.sin6_addr, sizeof to.sin6_addr);
	}
}

/* --- multicast ------------------------------------------------------------------------- */

static unsigned index_of(int fd, const char *device)
{
	struct ifreq request = { 0 };
	snprintf(request.ifr_name, sizeof request.ifr_name, "%s", device);
	assert_int_equal(ioctl(fd, SIOCGIFINDEX, &request), 0);
	return (unsigned)request.ifr_ifindex;
}

/* Listens to the group on this device. */
static int open_member(struct world *world, const char *host, const char *device)
{
	int fd = open_udp(world, host, PORT);
	struct ipv6_mreq request = { .ipv6mr_multiaddr = place_of(MDNS, 0).sin6_addr,
				     .ipv6mr_interface = index_of(fd, device) };
	assert_int_equal(setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &request, sizeof request),
			 0);
	return fd;
}

static int open_speaker(struct world *world, const char *host)
{
	int fd = open_udp(world, host, 0), index = (int)index_of(fd, "eth0");
	assert_int_equal(setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &index, sizeof index), 0);
	return fd;
}

static void all_of_a_network_that_carries_multicast_hear_it(void **state)
{
	const struct network_spec carrying = { .masquerade = true, .multicast = true };
	struct world *world = *state;
	struct sockaddr_in6 group = place_of(MDNS, PORT), from;
	struct network_info network;
	struct error err = { 0 };
	world_network_as(world, "web", "fd01::/64", carrying);
	world_network_as(world, "db", "fd02::/64", carrying);
	world_container(world, "c1", "web", "fd01::2/64");
	world_container(world, "c2", "web", "fd01::3/64");
	world_container(world, "c3", "web", "fd01::4/64");
	world_container(world, "c4", "db", "fd02::4/64");
	world_claim(network_find(dataplane_store(world->dataplane), "web", &network, &err), &err);
	auto_fd c2 = open_member(world, "c2", "eth0");
	auto_fd c3 = open_member(world, "c3", "eth0");
	auto_fd c4 = open_member(world, "c4", "eth0");
	auto_fd node = open_member(world, "node", network.spec.device);
	auto_fd speaker = open_speaker(world, "c1");
	send_to(speaker, &group, "hello", 5);
	assert_true(hears(c2, "hello", 5, &from));
	assert_true(hears(c3, "hello", 5, &from));
	assert_true(hears(node, "hello", 5, &from));
	assert_true(is_silent(c4));
}

static void network_that_does_not_carry_multicast_drops_it(void **state)
{
	struct world *world = *state;
	struct sockaddr_in6 group = place_of(MDNS, PORT);
	world_network(world, "web", "fd01::/64");
	world_container(world, "c1", "web", "fd01::2/64");
	world_container(world, "c2", "web", "fd01::3/64");
	auto_fd c2 = open_member(world, "c2", "eth0");
	auto_fd speaker = open_speaker(world, "c1");
	uint64_t before = world_drops(world, "multicast", "c1");
	send_to(speaker, &group, "hello", 5);
	assert_true(is_silent(c2));
	assert_true(world_drops(world, "multicast", "c1") > before);
}

int main(void)
{
#define SCENE_TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up_dual, world_tear_down)
	const struct CMUnitTest tests[] = {
		SCENE_TEST(containers_speak_any_protocol_with_each_other),
		SCENE_TEST(datagrams_in_parts_go_everywhere_and_are_answered_in_parts),
		SCENE_TEST(all_of_a_network_that_carries_multicast_hear_it),
		SCENE_TEST(network_that_does_not_carry_multicast_drops_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
