/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SCTP under translation: the port is kept where it can be, else its CRC follows. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <linux/in.h>

#include "base/cleanup.h"
#include "scene.h"

#include <cmocka.h>

enum { DATA = 0, INIT = 1, INIT_ACK = 2, ABORT = 6, COOKIE_ECHO = 10 };

static void association_leaves_by_its_own_port_and_is_answered(void **state)
{
	struct scene *scene = *state;
	struct packet_words words = { IPPROTO_SCTP, CLIENT, 4000, OUTSIDE, 3868, INIT };

	for (int i = 0; i < 2; i++) {
		struct frame frame = frame_make(words);

		assert_int_equal(scene_from(scene, scene->client, &frame), REDIRECTED);
		assert_string_equal(frame_text(&frame), "sctp 192.0.2.1:4000 > 198.51.100.7:3868");
		assert_true(frame_sums_hold(&frame));
		frame = frame_make((struct packet_words){ IPPROTO_SCTP, OUTSIDE, 3868, HOST, 4000,
							  i ? DATA : INIT_ACK });
		assert_int_equal(scene_in(scene, &frame), REDIRECTED);
		assert_string_equal(frame_text(&frame), "sctp 198.51.100.7:3868 > 10.88.0.12:4000");
		assert_true(frame_sums_hold(&frame));
		words.flags = COOKIE_ECHO;
	}
}

static void published_port_of_the_same_number_needs_no_sum(void **state)
{
	struct scene *scene = *state;
	struct frame frame =
		frame_make((struct packet_words){ IPPROTO_SCTP, OUTSIDE, 4000, HOST, 80, INIT });

	scene_publish(scene, "0.0.0.0", 80, 80);
	assert_int_equal(scene_in(scene, &frame), REDIRECTED);
	assert_string_equal(frame_text(&frame), "sctp 198.51.100.7:4000 > 10.88.0.11:80");
	assert_true(frame_sums_hold(&frame));
	frame = frame_make((struct packet_words){ IPPROTO_SCTP, WEB, 80, OUTSIDE, 4000, INIT_ACK });
	assert_int_equal(scene_from(scene, scene->web, &frame), REDIRECTED);
	assert_string_equal(frame_text(&frame), "sctp 192.0.2.1:80 > 198.51.100.7:4000");
	assert_true(frame_sums_hold(&frame));
}

/* Where the kernel does not tell how far a sum is done, the port stays or the packet ends. */
static void published_port_of_another_number_has_its_sum_mended(void **state)
{
	struct scene *scene = *state;
	struct frame frame =
		frame_make((struct packet_words){ IPPROTO_SCTP, OUTSIDE, 4000, HOST, 8080, INIT });

	scene_publish(scene, "0.0.0.0", 8080, 80);
	if (!scene->bpf->rodata->know_ip_summed) {
		assert_int_equal(scene_in(scene, &frame), DROPPED);
		assert_int_equal(scene_drops(scene, DROP_SCTP_PORT, SLOT_WEB), 1);
		return;
	}
	assert_int_equal(scene_in(scene, &frame), REDIRECTED);
	assert_string_equal(frame_text(&frame), "sctp 198.51.100.7:4000 > 10.88.0.11:80");
	assert_true(frame_sums_hold(&frame));
	frame = frame_make((struct packet_words){ IPPROTO_SCTP, WEB, 80, OUTSIDE, 4000, INIT_ACK });
	assert_int_equal(scene_from(scene, scene->web, &frame), REDIRECTED);
	assert_string_equal(frame_text(&frame), "sctp 192.0.2.1:8080 > 198.51.100.7:4000");
	assert_true(frame_sums_hold(&frame));
}

static void only_what_begins_an_association_begins_a_flow(void **state)
{
	static const uint8_t chunks[] = { DATA, INIT_ACK, ABORT, COOKIE_ECHO };
	struct scene *scene = *state;

	scene_publish(scene, "0.0.0.0", 80, 80);
	for (size_t i = 0; i < ARRAY_SIZE(chunks); i++) {
		struct frame frame = frame_make(
			(struct packet_words){ IPPROTO_SCTP, OUTSIDE, 4000, HOST, 80, chunks[i] });
		assert_int_equal(scene_in(scene, &frame), PASS);
	}
}

static void abort_ends_the_flow_soon(void **state)
{
	struct scene *scene = *state;
	const struct packet_words in = { IPPROTO_SCTP, OUTSIDE, 4000, HOST, 80, INIT };
	struct frame frame = frame_make(in);
	struct flow flow;

	scene_publish(scene, "0.0.0.0", 80, 80);
	assert_int_equal(scene_in(scene, &frame), REDIRECTED);
	frame = frame_make((struct packet_words){ IPPROTO_SCTP, WEB, 80, OUTSIDE, 4000, ABORT });
	assert_int_equal(scene_from(scene, scene->web, &frame), REDIRECTED);
	assert_true(scene_flow(scene, in, 0, &flow));
	assert_true(flow.state & FLOW_PEER_RST);
}

static void ports_that_meet_are_changed_or_refused(void **state)
{
	struct scene *scene = *state;
	struct frame frame = frame_make(
		(struct packet_words){ IPPROTO_SCTP, CLIENT, 4000, OUTSIDE, 3868, INIT });

	assert_int_equal(scene_from(scene, scene->client, &frame), REDIRECTED);
	frame = frame_make((struct packet_words){ IPPROTO_SCTP, WEB, 4000, OUTSIDE, 3868, INIT });
	if (!scene->bpf->rodata->know_ip_summed) {
		assert_int_equal(scene_from(scene, scene->web, &frame), DROPPED);
		assert_int_equal(scene_drops(scene, DROP_SCTP_PORT, SLOT_WEB), 1);
		return;
	}
	assert_int_equal(scene_from(scene, scene->web, &frame), REDIRECTED);
	uint16_t port = (uint16_t)(frame.bytes[34] << 8 | frame.bytes[35]);
	assert_in_range(port, 16384, 16384 + 999);
	assert_true(frame_sums_hold(&frame));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(association_leaves_by_its_own_port_and_is_answered,
				       scene_clear),
		cmocka_unit_test_setup(published_port_of_the_same_number_needs_no_sum, scene_clear),
		cmocka_unit_test_setup(published_port_of_another_number_has_its_sum_mended,
				       scene_clear),
		cmocka_unit_test_setup(only_what_begins_an_association_begins_a_flow, scene_clear),
		cmocka_unit_test_setup(abort_ends_the_flow_soon, scene_clear),
		cmocka_unit_test_setup(ports_that_meet_are_changed_or_refused, scene_clear),
	};

	return SCENE_RUN(tests);
}
