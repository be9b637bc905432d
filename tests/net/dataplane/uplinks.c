/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ways outside: links of several kinds, several at once, with rules of
 * routing that choose between them, and links that come and go.
 */
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/loop.h"
#include "base/process.h"
#include "base/text.h"

#define PACKET_MAX 65536

static void run(struct scene *scene, const char *host, const char *line)
{
	struct error err = { 0 };
	auto_words words = { 0 };
	const char *argv[32] = { NULL };
	world_claim(words_split(line, ' ', &words, &err), &err);
	for (size_t i = 0; i < words.count && i < ARRAY_SIZE(argv) - 1; i++)
		argv[i] = words.items[i];
	const struct scene_command command = { .host = host, .argv = argv };
	if (scene_execute(scene, &command) != 0)
		fail_msg("%s in %s: %s", line, host, scene_errors(scene));
}

/* --- a tunnel without an Ethernet header --------------------------------------- */

static int make_tun(void *context, struct error *err)
{
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	snprintf(request.ifr_name, sizeof request.ifr_name, "tun0");
	auto_fd fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &request) < 0)
		return error_set_errno(err, errno, "tun");
	*(int *)context = TAKE_FD(fd);
	return 0;
}

static void carry(int from, int to)
{
	static char packet[PACKET_MAX];
	ssize_t size = read(from, packet, sizeof packet);
	if (size > 0)
		(void)!write(to, packet, (size_t)size);
}

/* The wire of the tunnel: a process that hands packets over, until it is killed. */
static pid_t carry_both_ways(int a, int b)
{
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	struct pollfd ends[2] = { { .fd = a, .events = POLLIN }, { .fd = b, .events = POLLIN } };
	while (poll(ends, 2, -1) > 0) {
		if (ends[0].revents)
			carry(a, b);
		if (ends[1].revents)
			carry(b, a);
	}
	_exit(0);
}

static pid_t make_tunnel(struct world *world, const char *far)
{
	struct error err = { 0 };
	auto_fd here = -1, there = -1;
	int r = make_tun(&here, &err);
	if (r == -ENOENT || r == -ENODEV) {
		print_message("no /dev/net/tun\n");
		skip();
	}
	world_claim(r, &err);
	world_claim(netns_run(scene_netns_fd(world->scene, far), make_tun, &there, &err), &err);
	run(world->scene, "node", "ip addr add 10.77.0.1/24 dev tun0");
	run(world->scene, "node", "ip link set tun0 mtu 1400 up");
	run(world->scene, far, "ip addr add 10.77.0.2/24 dev tun0");
	run(world->scene, far, "ip link set tun0 mtu 1400 up");
	return carry_both_ways(here, there);
}

