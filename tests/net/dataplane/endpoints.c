/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The life of endpoints: what DEL ends, who is refused, what is repaired. */
#include "world.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/process.h"

static void a_forged_source_is_dropped(void **state)
{
	struct world *world = *state;
	world_network(world, "web", "10.1.0.0/24");
	world_container(world, "c1", "web", "10.1.0.2/24");
	world_container(world, "c2", "web", "10.1.0.3/24");
	scene_tcp_server(world->scene, "c2", 80);
	scene_run(world->scene, "c1", "ip", "addr", "add", "10.1.0.9/32", "dev", "eth0", NULL);
	scene_run(world->scene, "c1", "ip", "route", "replace", "10.1.0.0/24", "dev", "eth0", "src",
		  "10.1.0.9", NULL);
	scene_assert_no_tcp(world->scene, "c1", "10.1.0.3", 80);
	assert_true(world_drops(world, "spoof-address", "c1") > 0);
	scene_run(world->scene, "c1", "ip", "route", "replace", "10.1.0.0/24", "dev", "eth0", "src",
		  "10.1.0.2", NULL);
	scene_assert_tcp(world->scene, "c1", "10.1.0.3", 80, "c2", "10.1.0.2");
	scene_run(world->scene, "c1", "ip", "link", "set", "eth0", "address", "02:00:00:00:00:01",
		  NULL);
	scene_assert_no_tcp(world->scene, "c1", "10.1.0.3", 80);
	assert_true(world_drops(world, "spoof-mac", "c1") > 0);
}

static void a_deleted_container_has_no_flows_and_no_ports(void **state)
{
	struct world *world = *state;
	struct scene_reply reply;
	world_network(world, "web", "10.1.0.0/24");
	world_publish(world, "c1", "web", "10.1.0.2/24", "8080:80", NULL);
	scene_tcp_server(world->scene, "c1", 80);
	int fd = scene_tcp_open(world->scene, "client", "10.99.0.1", 8080, &reply);
	assert_true(fd >= 0);
	assert_int_equal(scene_tcp_echo(fd, "before", SCENE_WAIT_MS), 0);
	world_delete(world, "c1");
	assert_true(scene_tcp_echo(fd, "after", SCENE_QUIET_MS) < 0);
	close(fd);
	scene_assert_no_tcp(world->scene, "client", "10.99.0.1", 8080);
	world_publish(world, "c2", "web", "10.1.0.3/24", "8080:80", NULL);
	scene_tcp_server(world->scene, "c2", 80);
	scene_assert_tcp(world->scene, "client", "10.99.0.1", 8080, "c2", "10.99.0.2");
}

static long received_by(struct world *world, const char *name)
{
	assert_int_equal(
		scene_run(world->scene, name, "awk", "/eth0/ { print $3 }", "/proc/net/dev", NULL),
		0);
	return strtol(scene_output(world->scene), NULL, 10);
}

/* The host itself resets such a connection: nothing of it is the new container's. */
static void a_reused_address_gets_no_packet_of_an_old_flow(void **state)
{
	struct world *world = *state;
	struct scene_reply reply;
	world_network(world, "web", "10.1.0.0/24");
	world_publish(world, "c1", "web", "10.1.0.2/24", "8080:80", NULL);
	scene_tcp_server(world->scene, "c1", 80);
	int fd = scene_tcp_open(world->scene, "client", "10.99.0.1", 8080, &reply);
	assert_int_equal(scene_tcp_echo(fd, "before", SCENE_WAIT_MS), 0);
	world_delete(world, "c1");
	world_publish(world, "c2", "web", "10.1.0.2/24", "8080:80", NULL);
	scene_tcp_server(world->scene, "c2", 80);
	long before = received_by(world, "c2");
	assert_true(scene_tcp_echo(fd, "after", SCENE_QUIET_MS) < 0);
	assert_int_equal(received_by(world, "c2"), before);
	close(fd);
	scene_assert_tcp(world->scene, "client", "10.99.0.1", 8080, "c2", "10.99.0.2");
}

