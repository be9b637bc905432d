/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ICMP errors about translated flows reach the one who sent the packet, in its own words. */
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <linux/icmp.h>
#include <linux/in.h>

#include "base/cleanup.h"
#include "scene.h"

#include <cmocka.h>

#define ROUTER "203.0.113.1"

static void error_about_a_masqueraded_packet_comes_home(void **state)
{
	static const struct packet_words rows[] = {
		{ IPPROTO_TCP, CLIENT, 4000, OUTSIDE, 443, TCP_SYN },
		{ IPPROTO_UDP, CLIENT, 4000, OUTSIDE, 53, 0 },
		{ IPPROTO_ICMP, CLIENT, 77, OUTSIDE, 77, ICMP_ECHO },
	};
	static const char *const quotes[] = { "tcp 10.88.0.12:4000 > 198.51.100.7:443",
					      "udp 10.88.0.12:4000 > 198.51.100.7:53",
					      "icmp 10.88.0.12 > 198.51.100.7 id 77" };
	static const uint8_t types[] = { ICMP_DEST_UNREACH, ICMP_TIME_EXCEEDED,
					 ICMP_PARAMETERPROB };
	struct scene *scene = *state;

	for (size_t i = 0; i < 3; i++) {
		struct frame sent = frame_make(rows[i]);

		assert_int_equal(scene_from(scene, scene->client, &sent), REDIRECTED);
		struct frame error = frame_error(ROUTER, HOST, types[i], &sent);
		assert_int_equal(scene_in(scene, &error), REDIRECTED);
		assert_string_equal(frame_quote_text(&error), quotes[i]);
		assert_memory_equal(frame_text(&error), "icmp 203.0.113.1 > 10.88.0.12 ", 30);
		assert_true(frame_sums_hold(&error));
	}
}

static void error_of_a_container_leaves_as_the_hosts(void **state)
{
	struct scene *scene = *state;
	struct frame frame =
		frame_make((struct packet_words){ IPPROTO_UDP, OUTSIDE, 4000, HOST, 8080, 0 });

	scene_publish(scene, "0.0.0.0", 8080, 80);
	assert_int_equal(scene_in(scene, &frame), REDIRECTED);
	struct frame error = frame_error(WEB, OUTSIDE, ICMP_DEST_UNREACH, &frame);
	assert_int_equal(scene_from(scene, scene->web, &error), REDIRECTED);
	assert_string_equal(frame_quote_text(&error), "udp 198.51.100.7:4000 > 192.0.2.1:8080");
	assert_memory_equal(frame_text(&error), "icmp 192.0.2.1 > 198.51.100.7 ", 30);
	assert_true(frame_sums_hold(&error));
}

static void error_about_a_hairpin_reaches_the_neighbour(void **state)
{
	struct scene *scene = *state;
	struct frame frame =
		frame_make((struct packet_words){ IPPROTO_UDP, CLIENT, 4000, HOST, 8080, 0 });

	scene_publish(scene, "0.0.0.0", 8080, 80);
	assert_int_equal(scene_from(scene, scene->client, &frame), REDIRECTED);
	struct frame error = frame_error(WEB, GATEWAY, ICMP_DEST_UNREACH, &frame);
	assert_int_equal(scene_from(scene, scene->web, &error), REDIRECTED);
	assert_string_equal(frame_quote_text(&error), "udp 10.88.0.12:4000 > 192.0.2.1:8080");
	assert_memory_equal(frame_text(&error), "icmp 192.0.2.1 > 10.88.0.12 ", 28);
	assert_true(frame_sums_hold(&error));
}

