/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ports published on IPv6, alone and beside IPv4: who reaches what, and as whom. */
#include "world.h"

#include <errno.h>
#include <stdio.h>

#define WEB "10.1.0.0/24,fd01::/64"
#define WEB6 "fd01::/64"

/* One question and its answer; server NULL: nobody answers. */
struct cell {
	const char *from, *to;
	uint16_t port;
	const char *server, *seen; /* as whom the client is seen; NULL: as anybody */
};

static void check_tcp(struct world *world, const struct cell *cell)
{
	struct scene_reply reply;
	int r = scene_tcp_request(world->scene, cell->from, cell->to, cell->port,
				  cell->server ? SCENE_WAIT_MS : SCENE_QUIET_MS, &reply);
	if (!cell->server && r == 0)
		fail_msg("%s to [%s]:%u: %s answers", cell->from, cell->to, cell->port,
			 reply.server);
	if (!cell->server)
		return;
	if (r < 0)
		fail_msg("%s to [%s]:%u: %d", cell->from, cell->to, cell->port, r);
	if (!text_equal(reply.server, cell->server) ||
	    (cell->seen && !text_equal(reply.peer, cell->seen)))
		fail_msg("%s to [%s]:%u: %s answers, and sees %s", cell->from, cell->to, cell->port,
			 reply.server, reply.peer);
}

static void a_port_of_both_families_is_reached_by_both(void **state)
{
	static const struct cell cells[] = {
		{ "client", "10.99.0.1", 8080, "c1", "10.99.0.2" },
		{ "client", "fd99::1", 8080, "c1", "fd99::2" },
		{ "c2", "10.99.0.1", 8080, "c1", NULL },
		{ "c2", "fd99::1", 8080, "c1", "fd01::1" }, /* hairpin: as the gateway */
		{ "c2", "fd01::1", 8080, "c1", "fd01::1" },
		{ "c1", "fd99::1", 8080, "c1", "fd01::1" },
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
	scene_assert_udp(world->scene, "c2", "fd99::1", 5300, "c1", "fd01::1");
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
		{ "[::1]:8080:80", false, false },
	};
	struct world *world = *state;
	world_network(world, "web", WEB);
	scene_address(world->scene, "node", "up0", "fd99::7/64");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
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
	world_publish(world, "c1", "web", "10.1.0.2/24,fd01::2/64", "8080:80", "[::1]:81:80", NULL);
	world_claim(ports_each(dataplane_store(world->dataplane), count_row, &text, &err), &err);
	assert_string_equal(text.data, "0.0.0.0 8080 10.1.0.2 IPv4\n"
				       ":: 8080 fd01::2 IPv6\n"
				       "::1 81 fd01::2 IPv6\n");
}

int main(void)
{
#define SCENE_TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up_dual, world_tear_down)
	const struct CMUnitTest tests[] = {
		SCENE_TEST(a_port_of_both_families_is_reached_by_both),
		SCENE_TEST(a_port_of_one_family_is_not_reached_by_the_other),
		SCENE_TEST(a_family_that_the_container_lacks_is_not_published),
		SCENE_TEST(each_family_of_a_port_has_its_row),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
