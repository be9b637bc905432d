/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whom a published port is for, whose sockets the hooks act on, what a range leaves alone. */
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

#include "base/process.h"

static struct publish_spec ports(uint16_t host, uint16_t container, uint16_t count,
				 uint8_t protocol)
{
	return (struct publish_spec){
		.host_port = host, .container_port = container, .count = count, .protocol = protocol
	};
}

static void a_port_that_is_for_some_is_not_for_others(void **state)
{
	struct world *world = *state;
	struct scene *scene = world->scene;
	struct error err = { 0 };
	world_network(world, "web", "10.1.0.0/24");
	world_network(world, "db", "10.2.0.0/24");
	world_wish(world, &(struct wish){ "c1", "10.1.0.2/24", ports(8080, 80, 1, PROTOCOL_TCP),
					  PUBLISH_IGNORE_LISTENERS, "192.0.2.0/24" });
	world_wish(world, &(struct wish){ "c2", "10.1.0.3/24", ports(8081, 80, 1, PROTOCOL_TCP),
					  PUBLISH_IGNORE_LISTENERS, "10.99.0.2" });
	world_wish(world, &(struct wish){ "c3", "10.1.0.4/24", ports(8082, 80, 1, PROTOCOL_TCP),
					  PUBLISH_IGNORE_LISTENERS, "10.2.0.0/16" });
	world_container(world, "far", "db", "10.2.0.2/24");
	scene_tcp_server(scene, "c1", 80);
	scene_tcp_server(scene, "c2", 80);
	scene_tcp_server(scene, "c3", 80);
	scene_assert_no_tcp(scene, "client", "10.99.0.1", 8080);
	assert_true(world_drops(world, "publish-source", "c1") > 0);
	scene_assert_no_tcp(scene, "far", "10.99.0.1", 8080);
	assert_true(world_drops(world, "publish-source", "far") > 0);
	scene_assert_tcp(scene, "node", "127.0.0.1", 8080, "c1", NULL); /* the host always may */
	scene_assert_tcp(scene, "c2", "10.99.0.1", 8080, "c1", NULL);   /* as does its network */
	scene_assert_tcp(scene, "client", "10.99.0.1", 8081, "c2", "10.99.0.2");
	scene_assert_no_tcp(scene, "far", "10.99.0.1", 8081);
	scene_assert_tcp(scene, "far", "10.99.0.1", 8082, "c3", NULL);
	world_claim(dataplane_reconcile(world->dataplane, &err), &err);
	scene_assert_tcp(scene, "client", "10.99.0.1", 8081, "c2", "10.99.0.2");
	scene_assert_no_tcp(scene, "client", "10.99.0.1", 8082);
}

static void the_instances_configuration_says_whom_ports_are_for(void **state)
{
	struct world *world = *state;
	struct scene *scene = world->scene;
	char command[600];
	world_network(world, "web", "10.1.0.0/24");
	snprintf(
		command, sizeof command,
		"mkdir -p %1$s && echo '{ \"publishFrom\": [ \"192.0.2.7\" ] }' > %1$s/config.json",
		scene_instance(scene)->config);
	scene_assert_run(scene, "sh", "-c", command, NULL);
	world_publish(world, "c1", "web", "10.1.0.2/24", "8080:80", NULL);
	world_wish(world, &(struct wish){ "c2", "10.1.0.3/24", ports(8081, 80, 1, PROTOCOL_TCP),
					  PUBLISH_IGNORE_LISTENERS, "0.0.0.0/0" });
	scene_tcp_server(scene, "c1", 80);
	scene_tcp_server(scene, "c2", 80);
	scene_assert_no_tcp(scene, "client", "10.99.0.1", 8080);
	scene_assert_tcp(scene, "client", "10.99.0.1", 8081, "c2", "10.99.0.2");
	snprintf(command, sizeof command, "rm -r %s", scene_instance(scene)->config);
	scene_assert_run(scene, "sh", "-c", command, NULL);
}