static void end_tunnel(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

#define STREAM_BYTES 65536

/* Many full segments there and back, so that the tunnel's MTU is met. */
static void assert_stream(struct world *world, const char *host, const char *address, uint16_t port)
{
	struct scene_reply reply;
	static char data[STREAM_BYTES];
	size_t sent = 0, received = 0;
	auto_fd fd = scene_tcp_open(world->scene, host, address, port, &reply);
	assert_true(fd >= 0);
	while (received < STREAM_BYTES) {
		struct pollfd wait = { .fd = fd,
				       .events = POLLIN | (sent < STREAM_BYTES ? POLLOUT : 0) };
		assert_int_equal(poll(&wait, 1, SCENE_WAIT_MS), 1);
		if (wait.revents & POLLOUT) {
			ssize_t size = send(fd, data, STREAM_BYTES - sent, MSG_DONTWAIT);
			sent += size > 0 ? (size_t)size : 0;
		}
		if (wait.revents & ~POLLOUT) {
			ssize_t size = recv(fd, data, sizeof data, MSG_DONTWAIT);
			assert_true(size > 0);
			received += (size_t)size;
		}
	}
}

static void a_tunnel_without_ethernet_carries_both_directions(void **state)
{
	struct world *world = *state;
	struct scene *scene = world->scene;
	scene_host(scene, "far");
	pid_t pid = make_tunnel(world, "far");
	world_network(world, "web", "10.1.0.0/24");
	world_publish(world, "c1", "web", "10.1.0.2/24", "8080:80", "5300:53/udp", NULL);
	scene_tcp_server(scene, "c1", 80);
	scene_udp_server(scene, "c1", 53);
	scene_tcp_server(scene, "far", 81);
	scene_udp_server(scene, "far", 54);
	scene_tcp_server(scene, "node", 82);
	print_message("published ports\n");
	scene_assert_tcp(scene, "far", "10.77.0.1", 8080, "c1", "10.77.0.2");
	scene_assert_udp(scene, "far", "10.77.0.1", 5300, "c1", "10.77.0.2");
	assert_stream(world, "far", "10.77.0.1", 8080);
	print_message("masqueraded flows\n");
	scene_assert_tcp(scene, "c1", "10.77.0.2", 81, "far", "10.77.0.1");
	scene_assert_udp(scene, "c1", "10.77.0.2", 54, "far", "10.77.0.1");
	scene_assert_ping(scene, "c1", "10.77.0.2");
	assert_stream(world, "c1", "10.77.0.2", 81);
	assert_int_equal(scene_udp_request(scene, "c1", "10.77.0.2", 59, SCENE_WAIT_MS,
					   &(struct scene_reply){ 0 }),
			 -ECONNREFUSED);
	print_message("the host's own\n");
	scene_assert_tcp(scene, "far", "10.77.0.1", 82, "node", "10.77.0.2");
	scene_assert_tcp(scene, "node", "10.77.0.2", 81, "far", "10.77.0.1");
	scene_assert_ping(scene, "far", "10.77.0.1");
	print_message("the other uplink\n");
	scene_assert_tcp(scene, "client", "10.99.0.1", 8080, "c1", "10.99.0.2");
	end_tunnel(pid);
}

/* --- other kinds ------------------------------------------------------------------ */

/* Kinds that the kernel may lack are skipped, row by row. */
static void links_above_a_cable_are_uplinks(void **state)
{
	static const struct {
		const char *kind;
		const char *near, *far; /* commands, %s-free; NULL: none */
	} rows[] = {
		{ "bridge", "ip link add top0 type bridge", NULL },
		{ "bond", "ip link add top0 type bond mode active-backup", NULL },
		{ "vlan", "ip link add link up1 name top0 type vlan id 7",
		  "ip link add link eth1 name top0 type vlan id 7" },
	};
	struct world *world = *state;
	struct scene *scene = world->scene;
	struct error err = { 0 };
	world_network(world, "web", "10.1.0.0/24");
	world_publish(world, "c1", "web", "10.1.0.2/24", "8080:80", NULL);
	scene_tcp_server(scene, "c1", 80);
	scene_tcp_server(scene, "client", 81);
	scene_link(scene, "client", "eth1", NULL, "node", "up1", NULL);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		auto_words words = { 0 };
		const char *argv[16] = { NULL };
		world_claim(words_split(rows[i].near, ' ', &words, &err), &err);
		for (size_t k = 0; k < words.count; k++)
			argv[k] = words.items[k];
		const struct scene_command make = { .host = "node", .argv = argv };
		if (scene_execute(scene, &make) != 0) {
			print_message("skipped: no links of kind %s here\n", rows[i].kind);
			continue;
		}
		print_message("%s\n", rows[i].kind);
		if (rows[i].far)
			run(scene, "client", rows[i].far);
		else
			run(scene, "node", "ip link set up1 down");
		if (!rows[i].far)
			run(scene, "node", "ip link set up1 master top0");
		run(scene, "node", "ip link set up1 up");
		run(scene, "node", "ip addr add 10.78.0.1/24 dev top0");
		run(scene, "node", "ip link set top0 up");
		const char *there = rows[i].far ? "top0" : "eth1";
		scene_address(scene, "client", there, "10.78.0.2/24");
		if (rows[i].far)
			run(scene, "client", "ip link set top0 up");
		world_claim(uplinks_refresh(world->dataplane, &err), &err);
		scene_assert_tcp(scene, "client", "10.78.0.1", 8080, "c1", "10.78.0.2");
		scene_assert_tcp(scene, "c1", "10.78.0.2", 81, "client", "10.78.0.1");
		run(scene, "node", "ip link del top0");
		if (rows[i].far)
			run(scene, "client", "ip link del top0");
		else
			run(scene, "client", "ip addr flush dev eth1");
	}
}

