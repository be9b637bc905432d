/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where packets come out, and as what: published ports, masquerade, hairpins. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>
#include <linux/icmp.h>
#include <linux/if_ether.h>
#include <linux/in.h>

#include "base/cleanup.h"
#include "scene.h"

#include <cmocka.h>

/* The source port that stands in a frame. */
static uint16_t source_port(const struct frame *frame)
{
	return (uint16_t)(frame->bytes[34] << 8 | frame->bytes[35]);
}

static uint16_t echo_id(const struct frame *frame)
{
	return (uint16_t)(frame->bytes[38] << 8 | frame->bytes[39]);
}

static void published_port_leads_to_the_container_and_back(void **state)
{
	static const uint8_t protocols[] = { IPPROTO_TCP, IPPROTO_UDP };
	struct scene *scene = *state;

	scene_publish(scene, "0.0.0.0", 8080, 80);
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		const char *name = i ? "udp" : "tcp";
		char want[96];
		struct frame frame = frame_make(
			(struct packet_words){ protocols[i], OUTSIDE, 4000, HOST, 8080, TCP_SYN });

		for (int packet = 0; packet < 2; packet++) { /* the first makes the flow */
			struct frame in = frame;
			assert_int_equal(scene_in(scene, &in), REDIRECTED);
			snprintf(want, sizeof want, "%s %s:4000 > %s:80", name, OUTSIDE, WEB);
			assert_string_equal(frame_text(&in), want);
			assert_true(frame_sums_hold(&in));
			assert_int_equal(in.bytes[5], 11); /* the container's MAC */
			assert_int_equal(in.bytes[11], 1); /* the gateway's */
		}
		frame = frame_make((struct packet_words){ protocols[i], WEB, 80, OUTSIDE, 4000,
							  TCP_SYN | TCP_ACK });
		for (int packet = 0; packet < 2; packet++) { /* the first asks for the way */
			struct frame out = frame;
			assert_int_equal(scene_from(scene, scene->web, &out), REDIRECTED);
			snprintf(want, sizeof want, "%s %s:8080 > %s:4000", name, HOST, OUTSIDE);
			assert_string_equal(frame_text(&out), want);
			assert_true(frame_sums_hold(&out));
			if (packet)
				assert_int_equal(out.bytes[5], 0xfe); /* the router's MAC */
		}
	}
}

static void what_is_not_published_passes_on(void **state)
{
	static const struct packet_words rows[] = {
		{ IPPROTO_TCP, OUTSIDE, 4000, HOST, 22, TCP_SYN },
		{ IPPROTO_TCP, OUTSIDE, 4000, HOST, 8080, TCP_ACK },          /* of no flow */
		{ IPPROTO_TCP, OUTSIDE, 4000, "203.0.113.9", 8080, TCP_SYN }, /* not local */
		{ IPPROTO_TCP, OUTSIDE, 4000, HOST, 8081, TCP_SYN }, /* on 127.0.0.1 only */
		{ IPPROTO_TCP, OUTSIDE, 4000, "127.0.0.1", 8081, TCP_SYN },
		{ IPPROTO_TCP, "127.0.0.1", 4000, HOST, 8080, TCP_SYN },
		{ IPPROTO_TCP, CLIENT, 4000, HOST, 8080, TCP_SYN }, /* forged */
		{ IPPROTO_UDP, OUTSIDE, 4000, WEB, 80, 0 },
		{ IPPROTO_ICMP, OUTSIDE, 1, HOST, 1, ICMP_ECHO },
		{ 47, OUTSIDE, 1, HOST, 1, 0 },
	};
	struct scene *scene = *state;

	scene_publish(scene, "0.0.0.0", 8080, 80);
	scene_publish(scene, "127.0.0.1", 8081, 80);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct frame frame = frame_make(rows[i]), before;

		memcpy(frame.bytes, (uint8_t[]){ 2, 0, 0, 0, 0, 0xa0 }, ETH_ALEN);
		before = frame;
		int verdict = scene_in(scene, &frame);
		if (verdict != PASS || memcmp(&frame, &before, sizeof frame))
			fail_msg("row %zu: verdict %d, %s", i, verdict, frame_text(&frame));
	}
}

static void publication_of_one_address_answers_there_only(void **state)
{
	struct scene *scene = *state;
	struct frame frame = frame_make(
		(struct packet_words){ IPPROTO_TCP, OUTSIDE, 4000, HOST, 8080, TCP_SYN });

	scene_publish(scene, GATEWAY, 8080, 80);
	assert_int_equal(scene_in(scene, &frame), PASS);
	scene_publish(scene, HOST, 8080, 80);
	assert_int_equal(scene_in(scene, &frame), REDIRECTED);
}

