/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's own sockets and ports that are published on IPv6: led, refused, and met. */
#include "sockets.h"
#include "wish.h"
#include "world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define WEB "10.1.0.0/24,fd01::/64"
#define BOTH "10.1.0.2/24,fd01::2/64"

static socklen_t size_of(const struct sockaddr_storage *address)
{
	return address->ss_family == AF_INET ? sizeof(struct sockaddr_in)
					     : sizeof(struct sockaddr_in6);
}

static bool same_address(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	const struct sockaddr_in6 *a6 = (const void *)a, *b6 = (const void *)b;
	const struct sockaddr_in *a4 = (const void *)a, *b4 = (const void *)b;
	if (a->ss_family != b->ss_family)
		return false;
	if (a->ss_family == AF_INET)
		return a4->sin_port == b4->sin_port && a4->sin_addr.s_addr == b4->sin_addr.s_addr;
	return a6->sin6_port == b6->sin6_port &&
	       memcmp(&a6->sin6_addr, &b6->sin6_addr, sizeof a6->sin6_addr) == 0;
}

/* One way to ask for something at an address. */
enum way { TCP, UDP_CONNECTED, UDP_TO, WAYS };

/* 0 with the answer and who it seems to come from, or -errno. */
static int ask(const struct sockaddr_storage *to, enum way way, char *ret_text,
	       struct sockaddr_storage *ret_peer)
{
	auto_fd fd =
		socket(to->ss_family, (way == TCP ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	socklen_t size = sizeof *ret_peer;
	if (way != UDP_TO && connect(fd, (const struct sockaddr *)to, size_of(to)) < 0)
		return -errno;
	if (way != UDP_TO && getpeername(fd, (struct sockaddr *)ret_peer, &size) < 0)
		return -errno;
	if (way == UDP_CONNECTED && send(fd, "?", 1, 0) < 0)
		return -errno;
	if (way == UDP_TO && sendto(fd, "?", 1, 0, (const struct sockaddr *)to, size_of(to)) < 0)
		return -errno;
	if (poll(&wait, 1, SCENE_WAIT_MS) == 0)
		return -ETIMEDOUT;
	size = sizeof *ret_peer;
	ssize_t got = way == UDP_TO
			      ? recvfrom(fd, ret_text, 127, 0, (struct sockaddr *)ret_peer, &size)
			      : recv(fd, ret_text, 127, 0);
	if (got < 0)
		return -errno;
	ret_text[got] = '\0';
	return 0;
}

static void the_hosts_sockets_reach_what_it_publishes(void **state)
{
	static const struct {
		const char *to;
		uint16_t port;
		const char *peer; /* whom the socket believes to talk to; NULL: nobody answers */
	} rows[] = {
		{ "::1", 8080, "::1" },
		{ "fd99::1", 8080, "fd99::1" },
		{ "fd01::1", 8080, "fd01::1" },
		{ "::", 8080, "::1" },
		{ "127.0.0.1", 8080, "127.0.0.1" },
		{ "0.0.0.0", 8080, "127.0.0.1" },
		{ "::ffff:127.0.0.1", 8080, "::ffff:127.0.0.1" },
		{ "::ffff:10.99.0.1", 8080, "::ffff:10.99.0.1" },
		{ "::1", 8081, "::1" }, /* at ::1 only */
		{ "fd99::1", 8081, NULL },
		{ "::ffff:127.0.0.1", 8081, NULL },
		{ "::1", 8082, NULL }, /* at all of IPv4 */
		{ "::ffff:127.0.0.1", 8082, "::ffff:127.0.0.1" },
		{ "::1", 8083, "::1" }, /* at all of IPv6 */
		{ "127.0.0.1", 8083, NULL },
		{ "fd01::2", 8080, NULL }, /* no address of the host */
	};
	struct world *world = *state;
	world_network(world, "web", WEB);
	world_publish(world, "c1", "web", BOTH, "8080:80", "8080:80/udp", "[::1]:8081:80",
		      "[::1]:8081:80/udp", "0.0.0.0:8082:80", "0.0.0.0:8082:80/udp", "[::]:8083:80",
		      "[::]:8083:80/udp", NULL);
	scene_tcp_server(world->scene, "c1", 80);
	scene_udp_server(world->scene, "c1", 80);
	for (size_t i = 0; i < ARRAY_SIZE(rows) * WAYS; i++) {
		const char *to = rows[i / WAYS].to, *seen = rows[i / WAYS].peer;
		uint16_t port = rows[i / WAYS].port;
		struct sockaddr_storage address = socket_address(to, port), peer = { 0 }, wanted;
		char text[128] = "";
		int r = ask(&address, i % WAYS, text, &peer);
		if (!seen) {
			/* A datagram to all of nobody is an answer of ICMP, or silence. */
			if (r != -ECONNREFUSED && r != -ETIMEDOUT)
				fail_msg("[%s]:%u, way %zu: %d %s", to, port, i % WAYS, r, text);
			continue;
		}
		wanted = socket_address(seen, port);
		if (r < 0 || !strstr(text, "c1") || !same_address(&peer, &wanted))
			fail_msg("[%s]:%u, way %zu: %d %s", to, port, i % WAYS, r, text);
	}
}

static struct publish_spec port(const char *host_ip, uint16_t number, enum publish_family family)
{
	struct publish_spec spec = { .host_port = number,
				     .container_port = 80,
				     .count = 1,
				     .protocol = PROTOCOL_TCP,
				     .family = (uint8_t)family };
	struct error err = { 0 };
	if (host_ip)
		world_claim(ip_parse(host_ip, &spec.host_ip, &err), &err);
	return spec;
}

static void the_host_does_not_bind_what_the_engine_publishes(void **state)
{
	static const struct {
		const char *address;
		uint16_t port;
		bool v6_only;
		int result;
	} rows[] = {
		{ "::", 8080, false, -EADDRINUSE }, /* published at all of both */
		{ "::", 8080, true, -EADDRINUSE },
		{ "::1", 8080, false, -EADDRINUSE },
		{ "0.0.0.0", 8080, false, -EADDRINUSE },
		{ "::", 8081, false, -EADDRINUSE }, /* of IPv4 */
		{ "::", 8081, true, 0 },
		{ "::1", 8081, false, 0 },
		{ "::ffff:127.0.0.1", 8081, false, -EADDRINUSE },
		{ "::", 8082, false, -EADDRINUSE }, /* of IPv6 */
		{ "::", 8082, true, -EADDRINUSE },
		{ "0.0.0.0", 8082, false, 0 },
		{ "::ffff:127.0.0.1", 8082, false, 0 },
		{ "::", 8083, false, -EADDRINUSE }, /* of fd99::1 */
		{ "::", 8083, true, -EADDRINUSE },
		{ "fd99::1", 8083, false, -EADDRINUSE },
		{ "::1", 8083, false, 0 },
		{ "0.0.0.0", 8083, false, 0 },
		{ "::", 8084, false, -EADDRINUSE }, /* of 10.99.0.1 */
		{ "::", 8084, true, 0 },
		{ "0.0.0.0", 8084, false, -EADDRINUSE },
		{ "::", 8085, false, 0 },
	};
	struct world *world = *state;
	const struct publish_spec ports[] = { port(NULL, 8080, PUBLISH_BOTH),
					      port(NULL, 8081, PUBLISH_IPV4),
					      port(NULL, 8082, PUBLISH_IPV6),
					      port("fd99::1", 8083, PUBLISH_BOTH),
					      port("10.99.0.1", 8084, PUBLISH_BOTH) };
	world_network(world, "web", WEB);
	for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
		char name[8], addresses[64];
		snprintf(name, sizeof name, "c%zu", i);
		snprintf(addresses, sizeof addresses, "10.1.0.%zu/24,fd01::%zu/64", i + 2, i + 2);
		world_wish(world, &(struct wish){ name, addresses, ports[i],
						  PUBLISH_REFUSE_LISTENERS, NULL });
	}
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int r = (rows[i].v6_only ? bind_v6_only : bind_at)(world, "node", rows[i].address,
								   rows[i].port, SOCK_STREAM);
		if (r != rows[i].result)
			fail_msg("row %zu: %s", i, strerror(-r));
	}
}

