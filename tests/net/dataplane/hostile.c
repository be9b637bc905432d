/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A container that sends what it likes harms nobody, and each of its packets is accounted for. */
#include "world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/process.h"
#include "dataplane/connections.h"
#include "mischief.h"
#include "mischief6.h"

static uint32_t frame_count(void)
{
	return getenv("WHERRY_TEST_LONG") ? 1000000 : 50000;
}

/* A socket at the container's link, for whole frames. */
static int open_link(struct world *world, const char *container)
{
	struct error err = { 0 };
	struct ifreq request = { .ifr_name = "eth0" };
	struct sockaddr_ll link = { .sll_family = AF_PACKET };
	int fd;

	/* Protocol 0: it receives nothing. */
	world_claim(netns_socket(scene_netns_fd(world->scene, container), AF_PACKET, SOCK_RAW, 0,
				 &fd, &err),
		    &err);
	assert_int_equal(ioctl(fd, SIOCGIFINDEX, &request), 0);
	link.sll_ifindex = request.ifr_ifindex;
	assert_int_equal(bind(fd, (struct sockaddr *)&link, sizeof link), 0);
	return fd;
}

/* The kernel itself drops a VLAN tag that is cut, before any program sees it. */
static bool is_cut_tag(const struct mischief_frame *frame, size_t size)
{
	uint16_t type = (uint16_t)(frame->bytes[12] << 8 | frame->bytes[13]);

	return (type == ETH_P_8021Q || type == ETH_P_8021AD) && size < ETH_HLEN + 6;
}

static uint32_t address_of(const char *text)
{
	struct in_addr address;

	assert_int_equal(inet_pton(AF_INET, text, &address), 1);
	return address.s_addr;
}

struct account {
	const char *container;
	uint64_t dropped;
};

static int add_drops(const struct drop_row *row, void *context, struct error *err)
{
	struct account *account = context;
	(void)err;
	if (text_equal(row->container_id, account->container))
		account->dropped += row->packets;
	return 0;
}

/* What has become of the packets of a container: dropped for a reason, or sent on. */
static uint64_t accounted(struct world *world, const char *container)
{
	struct error err = { 0 };
	struct account account = { .container = container };
	struct endpoint_info info __attribute__((cleanup(endpoint_info_release))) = { 0 };
	struct endpoint_traffic traffic;

	world_claim(
		endpoint_find(dataplane_store(world->dataplane), container, "eth0", &info, &err),
		&err);
	world_claim(endpoint_traffic(world->dataplane, info.slot, &traffic, &err), &err);
	world_claim(drops_each(world->dataplane, add_drops, &account, &err), &err);
	return account.dropped + traffic.tx_packets;
}

struct others {
	int inside, outside, inside6; /* connections that stay open */
};

static struct others open_others(struct world *world)
{
	struct scene_reply reply;
	struct others others;

	scene_tcp_server(world->scene, "c1", 80);
	scene_udp_server(world->scene, "c1", 53);
	scene_tcp_server(world->scene, "node", 81);
	scene_tcp_server(world->scene, "client", 80);
	others.inside = scene_tcp_open(world->scene, "c2", "10.1.0.2", 80, &reply);
	others.outside = scene_tcp_open(world->scene, "client", "10.99.0.1", 8080, &reply);
	others.inside6 = scene_tcp_open(world->scene, "c2", "fd01::2", 80, &reply);
	assert_true(others.inside >= 0 && others.outside >= 0 && others.inside6 >= 0);
	return others;
}

static void close_others(const struct others *others)
{
	close(others->inside);
	close(others->outside);
	close(others->inside6);
}

static void assert_others_are_well(struct world *world, const struct others *others)
{
	struct scene *scene = world->scene;

	assert_int_equal(scene_tcp_echo(others->inside, "inside", SCENE_WAIT_MS), 0);
	assert_int_equal(scene_tcp_echo(others->outside, "outside", SCENE_WAIT_MS), 0);
	assert_int_equal(scene_tcp_echo(others->inside6, "inside", SCENE_WAIT_MS), 0);
	scene_assert_udp(scene, "c2", "10.1.0.2", 53, "c1", "10.1.0.3");
	scene_assert_udp(scene, "c2", "fd01::2", 53, "c1", "fd01::3");
	scene_assert_ping(scene, "client", "10.99.0.1");
	scene_assert_ping(scene, "node", "fd01::2");
	scene_assert_tcp(scene, "c2", "10.99.0.1", 81, "node", "10.1.0.3");
	scene_assert_tcp(scene, "c2", "fd01::1", 81, "node", "fd01::3");
	scene_assert_tcp(scene, "c2", "10.99.0.2", 80, "client", "10.99.0.1");
	scene_assert_tcp(scene, "c2", "fd99::2", 80, "client", "fd99::1");
	scene_assert_tcp(scene, "client", "10.99.0.1", 8080, "c1", "10.99.0.2");
}

static void make_world(struct world *world, struct endpoint_info *ret_mallory,
		       struct network_info *ret_network)
{
	struct store *store = dataplane_store(world->dataplane);
	struct error err = { 0 };
	char netns[300];