static void delete_is_idempotent_and_the_second_finds_nothing(void **state)
{
	struct world *world = *state;
	struct error err = { 0 };
	world_network(world, "web", "10.1.0.0/24");
	world_container(world, "c1", "web", "10.1.0.2/24");
	assert_int_equal(
		endpoint_delete(world->dataplane, "c1", "eth0", ENDPOINT_DELETE_LINK, &err), 1);
	assert_int_equal(
		endpoint_delete(world->dataplane, "c1", "eth0", ENDPOINT_DELETE_LINK, &err), 0);
	assert_false(scene_has_device(world->scene, "c1", "eth0"));
}

static void what_is_taken_is_refused_with_its_holder(void **state)
{
	static const struct {
		const char *name, *address, *publication;
		enum publish_policy policy;
		int result;
		const char *text;
	} rows[] = {
		{ "c1", "10.1.0.9/24", NULL, PUBLISH_IGNORE_LISTENERS, -EEXIST,
		  "container c1 has the interface eth0 already, in the network web" },
		{ "c2", "10.1.0.2/24", NULL, PUBLISH_IGNORE_LISTENERS, -EADDRINUSE,
		  "address 10.1.0.2 is held by container c1" },
		{ "c2", "10.1.0.3/24", "8080:80", PUBLISH_IGNORE_LISTENERS, -EADDRINUSE,
		  "host port 8080/tcp is held by container c1" },
		{ "c2", "10.1.0.3/24", "10.99.0.1:8080:80", PUBLISH_IGNORE_LISTENERS, -EADDRINUSE,
		  "host port 8080/tcp is held by container c1" },
		{ "c2", "10.1.0.3/24", "8990:90+20", PUBLISH_IGNORE_LISTENERS, -EADDRINUSE,
		  "host port 8990/tcp is held by container c1" },
		{ "c2", "10.1.0.1/24", NULL, PUBLISH_IGNORE_LISTENERS, -EINVAL,
		  "address 10.1.0.1 is no container's address of web (10.1.0.0/24)" },
		{ "c2", "10.7.0.3/24", NULL, PUBLISH_IGNORE_LISTENERS, -EINVAL,
		  "address 10.7.0.3 is no container's address of web (10.1.0.0/24)" },
		{ "c2", "10.1.0.3/24", "10.98.0.1:8081:80", PUBLISH_REFUSE_LISTENERS,
		  -EADDRNOTAVAIL, "host port 8081/tcp: this host has no address 10.98.0.1" },
		{ "c2", "10.1.0.3/24", "65530:80+20", PUBLISH_IGNORE_LISTENERS, -EINVAL,
		  "ports 65530:80 (20 of them) are not in 1-65535" },
	};
	struct world *world = *state;
	world_network(world, "web", "10.1.0.0/24");
	world_publish(world, "c1", "web", "10.1.0.2/24", "8080:80", "9000:90+10", NULL);
	scene_container(world->scene, "c2");
	char *before = scene_snapshot(world->scene);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error err = { 0 };
		print_message("row %zu\n", i);
		assert_int_equal(world_try(world, rows[i].name, "web", rows[i].address,
					   rows[i].publication, rows[i].policy, &err),
				 rows[i].result);
		assert_string_equal(err.text, rows[i].text);
	}
	scene_assert_unchanged(world->scene, before);
	free(before);
}

static void a_listener_of_the_host_is_named_to_who_asks_for_its_port(void **state)
{
	struct world *world = *state;
	struct error err = { 0 };
	world_network(world, "web", "10.1.0.0/24");
	scene_tcp_server(world->scene, "node", 8081);
	scene_container(world->scene, "c1");
	assert_int_equal(world_try(world, "c1", "web", "10.1.0.2/24", "8081:80",
				   PUBLISH_REFUSE_LISTENERS, &err),
			 -EADDRINUSE);
	assert_non_null(strstr(err.text, "host port 8081/tcp is used by "));
	assert_non_null(strstr(err.text, "(process "));
	assert_int_equal(world_try(world, "c1", "web", "10.1.0.2/24", "8081:80",
				   PUBLISH_IGNORE_LISTENERS, &err),
			 0);
}

