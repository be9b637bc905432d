/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Published ports with HOST_FIREWALL_RESPECT: the host's rules for what it forwards decide who
 * begins a flow, and decide again when they change.
 */
#include "world.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dataplane/connections.h"
#include "dataplane/firewall.h"

static void publish_with(struct world *world, const char *name, const char *address,
			 const struct publish_spec *publish, enum host_firewall firewall)
{
	struct endpoint_info info __attribute__((cleanup(endpoint_info_release))) = { 0 };
	struct network_info network;
	struct error err = { 0 };
	scene_container(world->scene, name);
	struct endpoint_spec spec = { .container_id = name,
				      .interface = "eth0",
				      .network = "web",
				      .netns_path = scene_netns_path(world->scene, name),
				      .netns_fd = scene_netns_fd(world->scene, name),
				      .publish = publish,
				      .publish_count = 1,
				      .publish_policy = PUBLISH_IGNORE_LISTENERS,
				      .host_firewall = firewall,
				      .default_route = true,
				      .owner = "test" };
	world_claim(network_find(dataplane_store(world->dataplane), "web", &network, &err), &err);
	spec.gateway = network.spec.gateway;
	world_claim(prefix_parse(address, &spec.address, &err), &err);
	if (!prefix_is_unset(network.spec.subnet6)) {
		spec.gateway6 = network.spec.gateway6;
		world_claim(prefix_parse("fd01::2/64", &spec.address6, &err), &err);
	}
	world_claim(endpoint_add(world->dataplane, &spec, &info, &err), &err);
}

/* "c1" answers at 8080 as the firewall says, "c2" at 8081 whatever it says. */
static void set_stage(struct world *world)
{
	static const struct publish_spec asked = { .host_port = 8080,
						   .container_port = 80,
						   .count = 1,
						   .protocol = PROTOCOL_TCP },
					 open = { .host_port = 8081,
						  .container_port = 80,
						  .count = 1,
						  .protocol = PROTOCOL_TCP };
	struct network_spec spec = { .masquerade = true, .device = "br-web" };
	world_network_as(world, "web", "10.1.0.0/24", spec);
	publish_with(world, "c1", "10.1.0.2/24", &asked, HOST_FIREWALL_RESPECT);
	publish_with(world, "c2", "10.1.0.3/24", &open, HOST_FIREWALL_BYPASS);
	scene_tcp_server(world->scene, "c1", 80);
	scene_tcp_server(world->scene, "c2", 80);
}

/* In place of whatever rules there were. */
static void rules(struct world *world, const char *text)
{
	char whole[2000];
	const char *const argv[] = { "nft", "-f", "-", NULL };
	snprintf(whole, sizeof whole,
		 "table inet user\ndelete table inet user\ntable inet user {\n%s\n}\n", text);
	const struct scene_command command = { .argv = argv, .input = whole };
	if (scene_execute(world->scene, &command) != 0)
		fail_msg("nft: %s", scene_errors(world->scene));
}

#define FORWARD(policy, text) \
	"chain forward { type filter hook forward priority 0; policy " policy ";\n" text "\n}"

/* Rules of the user, and whether the client reaches the port that respects them. */
static const struct {
	const char *text;
	bool passes;
} cases[] = {
	{ FORWARD("accept", ""), true },
	{ FORWARD("drop", ""), false },
	{ FORWARD("accept", "ip saddr 10.99.0.2 drop"), false },
	{ FORWARD("accept", "ip saddr 10.99.0.3 drop"), true },
	{ FORWARD("drop", "ip daddr 10.1.0.2 tcp dport 80 accept"), true },
	{ FORWARD("drop", "tcp dport 8080 accept"), false }, /* it is the container's by then */
	{ FORWARD("drop", "iifname \"up0\" tcp dport 80 accept"), true },
	{ FORWARD("drop", "iifname \"up0\" ct state new tcp dport 80 accept"), true },
	{ FORWARD("drop", "ct state invalid drop; ct state established,related accept; "
			  "tcp flags & (syn|ack) == syn ct state new tcp dport 80 accept"),
	  true },
	{ FORWARD("drop", "iifname \"up0\" oifname \"br-web\" accept"), true },
	{ FORWARD("accept", "oifname \"br-web\" drop"), false },
	{ FORWARD("drop", "ct state established,related accept"), false },
	{ FORWARD("accept", "tcp dport 80 reject"), false },
	{ "chain input { type filter hook input priority 0; policy drop; }", true },
};

