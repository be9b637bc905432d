/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ports published on IPv6, alone and beside IPv4: who reaches what, and as whom. */
#include "sockets.h"
#include "wish.h"
#include "world.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define OF_BPF "c1, but of nft" /* that cannot */
#define HAIRPIN "hairpin"       /* as the gateway; nf_tables routes, and need not be in between */
#define WEB "10.1.0.0/24,fd01::/64"
#define WEB6 "fd01::/64"

/* One question and its answer; server NULL: nobody answers. */
struct cell {
	const char *from, *to;
	uint16_t port;
	const char *server, *seen; /* as whom the client is seen; NULL: as anybody */
};

static bool is_nft(void)
{
	return text_equal(WORLD_BACKEND, "nft");
}

static const char *seen_as(const char *word)
{
	if (!word || !text_equal(word, HAIRPIN))
		return word;
	return is_nft() ? "fd01::3" : "fd01::1";
}

static void check_tcp(struct world *world, const struct cell *cell)
{
	struct scene_reply reply;
	const char *server = cell->server;
	if (server && text_equal(server, OF_BPF))
		server = is_nft() ? NULL : "c1";
	int r = scene_tcp_request(world->scene, cell->from, cell->to, cell->port,
				  server ? SCENE_WAIT_MS : SCENE_QUIET_MS, &reply);
	if (!server && r == 0)
		fail_msg("%s to [%s]:%u: %s answers", cell->from, cell->to, cell->port,
			 reply.server);
	if (!server)
		return;
	if (r < 0)
		fail_msg("%s to [%s]:%u: %d", cell->from, cell->to, cell->port, r);
	const char *seen = seen_as(cell->seen);
	if (!text_equal(reply.server, server) || (seen && !text_equal(reply.peer, seen)))
		fail_msg("%s to [%s]:%u: %s answers, and sees %s", cell->from, cell->to, cell->port,
			 reply.server, reply.peer);
}

static void a_port_of_both_families_is_reached_by_both(void **state)
{
	static const struct cell cells[] = {
		{ "client", "10.99.0.1", 8080, "c1", "10.99.0.2" },
		{ "client", "fd99::1", 8080, "c1", "fd99::2" },
		{ "c2", "10.99.0.1", 8080, "c1", NULL },
		{ "c2", "fd99::1", 8080, "c1", HAIRPIN },
		{ "c2", "fd01::1", 8080, "c1", HAIRPIN },
		{ "c1", "fd99::1", 8080, "c1", "fd01::1" },
		{ "node", "127.0.0.1", 8080, "c1", "10.1.0.1" },
		{ "node", "::1", 8080, OF_BPF, "fd01::1" },
		{ "node", "fd99::1", 8080, "c1", NULL },
		{ "node", "fd01::2", 80, "c1", "fd01::1" },
		{ "far", "fd99::1", 8080, "c1", "fd02::2" },
		{ "far", "fd01::1", 8080, "c1", "fd02::2" },
		{ "far", "fd01::2", 80, NULL, NULL },
		{ "client", "fd99::1", 8081, NULL, NULL },
		{ "client", "fd01::2", 80, NULL, NULL },
	};
	struct world *world = *state;
	world_network(world, "web", WEB);
	world_network(world, "db", "10.2.0.0/24,fd02::/64");
	world_publish(world, "c1", "web", "10.1.0.2/24,fd01::2/64", "8080:80", "5300:53/udp", NULL);
	world_container(world, "c2", "web", "10.1.0.3/24,fd01::3/64");
	world_container(world, "far", "db", "10.2.0.2/24,fd02::2/64");
	scene_tcp_server(world->scene, "c1", 80);
	scene_udp_server(world->scene, "c1", 53);
	for (size_t i = 0; i < ARRAY_SIZE(cells); i++)
		check_tcp(world, &cells[i]);
	scene_assert_udp(world->scene, "client", "fd99::1", 5300, "c1", "fd99::2");
	scene_assert_udp(world->scene, "c2", "fd99::1", 5300, "c1", seen_as(HAIRPIN));
	scene_assert_udp(world->scene, "far", "fd99::1", 5300, "c1", "fd02::2");
}