static void a_listener_of_either_family_is_named(void **state)
{
	static const struct {
		const char *listener;
		bool v6_only;
		const char *publication;
		bool refused;
	} rows[] = {
		{ "::", false, "5007:80", true },
		{ "::", true, "5007:80", true },
		{ "::", true, "0.0.0.0:5007:80", false },
		{ "::", false, "0.0.0.0:5007:80", true },
		{ "::", true, "[::]:5007:80", true },
		{ "::1", false, "[::]:5007:80", true },
		{ "::1", false, "[fd99::1]:5007:80", false },
		{ "fd99::1", false, "[fd99::1]:5007:80", true },
		{ "0.0.0.0", false, "[::]:5007:80", false },
		{ "0.0.0.0", false, "5007:80", true },
		{ "::", true, "[::]:5000:5000+100", true }, /* ranges look at all listeners */
		{ "::", true, "0.0.0.0:5000:5000+100", false },
		{ "::1", false, "[::]:5000:5000+100", true },
		{ "::1", false, "[fd99::1]:5000:5000+100", false },
		{ "0.0.0.0", false, "[::]:5000:5000+100", false },
	};
	struct world *world = *state;
	world_network(world, "web", WEB);
	scene_container(world->scene, "c1");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sockaddr_storage own = socket_address(rows[i].listener, 5007);
		auto_fd fd = socket_of(world, "node", own.ss_family, SOCK_STREAM);
		const int only = rows[i].v6_only;
		struct error err = { 0 };
		if (own.ss_family == AF_INET6)
			setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only);
		assert_int_equal(bind(fd, (struct sockaddr *)&own, size_of(&own)), 0);
		assert_int_equal(listen(fd, 1), 0);
		int r = world_try(world, "c1", "web", BOTH, rows[i].publication,
				  PUBLISH_REFUSE_LISTENERS, &err);
		if (rows[i].refused
			    ? r != -EADDRINUSE || !strstr(err.text, "host port 5007/tcp is used by "
								    "test-net-")
			    : r != 0)
			fail_msg("row %zu: %d %s", i, r, r < 0 ? err.text : "");
		if (r == 0)
			world_delete(world, "c1");
	}
}