static void the_hosts_rules_decide_who_begins(void **state)
{
	struct world *world = *state;
	set_stage(world);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		print_message("row %zu: %s\n", i, cases[i].text);
		rules(world, cases[i].text);
		scene_assert_tcp(world->scene, "client", "10.99.0.1", 8081, "c2", "10.99.0.2");
		if (cases[i].passes)
			scene_assert_tcp(world->scene, "client", "10.99.0.1", 8080, "c1",
					 "10.99.0.2");
		else
			scene_assert_no_tcp(world->scene, "client", "10.99.0.1", 8080);
	}
}

static void assert_resumes(int fd)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	char text[8];
	assert_int_equal(poll(&wait, 1, SCENE_WAIT_MS), 1);
	assert_int_equal(recv(fd, text, sizeof text, 0), strlen("after"));
}

static void running_flows_are_judged_again(void **state)
{
	struct world *world = *state;
	struct scene_reply reply;
	struct error err = { 0 };
	set_stage(world);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		print_message("row %zu: %s\n", i, cases[i].text);
		rules(world, FORWARD("accept", ""));
		auto_fd fd = scene_tcp_open(world->scene, "client", "10.99.0.1", 8080, &reply);
		assert_true(fd >= 0);
		assert_int_equal(scene_tcp_echo(fd, "before", SCENE_WAIT_MS), 0);
		rules(world, cases[i].text);
		assert_int_equal(scene_tcp_echo(fd, "not yet", SCENE_WAIT_MS), 0);
		world_claim(firewall_judge_again(world->dataplane, &err), &err);
		int r = scene_tcp_echo(fd, "after",
				       cases[i].passes ? SCENE_WAIT_MS : SCENE_QUIET_MS);
		assert_int_equal(r, cases[i].passes ? 0 : -ETIMEDOUT);
		if (!cases[i].passes)
			assert_true(world_drops(world, "host-firewall", "c1") > 0);
		/* What was lost meanwhile arrives when the rules allow it. */
		rules(world, FORWARD("accept", ""));
		if (!cases[i].passes)
			assert_resumes(fd);
	}
}

static const struct publish_spec udp_port = {
	.host_port = 5353, .container_port = 53, .count = 1, .protocol = PROTOCOL_UDP
};

static void datagrams_are_judged_as_they_come(void **state)
{
	struct world *world = *state;
	struct scene *scene = world->scene;
	struct error err = { 0 };
	world_network(world, "web", "10.1.0.0/24");
	publish_with(world, "c1", "10.1.0.2/24", &udp_port, HOST_FIREWALL_RESPECT);
	scene_udp_server(scene, "c1", 53);
	rules(world, FORWARD("drop", "ct state invalid drop"));
	scene_assert_no_udp(scene, "client", "10.99.0.1", 5353);
	rules(world, FORWARD("drop", "ct state invalid drop; udp dport 53 accept"));
	scene_assert_udp(scene, "client", "10.99.0.1", 5353, "c1", "10.99.0.2");
	rules(world, FORWARD("drop", ""));
	world_claim(firewall_judge_again(world->dataplane, &err), &err);
	scene_assert_no_udp(scene, "client", "10.99.0.1", 5353);
}

/* Linux 6.17 lets one device forward; before, the whole host must. */
static void let_ipv6_be_forwarded(struct world *world)
{
	scene_assert_run(world->scene, "sh", "-c",
			 "[ -e /proc/sys/net/ipv6/conf/up0/force_forwarding ] || "
			 "echo 1 > /proc/sys/net/ipv6/conf/all/forwarding",
			 NULL);
}

static void ipv6_is_judged_alike(void **state)
{
	static const struct publish_spec port = {
		.host_port = 8080, .container_port = 80, .count = 1, .protocol = PROTOCOL_TCP
	};
	struct world *world = *state;
	struct scene *scene = world->scene;
	struct scene_reply reply;
	struct error err = { 0 };
	let_ipv6_be_forwarded(world);
	world_network(world, "web", "10.1.0.0/24,fd01::/64");
	publish_with(world, "c1", "10.1.0.2/24", &port, HOST_FIREWALL_RESPECT);
	scene_tcp_server(scene, "c1", 80);
	rules(world, FORWARD("drop", "ct state invalid drop; ip daddr 10.1.0.2 accept"));
	scene_assert_tcp(scene, "client", "10.99.0.1", 8080, "c1", "10.99.0.2");
	scene_assert_no_tcp(scene, "client", "fd99::1", 8080);
	rules(world,
	      FORWARD("drop", "ct state invalid drop; ip6 daddr fd01::2 tcp dport 80 accept"));
	scene_assert_tcp(scene, "client", "fd99::1", 8080, "c1", "fd99::2");
	auto_fd fd = scene_tcp_open(scene, "client", "fd99::1", 8080, &reply);
	assert_true(fd >= 0);
	world_claim(firewall_judge_again(world->dataplane, &err), &err);
	assert_int_equal(scene_tcp_echo(fd, "still", SCENE_WAIT_MS), 0);
	rules(world, FORWARD("drop", ""));
	world_claim(firewall_judge_again(world->dataplane, &err), &err);
	assert_int_equal(scene_tcp_echo(fd, "x", SCENE_QUIET_MS), -ETIMEDOUT);
}

