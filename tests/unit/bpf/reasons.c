/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Drop reasons that take a rare state to meet: one packet each, and exactly that drop. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <linux/in.h>

#include "scene.h"

#include <cmocka.h>

static void put(struct bpf_map *map, const void *key, const void *value)
{
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(map), key, value, BPF_ANY), 0);
}

/* All that was dropped, for whatever reason and whoever. */
static uint64_t all_drops(struct scene *scene)
{
	uint64_t packets = 0;

	for (uint32_t slot = 0; slot <= SLOT_OTHER; slot++)
		for (int reason = 1; reason < DROP_REASON_COUNT; reason++)
			packets += scene_drops(scene, reason, slot);
	return packets;
}

static void assert_one(struct scene *scene, enum drop_reason reason, uint32_t slot)
{
	assert_int_equal(scene_drops(scene, reason, slot), 1);
	assert_int_equal(all_drops(scene), 1);
}

static int send_in(struct scene *scene, const char *from, uint8_t protocol)
{
	struct frame frame =
		frame_make((struct packet_words){ protocol, from, 4000, HOST, 8080, TCP_SYN });

	return scene_in(scene, &frame);
}

static int send_out(struct scene *scene, uint16_t port, const char *to)
{
	struct frame frame =
		frame_make((struct packet_words){ IPPROTO_UDP, CLIENT, port, to, 53, 0 });

	return scene_from(scene, scene->client, &frame);
}

/* A port leads to a slot that lives, whose address is nobody's any more. */
static void publication_of_an_address_that_is_gone_is_stale(void **state)
{
	struct scene *scene = *state;
	struct endpoint_key web = { .address = scene_address(WEB), .network = 1 };

	scene_publish(scene, HOST, 8080, 80);
	assert_int_equal(bpf_map_delete_elem(bpf_map__fd(scene->bpf->maps.wh1_endpoints), &web), 0);
	assert_int_equal(send_in(scene, OUTSIDE, IPPROTO_TCP), DROPPED);
	assert_one(scene, DROP_STALE, SLOT_WEB);
}

/* Of what is published for 198.51.100.0/24. */
static void restrict_to_prefix(struct scene *scene)
{
	static const uint8_t protocols[] = { IPPROTO_TCP, IPPROTO_UDP };
	struct allowed allowed = { .slot = SLOT_WEB, .generation = 1 };
	struct allowed_key key = { .prefix_length = 32 + 96 + 24,
				   .generation = 1,
				   .address = scene_address("198.51.100.0") };

	scene_publish(scene, HOST, 8080, 80);
	put(scene->bpf->maps.wh1_allowed, &key, &allowed);
	for (size_t i = 0; i < sizeof protocols; i++) {
		struct port_key port = { .address = scene_address(HOST),
					 .port = htons(8080),
					 .protocol = protocols[i] };
		struct publication publication;

		assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(scene->bpf->maps.wh1_ports), &port,
						     &publication),
				 0);
		publication.flags |= PUBLICATION_RESTRICTED;
		put(scene->bpf->maps.wh1_ports, &port, &publication);
	}
}

static void client_that_a_port_is_not_for_is_a_reason(void **state)
{
	static const uint8_t protocols[] = { IPPROTO_TCP, IPPROTO_UDP };
	struct scene *scene = *state;

	for (size_t i = 0; i < sizeof protocols; i++) {
		assert_int_equal(scene_clear(state), 0);
		restrict_to_prefix(scene);
		assert_int_equal(send_in(scene, OUTSIDE, protocols[i]), REDIRECTED);
		assert_int_equal(all_drops(scene), 0);
		assert_int_equal(send_in(scene, "198.51.101.7", protocols[i]), DROPPED);
		assert_one(scene, DROP_PUBLISH_SOURCE, SLOT_WEB);
	}
}

/* The same for a client that is a container of another network. */
static void container_that_a_port_is_not_for_is_a_reason(void **state)
{
	struct scene *scene = *state;
	struct frame frame =
		frame_make((struct packet_words){ IPPROTO_TCP, OTHER, 4000, HOST, 8080, TCP_SYN });

	restrict_to_prefix(scene);
	assert_int_equal(scene_from(scene, scene->other, &frame), DROPPED);
	assert_one(scene, DROP_PUBLISH_SOURCE, SLOT_OTHER);
}

static void destination_without_a_route_is_a_reason(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(send_out(scene, 5000, "198.18.0.1"), DROPPED);
	assert_one(scene, DROP_NO_ROUTE, SLOT_CLIENT);
}

/* The freeze ends by itself: what it says is a time. */
static void flow_that_begins_in_an_upgrade_is_a_reason(void **state)
{
	struct scene *scene = *state;
	uint32_t frozen = SWITCH_FROZEN, later = 0x3fffffff, never = 0;

	put(scene->bpf->maps.wh1_switches, &frozen, &later);
	assert_int_equal(send_out(scene, 5000, OUTSIDE), DROPPED);
	put(scene->bpf->maps.wh1_switches, &frozen, &never);
	assert_one(scene, DROP_UPGRADE, SLOT_CLIENT);
	assert_int_equal(send_out(scene, 5000, OUTSIDE), REDIRECTED);
}

/* --- with a table of opening flows that has few places and gives none back ----------- */

/* One place is left: for half a flow. How many there are is the kernel's affair. */
static void fill_but_one(struct scene *scene)
{
	int fd = bpf_map__fd(scene->bpf->maps.wh1_opening);
	struct flow_key key = { .protocol = IPPROTO_UDP };
	struct flow flow = { .state = FLOW_OPENING };

	while (bpf_map_update_elem(fd, &key, &flow, BPF_NOEXIST) == 0)
		assert_in_range(++key.source_port, 1, 1000);
	key.source_port--;
	assert_int_equal(bpf_map_delete_elem(fd, &key), 0);
}

static void full_table_is_a_reason(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(send_out(scene, 5000, OUTSIDE), REDIRECTED);
	assert_int_equal(all_drops(scene), 0);
	fill_but_one(scene);
	assert_int_equal(send_out(scene, 5001, OUTSIDE), DROPPED);
	assert_one(scene, DROP_FLOWS_FULL, SLOT_CLIENT);
}

static void full_table_is_a_reason_for_clients_outside(void **state)
{
	struct scene *scene = *state;

	scene_publish(scene, HOST, 8080, 80);
	fill_but_one(scene);
	assert_int_equal(send_in(scene, OUTSIDE, IPPROTO_TCP), DROPPED);
	assert_one(scene, DROP_FLOWS_FULL, SLOT_WEB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(publication_of_an_address_that_is_gone_is_stale,
				       scene_clear),
		cmocka_unit_test_setup(client_that_a_port_is_not_for_is_a_reason, scene_clear),
		cmocka_unit_test_setup(container_that_a_port_is_not_for_is_a_reason, scene_clear),
		cmocka_unit_test_setup(destination_without_a_route_is_a_reason, scene_clear),
		cmocka_unit_test_setup(flow_that_begins_in_an_upgrade_is_a_reason, scene_clear),
	};
	const struct CMUnitTest full[] = {
		cmocka_unit_test_setup(full_table_is_a_reason, scene_clear),
		cmocka_unit_test_setup(full_table_is_a_reason_for_clients_outside, scene_clear),
	};

	return SCENE_RUN(tests) || cmocka_run_group_tests(full, scene_setup_small, scene_teardown);
}
