/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Flows that the host's firewall is asked about: what goes up to it, and what comes through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>
#include <linux/in.h>

#include <bpf/bpf.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "scene.h"

#include <cmocka.h>

static void put(const struct bpf_map *map, const void *key, const void *value)
{
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(map), key, value, BPF_ANY), 0);
}

static void forward(bool forwards)
{
	struct error err = { 0 };
	const char *path = "/proc/sys/net/ipv4/conf/up0/forwarding";
	assert_true(path_exists(path));
	auto_file file = fopen(path, "w");
	(void)err;
	assert_non_null(file);
	fputs(forwards ? "1" : "0", file);
}

/* Publishes "web"'s port 80 as 8080, with the firewall's consent. */
static void publish(struct scene *scene)
{
	static const uint8_t protocols[] = { IPPROTO_TCP, IPPROTO_UDP };
	scene_publish(scene, "0.0.0.0", 8080, 80);
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		struct port_key key = { .address = scene_address("0.0.0.0"),
					.port = htons(8080),
					.protocol = protocols[i] };
		struct publication publication;
		int fd = bpf_map__fd(scene->bpf->maps.wh1_ports);
		assert_int_equal(bpf_map_lookup_elem(fd, &key, &publication), 0);
		publication.flags = PUBLICATION_RESPECT;
		put(scene->bpf->maps.wh1_ports, &key, &publication);
	}
	forward(true);
}

static void set_switch(struct scene *scene, uint32_t index, uint32_t value)
{
	put(scene->bpf->maps.wh1_switches, &index, &value);
}

static struct frame from_client(uint8_t protocol, uint8_t flags)
{
	return frame_make((struct packet_words){ protocol, OUTSIDE, 4000, HOST, 8080, flags });
}

/* It goes up, already addressed to the container. */
static struct frame assert_asked(struct scene *scene, uint8_t protocol, uint8_t flags)
{
	struct frame frame = from_client(protocol, flags);
	char want[96];
	snprintf(want, sizeof want, "%s %s:4000 > %s:80", protocol == IPPROTO_TCP ? "tcp" : "udp",
		 OUTSIDE, WEB);
	assert_int_equal(scene_in(scene, &frame), PASS);
	assert_string_equal(frame_text(&frame), want);
	assert_true(frame_sums_hold(&frame));
	return frame;
}

static void assert_flies(struct scene *scene, uint8_t protocol, uint8_t flags)
{
	struct frame frame = from_client(protocol, flags);
	assert_int_equal(scene_in(scene, &frame), REDIRECTED);
}

static void a_flow_flies_when_its_packet_has_come_through(void **state)
{
	static const uint8_t protocols[] = { IPPROTO_TCP, IPPROTO_UDP };
	struct scene *scene = *state;
	publish(scene);
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		assert_asked(scene, protocols[i], TCP_SYN); /* was lost there */
		assert_int_equal(scene_drops(scene, DROP_HOST_FIREWALL, SLOT_WEB), i);
		struct frame frame = assert_asked(scene, protocols[i], TCP_SYN);
		assert_int_equal(scene_drops(scene, DROP_HOST_FIREWALL, SLOT_WEB), i + 1);
		struct frame other = frame, again = frame;
		other.bytes[35]++; /* of another port of the client */
		assert_int_equal(scene_to_forwarded(scene, scene->gateway, scene->uplink, &other),
				 DROPPED);
		assert_int_equal(scene_to_forwarded(scene, scene->gateway, scene->uplink, &frame),
				 REDIRECTED);
		assert_flies(scene, protocols[i], TCP_ACK);
		assert_flies(scene, protocols[i], TCP_ACK);
		/* By the container's own link too. */
		assert_int_equal(scene_onto(scene, scene->web, scene->uplink, &again), PASS);
	}
}

static void a_flow_in_the_middle_is_asked_about_by_a_syn(void **state)
{
	struct scene *scene = *state;
	publish(scene);
	set_switch(scene, SWITCH_ROUND, 7);
	struct frame frame = assert_asked(scene, IPPROTO_TCP, TCP_SYN);
	assert_int_equal(scene_to_forwarded(scene, scene->gateway, scene->uplink, &frame),
			 REDIRECTED);
	assert_flies(scene, IPPROTO_TCP, TCP_ACK);
	set_switch(scene, SWITCH_ROUND, 8);
	frame = assert_asked(scene, IPPROTO_TCP, TCP_ACK | TCP_FIN);
	assert_int_equal(frame.bytes[47], TCP_SYN);
	struct frame again = assert_asked(scene, IPPROTO_TCP, TCP_ACK); /* not allowed so far */
	/* The question ends behind the rules; the flow goes on. */
	assert_int_equal(scene_to_forwarded(scene, scene->gateway, scene->uplink, &again), DROPPED);
	assert_int_equal(scene_drops(scene, DROP_DIRECT, SLOT_WEB), 0);
	assert_flies(scene, IPPROTO_TCP, TCP_ACK);
	/* Round 7 comes again after 65,536 changes; this flow is not of it. */
	set_switch(scene, SWITCH_ROUND, 0x10007);
	assert_asked(scene, IPPROTO_TCP, TCP_ACK);
	set_switch(scene, SWITCH_ROUND, 0);
}

static void what_the_host_would_not_forward_has_its_own_reason(void **state)
{
	struct scene *scene = *state;
	struct frame frame = from_client(IPPROTO_TCP, TCP_SYN);
	publish(scene);
	forward(false);
	assert_int_equal(scene_in(scene, &frame), DROPPED);
	assert_int_equal(scene_drops(scene, DROP_HOST_ROUTE, SLOT_WEB), 1);
}

static void an_uplink_opened_for_publications_is_no_router(void **state)
{
	static const struct {
		const char *to;
		uint32_t flags;
		int verdict;
	} rows[] = {
		{ "203.0.113.9", UPLINK_OPENED, DROPPED },
		{ WEB, UPLINK_OPENED, PASS }, /* where it is dropped as `direct` */
		{ HOST, UPLINK_OPENED, PASS },
		{ "203.0.113.9", 0, PASS }, /* the administrator's choice */
	};
	struct scene *scene = *state;
	struct uplink uplink;
	int fd = bpf_map__fd(scene->bpf->maps.wh1_uplinks);
	publish(scene);
	set_switch(scene, SWITCH_JUDGED, 1);
	assert_int_equal(bpf_map_lookup_elem(fd, &scene->uplink, &uplink), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (int syn = 0; syn < 2; syn++) {
			struct frame frame = frame_make(
				(struct packet_words){ IPPROTO_TCP, OUTSIDE, 4000, rows[i].to, 22,
						       syn ? TCP_SYN : TCP_ACK });
			uplink.flags = rows[i].flags;
			put(scene->bpf->maps.wh1_uplinks, &scene->uplink, &uplink);
			assert_int_equal(scene_in(scene, &frame), rows[i].verdict);
		}
	}
	set_switch(scene, SWITCH_JUDGED, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_flow_flies_when_its_packet_has_come_through, scene_clear),
		cmocka_unit_test_setup(a_flow_in_the_middle_is_asked_about_by_a_syn, scene_clear),
		cmocka_unit_test_setup(what_the_host_would_not_forward_has_its_own_reason,
				       scene_clear),
		cmocka_unit_test_setup(an_uplink_opened_for_publications_is_no_router, scene_clear),
	};

	return SCENE_RUN(tests);
}