/* The host's own sockets, and other containers, are not forwarded. */
static void the_host_and_its_containers_are_not_judged(void **state)
{
	struct world *world = *state;
	set_stage(world);
	rules(world, FORWARD("drop", ""));
	scene_assert_tcp(world->scene, "node", "127.0.0.1", 8080, "c1", NULL);
	scene_assert_tcp(world->scene, "node", "10.99.0.1", 8080, "c1", NULL);
	scene_assert_tcp(world->scene, "node", "10.1.0.2", 80, "c1", NULL);
	scene_assert_tcp(world->scene, "c2", "10.99.0.1", 8080, "c1", NULL);
	scene_assert_tcp(world->scene, "c2", "10.1.0.2", 80, "c1", NULL);
}

static int setting(const char *name)
{
	char path[128];
	snprintf(path, sizeof path, "/proc/sys/net/ipv4/%s", name);
	auto_file file = fopen(path, "r");
	return file ? fgetc(file) - '0' : -1;
}

static void a_host_that_is_no_router_stays_none(void **state)
{
	struct world *world = *state;
	struct scene *scene = world->scene;
	struct error err = { 0 };
	scene_assert_run(scene, "sh", "-c", "echo 0 > /proc/sys/net/ipv4/ip_forward", NULL);
	scene_host(scene, "far");
	scene_link(scene, "far", "eth0", "10.98.0.2/24", "node", "up1", "10.98.0.1/24");
	scene_route(scene, "far", "0.0.0.0/0", "10.98.0.1");
	scene_route(scene, "client", "0.0.0.0/0", "10.99.0.1");
	set_stage(world);
	rules(world, FORWARD("accept", "ip saddr 10.98.0.2 drop"));
	scene_assert_tcp(scene, "client", "10.99.0.1", 8080, "c1", "10.99.0.2");
	scene_assert_no_tcp(scene, "far", "10.98.0.1", 8080);
	rules(world, FORWARD("accept", ""));
	scene_assert_no_ping(scene, "client", "10.98.0.2");
	scene_assert_no_tcp(scene, "client", "10.1.0.2", 80);
	assert_true(world_drops(world, "not-forwarded", NULL) > 0);
	scene_assert_ping(scene, "client", "10.99.0.1");
	scene_assert_run(scene, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward", NULL);
	world_claim(uplinks_refresh(world->dataplane, &err), &err);
	scene_assert_ping(scene, "client", "10.98.0.2"); /* it is one now */
	scene_assert_tcp(scene, "client", "10.99.0.1", 8080, "c1", "10.99.0.2");
}

static void forwarding_is_given_back(void **state)
{
	struct world *world = *state;
	struct scene *scene = world->scene;
	struct error err = { 0 };
	scene_assert_run(scene, "sh", "-c", "echo 0 > /proc/sys/net/ipv4/ip_forward", NULL);
	set_stage(world);
	scene_host(scene, "far");
	scene_link(scene, "far", "eth0", "10.98.0.2/24", "node", "up1", "10.98.0.1/24");
	world_claim(uplinks_refresh(world->dataplane, &err), &err);
	scene_assert_tcp(scene, "far", "10.98.0.1", 8080, "c1", "10.98.0.2");
	assert_int_equal(setting("conf/up0/forwarding"), 1);
	world_claim(dataplane_reset(scene_instance(scene), &err), &err);
	assert_int_equal(setting("conf/up0/forwarding"), 0);
	assert_int_equal(setting("conf/up1/forwarding"), 0);
	scene_assert_run(scene, "sh", "-c", "! ip rule | grep 'iif lo'", NULL);
}

int main(void)
{
#define SCENE_TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
	const struct CMUnitTest tests[] = {
		SCENE_TEST(the_hosts_rules_decide_who_begins),
		SCENE_TEST(running_flows_are_judged_again),
		SCENE_TEST(datagrams_are_judged_as_they_come),
		cmocka_unit_test_setup_teardown(ipv6_is_judged_alike, world_set_up_dual,
						world_tear_down),
		SCENE_TEST(the_host_and_its_containers_are_not_judged),
		SCENE_TEST(a_host_that_is_no_router_stays_none),
		SCENE_TEST(forwarding_is_given_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
