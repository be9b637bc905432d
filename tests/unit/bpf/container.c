/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a container may send, and the reason of each packet that it may not. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <linux/icmp.h>
#include <linux/if_ether.h>
#include <linux/in.h>

#include "base/cleanup.h"
#include "scene.h"

#include <cmocka.h>

static void neighbour_is_reached_with_its_own_mac(void **state)
{
	struct scene *scene = *state;
	struct frame frame =
		frame_make((struct packet_words){ IPPROTO_TCP, CLIENT, 4000, WEB, 80, TCP_SYN });
	uint8_t mac[6];

	assert_int_equal(scene_from(scene, scene->client, &frame), REDIRECTED);
	frame_mac(WEB, mac);
	assert_memory_equal(frame.bytes, mac, ETH_ALEN);
	assert_true(frame_sums_hold(&frame));
}

static void each_refusal_has_its_reason(void **state)
{
	static const struct {
		const char *what;
		struct packet_words words;
		enum drop_reason reason;
	} rows[] = {
		{ "another's address", { IPPROTO_UDP, WEB, 1, OUTSIDE, 2, 0 }, DROP_SPOOF_ADDRESS },
		{ "nobody's address in the network",
		  { IPPROTO_UDP, CLIENT, 1, "10.88.9.9", 2, 0 },
		  DROP_NO_ENDPOINT },
		{ "another network", { IPPROTO_UDP, CLIENT, 1, OTHER, 2, 0 }, DROP_ISOLATED },
		{ "loopback", { IPPROTO_UDP, CLIENT, 1, "127.0.0.1", 2, 0 }, DROP_LOOPBACK },
		{ "multicast", { IPPROTO_UDP, CLIENT, 1, "224.0.0.251", 5353, 0 }, DROP_MULTICAST },
		{ "everybody",
		  { IPPROTO_UDP, CLIENT, 1, "255.255.255.255", 67, 0 },
		  DROP_MULTICAST },
		{ "a reset of no flow",
		  { IPPROTO_TCP, CLIENT, 1, OUTSIDE, 2, TCP_RST },
		  DROP_NO_FLOW },
		{ "an answer to no echo",
		  { IPPROTO_ICMP, CLIENT, 7, OUTSIDE, 7, ICMP_ECHOREPLY },
		  DROP_NO_FLOW },
	};
	struct scene *scene = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct frame frame = frame_make(rows[i].words);

		frame_mac(CLIENT, frame.bytes + ETH_ALEN);
		uint64_t before = scene_drops(scene, rows[i].reason, SLOT_CLIENT);
		int verdict = scene_from(scene, scene->client, &frame);
		uint64_t after = scene_drops(scene, rows[i].reason, SLOT_CLIENT);
		if (verdict != DROPPED || after != before + 1)
			fail_msg("%s: verdict %d, counted %d", rows[i].what, verdict,
				 (int)(after - before));
	}
}

static void unknown_device_is_dropped(void **state)
{
	struct scene *scene = *state;
	struct frame frame = frame_make((struct packet_words){ IPPROTO_UDP, CLIENT, 1, WEB, 2, 0 });

	assert_int_equal(scene_from(scene, scene->uplink, &frame), DROPPED);
	assert_int_equal(scene_drops(scene, DROP_UNKNOWN_ENDPOINT, 0), 1);
}

static void foreign_mac_is_dropped(void **state)
{
	struct scene *scene = *state;
	struct frame frame = frame_make((struct packet_words){ IPPROTO_UDP, CLIENT, 1, WEB, 2, 0 });

	frame.bytes[ETH_ALEN + 5] ^= 1;
	assert_int_equal(scene_from(scene, scene->client, &frame), DROPPED);
	assert_int_equal(scene_drops(scene, DROP_SPOOF_MAC, SLOT_CLIENT), 1);
}

static void other_protocols_are_counted(void **state)
{
	struct scene *scene = *state;
	struct frame frame = frame_make((struct packet_words){ IPPROTO_UDP, CLIENT, 1, WEB, 2, 0 });

	frame.bytes[12] = 0x86; /* IPv6 */
	frame.bytes[13] = 0xdd;
	assert_int_equal(scene_from(scene, scene->client, &frame), DROPPED);
	assert_int_equal(scene_drops(scene, DROP_PROTOCOL, SLOT_CLIENT), 1);
}

