/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Masquerading as a network's options say: destinations left out, sources, mappings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <linux/in.h>

#include "base/cleanup.h"
#include "scene.h"

#include <cmocka.h>

enum { FIRST = 16384, COUNT = 1000 };
#define SECOND "192.0.2.2"      /* of the host, too */
#define PARTNER "203.0.113.9"   /* inside of an exception */
#define ELSEWHERE "203.0.112.9" /* and beside it */

static void put(struct bpf_map *map, const void *key, const void *value)
{
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(map), key, value, BPF_ANY), 0);
}

static void empty(struct bpf_map *map)
{
	uint8_t key[64];

	while (bpf_map_get_next_key(bpf_map__fd(map), NULL, key) == 0)
		assert_int_equal(bpf_map_delete_elem(bpf_map__fd(map), key), 0);
}

/* Network 1 has these options, and 203.0.113.0/24 is left out. */
static void choose(struct scene *scene, const char *source, uint32_t flags)
{
	uint32_t network = 1, one = 1;
	struct masquerade_choice choice = { .flags = flags };
	struct except_key except = { .prefix_length = 32 + 96 + 24,
				     .network = network,
				     .address = scene_address("203.0.113.0") };
	struct abi_addr second = scene_address(SECOND);

	if (source)
		choice.source = scene_address(source);
	scene_set_flags(scene, NETWORK_MASQUERADE | NETWORK_MASQUERADE_OPTIONS);
	put(scene->bpf->maps.wh1_masquerade, &network, &choice);
	put(scene->bpf->maps.wh1_excepts, &except, &network);
	put(scene->bpf->maps.wh1_locals, &second, &one);
}

static int clear(void **state)
{
	struct scene *scene = *state;
	uint32_t mappings = SWITCH_MAPPINGS, none = 0;

	empty(scene->bpf->maps.wh1_mappings);
	empty(scene->bpf->maps.wh1_locals);
	put(scene->bpf->maps.wh1_switches, &mappings, &none);
	return scene_clear(state);
}

/* Sends, and returns what went out; "" if it was dropped. */
static const char *sent(struct scene *scene, const char *from, uint16_t from_port, const char *to)
{
	struct frame frame =
		frame_make((struct packet_words){ IPPROTO_UDP, from, from_port, to, 53, 0 });
	uint32_t ifindex = !strcmp(from, OTHER) ? scene->other
			   : strcmp(from, WEB)  ? scene->client
						: scene->web;

	if (scene_from(scene, ifindex, &frame) != REDIRECTED)
		return "";
	assert_true(frame_sums_hold(&frame));
	return frame_text(&frame);
}

/* The port outside; 0: dropped. */
static uint16_t port_of(struct scene *scene, const char *from, uint16_t from_port, const char *to)
{
	const char *text = sent(scene, from, from_port, to), *colon = strchr(text, ':');

	return colon ? (uint16_t)strtoul(colon + 1, NULL, 10) : 0;
}

static void excepted_destination_sees_the_container(void **state)
{
	struct scene *scene = *state;
	choose(scene, NULL, 0);
	struct frame answer =
		frame_make((struct packet_words){ IPPROTO_UDP, PARTNER, 53, CLIENT, 5000, 0 });
	struct frame stranger =
		frame_make((struct packet_words){ IPPROTO_UDP, PARTNER, 54, CLIENT, 5000, 0 });

	assert_string_equal(sent(scene, CLIENT, 5000, PARTNER),
			    "udp 10.88.0.12:5000 > 203.0.113.9:53");
	assert_int_equal(scene_in(scene, &answer), REDIRECTED);
	assert_string_equal(frame_text(&answer), "udp 203.0.113.9:53 > 10.88.0.12:5000");
	/* Only answers: whoever is left out does not thereby reach all ports. */
	assert_int_equal(scene_in(scene, &stranger), PASS);
	assert_in_range(port_of(scene, CLIENT, 5000, ELSEWHERE), FIRST, FIRST + COUNT - 1);
}

