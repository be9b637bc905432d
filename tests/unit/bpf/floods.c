/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Floods take places in the table of opening flows, and nobody's established flow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <linux/in.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "scene.h"

#include <cmocka.h>

#define ESTABLISHED 10000
#define SEQUENCE 38 /* where it stands in a frame; the acknowledgment is behind */

static uint32_t flood_count(void)
{
	return getenv("WHERRY_TEST_LONG") ? 1000000 : 50000;
}

static const char *source_of(uint32_t number)
{
	static char text[INET_ADDRSTRLEN];
	struct in_addr address = { htonl(0x64000000 + number) }; /* 100.0.0.0 and up */

	inet_ntop(AF_INET, &address, text, sizeof text);
	return text;
}

static void set_numbers(struct frame *frame, uint32_t sequence, uint32_t acknowledgment)
{
	uint32_t numbers[2] = { htonl(sequence), htonl(acknowledgment) };

	memcpy(frame->bytes + SEQUENCE, numbers, sizeof numbers);
}

/* A packet of client `number` to the published port. */
static int send_in(struct scene *scene, uint32_t number, uint8_t protocol, uint8_t flags,
		   uint32_t acknowledgment)
{
	struct frame frame = frame_make(
		(struct packet_words){ protocol, source_of(number), 4000, HOST, 8080, flags });

	if (protocol == IPPROTO_TCP)
		set_numbers(&frame, 1, acknowledgment);
	return scene_in(scene, &frame);
}

static int send_answer(struct scene *scene, uint32_t number, uint8_t protocol, uint8_t flags)
{
	struct frame frame = frame_make(
		(struct packet_words){ protocol, WEB, 80, source_of(number), 4000, flags });

	if (protocol == IPPROTO_TCP)
		set_numbers(&frame, 1000 + number, 2);
	return scene_from(scene, scene->web, &frame);
}

/* One whole handshake. */
static void establish(struct scene *scene, uint32_t number)
{
	assert_int_equal(send_in(scene, number, IPPROTO_TCP, TCP_SYN, 0), REDIRECTED);
	assert_int_equal(send_answer(scene, number, IPPROTO_TCP, TCP_SYN | TCP_ACK), REDIRECTED);
	assert_int_equal(send_in(scene, number, IPPROTO_TCP, TCP_ACK, 1001 + number), REDIRECTED);
}

static void assert_whole(struct scene *scene, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (send_in(scene, i, IPPROTO_TCP, TCP_ACK, 1001 + i) != REDIRECTED ||
		    send_answer(scene, i, IPPROTO_TCP, TCP_ACK) != REDIRECTED)
			fail_msg("flow %u of %u is lost", i, count);
}

static uint32_t use_of(struct scene *scene, uint32_t slot)
{
	uint64_t use = 0;

	bpf_map_lookup_elem(bpf_map__fd(scene->bpf->maps.wh1_flow_use), &slot, &use);
	return (uint32_t)use;
}

static void floods_of_forged_clients_leave_established_flows_whole(void **state)
{
	struct scene *scene = *state;
	uint32_t flood = flood_count();

	scene_publish(scene, "0.0.0.0", 8080, 80);
	for (uint32_t i = 0; i < ESTABLISHED; i++)
		establish(scene, i);
	assert_int_equal(use_of(scene, SLOT_WEB), ESTABLISHED);
	for (uint32_t i = 0; i < flood; i++) {
		uint32_t client = ESTABLISHED + i;
		bool tcp = i % 2;

		if (send_in(scene, client, tcp ? IPPROTO_TCP : IPPROTO_UDP, TCP_SYN, 0) !=
		    REDIRECTED)
			fail_msg("packet %u did not reach the server, which must tell friend "
				 "from foe",
				 i);
		/* The server answers them all, and some guess what it said. */
		send_answer(scene, client, tcp ? IPPROTO_TCP : IPPROTO_UDP, TCP_SYN | TCP_ACK);
		if (tcp && i % 8 == 1)
			send_in(scene, client, IPPROTO_TCP, TCP_ACK, 0x40000000);
	}
	assert_int_equal(use_of(scene, SLOT_WEB), ESTABLISHED);
	assert_whole(scene, ESTABLISHED);
}

/* A container's exchange with a server outside, UDP, the third packet of which makes it stay. */
static int exchange(struct scene *scene, uint32_t number)
{
	struct packet_words words = { IPPROTO_UDP, CLIENT, 4000, source_of(number), 53, 0 };
	struct frame frame = frame_make(words);
	int verdict = scene_from(scene, scene->client, &frame);

	if (verdict != REDIRECTED)
		return verdict;
	uint16_t port = (uint16_t)(frame.bytes[34] << 8 | frame.bytes[35]);
	frame = frame_make(
		(struct packet_words){ IPPROTO_UDP, source_of(number), 53, HOST, port, 0 });
	assert_int_equal(scene_in(scene, &frame), REDIRECTED);
	frame = frame_make(words);
	return scene_from(scene, scene->client, &frame);
}

