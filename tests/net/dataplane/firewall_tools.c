/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Published ports that respect the host's firewall, and what people make firewalls with: ufw and
 * firewalld as Debian has them, iptables, and wherryd, which sees their changes.
 */
#include "world.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/loop.h"
#include "dataplane/firewall.h"

static void publish(struct world *world, const char *name, const char *address, uint16_t port,
		    enum host_firewall firewall)
{
	struct endpoint_info info __attribute__((cleanup(endpoint_info_release))) = { 0 };
	struct network_info network;
	struct error err = { 0 };
	const struct publish_spec publish = {
		.host_port = port, .container_port = 80, .count = 1, .protocol = PROTOCOL_TCP
	};
	scene_container(world->scene, name);
	struct endpoint_spec spec = { .container_id = name,
				      .interface = "eth0",
				      .network = "web",
				      .netns_path = scene_netns_path(world->scene, name),
				      .netns_fd = scene_netns_fd(world->scene, name),
				      .publish = &publish,
				      .publish_count = 1,
				      .publish_policy = PUBLISH_IGNORE_LISTENERS,
				      .host_firewall = firewall,
				      .default_route = true,
				      .owner = "test" };
	world_claim(network_find(dataplane_store(world->dataplane), "web", &network, &err), &err);
	spec.gateway = network.spec.gateway;
	world_claim(prefix_parse(address, &spec.address, &err), &err);
	world_claim(endpoint_add(world->dataplane, &spec, &info, &err), &err);
	scene_tcp_server(world->scene, name, 80);
}

static void set_stage(struct world *world)
{
	struct network_spec spec = { .masquerade = true, .device = "br-web" };
	world_network_as(world, "web", "10.1.0.0/24", spec);
	publish(world, "c1", "10.1.0.2/24", 8080, HOST_FIREWALL_RESPECT);
	publish(world, "c2", "10.1.0.3/24", 8081, HOST_FIREWALL_BYPASS);
}

/* In "node", with the machine's own settings of these tools out of reach. */
static void sh(struct world *world, const char *text)
{
	if (scene_run(world->scene, NULL, "sh", "-ec", text, NULL) != 0)
		fail_msg("%s: %s%s", text, scene_output(world->scene), scene_errors(world->scene));
}

static bool has(struct world *world, const char *program)
{
	if (scene_run(world->scene, NULL, "sh", "-c", "command -v \"$1\"", "sh", program, NULL) ==
	    0)
		return true;
	print_message("skipped: %s is not installed (tools/install-deps)\n", program);
	return false;
}

/* What follows a change of the rules by the tool, as wherryd would do. */
static void judge_again(struct world *world, int events)
{
	struct pollfd wait = { .fd = events, .events = POLLIN };
	struct error err = { 0 };
	do
		assert_int_equal(poll(&wait, 1, SCENE_WAIT_MS), 1);
	while (!firewall_events_read(events));
	world_claim(firewall_judge_again(world->dataplane, &err), &err);
}

static void assert_reaches(struct world *world, bool reaches)
{
	if (reaches)
		scene_assert_tcp(world->scene, "client", "10.99.0.1", 8080, "c1", "10.99.0.2");
	else
		scene_assert_no_tcp(world->scene, "client", "10.99.0.1", 8080);
	scene_assert_tcp(world->scene, "client", "10.99.0.1", 8081, "c2", "10.99.0.2");
}

static int open_flow(struct world *world)
{
	struct scene_reply reply;
	int fd = scene_tcp_open(world->scene, "client", "10.99.0.1", 8080, &reply);
	assert_true(fd >= 0);
	assert_int_equal(scene_tcp_echo(fd, "before", SCENE_WAIT_MS), 0);
	return fd;
}

/* What was lost comes when the rules allow it. */
static void assert_resumes(int fd)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	char text[8];
	assert_int_equal(poll(&wait, 1, SCENE_WAIT_MS), 1);
	assert_int_equal(recv(fd, text, sizeof text, 0), 1);
}

static void iptables_decide(void **state)
{
	struct world *world = *state;
	struct error err = { 0 };
	int events = -1;
	set_stage(world);
	world_claim(firewall_events_open(&events, &err), &err);
	auto_fd fd = open_flow(world);
	sh(world, "iptables -A FORWARD -s 10.99.0.2 -j DROP");
	judge_again(world, events);
	assert_reaches(world, false);
	assert_int_equal(scene_tcp_echo(fd, "x", SCENE_QUIET_MS), -ETIMEDOUT);
	sh(world, "iptables -F FORWARD; iptables -P FORWARD DROP; "
		  "iptables -A FORWARD -m conntrack --ctstate INVALID -j DROP; "
		  "iptables -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT; "
		  "iptables -A FORWARD -i up0 -o br-web -p tcp --dport 80 -j ACCEPT");
	judge_again(world, events);
	assert_reaches(world, true);
	assert_resumes(fd);
	close(events);
}

#define UFW                                                                                   \
	"unshare -m sh -ec 'mount --make-rprivate /; mount --bind '\"$WORK\"'/ufw /etc/ufw; " \
	"mount --bind '\"$WORK\"'/default /etc/default/ufw; exec ufw \"$@\"' sh "

static void ufw(struct world *world, const char *words)
{
	char text[2000];
	snprintf(text, sizeof text, "WORK=%s; " UFW "%s", scene_folder(world->scene), words);
	sh(world, text);
}