static void a_port_of_one_family_is_not_reached_by_the_other(void **state)
{
	static const struct {
		const char *publication;
		bool v4, v6;
	} rows[] = {
		{ "8080:80", true, true },
		{ "0.0.0.0:8080:80", true, false },
		{ "[::]:8080:80", false, true },
		{ "10.99.0.1:8080:80", true, false },
		{ "[fd99::1]:8080:80", false, true },
		{ "[fd99::7]:8080:80", false, false },
		{ "[::1]:8080:80", false, false }, /* the last: not with nft */
	};
	struct world *world = *state;
	world_network(world, "web", WEB);
	scene_address(world->scene, "node", "up0", "fd99::7/64");
	for (size_t i = 0; i < ARRAY_SIZE(rows) - is_nft(); i++) {
		print_message("%s\n", rows[i].publication);
		world_publish(world, "c1", "web", "10.1.0.2/24,fd01::2/64", rows[i].publication,
			      NULL);
		scene_tcp_server(world->scene, "c1", 80);
		check_tcp(world, &(struct cell){ "client", "10.99.0.1", 8080,
						 rows[i].v4 ? "c1" : NULL, NULL });
		check_tcp(world, &(struct cell){ "client", "fd99::1", 8080,
						 rows[i].v6 ? "c1" : NULL, NULL });
		world_delete(world, "c1");
		scene_remove(world->scene, "c1");
	}
}

static void a_family_that_the_container_lacks_is_not_published(void **state)
{
	static const struct {
		const char *address, *publication;
		int result;
		const char *text;
	} rows[] = {
		{ "fd01::2/64", "8080:80", 0, NULL },
		{ "fd01::2/64", "[::]:8080:80", 0, NULL },
		{ "fd01::2/64", "0.0.0.0:8080:80", -EAFNOSUPPORT,
		  "port 8080 is published on IPv4, but container c1 has no IPv4 address" },
		{ "10.1.0.2/24", "8080:80", 0, NULL },
		{ "10.1.0.2/24", "[::]:8080:80", -EAFNOSUPPORT,
		  "port 8080 is published on IPv6, but container c1 has no IPv6 address" },
		{ "10.1.0.2/24", "[fd99::1]:8080:80", -EAFNOSUPPORT,
		  "port 8080 is published on IPv6, but container c1 has no IPv6 address" },
	};
	struct world *world = *state;
	world_network(world, "web", WEB);
	scene_container(world->scene, "c1");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error err = { 0 };
		int r = world_try(world, "c1", "web", rows[i].address, rows[i].publication,
				  PUBLISH_REFUSE_LISTENERS, &err);
		if (r != rows[i].result || (r < 0 && !text_equal(err.text, rows[i].text)))
			fail_msg("row %zu: %d %s", i, r, r < 0 ? err.text : "");
		if (r == 0)
			world_delete(world, "c1");
	}
}

static void nft_says_that_it_cannot_publish_at_loopback(void **state)
{
	struct world *world = *state;
	struct error err = { 0 };
	if (!is_nft())
		skip();
	world_network(world, "web", WEB);
	scene_container(world->scene, "c1");
	assert_int_equal(world_try(world, "c1", "web", "fd01::2/64", "[::1]:8080:80",
				   PUBLISH_IGNORE_LISTENERS, &err),
			 -EOPNOTSUPP);
	assert_string_equal(err.text, "port 8080: the nft back end cannot publish at ::1");
}

static int count_row(const struct port_row *row, void *context, struct error *err)
{
	struct text *text = context;
	(void)err;
	text_append(text, "%s %u %s IPv%u\n", ip_format(row->host_ip).text, row->host_port,
		    ip_format(row->container_ip).text, row->family);
	return 0;
}

static void each_family_of_a_port_has_its_row(void **state)
{
	struct world *world = *state;
	struct error err = { 0 };
	auto_text text = { 0 };
	world_network(world, "web", WEB);
	world_publish(world, "c1", "web", "10.1.0.2/24,fd01::2/64", "8080:80", "[fd99::1]:81:80",
		      NULL);
	world_claim(ports_each(dataplane_store(world->dataplane), count_row, &text, &err), &err);
	assert_string_equal(text.data, "0.0.0.0 8080 10.1.0.2 IPv4\n"
				       ":: 8080 fd01::2 IPv6\n"
				       "fd99::1 81 fd01::2 IPv6\n");
}

