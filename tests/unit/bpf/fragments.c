/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets in parts: the first tells the later ones where they belong, in both directions. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <arpa/inet.h>
#include <linux/icmp.h>
#include <linux/in.h>
#include <linux/ip.h>

#include "base/cleanup.h"
#include "scene.h"

#include <cmocka.h>

#define MORE 0x2000

/* Part of a packet with this id; `place` as it stands in the header. The sums are right again. */
static void make_part(struct frame *frame, uint16_t id, uint16_t place)
{
	struct iphdr *ip = (void *)(frame->bytes + 14);
	uint32_t sum = (uint16_t)~ip->check;

	ip->id = htons(id);
	ip->frag_off = htons(place);
	sum += (uint32_t)ip->id + ip->frag_off;
	sum = (sum & 0xffff) + (sum >> 16);
	ip->check = (uint16_t) ~((sum & 0xffff) + (sum >> 16));
}

static struct frame part(struct packet_words words, uint16_t id, uint16_t place)
{
	struct frame frame = frame_make(words);

	make_part(&frame, id, place);
	return frame;
}

static void assert_addresses(const struct frame *frame, const char *from, const char *to)
{
	const struct iphdr *ip = (const void *)(frame->bytes + 14);

	assert_int_equal(ip->saddr, scene_address(from).words[3]);
	assert_int_equal(ip->daddr, scene_address(to).words[3]);
}

static const uint8_t *payload(const struct frame *frame)
{
	return frame->bytes + 14 + 20;
}

static void masqueraded_packets_go_and_are_answered_in_parts(void **state)
{
	static const struct packet_words out = { IPPROTO_UDP, CLIENT, 4000, OUTSIDE, 53, 0 };
	struct scene *scene = *state;

	struct frame first = part(out, 7, MORE), later = part(out, 7, MORE | 3),
		     last = part(out, 7, 6), untouched = later;
	assert_int_equal(scene_from(scene, scene->client, &first), REDIRECTED);
	assert_int_equal(scene_from(scene, scene->client, &later), REDIRECTED);
	assert_int_equal(scene_from(scene, scene->client, &last), REDIRECTED);
	assert_addresses(&first, HOST, OUTSIDE);
	assert_true(frame_sums_hold(&first));
	assert_addresses(&later, HOST, OUTSIDE);
	assert_addresses(&last, HOST, OUTSIDE);
	/* What looks like a transport header there is payload. */
	assert_memory_equal(payload(&later), payload(&untouched), 24);

	uint16_t port = (uint16_t)(first.bytes[34] << 8 | first.bytes[35]);
	const struct packet_words back = { IPPROTO_UDP, OUTSIDE, 53, HOST, port, 0 };
	first = part(back, 9, MORE);
	later = untouched = part(back, 9, 3);
	assert_int_equal(scene_in(scene, &first), REDIRECTED);
	assert_int_equal(scene_in(scene, &later), REDIRECTED);
	assert_string_equal(frame_text(&first), "udp 198.51.100.7:53 > 10.88.0.12:4000");
	assert_true(frame_sums_hold(&first));
	assert_addresses(&later, OUTSIDE, CLIENT);
	assert_memory_equal(payload(&later), payload(&untouched), 24);
}

static void published_port_takes_and_answers_packets_in_parts(void **state)
{
	static const struct packet_words in = { IPPROTO_UDP, OUTSIDE, 4000, HOST, 8080, 0 };
	static const struct packet_words out = { IPPROTO_UDP, WEB, 80, OUTSIDE, 4000, 0 };
	struct scene *scene = *state;

	scene_publish(scene, "0.0.0.0", 8080, 80);
	struct frame first = part(in, 7, MORE), later = part(in, 7, 3);
	assert_int_equal(scene_in(scene, &first), REDIRECTED);
	assert_int_equal(scene_in(scene, &later), REDIRECTED);
	assert_string_equal(frame_text(&first), "udp 198.51.100.7:4000 > 10.88.0.11:80");
	assert_addresses(&later, OUTSIDE, WEB);
	first = part(out, 8, MORE);
	later = part(out, 8, 3);
	assert_int_equal(scene_from(scene, scene->web, &first), REDIRECTED);
	assert_int_equal(scene_from(scene, scene->web, &later), REDIRECTED);
	assert_string_equal(frame_text(&first), "udp 192.0.2.1:8080 > 198.51.100.7:4000");
	assert_addresses(&later, HOST, OUTSIDE);
}

