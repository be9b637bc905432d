/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the host sends to its containers, by the gateway device and by their links. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <arpa/inet.h>
#include <bpf/libbpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>

#include "base/cleanup.h"
#include "scene.h"

#include <cmocka.h>

static void host_reaches_an_endpoint(void **state)
{
	struct scene *scene = *state;
	struct frame frame =
		frame_make((struct packet_words){ IPPROTO_TCP, GATEWAY, 4000, WEB, 80, TCP_SYN });
	uint8_t mac[6];

	assert_int_equal(scene_to(scene, scene->gateway, &frame), REDIRECTED);
	frame_mac(WEB, mac);
	assert_memory_equal(frame.bytes, mac, ETH_ALEN);
}

static void foreign_members_of_the_bridge_are_left_alone(void **state)
{
	static const char *const rows[] = { "10.88.9.9", OTHER, "224.0.0.1" };
	struct scene *scene = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct frame frame =
			frame_make((struct packet_words){ IPPROTO_UDP, GATEWAY, 1, rows[i], 2, 0 });

		assert_int_equal(scene_to(scene, scene->gateway, &frame), PASS);
	}
}

static void host_is_told_the_mac_of_an_endpoint(void **state)
{
	struct scene *scene = *state;
	struct frame frame = frame_arp(GATEWAY, WEB, 1);
	uint8_t mac[6];

	frame_mac(WEB, mac);
	assert_int_equal(scene_to(scene, scene->gateway, &frame), REDIRECTED);
	assert_memory_equal(frame.bytes + 22, mac, ETH_ALEN);
	frame = frame_arp(GATEWAY, "10.88.9.9", 1);
	assert_int_equal(scene_to(scene, scene->gateway, &frame), PASS);
}

static void other_devices_are_not_ours(void **state)
{
	struct scene *scene = *state;
	struct frame frame =
		frame_make((struct packet_words){ IPPROTO_UDP, GATEWAY, 1, WEB, 2, 0 });

	assert_int_equal(scene_to(scene, scene->uplink, &frame), PASS);
}

static void containers_of_a_network_are_addressed_from_outside_only_if_it_is_routed(void **state)
{
	struct scene *scene = *state;
	const struct packet_words words = { IPPROTO_TCP, OUTSIDE, 4000, WEB, 80, TCP_SYN };
	struct frame frame = frame_make(words);

	assert_int_equal(scene_to_forwarded(scene, scene->gateway, scene->uplink, &frame), DROPPED);
	assert_int_equal(scene_drops(scene, DROP_DIRECT, SLOT_WEB), 1);
	scene_set_flags(scene, NETWORK_ROUTED);
	frame = frame_make(words);
	assert_int_equal(scene_to_forwarded(scene, scene->gateway, scene->uplink, &frame),
			 REDIRECTED);
}

static void a_containers_own_link_carries_what_the_host_sends(void **state)
{
	struct scene *scene = *state;
	const struct packet_words words = { IPPROTO_TCP, OUTSIDE, 4000, WEB, 80, TCP_SYN };
	const struct {
		uint32_t ifindex, from;
		uint16_t flags;
		int verdict;
	} rows[] = {
		{ scene->web, 0, 0, PASS },
		{ scene->web, scene->web, 0, PASS }, /* what was answered in the kernel */
		{ scene->web, scene->uplink, 0, DROPPED },
		{ scene->web, scene->uplink, NETWORK_ROUTED, PASS },
		{ scene->uplink, scene->web, 0, PASS }, /* none of ours */
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct frame frame = frame_make(words);

		scene_set_flags(scene, rows[i].flags);
		int verdict = scene_onto(scene, rows[i].ifindex, rows[i].from, &frame);
		if (verdict != rows[i].verdict)
			fail_msg("row %zu: verdict %d", i, verdict);
	}
	assert_int_equal(scene_drops(scene, DROP_DIRECT, SLOT_WEB), 1);
}

static int see(void *context, void *data, size_t size)
{
	assert_int_equal(size, sizeof(struct drop_event));
	memcpy(context, data, size);
	return 0;
}

static void drops_are_told_while_somebody_listens(void **state)
{
	struct scene *scene = *state;
	struct drop_event seen = { 0 };
	struct ring_buffer *ring =
		ring_buffer__new(bpf_map__fd(scene->bpf->maps.wh1_events), see, &seen, NULL);
	uint32_t key = SWITCH_EVENTS, listeners[] = { 0, 1 };

	for (int i = 0; i < 2; i++) {
		struct frame frame = frame_make(
			(struct packet_words){ IPPROTO_TCP, CLIENT, 4000, "10.88.9.9", 80, 0 });

		assert_int_equal(bpf_map__update_elem(scene->bpf->maps.wh1_switches, &key,
						      sizeof key, &listeners[i], sizeof key, 0),
				 0);
		assert_int_equal(scene_from(scene, scene->client, &frame), DROPPED);
		assert_int_equal(ring_buffer__consume(ring), i);
	}
	bpf_map__update_elem(scene->bpf->maps.wh1_switches, &key, sizeof key, &listeners[0],
			     sizeof key, 0);
	ring_buffer__free(ring);
	struct abi_addr source = scene_address(CLIENT), target = scene_address("10.88.9.9");
	assert_memory_equal(&seen.source, &source, sizeof source);
	assert_memory_equal(&seen.destination, &target, sizeof target);
	assert_int_equal(ntohs(seen.source_port), 4000);
	assert_int_equal(ntohs(seen.destination_port), 80);
	assert_int_equal(seen.protocol, IPPROTO_TCP);
	assert_int_equal(seen.hook, HOOK_FROM_CONTAINER);
	assert_int_equal(seen.reason, DROP_NO_ENDPOINT);
	assert_int_equal(seen.slot, SLOT_CLIENT);
	assert_int_equal(seen.network, 1);
	assert_int_equal(seen.ifindex, scene->client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(host_reaches_an_endpoint, scene_clear),
		cmocka_unit_test_setup(foreign_members_of_the_bridge_are_left_alone, scene_clear),
		cmocka_unit_test_setup(host_is_told_the_mac_of_an_endpoint, scene_clear),
		cmocka_unit_test_setup(
			containers_of_a_network_are_addressed_from_outside_only_if_it_is_routed,
			scene_clear),
		cmocka_unit_test_setup(a_containers_own_link_carries_what_the_host_sends,
				       scene_clear),
		cmocka_unit_test_setup(drops_are_told_while_somebody_listens, scene_clear),
		cmocka_unit_test_setup(other_devices_are_not_ours, scene_clear),
	};

	return SCENE_RUN(tests);
}