static void the_configuration_leaves_devices_out(void **state)
{
	struct world *world = *state;
	struct error err = { 0 };
	char path[600];
	static const char text[] = "{\"uplinks\": {\"exclude\": [\"up[1-9]\"]}}";
	const struct instance *instance = scene_instance(world->scene);
	scene_host(world->scene, "lab");
	scene_link(world->scene, "lab", "eth0", "10.98.0.2/24", "node", "up1", "10.98.0.1/24");
	world_claim(directory_make(instance->config, 0755, &err), &err);
	snprintf(path, sizeof path, "%s/config.json", instance->config);
	world_claim(file_replace(path, text, strlen(text), 0644, FILE_NO_SYNC, &err), &err);
	world_claim(uplinks_refresh(world->dataplane, &err), &err);
	world_network(world, "web", "10.1.0.0/24");
	world_publish(world, "c1", "web", "10.1.0.2/24", "8080:80", NULL);
	scene_tcp_server(world->scene, "c1", 80);
	scene_tcp_server(world->scene, "lab", 81);
	scene_assert_tcp(world->scene, "client", "10.99.0.1", 8080, "c1", "10.99.0.2");
	scene_assert_no_tcp(world->scene, "lab", "10.98.0.1", 8080);
	scene_assert_no_tcp(world->scene, "c1", "10.98.0.2", 81);
	assert_true(world_drops(world, "no-uplink", "c1") > 0);
	unlink(path);
}

/* --- rules of routing ---------------------------------------------------------------- */

static void rules_of_routing_choose_the_way_out(void **state)
{
	static const struct {
		const char *rule;
		const char *server, *seen; /* who answers 192.0.2.1, and whom it sees */
	} rows[] = {
		{ NULL, "client", "10.99.0.1" },
		{ "from 10.1.0.0/24", "lab", "10.98.0.1" },
		{ "from 10.2.0.0/24", "client", "10.99.0.1" },
		{ "iif br-web", "lab", "10.98.0.1" },
		{ "to 192.0.2.0/24", "lab", "10.98.0.1" },
		{ "not fwmark 0x99", "lab", "10.98.0.1" },
		{ "fwmark 0x99", "client", "10.99.0.1" },
		{ "from 10.99.0.1", "client", "10.99.0.1" },
	};
	struct world *world = *state;
	struct scene *scene = world->scene;
	scene_host(scene, "lab");
	scene_link(scene, "lab", "eth0", "10.98.0.2/24", "node", "up1", "10.98.0.1/24");
	scene_address(scene, "lab", "lo", "192.0.2.1/32");
	scene_address(scene, "client", "lo", "192.0.2.1/32");
	scene_route(scene, "node", "192.0.2.0/24", "10.99.0.2");
	run(scene, "node", "ip route add 192.0.2.0/24 via 10.98.0.2 table 77");
	world_network_as(world, "web", "10.1.0.0/24",
			 (struct network_spec){ .masquerade = true, .device = "br-web" });
	world_container(world, "c1", "web", "10.1.0.2/24");
	scene_tcp_server(scene, "lab", 80);
	scene_tcp_server(scene, "client", 80);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char line[128];
		print_message("row %zu: %s\n", i, rows[i].rule ? rows[i].rule : "no rule");
		snprintf(line, sizeof line, "ip rule add %s table 77 pref 100",
			 rows[i].rule ? rows[i].rule : "");
		if (rows[i].rule)
			run(scene, "node", line);
		scene_assert_tcp(scene, "c1", "192.0.2.1", 80, rows[i].server, rows[i].seen);
		if (rows[i].rule)
			run(scene, "node", "ip rule del pref 100");
	}
}

/* A host of two providers says so by rules for its own addresses. */
static void answers_of_a_publication_are_routed_as_the_hosts_own(void **state)
{
	struct world *world = *state;
	struct scene *scene = world->scene;
	scene_host(scene, "lab");
	scene_link(scene, "lab", "eth0", "10.98.0.2/24", "node", "up1", "10.98.0.1/24");
	scene_address(scene, "lab", "lo", "192.0.2.1/32");
	run(scene, "lab", "ip route replace 10.98.0.0/24 dev eth0 src 192.0.2.1");
	/* Without the rule answers would go to the client's link. */
	scene_route(scene, "node", "192.0.2.0/24", "10.99.0.2");
	run(scene, "node", "ip route add default via 10.98.0.2 table 77");
	run(scene, "node", "ip rule add from 10.98.0.1 table 77 pref 100");
	world_network(world, "web", "10.1.0.0/24");
	world_publish(world, "c1", "web", "10.1.0.2/24", "8080:80", NULL);
	scene_tcp_server(scene, "c1", 80);
	scene_assert_tcp(scene, "lab", "10.98.0.1", 8080, "c1", "192.0.2.1");
	scene_assert_tcp(scene, "client", "10.99.0.1", 8080, "c1", "10.99.0.2");
}