static void echo_in_parts_comes_back_in_parts(void **state)
{
	struct scene *scene = *state;
	struct frame frame = part(
		(struct packet_words){ IPPROTO_ICMP, CLIENT, 77, OUTSIDE, 77, ICMP_ECHO }, 5, MORE);

	assert_int_equal(scene_from(scene, scene->client, &frame), REDIRECTED);
	uint16_t id = (uint16_t)(frame.bytes[38] << 8 | frame.bytes[39]);
	const struct packet_words back = { IPPROTO_ICMP, OUTSIDE, id, HOST, id, ICMP_ECHOREPLY };
	frame = part(back, 6, MORE);
	assert_int_equal(scene_in(scene, &frame), REDIRECTED);
	frame = part(back, 6, 3);
	assert_int_equal(scene_in(scene, &frame), REDIRECTED);
	assert_addresses(&frame, OUTSIDE, CLIENT);
}

static void part_without_its_first_goes_nowhere_but_to_the_host(void **state)
{
	struct scene *scene = *state;
	struct frame frame =
		part((struct packet_words){ IPPROTO_UDP, CLIENT, 4000, OUTSIDE, 53, 0 }, 7, 3);

	assert_int_equal(scene_from(scene, scene->client, &frame), DROPPED);
	assert_int_equal(scene_drops(scene, DROP_FRAGMENT, SLOT_CLIENT), 1);
	frame = part((struct packet_words){ IPPROTO_UDP, CLIENT, 4000, GATEWAY, 53, 0 }, 7, 3);
	assert_int_equal(scene_from(scene, scene->client, &frame), REDIRECTED);
	assert_addresses(&frame, CLIENT, GATEWAY);
	frame = part((struct packet_words){ IPPROTO_UDP, OUTSIDE, 4000, HOST, 53, 0 }, 7, 3);
	assert_int_equal(scene_in(scene, &frame), PASS);
}

static void another_id_sender_or_protocol_is_another_packet(void **state)
{
	static const struct {
		struct packet_words words;
		uint16_t id;
	} rows[] = {
		{ { IPPROTO_UDP, CLIENT, 4000, OUTSIDE, 53, 0 }, 8 },
		{ { IPPROTO_UDP, CLIENT, 4000, "198.51.100.8", 53, 0 }, 7 },
		{ { IPPROTO_TCP, CLIENT, 4000, OUTSIDE, 53, 0 }, 7 },
	};
	struct scene *scene = *state;
	struct frame frame =
		part((struct packet_words){ IPPROTO_UDP, CLIENT, 4000, OUTSIDE, 53, 0 }, 7, MORE);

	assert_int_equal(scene_from(scene, scene->client, &frame), REDIRECTED);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		frame = part(rows[i].words, rows[i].id, 3);
		if (scene_from(scene, scene->client, &frame) != DROPPED)
			fail_msg("row %zu passed", i);
	}
}

static void neighbours_exchange_parts_in_any_order(void **state)
{
	struct scene *scene = *state;
	struct frame frame =
		part((struct packet_words){ IPPROTO_UDP, CLIENT, 4000, WEB, 53, 0 }, 7, 3);

	assert_int_equal(scene_from(scene, scene->client, &frame), REDIRECTED);
	assert_addresses(&frame, CLIENT, WEB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(masqueraded_packets_go_and_are_answered_in_parts,
				       scene_clear),
		cmocka_unit_test_setup(published_port_takes_and_answers_packets_in_parts,
				       scene_clear),
		cmocka_unit_test_setup(echo_in_parts_comes_back_in_parts, scene_clear),
		cmocka_unit_test_setup(part_without_its_first_goes_nowhere_but_to_the_host,
				       scene_clear),
		cmocka_unit_test_setup(another_id_sender_or_protocol_is_another_packet,
				       scene_clear),
		cmocka_unit_test_setup(neighbours_exchange_parts_in_any_order, scene_clear),
	};

	return SCENE_RUN(tests);
}