static void routed_network_leaves_to_exceptions_without_a_flow(void **state)
{
	struct scene *scene = *state;
	struct flow flow;
	choose(scene, NULL, 0);
	scene_set_flags(scene, NETWORK_MASQUERADE | NETWORK_MASQUERADE_OPTIONS | NETWORK_ROUTED);
	assert_string_equal(sent(scene, CLIENT, 5000, PARTNER),
			    "udp 10.88.0.12:5000 > 203.0.113.9:53");
	assert_false(scene_flow(scene,
				(struct packet_words){ IPPROTO_UDP, CLIENT, 5000, PARTNER, 53, 0 },
				1, &flow));
}

static void exception_is_of_one_network(void **state)
{
	struct scene *scene = *state;
	choose(scene, NULL, 0);
	assert_in_range(port_of(scene, OTHER, 5000, PARTNER), FIRST, FIRST + COUNT - 1);
}

static void source_is_the_chosen_one(void **state)
{
	struct scene *scene = *state;
	choose(scene, SECOND, 0);
	assert_memory_equal(sent(scene, CLIENT, 5000, OUTSIDE), "udp 192.0.2.2:", 14);
	assert_memory_equal(sent(scene, OTHER, 5000, OUTSIDE), "udp 192.0.2.1:", 14);
}

static void source_that_the_host_lost_is_a_named_reason(void **state)
{
	struct scene *scene = *state;
	choose(scene, "192.0.2.3", 0);
	assert_string_equal(sent(scene, CLIENT, 5000, OUTSIDE), "");
	assert_int_equal(scene_drops(scene, DROP_NO_SOURCE, SLOT_CLIENT), 1);
}

static void uplink_without_an_address_is_a_named_reason(void **state)
{
	struct scene *scene = *state;
	struct uplink bare = { .mtu = 1500 };
	put(scene->bpf->maps.wh1_uplinks, &scene->uplink, &bare);
	assert_string_equal(sent(scene, CLIENT, 5000, OUTSIDE), "");
	assert_int_equal(scene_drops(scene, DROP_NO_SOURCE, SLOT_CLIENT), 1);
}

static void mapped_port_is_the_same_for_all_destinations(void **state)
{
	static const char *const to[] = { OUTSIDE, ELSEWHERE, "8.8.8.8", "9.9.9.9" };
	struct scene *scene = *state;
	choose(scene, NULL, MASQUERADE_ENDPOINT_INDEPENDENT);
	uint16_t port = port_of(scene, CLIENT, 5000, "1.1.1.1");

	assert_in_range(port, FIRST, FIRST + COUNT - 1);
	for (size_t i = 0; i < ARRAY_SIZE(to); i++)
		assert_int_equal(port_of(scene, CLIENT, 5000, to[i]), port);
	assert_int_not_equal(port_of(scene, CLIENT, 5001, OUTSIDE), port);
}

/* 200 of 1,000 ports are mapped; another network uses what is left, and no more. */
static void mapped_port_is_nobody_elses(void **state)
{
	struct scene *scene = *state;
	bool mapped[COUNT] = { false };
	choose(scene, NULL, MASQUERADE_ENDPOINT_INDEPENDENT);
	for (uint16_t i = 0; i < 200; i++) {
		const char *from = i % 2 ? WEB : CLIENT;
		uint16_t port = port_of(scene, from, (uint16_t)(5000 + i / 2 * 7), OUTSIDE);

		assert_in_range(port, FIRST, FIRST + COUNT - 1);
		assert_false(mapped[port - FIRST]);
		mapped[port - FIRST] = true;
	}
	for (uint16_t i = 0; i < 600; i++) {
		uint16_t port = port_of(scene, OTHER, (uint16_t)(5000 + i), ELSEWHERE);

		if (port)
			assert_false(mapped[port - FIRST]);
	}
}

static void mapping_of_a_container_that_is_gone_is_free(void **state)
{
	struct scene *scene = *state;
	choose(scene, NULL, MASQUERADE_ENDPOINT_INDEPENDENT);
	uint16_t port = port_of(scene, CLIENT, 5000, OUTSIDE);
	struct mapping_key outside = { .address = scene_address(HOST),
				       .port = htons(port),
				       .protocol = IPPROTO_UDP };
	struct mapping mapping;
	int fd = bpf_map__fd(scene->bpf->maps.wh1_mappings);

	assert_int_equal(bpf_map_lookup_elem(fd, &outside, &mapping), 0);
	assert_int_equal(mapping.generation, 1);
	scene_set_generation(scene, SLOT_CLIENT, 2);
	scene_set_source_generation(scene, scene->client, 2);
	assert_int_equal(port_of(scene, CLIENT, 5000, OUTSIDE), port);
	assert_int_equal(bpf_map_lookup_elem(fd, &outside, &mapping), 0);
	assert_int_equal(mapping.generation, 2);
}