static void broken_headers_are_malformed(void **state)
{
	struct scene *scene = *state;
	struct frame frame = frame_make((struct packet_words){ IPPROTO_UDP, CLIENT, 1, WEB, 2, 0 });

	frame.bytes[ETH_HLEN] = 0x43; /* a header of 12 bytes */
	assert_int_equal(scene_from(scene, scene->client, &frame), DROPPED);
	frame = frame_make((struct packet_words){ IPPROTO_TCP, CLIENT, 1, OUTSIDE, 2, TCP_SYN });
	frame.size = ETH_HLEN + 20 + 12; /* TCP cut short */
	assert_int_equal(scene_from(scene, scene->client, &frame), DROPPED);
	assert_int_equal(scene_drops(scene, DROP_MALFORMED, SLOT_CLIENT), 2);
}

static void settings_of_the_network_hold(void **state)
{
	static const struct {
		uint16_t flags;
		struct packet_words words;
		int verdict;
		enum drop_reason reason;
	} rows[] = {
		{ NETWORK_NO_ICC, { IPPROTO_UDP, CLIENT, 1, WEB, 2, 0 }, DROPPED, DROP_NO_ICC },
		{ NETWORK_INTERNAL | NETWORK_MASQUERADE,
		  { IPPROTO_UDP, CLIENT, 1, OUTSIDE, 2, 0 },
		  DROPPED,
		  DROP_INTERNAL },
		{ NETWORK_INTERNAL, { IPPROTO_UDP, CLIENT, 1, GATEWAY, 53, 0 }, REDIRECTED, 0 },
		{ NETWORK_ROUTED, { IPPROTO_UDP, CLIENT, 1, OUTSIDE, 2, 0 }, REDIRECTED, 0 },
	};
	struct scene *scene = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct frame frame = frame_make(rows[i].words);

		scene_set_flags(scene, rows[i].flags);
		int verdict = scene_from(scene, scene->client, &frame);
		if (verdict != rows[i].verdict ||
		    (rows[i].reason && scene_drops(scene, rows[i].reason, SLOT_CLIENT) != 1))
			fail_msg("row %zu: verdict %d", i, verdict);
	}
}

static void host_is_reached_untranslated(void **state)
{
	static const struct packet_words rows[] = {
		{ IPPROTO_TCP, CLIENT, 4000, GATEWAY, 22, TCP_SYN },
		{ IPPROTO_TCP, CLIENT, 4000, GATEWAY, 22, TCP_ACK },
		{ IPPROTO_TCP, CLIENT, 4000, HOST, 22, TCP_SYN },
		{ IPPROTO_UDP, CLIENT, 4000, HOST, 53, 0 },
		{ IPPROTO_ICMP, CLIENT, 9, GATEWAY, 9, ICMP_ECHO },
		{ IPPROTO_ICMP, CLIENT, 9, HOST, 9, ICMP_ECHO },
		{ IPPROTO_UDP, CLIENT, 4000, GATEWAY2, 53, 0 },
	};
	struct scene *scene = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct frame frame = frame_make(rows[i]), before = frame;

		int verdict = scene_from(scene, scene->client, &frame);
		if (verdict != REDIRECTED ||
		    memcmp(frame.bytes + ETH_HLEN, before.bytes + ETH_HLEN, frame.size - ETH_HLEN))
			fail_msg("row %zu: verdict %d, %s", i, verdict, frame_text(&frame));
		assert_int_equal(frame.bytes[5], 1); /* the gateway's MAC */
	}
}