/* --- whose sockets ------------------------------------------------------------------- */

static int keep_notice(const struct port_notice *notice, void *context, struct error *err)
{
	(void)err;
	*(struct port_notice *)context = *notice;
	return 0;
}

static void the_host_does_not_bind_what_the_engine_publishes(void **state)
{
	static const struct {
		const char *host, *address;
		uint16_t port;
		int type, result;
	} rows[] = {
		{ "node", "0.0.0.0", 8080, SOCK_STREAM, -EADDRINUSE },
		{ "node", "127.0.0.1", 8080, SOCK_STREAM, -EADDRINUSE },
		{ "node", "10.99.0.1", 8080, SOCK_STREAM, -EADDRINUSE },
		{ "node", "::", 8080, SOCK_STREAM, -EADDRINUSE },
		{ "node", "::1", 8080, SOCK_STREAM, 0 }, /* it is published for IPv4 */
		{ "node", "0.0.0.0", 8080, SOCK_DGRAM, 0 },
		{ "node", "0.0.0.0", 8081, SOCK_STREAM, 0 },
		{ "node", "0.0.0.0", 0, SOCK_STREAM, 0 },
		{ "node", "0.0.0.0", 9090, SOCK_STREAM, -EADDRINUSE }, /* one address is in use */
		{ "node", "10.99.0.1", 9090, SOCK_STREAM, -EADDRINUSE },
		{ "node", "127.0.0.1", 9090, SOCK_STREAM, 0 },
		{ "node", "0.0.0.0", 7070, SOCK_STREAM, 0 }, /* published by CNI */
		{ "c1", "0.0.0.0", 8080, SOCK_STREAM, 0 },
		{ "client", "0.0.0.0", 8080, SOCK_STREAM, 0 },
	};
	struct world *world = *state;
	struct port_notice notice = { 0 };
	struct error err = { 0 };
	AUTO(notice_reader) reader = NULL;
	int fd;
	struct publish_spec one_address = ports(9090, 80, 1, PROTOCOL_TCP);
	world_claim(ip_parse("10.99.0.1", &one_address.host_ip, &err), &err);
	world_network(world, "web", "10.1.0.0/24");
	world_wish(world, &(struct wish){ "c1", "10.1.0.2/24", ports(8080, 80, 1, PROTOCOL_TCP),
					  PUBLISH_REFUSE_LISTENERS, NULL });
	world_wish(world, &(struct wish){ "c2", "10.1.0.3/24", one_address,
					  PUBLISH_REFUSE_LISTENERS, NULL });
	world_publish(world, "c3", "web", "10.1.0.4/24", "7070:70", NULL);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int r = bind_at(world, rows[i].host, rows[i].address, rows[i].port, rows[i].type);
		if (r != rows[i].result)
			fail_msg("row %zu: %s", i, strerror(-r));
	}
	world_claim(notices_open(world->dataplane, &reader, &fd, &err), &err);
	world_claim(notices_read(reader, keep_notice, &notice, &err), &err);
	assert_string_equal(notice.container_id, "c2");
	assert_int_equal(notice.port, 9090);
	assert_int_equal(notice.pid, getpid());
	world_delete(world, "c1");
	assert_int_equal(bind_at(world, "node", "0.0.0.0", 8080, SOCK_STREAM), 0);
}

/* Connects, sends by connect or by sendto, and says what came back: 0 or -errno. */
static int ask_udp(struct world *world, const char *host, uint16_t port, bool connects,
		   char *ret_text, size_t size)
{
	struct sockaddr_storage to = socket_address("127.0.0.1", port);
	auto_fd fd = socket_of(world, host, AF_INET, SOCK_DGRAM);
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	ssize_t sent;
	if (connects && connect(fd, (struct sockaddr *)&to, sizeof(struct sockaddr_in)) < 0)
		return -errno;
	sent = connects ? send(fd, "?", 1, 0)
			: sendto(fd, "?", 1, 0, (struct sockaddr *)&to, sizeof(struct sockaddr_in));
	if (sent < 0)
		return -errno;
	if (poll(&wait, 1, connects ? SCENE_WAIT_MS : SCENE_QUIET_MS) == 0)
		return -ETIMEDOUT;
	ssize_t got = recv(fd, ret_text, size - 1, 0);
	if (got < 0)
		return -errno;
	ret_text[got] = '\0';
	return 0;
}