static int keep_port(const struct port_row *row, void *context, struct error *err)
{
	(void)err;
	*(uint16_t *)context = row->host_port;
	return 0;
}

static void a_free_port_is_chosen_where_none_is_named(void **state)
{
	struct world *world = *state;
	struct error err = { 0 };
	uint16_t port = 0;
	world_network(world, "web", "10.1.0.0/24");
	world_publish(world, "c1", "web", "10.1.0.2/24", "0:80", NULL);
	scene_tcp_server(world->scene, "c1", 80);
	world_claim(ports_each(dataplane_store(world->dataplane), keep_port, &port, &err), &err);
	assert_in_range(port, 20000, 29999);
	scene_assert_tcp(world->scene, "client", "10.99.0.1", port, "c1", "10.99.0.2");
}

static void a_container_whose_namespace_is_gone_gives_way(void **state)
{
	struct world *world = *state;
	struct error err = { 0 };
	world_network(world, "web", "10.1.0.0/24");
	world_publish(world, "c1", "web", "10.1.0.2/24", "8080:80", NULL);
	world_container(world, "c2", "web", "10.1.0.3/24");
	scene_remove(world->scene, "c1");
	world_publish(world, "c3", "web", "10.1.0.2/24", "8080:80", NULL);
	scene_tcp_server(world->scene, "c3", 80);
	scene_assert_tcp(world->scene, "client", "10.99.0.1", 8080, "c3", "10.99.0.2");
	scene_remove(world->scene, "c2");
	assert_int_equal(dataplane_collect(world->dataplane, &err), 1);
	assert_int_equal(endpoint_find(dataplane_store(world->dataplane), "c2", "eth0",
				       &(struct endpoint_info){ 0 }, &err),
			 0);
}

static void check_names_what_is_missing(void **state)
{
	static const struct {
		const char *host;
		const char *words[8];
		const char *text;
	} rows[] = {
		{ "c1", { "ip", "link", "set", "eth0", "down" }, "the interface is down" },
		{ "c1",
		  { "ip", "addr", "flush", "dev", "eth0" },
		  "the interface has not its address" },
		{ "c1", { "ip", "link", "del", "eth0" }, "its device on the host is gone" },
	};
	struct world *world = *state;
	struct error err = { 0 };
	world_network(world, "web", "10.1.0.0/24");
	world_publish(world, "c1", "web", "10.1.0.2/24", "8080:80", NULL);
	world_claim(endpoint_check(world->dataplane, "c1", "eth0", &err), &err);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct scene_command command = { .host = rows[i].host,
						       .argv = rows[i].words };
		assert_int_equal(scene_execute(world->scene, &command), 0);
		assert_true(endpoint_check(world->dataplane, "c1", "eth0", &err) < 0);
		assert_non_null(strstr(err.text, rows[i].text));
		if (i == 0)
			scene_run(world->scene, "c1", "ip", "link", "set", "eth0", "up", NULL);
	}
}

static const char *tool(void)
{
	static char path[512];
	snprintf(path, sizeof path, "%s/dp-tool",
		 getenv("WHERRY_BIN") ? getenv("WHERRY_BIN") : ".");
	return path;
}

/* Each round kills an ADD at another instant, and the next one must find nothing in its way. */
static void a_killed_add_leaves_nothing_in_the_way(void **state)
{
	struct world *world = *state;
	struct error err = { 0 };
	world_network(world, "web", "10.1.0.0/24");
	scene_container(world->scene, "c1");
	for (int delay_us = 0; delay_us < 12000; delay_us += 400) {
		pid_t pid = fork();
		if (pid == 0) {
			(void)!freopen("/dev/null", "w", stdout);
			(void)!freopen("/dev/null", "w", stderr);
			execl(tool(), tool(), "add", "c1", "eth0", "web",
			      scene_netns_path(world->scene, "c1"), "10.1.0.2/24", "8080:80", NULL);
			_exit(127);
		}
		usleep((useconds_t)delay_us);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		if (delay_us % 800 == 0)
			world_delete(world, "c1");
		int r = world_try(world, "c1", "web", "10.1.0.2/24", "8080:80",
				  PUBLISH_IGNORE_LISTENERS, &err);
		assert_true(r == 0 || r == -EEXIST);
		world_claim(endpoint_check(world->dataplane, "c1", "eth0", &err), &err);
		world_delete(world, "c1");
	}
	world_claim(dataplane_reconcile(world->dataplane, &err), &err);
}