static void client_ports_that_meet_behind_one_address_are_kept_apart(void **state)
{
	struct scene *scene = *state;
	struct packet_words words = { IPPROTO_UDP, OUTSIDE, 4000, HOST, 8080, 0 };
	struct frame first = frame_make(words);

	scene_publish(scene, "0.0.0.0", 8080, 80);
	scene_publish(scene, "0.0.0.0", 8081, 80);
	assert_int_equal(scene_in(scene, &first), REDIRECTED);
	words.to_port = 8081; /* the same client port, to the same container port */
	struct frame second = frame_make(words);
	assert_int_equal(scene_in(scene, &second), REDIRECTED);
	assert_int_equal(source_port(&first), 4000);
	assert_int_not_equal(source_port(&second), 4000);
	assert_true(frame_sums_hold(&second));
	struct frame answer = frame_make(
		(struct packet_words){ IPPROTO_UDP, WEB, 80, OUTSIDE, source_port(&second), 0 });
	assert_int_equal(scene_from(scene, scene->web, &answer), REDIRECTED);
	assert_string_equal(frame_text(&answer), "udp 192.0.2.1:8081 > 198.51.100.7:4000");
}

static void neighbour_meets_a_published_port_as_the_gateway(void **state)
{
	static const struct {
		const char *from, *to;
	} rows[] = { { CLIENT, HOST }, { CLIENT, GATEWAY }, { WEB, HOST } /* its own */ };
	struct scene *scene = *state;

	scene_publish(scene, "0.0.0.0", 8080, 80);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t from = strcmp(rows[i].from, WEB) ? scene->client : scene->web;
		char want[96];
		struct frame frame = frame_make((struct packet_words){
			IPPROTO_TCP, rows[i].from, 4000, rows[i].to, 8080, TCP_SYN });

		assert_int_equal(scene_from(scene, from, &frame), REDIRECTED);
		uint16_t port = source_port(&frame);
		snprintf(want, sizeof want, "tcp %s:%u > %s:80", GATEWAY, port, WEB);
		assert_string_equal(frame_text(&frame), want);
		assert_in_range(port, 16384, 16384 + 999);
		assert_true(frame_sums_hold(&frame));
		frame = frame_make((struct packet_words){ IPPROTO_TCP, WEB, 80, GATEWAY, port,
							  TCP_SYN | TCP_ACK });
		assert_int_equal(scene_from(scene, scene->web, &frame), REDIRECTED);
		snprintf(want, sizeof want, "tcp %s:8080 > %s:4000", rows[i].to, rows[i].from);
		assert_string_equal(frame_text(&frame), want);
		assert_true(frame_sums_hold(&frame));
	}
}

static void other_network_meets_a_published_port_as_itself(void **state)
{
	struct scene *scene = *state;
	struct frame frame =
		frame_make((struct packet_words){ IPPROTO_TCP, OTHER, 4000, HOST, 8080, TCP_SYN });

	scene_publish(scene, "0.0.0.0", 8080, 80);
	assert_int_equal(scene_from(scene, scene->other, &frame), REDIRECTED);
	assert_string_equal(frame_text(&frame), "tcp 10.89.0.13:4000 > 10.88.0.11:80");
	frame = frame_make(
		(struct packet_words){ IPPROTO_TCP, WEB, 80, OTHER, 4000, TCP_SYN | TCP_ACK });
	assert_int_equal(scene_from(scene, scene->web, &frame), REDIRECTED);
	assert_string_equal(frame_text(&frame), "tcp 192.0.2.1:8080 > 10.89.0.13:4000");
	assert_true(frame_sums_hold(&frame));
}

static void container_leaves_as_the_host_and_is_answered(void **state)
{
	static const uint8_t protocols[] = { IPPROTO_TCP, IPPROTO_UDP };
	struct scene *scene = *state;

	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		const char *name = i ? "udp" : "tcp";
		char want[96];
		struct packet_words words = { protocols[i], CLIENT, 4000, OUTSIDE, 443, TCP_SYN };
		struct frame frame = frame_make(words);

		assert_int_equal(scene_from(scene, scene->client, &frame), REDIRECTED);
		uint16_t port = source_port(&frame);
		snprintf(want, sizeof want, "%s %s:%u > %s:443", name, HOST, port, OUTSIDE);
		assert_string_equal(frame_text(&frame), want);
		assert_in_range(port, 16384, 16384 + 999);
		assert_true(frame_sums_hold(&frame));
		words.flags = TCP_ACK;
		frame = frame_make(words); /* the second flies with the stored next hop */
		assert_int_equal(scene_from(scene, scene->client, &frame), REDIRECTED);
		assert_string_equal(frame_text(&frame), want);
		assert_int_equal(frame.bytes[5], 0xfe);
		frame = frame_make((struct packet_words){ protocols[i], OUTSIDE, 443, HOST, port,
							  TCP_SYN | TCP_ACK });
		assert_int_equal(scene_in(scene, &frame), REDIRECTED);
		snprintf(want, sizeof want, "%s %s:443 > %s:4000", name, OUTSIDE, CLIENT);
		assert_string_equal(frame_text(&frame), want);
		assert_true(frame_sums_hold(&frame));
	}
}