static const char *tool(void)
{
	static char path[512];
	snprintf(path, sizeof path, "%s/dp-tool",
		 getenv("WHERRY_BIN") ? getenv("WHERRY_BIN") : ".");
	return path;
}

/* The second instance: the same in the namespace "client", with the same port. */
static void run_second(struct world *world, const char *const *words)
{
	char root[600];
	const char *argv[16] = { tool() };
	const char *const environment[] = { root, NULL };
	snprintf(root, sizeof root, "WHERRY_ROOT=%s/second", scene_folder(world->scene));
	for (size_t i = 0; words[i]; i++)
		argv[i + 1] = words[i];
	const struct scene_command command = { .host = "client",
					       .argv = argv,
					       .environment = environment };
	if (scene_execute(world->scene, &command) != 0)
		fail_msg("%s: %s", words[0], scene_errors(world->scene));
}

static void sockets_are_led_in_their_own_instances_namespace_only(void **state)
{
	/* Who answers 127.0.0.1 there; NULL: nobody. */
	static const struct {
		const char *host, *server;
	} rows[] = {
		{ "node", "c1" }, { "client", "c3" }, /* the second instance's host */
		{ "c1", NULL },   { "c3", NULL },     { "stranger", NULL },
	};
	struct world *world = *state;
	struct scene *scene = world->scene;
	char text[128];
	world_network(world, "web", "10.1.0.0/24");
	world_publish(world, "c1", "web", "10.1.0.2/24", "8080:80", "5300:53/udp", NULL);
	scene_host(scene, "stranger");
	scene_container(scene, "c3");
	run_second(world, (const char *const[]){ "network", "web", "10.5.0.0/24", NULL });
	run_second(world, (const char *const[]){ "add", "c3", "eth0", "web",
						 scene_netns_path(scene, "c3"), "10.5.0.2/24",
						 "engine", "8080:80", "5300:53/udp", NULL });
	scene_tcp_server(scene, "c1", 80);
	scene_udp_server(scene, "c1", 53);
	scene_tcp_server(scene, "c3", 80);
	scene_udp_server(scene, "c3", 53);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		print_message("row %zu: %s\n", i, rows[i].host);
		for (int connects = 0; connects < 2; connects++) {
			int r = ask_udp(world, rows[i].host, 5300, connects, text, sizeof text);
			if (rows[i].server)
				assert_int_equal(r, 0);
			else
				assert_true(r == -ECONNREFUSED || r == -ETIMEDOUT);
			if (rows[i].server)
				assert_non_null(strstr(text, rows[i].server));
		}
		if (rows[i].server)
			scene_assert_tcp(scene, rows[i].host, "127.0.0.1", 8080, rows[i].server,
					 NULL);
		else
			scene_assert_no_tcp(scene, rows[i].host, "127.0.0.1", 8080);
		/* Only the second instance publishes as the engine does. */
		bool reserved = text_equal(rows[i].host, "client");
		assert_int_equal(bind_at(world, rows[i].host, "0.0.0.0", 8080, SOCK_STREAM),
				 reserved ? -EADDRINUSE : 0);
		assert_int_equal(bind_at(world, rows[i].host, "127.0.0.1", 5300, SOCK_DGRAM),
				 reserved ? -EADDRINUSE : 0);
		assert_int_equal(bind_at(world, rows[i].host, "0.0.0.0", 8081, SOCK_STREAM), 0);
	}
	run_second(world, (const char *const[]){ "reset", NULL });
}