/* The device that the host sends to this address by. */
static bool goes_by(struct world *world, const char *address, const char *device)
{
	char word[32];
	assert_int_equal(scene_run(world->scene, "node", "ip", "-6", "route", "get", address, NULL),
			 0);
	snprintf(word, sizeof word, "dev %s", device);
	return strstr(scene_output(world->scene), word);
}

static void what_publishes_on_ipv6_has_a_route_by_its_link(void **state)
{
	static const struct {
		const char *publication;
		bool link;
	} rows[] = {
		{ "8080:80", true },
		{ "[::1]:8080:80", true },
		{ "0.0.0.0:8080:80", false }, /* IPv6 stays off on its link */
		{ NULL, false },
	};
	struct world *world = *state;
	struct error err = { 0 };
	world_network(world, "web", WEB);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		world_publish(world, "c1", "web", BOTH, rows[i].publication, NULL);
		if (goes_by(world, "fd01::2", "wh") != rows[i].link)
			fail_msg("row %zu: %s", i, scene_output(world->scene));
		scene_tcp_server(world->scene, "c1", 80);
		scene_assert_tcp(world->scene, "node", "fd01::2", 80, "c1", "fd01::1");
		world_claim(endpoint_check(world->dataplane, "c1", "eth0", &err), &err);
		world_delete(world, "c1");
		scene_remove(world->scene, "c1");
	}
	world_publish(world, "c1", "web", BOTH, "8080:80", NULL);
	scene_assert_run(world->scene, "ip", "-6", "route", "del", "fd01::2/128", NULL);
	assert_int_equal(endpoint_check(world->dataplane, "c1", "eth0", &err), -ENOENT);
	world_claim(dataplane_reconcile(world->dataplane, &err), &err);
	assert_true(goes_by(world, "fd01::2", "wh"));
	scene_tcp_server(world->scene, "c1", 80);
	scene_assert_tcp(world->scene, "node", "::1", 8080, "c1", "fd01::1");
}

int main(void)
{
#define SCENE_TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up_dual, world_tear_down)
	const struct CMUnitTest tests[] = {
		SCENE_TEST(the_hosts_sockets_reach_what_it_publishes),
		SCENE_TEST(the_host_does_not_bind_what_the_engine_publishes),
		SCENE_TEST(a_listener_of_either_family_is_named),
		SCENE_TEST(what_publishes_on_ipv6_has_a_route_by_its_link),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