/* --- links that come and go ------------------------------------------------------------ */

#define FOLLOW_MS 50 /* what an idle machine keeps */

static bool is_idle(void)
{
	const char *text = getenv("WHERRY_TEST_IDLE");
	return text && text[0];
}

/* The port answers at the address, soon; how soon is a claim for idle machines only. */
static void assert_follows(struct world *world, const char *host, const char *address)
{
	struct scene_reply reply;
	uint64_t start_ms = clock_monotonic_ms(), took_ms;
	int r;
	do {
		r = scene_tcp_request(world->scene, host, address, 8080, 20, &reply);
		took_ms = clock_monotonic_ms() - start_ms;
	} while (r != 0 && took_ms < SCENE_WAIT_MS);
	assert_int_equal(r, 0);
	print_message("%s after %llu ms\n", address, (unsigned long long)took_ms);
	if (is_idle())
		assert_in_range(took_ms, 0, FOLLOW_MS);
}

/* Its pid file is written when all is opened and reconciled. */
static pid_t start_wherryd(struct world *world)
{
	char path[INSTANCE_PATH_MAX + 16];
	pid_t pid = scene_start(world->scene, "node", "wherryd", NULL);
	snprintf(path, sizeof path, "%s/wherryd.pid", scene_instance(world->scene)->run);
	for (int i = 0; i < 10 * SCENE_WAIT_MS && !path_exists(path); i++)
		poll(NULL, 0, 1);
	assert_true(path_exists(path));
	return pid;
}

static void wherryd_follows_links_and_addresses(void **state)
{
	struct world *world = *state;
	struct scene *scene = world->scene;
	world_network(world, "web", "10.1.0.0/24");
	world_publish(world, "c1", "web", "10.1.0.2/24", "8080:80", NULL);
	scene_tcp_server(scene, "c1", 80);
	scene_host(scene, "lab");
	pid_t daemon = start_wherryd(world);
	print_message("a link comes\n");
	scene_link(scene, "lab", "eth0", "10.98.0.2/24", "node", "up1", "10.98.0.1/24");
	assert_follows(world, "lab", "10.98.0.1");
	print_message("an address comes\n");
	scene_address(scene, "node", "up1", "10.98.0.7/24");
	assert_follows(world, "lab", "10.98.0.7");
	print_message("the first address goes\n");
	run(scene, "node", "ip addr flush dev up1");
	scene_address(scene, "node", "up1", "10.98.0.9/24");
	assert_follows(world, "lab", "10.98.0.9");
	print_message("it is renamed\n");
	run(scene, "node", "ip link set up1 down");
	run(scene, "node", "ip link set up1 name wan0 up");
	assert_follows(world, "lab", "10.98.0.9");
	print_message("it goes and another comes\n");
	run(scene, "node", "ip link del wan0");
	scene_link(scene, "lab", "eth1", "10.98.0.3/24", "node", "up2", "10.98.0.1/24");
	assert_follows(world, "lab", "10.98.0.1");
	scene_tcp_server(scene, "lab", 81);
	scene_assert_tcp(scene, "c1", "10.98.0.3", 81, "lab", "10.98.0.1");
	scene_stop(scene, daemon, SIGTERM);
}

int main(void)
{
#define SCENE_TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
	const struct CMUnitTest tests[] = {
		SCENE_TEST(a_tunnel_without_ethernet_carries_both_directions),
		SCENE_TEST(links_above_a_cable_are_uplinks),
		SCENE_TEST(the_configuration_leaves_devices_out),
		SCENE_TEST(rules_of_routing_choose_the_way_out),
		SCENE_TEST(answers_of_a_publication_are_routed_as_the_hosts_own),
		SCENE_TEST(wherryd_follows_links_and_addresses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