static void ufw_decides(void **state)
{
	struct world *world = *state;
	struct error err = { 0 };
	char text[600];
	int events = -1;
	if (!has(world, "ufw"))
		return;
	snprintf(text, sizeof text, "cp -a /etc/ufw %1$s/ufw; cp /etc/default/ufw %1$s/default",
		 scene_folder(world->scene));
	sh(world, text);
	set_stage(world);
	ufw(world, "--force enable");
	assert_reaches(world, false);
	ufw(world, "allow 8080/tcp"); /* input is another matter */
	assert_reaches(world, false);
	ufw(world, "route allow in on up0 out on br-web proto tcp to any port 80");
	assert_reaches(world, true);
	world_claim(firewall_events_open(&events, &err), &err);
	auto_fd fd = open_flow(world);
	ufw(world, "route insert 1 deny from 10.99.0.2");
	judge_again(world, events);
	assert_int_equal(scene_tcp_echo(fd, "x", SCENE_QUIET_MS), -ETIMEDOUT);
	assert_reaches(world, false);
	ufw(world, "route delete deny from 10.99.0.2");
	judge_again(world, events);
	assert_resumes(fd);
	assert_reaches(world, true);
	close(events);
}

/* A bus of its own, since none runs where tests do. */
static void start_firewalld(struct world *world)
{
	char text[2000];
	const char *work = scene_folder(world->scene);
	snprintf(text, sizeof text,
		 "cp -a /etc/firewalld %1$s/firewalld; mkdir %1$s/run; "
		 "echo '<busconfig><type>system</type><listen>unix:path=%1$s/bus</listen>"
		 "<auth>EXTERNAL</auth><policy context=\"default\"><allow send_destination=\"*\"/>"
		 "<allow eavesdrop=\"true\"/>"
		 "<allow own=\"*\"/></policy></busconfig>' > %1$s/bus.conf",
		 work);
	sh(world, text);
	snprintf(text, sizeof text,
		 "mount --make-rprivate /; mkdir -p /run/firewalld; "
		 "mount --bind %1$s/firewalld /etc/firewalld; mount --bind %1$s/run /run; "
		 "mkdir -p /run/firewalld; F='firewall-offline-cmd -q'; "
		 "$F --new-policy=web; $F --policy=web --add-ingress-zone=public; "
		 "$F --policy=web --add-egress-zone=trusted; $F --policy=web --add-port=80/tcp; "
		 "$F --zone=trusted --add-interface=br-web; "
		 "$F --zone=public --add-interface=up0; "
		 "exec firewalld --nofork --nopid --log-file=%1$s/log",
		 work);
	char address[600];
	snprintf(address, sizeof address, "unix:path=%s/bus", work);
	setenv("DBUS_SYSTEM_BUS_ADDRESS", address, 1);
	snprintf(address, sizeof address, "--config-file=%s/bus.conf", work);
	scene_start(world->scene, NULL, "dbus-daemon", "--nofork", address, NULL);
	snprintf(address, sizeof address, "until [ -S %s/bus ]; do :; done", work);
	sh(world, address);
	scene_start(world->scene, NULL, "unshare", "-m", "sh", "-ec", text, NULL);
	sh(world, "until firewall-cmd --state; do :; done");
}

static void firewalld_decides(void **state)
{
	struct world *world = *state;
	struct error err = { 0 };
	int events = -1;
	if (!has(world, "firewalld"))
		return;
	set_stage(world);
	start_firewalld(world);
	world_claim(firewall_events_open(&events, &err), &err);
	assert_reaches(world, true);
	auto_fd fd = open_flow(world);
	sh(world, "firewall-cmd --policy=web --remove-port=80/tcp");
	judge_again(world, events);
	assert_int_equal(scene_tcp_echo(fd, "x", SCENE_QUIET_MS), -ETIMEDOUT);
	assert_reaches(world, false);
	sh(world, "firewall-cmd --policy=web --add-port=80/tcp");
	judge_again(world, events);
	assert_resumes(fd);
	assert_reaches(world, true);
	close(events);
	unsetenv("DBUS_SYSTEM_BUS_ADDRESS");
}

static void wherryd_sees_that_rules_change(void **state)
{
	struct world *world = *state;
	char text[600];
	int r = 0;
	set_stage(world);
	scene_assert_run(world->scene, "wherryd", "--background", NULL);
	auto_fd fd = open_flow(world);
	sh(world, "nft 'add table ip user; add chain ip user forward "
		  "{ type filter hook forward priority 0; policy drop; }'");
	for (uint64_t end_ms = clock_monotonic_ms() + SCENE_WAIT_MS;
	     r == 0 && clock_monotonic_ms() < end_ms;)
		r = scene_tcp_echo(fd, "x", SCENE_QUIET_MS);
	assert_int_equal(r, -ETIMEDOUT);
	assert_true(world_drops(world, "host-firewall", "c1") > 0);
	sh(world, "nft delete table ip user");
	assert_resumes(fd);
	snprintf(text, sizeof text,
		 "kill $(cat %1$s/wherryd.pid); while [ -e %1$s/wherryd.pid ]; do sleep 0.01; done",
		 scene_instance(world->scene)->run);
	sh(world, text);
}

int main(void)
{
#define SCENE_TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
	const struct CMUnitTest tests[] = {
		SCENE_TEST(iptables_decide),
		SCENE_TEST(ufw_decides),
		SCENE_TEST(firewalld_decides),
		SCENE_TEST(wherryd_sees_that_rules_change),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
