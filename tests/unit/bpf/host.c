/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the host sends to its containers, by the gateway device. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(host_reaches_an_endpoint, scene_clear),
		cmocka_unit_test_setup(foreign_members_of_the_bridge_are_left_alone, scene_clear),
		cmocka_unit_test_setup(host_is_told_the_mac_of_an_endpoint, scene_clear),
		cmocka_unit_test_setup(other_devices_are_not_ours, scene_clear),
	};

	return SCENE_RUN(tests);
}