static void a_range_meets_every_listener_in_it(void **state)
{
	static const struct {
		const char *address, *host_ip;
		int type;
		const char *refusal; /* NULL: none */
	} rows[] = {
		{ "0.0.0.0", "0.0.0.0", SOCK_STREAM, "host port 5007/tcp is used by" },
		{ "127.0.0.1", "0.0.0.0", SOCK_STREAM, "host port 5007/tcp is used by" },
		{ "0.0.0.0", "10.99.0.1", SOCK_STREAM, "host port 5007/tcp is used by" },
		{ "::", "0.0.0.0", SOCK_STREAM, "host port 5007/tcp is used by" },
		{ "0.0.0.0", "0.0.0.0", SOCK_DGRAM, "host port 5007/udp is used by" },
		{ "127.0.0.1", "10.99.0.1", SOCK_STREAM, NULL },
		{ "::1", "0.0.0.0", SOCK_STREAM, NULL },
	};
	struct world *world = *state;
	struct error err = { 0 };
	char text[64];
	world_network(world, "web", "10.1.0.0/24");
	scene_container(world->scene, "c1");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sockaddr_storage own = socket_address(rows[i].address, 5007);
		auto_fd fd = socket_of(world, "node", own.ss_family, rows[i].type);
		assert_int_equal(bind(fd, (struct sockaddr *)&own, sizeof own), 0);
		if (rows[i].type == SOCK_STREAM)
			assert_int_equal(listen(fd, 1), 0);
		snprintf(text, sizeof text, "%s:5000:5000+100%s", rows[i].host_ip,
			 rows[i].type == SOCK_DGRAM ? "/udp" : "");
		int r = world_try(world, "c1", "web", "10.1.0.2/24", text, PUBLISH_REFUSE_LISTENERS,
				  &err);
		if (rows[i].refusal ? r != -EADDRINUSE || !strstr(err.text, rows[i].refusal)
				    : r != 0)
			fail_msg("row %zu: %d %s", i, r, r < 0 ? err.text : "");
		if (r == 0)
			world_delete(world, "c1");
	}
}

/* --- ranges ---------------------------------------------------------------------------- */

static void a_range_leaves_the_hosts_own_conversations_alone(void **state)
{
	struct world *world = *state;
	struct scene *scene = world->scene;
	struct sockaddr_storage own = socket_address("10.99.0.1", 5300),
				peer = socket_address("10.99.0.2", 7000);
	char text[128] = "";
	auto_fd fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	world_network(world, "web", "10.1.0.0/24");
	world_publish(world, "c1", "web", "10.1.0.2/24", "5000:5000+1000/udp", "5000:5000+1000",
		      NULL);
	scene_udp_server(scene, "c1", 5300);
	scene_udp_server(scene, "client", 7000);
	assert_int_equal(bind(fd, (struct sockaddr *)&own, sizeof(struct sockaddr_in)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&peer, sizeof(struct sockaddr_in)), 0);
	assert_int_equal(send(fd, "?", 1, 0), 1);
	assert_int_equal(poll(&wait, 1, SCENE_WAIT_MS), 1);
	assert_true(recv(fd, text, sizeof text - 1, 0) > 0);
	assert_non_null(strstr(text, "client"));
	/* Everybody else reaches the container, though the host has a socket there. */
	scene_assert_udp(scene, "client", "10.99.0.1", 5300, "c1", "10.99.0.2");
}

int main(void)
{
#define SCENE_TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
	const struct CMUnitTest tests[] = {
		SCENE_TEST(a_port_that_is_for_some_is_not_for_others),
		SCENE_TEST(the_instances_configuration_says_whom_ports_are_for),
		SCENE_TEST(the_host_does_not_bind_what_the_engine_publishes),
		SCENE_TEST(sockets_are_led_in_their_own_instances_namespace_only),
		SCENE_TEST(a_range_meets_every_listener_in_it),
		SCENE_TEST(a_range_leaves_the_hosts_own_conversations_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