static void a_port_that_is_for_some_is_not_for_others(void **state)
{

	static const struct {
		const char *from;
		bool client, far;
	} rows[] = {
		{ "2001:db8::/32", false, false }, { "fd99::/64", true, false },
		{ "fd99::2", true, false },        { "fd02::/48", false, true },
		{ "192.0.2.0/24", false, false }, /* of IPv4: nobody of IPv6 */
	};
	struct world *world = *state;
	if (is_nft()) /* which refuses to tell clients apart */
		skip();
	world_network(world, "web", WEB6);
	world_network(world, "db", "fd02::/64");
	world_container(world, "c2", "web", "fd01::3/64");
	world_container(world, "far", "db", "fd02::2/64");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		print_message("%s\n", rows[i].from);
		world_wish(world, &(struct wish){ "c1",
						  "fd01::2/64",
						  { .host_port = 8080,
						    .container_port = 80,
						    .count = 1,
						    .protocol = PROTOCOL_TCP },
						  PUBLISH_IGNORE_LISTENERS,
						  rows[i].from });
		scene_tcp_server(world->scene, "c1", 80);
		check_tcp(world, &(struct cell){ "client", "fd99::1", 8080,
						 rows[i].client ? "c1" : NULL, "fd99::2" });
		check_tcp(world, &(struct cell){ "far", "fd99::1", 8080, rows[i].far ? "c1" : NULL,
						 "fd02::2" });
		check_tcp(world, &(struct cell){ "c2", "fd99::1", 8080, "c1", NULL });
		world_delete(world, "c1");
		scene_remove(world->scene, "c1");
	}
	assert_true(world_drops(world, "publish-source", "far") > 0);
}

static void udp_client_follows_the_replacement_and_ends_with_the_last(void **state)
{
	static const char *const addresses[] = { "fd01::2/64", "fd01::2/64", "fd01::7/64" };
	static const char *const names[] = { "c1", "c2", "c3" };
	struct world *world = *state;
	struct sockaddr_storage to = socket_address("fd99::1", 5300);
	char text[128];
	world_network(world, "web", WEB6);
	auto_fd fd = socket_of(world, "client", AF_INET6, SOCK_DGRAM);
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(struct sockaddr_in6)), 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		world_publish(world, names[i], "web", addresses[i], "5300:53/udp", NULL);
		scene_udp_server(world->scene, names[i], 53);
		for (int packet = 0; packet < 3; packet++) {
			assert_int_equal(send(fd, "?", 1, 0), 1);
			assert_int_equal(poll(&ready, 1, SCENE_WAIT_MS), 1);
			ssize_t got = recv(fd, text, sizeof text - 1, 0);
			assert_true(got > 0);
			text[got] = '\0';
			assert_non_null(strstr(text, names[i]));
		}
		world_delete(world, names[i]);
	}
	scene_assert_no_udp(world->scene, "client", "fd99::1", 5300);
}

static void a_range_leaves_the_hosts_own_conversations_alone(void **state)
{
	struct world *world = *state;
	struct scene *scene = world->scene;
	struct sockaddr_storage own = socket_address("fd99::1", 5300),
				peer = socket_address("fd99::2", 7000);
	char text[128] = "";
	auto_fd fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	world_network(world, "web", WEB);
	world_publish(world, "c1", "web", "10.1.0.2/24,fd01::2/64", "5000:5000+1000/udp",
		      "5000:5000+1000", NULL);
	scene_udp_server(scene, "c1", 5300);
	scene_tcp_server(scene, "c1", 5999);
	scene_udp_server(scene, "client", 7000);
	assert_int_equal(bind(fd, (struct sockaddr *)&own, sizeof(struct sockaddr_in6)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&peer, sizeof(struct sockaddr_in6)), 0);
	assert_int_equal(send(fd, "?", 1, 0), 1);
	assert_int_equal(poll(&wait, 1, SCENE_WAIT_MS), 1);
	assert_true(recv(fd, text, sizeof text - 1, 0) > 0);
	assert_non_null(strstr(text, "client"));
	/* Everybody else reaches the container, though the host has a socket there. */
	scene_assert_udp(scene, "client", "fd99::1", 5300, "c1", "fd99::2");
	scene_assert_tcp(scene, "client", "fd99::1", 5999, "c1", "fd99::2");
	check_tcp(world, &(struct cell){ "client", "fd99::1", 6000, NULL, NULL });
}

int main(void)
{
#define SCENE_TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up_dual, world_tear_down)
	const struct CMUnitTest tests[] = {
		SCENE_TEST(a_port_of_both_families_is_reached_by_both),
		SCENE_TEST(a_port_of_one_family_is_not_reached_by_the_other),
		SCENE_TEST(a_family_that_the_container_lacks_is_not_published),
		SCENE_TEST(nft_says_that_it_cannot_publish_at_loopback),
		SCENE_TEST(each_family_of_a_port_has_its_row),
		SCENE_TEST(a_port_that_is_for_some_is_not_for_others),
		SCENE_TEST(udp_client_follows_the_replacement_and_ends_with_the_last),
		SCENE_TEST(a_range_leaves_the_hosts_own_conversations_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