static void mapping_avoids_sockets_of_the_host(void **state)
{
	struct scene *scene = *state;
	choose(scene, NULL, MASQUERADE_ENDPOINT_INDEPENDENT);
	uint16_t port = port_of(scene, CLIENT, 5000, OUTSIDE);
	auto_fd socket_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in own = { .sin_family = AF_INET, .sin_port = htons(port) };

	assert_int_equal(bind(socket_fd, (struct sockaddr *)&own, sizeof own), 0);
	assert_int_equal(clear(state), 0);
	choose(scene, NULL, MASQUERADE_ENDPOINT_INDEPENDENT);
	uint16_t other = port_of(scene, CLIENT, 5000, OUTSIDE);
	assert_in_range(other, FIRST, FIRST + COUNT - 1);
	assert_int_not_equal(other, port);
	assert_int_equal(port_of(scene, CLIENT, 5000, ELSEWHERE), other);
}

static void strangers_reach_a_mapping_only_if_it_is_open(void **state)
{
	struct scene *scene = *state;
	for (int open = 0; open < 2; open++) {
		assert_int_equal(clear(state), 0);
		choose(scene, NULL, MASQUERADE_ENDPOINT_INDEPENDENT | (open ? MASQUERADE_OPEN : 0));
		uint16_t port = port_of(scene, CLIENT, 5000, OUTSIDE);
		struct frame answer = frame_make(
			(struct packet_words){ IPPROTO_UDP, OUTSIDE, 53, HOST, port, 0 });
		struct frame stranger = frame_make(
			(struct packet_words){ IPPROTO_UDP, ELSEWHERE, 9, HOST, port, 0 });

		assert_int_equal(scene_in(scene, &answer), REDIRECTED);
		assert_int_equal(scene_in(scene, &stranger), open ? REDIRECTED : PASS);
		if (!open)
			continue;
		assert_string_equal(frame_text(&stranger), "udp 203.0.112.9:9 > 10.88.0.12:5000");
		struct frame back = frame_make(
			(struct packet_words){ IPPROTO_UDP, CLIENT, 5000, ELSEWHERE, 9, 0 });
		assert_int_equal(scene_from(scene, scene->client, &back), REDIRECTED);
		assert_int_equal((uint16_t)(back.bytes[34] << 8 | back.bytes[35]), port);
	}
}

static void full_range_of_mappings_is_a_named_reason(void **state)
{
	struct scene *scene = *state;
	choose(scene, NULL, MASQUERADE_ENDPOINT_INDEPENDENT);
	for (int i = 0; i < 1200; i++)
		port_of(scene, CLIENT, (uint16_t)(5000 + i), OUTSIDE);
	assert_in_range(scene_drops(scene, DROP_PORTS_FULL, SLOT_CLIENT), 1200 - COUNT,
			1200 - COUNT * 9 / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(excepted_destination_sees_the_container, clear),
		cmocka_unit_test_setup(routed_network_leaves_to_exceptions_without_a_flow, clear),
		cmocka_unit_test_setup(exception_is_of_one_network, clear),
		cmocka_unit_test_setup(source_is_the_chosen_one, clear),
		cmocka_unit_test_setup(source_that_the_host_lost_is_a_named_reason, clear),
		cmocka_unit_test_setup(uplink_without_an_address_is_a_named_reason, clear),
		cmocka_unit_test_setup(mapped_port_is_the_same_for_all_destinations, clear),
		cmocka_unit_test_setup(mapped_port_is_nobody_elses, clear),
		cmocka_unit_test_setup(mapping_of_a_container_that_is_gone_is_free, clear),
		cmocka_unit_test_setup(mapping_avoids_sockets_of_the_host, clear),
		cmocka_unit_test_setup(strangers_reach_a_mapping_only_if_it_is_open, clear),
		cmocka_unit_test_setup(full_range_of_mappings_is_a_named_reason, clear),
	};

	return SCENE_RUN(tests);
}