static void echo_goes_out_and_comes_back(void **state)
{
	struct scene *scene = *state;
	struct frame frame = frame_make(
		(struct packet_words){ IPPROTO_ICMP, CLIENT, 77, OUTSIDE, 77, ICMP_ECHO });

	assert_int_equal(scene_from(scene, scene->client, &frame), REDIRECTED);
	uint16_t id = echo_id(&frame);
	assert_in_range(id, 16384, 16384 + 999);
	assert_true(frame_sums_hold(&frame));
	/* Somebody outside may ask with the same id: that is for the host. */
	frame = frame_make((struct packet_words){ IPPROTO_ICMP, OUTSIDE, id, HOST, id, ICMP_ECHO });
	assert_int_equal(scene_in(scene, &frame), PASS);
	frame = frame_make(
		(struct packet_words){ IPPROTO_ICMP, OUTSIDE, id, HOST, id, ICMP_ECHOREPLY });
	assert_int_equal(scene_in(scene, &frame), REDIRECTED);
	assert_string_equal(frame_text(&frame), "icmp 198.51.100.7 > 10.88.0.12 id 77");
	assert_true(frame_sums_hold(&frame));
}

static void absent_udp_checksum_stays_absent(void **state)
{
	struct scene *scene = *state;
	struct frame frame =
		frame_make((struct packet_words){ IPPROTO_UDP, CLIENT, 4000, OUTSIDE, 53, 0 });

	frame.bytes[40] = frame.bytes[41] = 0;
	assert_int_equal(scene_from(scene, scene->client, &frame), REDIRECTED);
	assert_int_equal(frame.bytes[40] | frame.bytes[41], 0);
}

static void way_that_is_no_uplink_is_not_taken(void **state)
{
	struct scene *scene = *state;
	struct frame frame =
		frame_make((struct packet_words){ IPPROTO_UDP, CLIENT, 4000, OUTSIDE, 53, 0 });

	assert_int_equal(bpf_map__delete_elem(scene->bpf->maps.wh1_uplinks, &scene->uplink,
					      sizeof scene->uplink, 0),
			 0);
	assert_int_equal(scene_from(scene, scene->client, &frame), DROPPED);
	assert_int_equal(scene_drops(scene, DROP_NO_UPLINK, SLOT_CLIENT), 1);
}

static void other_protocols_are_not_translated(void **state)
{
	struct scene *scene = *state;
	struct frame frame = frame_make((struct packet_words){ 47, CLIENT, 1, OUTSIDE, 2, 0 });

	assert_int_equal(scene_from(scene, scene->client, &frame), DROPPED);
	assert_int_equal(scene_drops(scene, DROP_UNSUPPORTED, SLOT_CLIENT), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(published_port_leads_to_the_container_and_back, scene_clear),
		cmocka_unit_test_setup(what_is_not_published_passes_on, scene_clear),
		cmocka_unit_test_setup(publication_of_one_address_answers_there_only, scene_clear),
		cmocka_unit_test_setup(client_ports_that_meet_behind_one_address_are_kept_apart,
				       scene_clear),
		cmocka_unit_test_setup(neighbour_meets_a_published_port_as_the_gateway,
				       scene_clear),
		cmocka_unit_test_setup(other_network_meets_a_published_port_as_itself, scene_clear),
		cmocka_unit_test_setup(container_leaves_as_the_host_and_is_answered, scene_clear),
		cmocka_unit_test_setup(echo_goes_out_and_comes_back, scene_clear),
		cmocka_unit_test_setup(absent_udp_checksum_stays_absent, scene_clear),
		cmocka_unit_test_setup(way_that_is_no_uplink_is_not_taken, scene_clear),
		cmocka_unit_test_setup(other_protocols_are_not_translated, scene_clear),
	};

	return SCENE_RUN(tests);
}