static void reconcile_brings_back_what_was_lost(void **state)
{
	struct world *world = *state;
	struct error err = { 0 };
	world_network_as(world, "web", "10.1.0.0/24",
			 (struct network_spec){ .masquerade = true, .device = "br-web" });
	world_publish(world, "c1", "web", "10.1.0.2/24", "8080:80", NULL);
	scene_tcp_server(world->scene, "c1", 80);
	scene_assert_run(world->scene, "ip", "link", "del", "br-web", NULL);
	assert_true(endpoint_check(world->dataplane, "c1", "eth0", &err) < 0);
	world_claim(dataplane_reconcile(world->dataplane, &err), &err);
	world_claim(endpoint_check(world->dataplane, "c1", "eth0", &err), &err);
	scene_assert_tcp(world->scene, "node", "10.1.0.2", 80, "c1", NULL);
	scene_assert_tcp(world->scene, "client", "10.99.0.1", 8080, "c1", "10.99.0.2");
	scene_assert_run(world->scene, "ip", "route", "del", "10.1.0.2", NULL);
	assert_true(endpoint_check(world->dataplane, "c1", "eth0", &err) < 0);
	assert_non_null(strstr(err.text, "no route to its address"));
	world_claim(dataplane_reconcile(world->dataplane, &err), &err);
	world_claim(endpoint_check(world->dataplane, "c1", "eth0", &err), &err);
	world_delete(world, "c1");
	assert_int_equal(
		scene_run(world->scene, NULL, "sh", "-c", "! ip route | grep ^10.1.0.2", NULL), 0);
}

static void a_reconcile_replaces_programs_and_keeps_connections(void **state)
{
	struct world *world = *state;
	struct error err = { 0 };
	struct scene_reply reply;
	world_network(world, "web", "10.1.0.0/24");
	world_publish(world, "c1", "web", "10.1.0.2/24", "8080:80", NULL);
	scene_tcp_server(world->scene, "c1", 80);
	int fd = scene_tcp_open(world->scene, "client", "10.99.0.1", 8080, &reply);
	assert_int_equal(scene_tcp_echo(fd, "before", SCENE_WAIT_MS), 0);
	world_claim(dataplane_reconcile(world->dataplane, &err), &err);
	assert_int_equal(scene_tcp_echo(fd, "after", SCENE_WAIT_MS), 0);
	close(fd);
	scene_assert_tcp(world->scene, "node", "127.0.0.1", 8080, "c1", NULL);
}

int main(void)
{
#define SCENE_TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
	const struct CMUnitTest tests[] = {
		SCENE_TEST(a_forged_source_is_dropped),
		SCENE_TEST(a_deleted_container_has_no_flows_and_no_ports),
		SCENE_TEST(a_reused_address_gets_no_packet_of_an_old_flow),
		SCENE_TEST(delete_is_idempotent_and_the_second_finds_nothing),
		SCENE_TEST(what_is_taken_is_refused_with_its_holder),
		SCENE_TEST(a_listener_of_the_host_is_named_to_who_asks_for_its_port),
		SCENE_TEST(a_free_port_is_chosen_where_none_is_named),
		SCENE_TEST(a_container_whose_namespace_is_gone_gives_way),
		SCENE_TEST(check_names_what_is_missing),
		SCENE_TEST(a_killed_add_leaves_nothing_in_the_way),
		SCENE_TEST(reconcile_brings_back_what_was_lost),
		SCENE_TEST(a_reconcile_replaces_programs_and_keeps_connections),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