	world_network(world, "web", "10.1.0.0/24,fd01::/64");
	world_network(world, "db", "10.2.0.0/24,fd02::/64");
	world_publish(world, "c1", "web", "10.1.0.2/24,fd01::2/64", "8080:80", "5300:53/udp", NULL);
	world_container(world, "c2", "web", "10.1.0.3/24,fd01::3/64");
	world_container(world, "mallory", "web", "10.1.0.9/24,fd01::9/64");
	world_container(world, "c4", "db", "10.2.0.4/24,fd02::4/64");
	world_claim(endpoint_find(store, "mallory", "eth0", ret_mallory, &err), &err);
	world_claim(network_find(store, "web", ret_network, &err), &err);
	/* Its own kernel sends nothing in between: no answers, no questions. */
	snprintf(netns, sizeof netns, "--net=%s", scene_netns_path(world->scene, "mallory"));
	scene_assert_run(world->scene, "nsenter", netns, "sh", "-c",
			 "echo 1 > /proc/sys/net/ipv6/conf/eth0/disable_ipv6;"
			 "ip addr flush dev eth0 && ip link set eth0 arp off",
			 NULL);
}

/* Sends what `next` makes; returns how many of it the link took. */
static uint64_t attack(struct world *world, size_t (*next)(void *, struct mischief_frame *),
		       void *mischief)
{
	struct others others = open_others(world);
	struct mischief_frame frame;
	uint64_t sent = 0;
	auto_fd link = open_link(world, "mallory");

	for (uint32_t i = 0; i < frame_count(); i++) {
		size_t size = next(mischief, &frame);
		if (send(link, frame.bytes, size, 0) == (ssize_t)size)
			sent += !is_cut_tag(&frame, size);
		else
			assert_true(errno == EINVAL || errno == ENOBUFS);
		if (i % (frame_count() / 10) == 0)
			assert_others_are_well(world, &others);
	}
	assert_others_are_well(world, &others);
	close_others(&others);
	assert_true(sent > frame_count() * 9 / 10);
	return sent;
}

static size_t next_of_any_kind(void *mischief, struct mischief_frame *frame)
{
	return mischief_next(mischief, frame);
}

static size_t next_of_ipv6(void *mischief, struct mischief_frame *frame)
{
	return mischief6_next(mischief, frame);
}

static void hostile_container_harms_nobody_and_each_packet_is_counted(void **state)
{
	struct world *world = *state;
	struct endpoint_info info __attribute__((cleanup(endpoint_info_release))) = { 0 };
	struct network_info network;
	const uint32_t targets[] = {
		address_of("10.1.0.2"),  address_of("10.1.0.3"),        address_of("10.1.0.1"),
		address_of("10.99.0.1"), address_of("10.99.0.2"),       address_of("10.2.0.4"),
		address_of("10.1.0.77"), address_of("10.1.0.9"),        address_of("10.1.0.255"),
		address_of("224.0.0.1"), address_of("255.255.255.255"), address_of("127.0.0.1"),
		address_of("0.0.0.0"),
	};
	struct mischief mischief = { .state = 20261124,
				     .address = address_of("10.1.0.9"),
				     .targets = targets,
				     .target_count = ARRAY_SIZE(targets) };

	make_world(world, &info, &network);
	memcpy(mischief.mac, info.mac.bytes, sizeof mischief.mac);
	memcpy(mischief.gateway_mac, network.device_mac.bytes, sizeof mischief.gateway_mac);
	uint64_t before = accounted(world, "mallory");
	uint64_t sent = attack(world, next_of_any_kind, &mischief);
	assert_int_equal(accounted(world, "mallory") - before, sent);
}

static void hostile_container_of_ipv6_harms_nobody_and_each_packet_is_counted(void **state)
{
	static const char *const texts[] = {
		"fd01::2", "fd01::3", "fd01::1",  "fd99::1", "fd99::2", "fd02::4", "fd01::77",
		"fd01::9", "ff02::1", "ff02::fb", "::1",     "::",      "fe80::1", "2001:db8::1"
	};
	static const char *const reasons[] = {
		"malformed", "spoof-mac", "spoof-address", "no-endpoint", "isolated", "discovery",
		"router",    "multicast", "fragment",      "loopback",    "no-flow",  "unsupported",
	};
	struct world *world = *state;
	struct endpoint_info info __attribute__((cleanup(endpoint_info_release))) = { 0 };
	struct network_info network;
	struct in6_addr targets[ARRAY_SIZE(texts)];
	struct mischief6 mischief = { .state = 20261124,
				      .targets = targets,
				      .target_count = ARRAY_SIZE(targets) };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_int_equal(inet_pton(AF_INET6, texts[i], &targets[i]), 1);
	assert_int_equal(inet_pton(AF_INET6, "fd01::9", &mischief.address), 1);
	make_world(world, &info, &network);
	memcpy(mischief.mac, info.mac.bytes, sizeof mischief.mac);
	memcpy(mischief.gateway_mac, network.device_mac.bytes, sizeof mischief.gateway_mac);
	uint64_t before = accounted(world, "mallory");
	uint64_t sent = attack(world, next_of_ipv6, &mischief);
	assert_int_equal(accounted(world, "mallory") - before + mischief.questions, sent);
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
		uint64_t packets = world_drops(world, reasons[i], "mallory");
		print_message("%s: %llu\n", reasons[i], (unsigned long long)packets);
		assert_true(packets > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			hostile_container_harms_nobody_and_each_packet_is_counted,
			world_set_up_dual, world_tear_down),
		cmocka_unit_test_setup_teardown(
			hostile_container_of_ipv6_harms_nobody_and_each_packet_is_counted,
			world_set_up_dual, world_tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