static void container_with_a_full_quota_leaves_others_whole(void **state)
{
	struct scene *scene = *state;

	scene_publish(scene, "0.0.0.0", 8080, 80);
	for (uint32_t i = 0; i < ESTABLISHED; i++)
		establish(scene, i);
	for (uint32_t i = 0; i < SCENE_QUOTA; i++)
		assert_int_equal(exchange(scene, 0x10000 + i), REDIRECTED);
	assert_int_equal(use_of(scene, SLOT_CLIENT), SCENE_QUOTA);
	for (uint32_t i = 0; i < 1000; i++) {
		struct frame frame = frame_make((struct packet_words){
			IPPROTO_TCP, CLIENT, 4000, source_of(0x20000 + i), 53, TCP_SYN });

		scene_from(scene, scene->client, &frame);
		if (i > 0) /* told, but not for ever */
			continue;
		assert_memory_equal(frame_text(&frame), "icmp 10.88.0.1 > 10.88.0.12 ", 28);
		assert_memory_equal(frame.bytes + 34, ((uint8_t[]){ 3, 13 }), 2);
		assert_true(frame_sums_hold(&frame));
	}
	assert_int_equal(scene_drops(scene, DROP_FLOW_QUOTA, SLOT_CLIENT), 1000);
	assert_whole(scene, ESTABLISHED);
	establish(scene, ESTABLISHED); /* and others open new ones */
	assert_int_equal(use_of(scene, SLOT_WEB), ESTABLISHED + 1);
}

static void clients_over_the_quota_are_served_while_they_are_recent(void **state)
{
	struct scene *scene = *state;

	scene_publish(scene, "0.0.0.0", 8080, 80);
	for (uint32_t i = 0; i < SCENE_QUOTA + 100; i++)
		establish(scene, i);
	assert_int_equal(use_of(scene, SLOT_WEB), SCENE_QUOTA);
	assert_int_equal(send_in(scene, SCENE_QUOTA + 99, IPPROTO_TCP, TCP_ACK, 0), REDIRECTED);
}

static void closed_flows_do_not_count(void **state)
{
	struct scene *scene = *state;

	scene_publish(scene, "0.0.0.0", 8080, 80);
	for (uint32_t i = 0; i < 10; i++)
		establish(scene, i);
	assert_int_equal(send_in(scene, 0, IPPROTO_TCP, TCP_RST, 0), REDIRECTED);
	assert_int_equal(send_answer(scene, 1, IPPROTO_TCP, TCP_RST), REDIRECTED);
	assert_int_equal(send_in(scene, 2, IPPROTO_TCP, TCP_FIN | TCP_ACK, 1003), REDIRECTED);
	assert_int_equal(use_of(scene, SLOT_WEB), 8);
	assert_int_equal(send_answer(scene, 2, IPPROTO_TCP, TCP_FIN | TCP_ACK), REDIRECTED);
	assert_int_equal(use_of(scene, SLOT_WEB), 7);
	establish(scene, 2); /* anew */
	assert_int_equal(use_of(scene, SLOT_WEB), 8);
}

static void seats_of_a_container_that_is_gone_are_given_again(void **state)
{
	struct scene *scene = *state;
	uint32_t seats = scene->bpf->rodata->flow_seats, given = 0;

	scene_publish(scene, "0.0.0.0", 8080, 80);
	/* A few containers, one after the other, fill the table and more. */
	for (uint32_t generation = 1; given < seats + seats / 4; generation++) {
		scene_set_generation(scene, SLOT_CLIENT, generation);
		scene_set_source_generation(scene, scene->client, generation);
		for (uint32_t i = 0; i < SCENE_QUOTA; i++, given++)
			assert_int_equal(exchange(scene, given), REDIRECTED);
		if (use_of(scene, SLOT_CLIENT) != SCENE_QUOTA)
			fail_msg("container %u got %u of %u", generation,
				 use_of(scene, SLOT_CLIENT), SCENE_QUOTA);
	}
}

static uint64_t bytes_of_map(const struct bpf_map *map)
{
	char path[64], line[128];
	unsigned long long bytes = 0;

	snprintf(path, sizeof path, "/proc/self/fdinfo/%d", bpf_map__fd(map));
	auto_file file = fopen(path, "re");
	assert_non_null(file);
	while (fgets(line, sizeof line, file))
		if (sscanf(line, "memlock: %llu", &bytes) == 1)
			break;
	return bytes;
}

static void hundred_thousand_flows_take_less_than_48_megabytes(void **state)
{
	(void)state;
	struct wherry_datapath *bpf = wherry_datapath__open();

	assert_non_null(bpf);
	bpf_map__set_max_entries(bpf->maps.wh1_flows, 200000);
	bpf_map__set_max_entries(bpf->maps.wh1_seats, 100000);
	assert_int_equal(wherry_datapath__load(bpf), 0);
	uint64_t bytes = bytes_of_map(bpf->maps.wh1_flows) + bytes_of_map(bpf->maps.wh1_seats);
	print_message("%.1f MB, %.0f bytes a flow\n", (double)bytes / 1e6, (double)bytes / 100000);
	assert_in_range(bytes, 1000000, 48000000);
	wherry_datapath__destroy(bpf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(floods_of_forged_clients_leave_established_flows_whole,
				       scene_clear),
		cmocka_unit_test_setup(container_with_a_full_quota_leaves_others_whole,
				       scene_clear),
		cmocka_unit_test_setup(clients_over_the_quota_are_served_while_they_are_recent,
				       scene_clear),
		cmocka_unit_test_setup(closed_flows_do_not_count, scene_clear),
		cmocka_unit_test_setup(seats_of_a_container_that_is_gone_are_given_again,
				       scene_clear),
		cmocka_unit_test(hundred_thousand_flows_take_less_than_48_megabytes),
	};

	return cmocka_run_group_tests(tests, scene_setup, scene_teardown);
}