static void error_about_no_flow_goes_to_the_host_or_nowhere(void **state)
{
	struct scene *scene = *state;
	struct frame quoted =
		frame_make((struct packet_words){ IPPROTO_UDP, HOST, 4000, OUTSIDE, 53, 0 });
	struct frame error = frame_error(ROUTER, HOST, ICMP_DEST_UNREACH, &quoted);

	assert_int_equal(scene_in(scene, &error), PASS);
	quoted = frame_make((struct packet_words){ IPPROTO_UDP, GATEWAY, 4000, WEB, 53, 0 });
	error = frame_error(WEB, GATEWAY, ICMP_DEST_UNREACH, &quoted);
	assert_int_equal(scene_from(scene, scene->web, &error), REDIRECTED);
	assert_string_equal(frame_quote_text(&error), "udp 10.88.0.1:4000 > 10.88.0.11:53");
	error = frame_error(WEB, OUTSIDE, ICMP_DEST_UNREACH, &quoted);
	assert_int_equal(scene_from(scene, scene->web, &error), DROPPED);
	assert_int_equal(scene_drops(scene, DROP_NO_FLOW, SLOT_WEB), 1);
}

static void cut_quotes_are_left_to_the_kernel(void **state)
{
	struct scene *scene = *state;
	struct frame sent =
		frame_make((struct packet_words){ IPPROTO_UDP, CLIENT, 4000, OUTSIDE, 53, 0 });

	assert_int_equal(scene_from(scene, scene->client, &sent), REDIRECTED);
	for (size_t size = 14 + 20 + 8; size < 14 + 20 + 8 + 20 + 8; size++) {
		struct frame error = frame_error(ROUTER, HOST, ICMP_DEST_UNREACH, &sent);

		error.size = size;
		assert_int_equal(scene_in(scene, &error), PASS);
	}
}

static void set_mtu(const char *device, int mtu)
{
	auto_fd fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { .ifr_mtu = mtu };

	snprintf(request.ifr_name, sizeof request.ifr_name, "%s", device);
	assert_int_equal(ioctl(fd, SIOCSIFMTU, &request), 0);
}

static void packet_longer_than_the_way_out_is_answered_with_its_mtu(void **state)
{
	struct scene *scene = *state;
	struct packet_words words = { IPPROTO_UDP, CLIENT, 4000, OUTSIDE, 53, 0 };

	set_mtu("up0", 600);
	for (int i = 0; i < 2; i++) { /* before and after there is a flow */
		struct frame frame = frame_make(words);

		frame.size = 14 + 700;
		frame.bytes[16] = 700 >> 8;
		frame.bytes[17] = 700 & 0xff;
		assert_int_equal(scene_from(scene, scene->client, &frame), REDIRECTED);
		assert_int_equal(frame.size, 14 + 56);
		assert_string_equal(frame_quote_text(&frame),
				    "udp 10.88.0.12:4000 > 198.51.100.7:53");
		assert_memory_equal(frame_text(&frame), "icmp 10.88.0.1 > 10.88.0.12 ", 28);
		assert_memory_equal(frame.bytes + 34, ((uint8_t[]){ 3, 4 }), 2);
		assert_memory_equal(frame.bytes + 40, ((uint8_t[]){ 600 >> 8, 600 & 0xff }), 2);
		assert_true(frame_sums_hold(&frame));
		frame = frame_make(words);
		assert_int_equal(scene_from(scene, scene->client, &frame), REDIRECTED);
	}
	set_mtu("up0", 1500);
	assert_int_equal(scene_drops(scene, DROP_TOO_BIG, SLOT_CLIENT), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(error_about_a_masqueraded_packet_comes_home, scene_clear),
		cmocka_unit_test_setup(error_of_a_container_leaves_as_the_hosts, scene_clear),
		cmocka_unit_test_setup(error_about_a_hairpin_reaches_the_neighbour, scene_clear),
		cmocka_unit_test_setup(error_about_no_flow_goes_to_the_host_or_nowhere,
				       scene_clear),
		cmocka_unit_test_setup(packet_longer_than_the_way_out_is_answered_with_its_mtu,
				       scene_clear),
		cmocka_unit_test_setup(cut_quotes_are_left_to_the_kernel, scene_clear),
	};

	return SCENE_RUN(tests);
}