static void answers_of_published_ports_are_received_where_they_stand(void **state)
{
	static const struct {
		struct packet_words words;
		int verdict;
	} rows[] = {
		{ { IPPROTO_TCP, CLIENT, 80, GATEWAY, 4000, TCP_ACK }, PASS },
		{ { IPPROTO_TCP, CLIENT, 80, GATEWAY, 4000, TCP_SYN | TCP_ACK }, PASS },
		{ { IPPROTO_TCP, CLIENT, 80, GATEWAY, 4000, TCP_SYN }, REDIRECTED },
		{ { IPPROTO_UDP, CLIENT, 80, GATEWAY, 4000, 0 }, REDIRECTED },
		{ { IPPROTO_TCP, CLIENT, 81, GATEWAY, 4000, TCP_ACK }, REDIRECTED },
		{ { IPPROTO_TCP, CLIENT, 8999, GATEWAY, 4000, TCP_ACK }, REDIRECTED },
		{ { IPPROTO_TCP, CLIENT, 9000, GATEWAY, 4000, TCP_ACK }, PASS },
		{ { IPPROTO_TCP, CLIENT, 9002, GATEWAY, 4000, TCP_ACK }, PASS },
		{ { IPPROTO_TCP, CLIENT, 9003, GATEWAY, 4000, TCP_ACK }, REDIRECTED },
	};
	struct scene *scene = *state;

	scene_serve(scene, 9000, 2);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct frame frame = frame_make(rows[i].words), before = frame;

		int verdict = scene_from(scene, scene->client, &frame);
		if (verdict != rows[i].verdict ||
		    memcmp(frame.bytes + ETH_HLEN, before.bytes + ETH_HLEN, frame.size - ETH_HLEN))
			fail_msg("row %zu: verdict %d", i, verdict);
	}
}

static void address_resolution_is_answered(void **state)
{
	static const struct {
		const char *target;
		uint8_t mac[6];
	} rows[] = {
		{ GATEWAY, { 2, 0, 0, 0, 0, 1 } },
		{ WEB, { 2, 0x42, 10, 88, 0, 11 } },
	};
	struct scene *scene = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct frame asked = frame_arp(CLIENT, rows[i].target, 1), frame = asked;

		assert_int_equal(scene_from(scene, scene->client, &frame), REDIRECTED);
		assert_int_equal(frame.bytes[21], 2);                               /* a reply */
		assert_memory_equal(frame.bytes, asked.bytes + ETH_ALEN, ETH_ALEN); /* to us */
		assert_memory_equal(frame.bytes + 22, rows[i].mac, ETH_ALEN);       /* it has */
		assert_memory_equal(frame.bytes + 28, asked.bytes + 38, 4);         /* asked for */
		assert_memory_equal(frame.bytes + 32, asked.bytes + 22, ETH_ALEN + 4); /* us */
	}
}

static void address_resolution_is_not_for_liars(void **state)
{
	static const struct {
		const char *sender, *target;
		uint16_t operation;
		enum drop_reason reason;
	} rows[] = {
		{ WEB, GATEWAY, 1, DROP_SPOOF_ADDRESS },
		{ CLIENT, "10.88.9.9", 1, DROP_NO_ENDPOINT },
		{ CLIENT, CLIENT, 1, DROP_ARP },
		{ "0.0.0.0", CLIENT, 1, DROP_ARP },
		{ CLIENT, GATEWAY, 2, DROP_ARP },
		{ CLIENT, OTHER, 1, DROP_NO_ENDPOINT },
	};
	struct scene *scene = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct frame frame = frame_arp(rows[i].sender, rows[i].target, rows[i].operation);

		frame_mac(CLIENT, frame.bytes + ETH_ALEN);
		frame_mac(CLIENT, frame.bytes + 22);
		uint64_t before = scene_drops(scene, rows[i].reason, SLOT_CLIENT);
		int verdict = scene_from(scene, scene->client, &frame);
		if (verdict != DROPPED ||
		    scene_drops(scene, rows[i].reason, SLOT_CLIENT) != before + 1)
			fail_msg("row %zu: verdict %d", i, verdict);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(neighbour_is_reached_with_its_own_mac, scene_clear),
		cmocka_unit_test_setup(each_refusal_has_its_reason, scene_clear),
		cmocka_unit_test_setup(unknown_device_is_dropped, scene_clear),
		cmocka_unit_test_setup(foreign_mac_is_dropped, scene_clear),
		cmocka_unit_test_setup(other_protocols_are_counted, scene_clear),
		cmocka_unit_test_setup(broken_headers_are_malformed, scene_clear),
		cmocka_unit_test_setup(settings_of_the_network_hold, scene_clear),
		cmocka_unit_test_setup(host_is_reached_untranslated, scene_clear),
		cmocka_unit_test_setup(answers_of_published_ports_are_received_where_they_stand,
				       scene_clear),
		cmocka_unit_test_setup(address_resolution_is_answered, scene_clear),
		cmocka_unit_test_setup(address_resolution_is_not_for_liars, scene_clear),
	};

	return SCENE_RUN(tests);
}
