/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which source ports masquerading gives out (the scene's range: 1,000 from 16384). */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <linux/in.h>

#include "base/cleanup.h"
#include "scene.h"

#include <cmocka.h>

enum { FIRST = 16384, COUNT = 1000 };

/* The port given to a flow that begins; 0: it was dropped. */
static uint16_t port_of(struct scene *scene, const char *from, uint16_t from_port)
{
	struct frame frame =
		frame_make((struct packet_words){ IPPROTO_UDP, from, from_port, OUTSIDE, 53, 0 });
	uint32_t ifindex = strcmp(from, WEB) ? scene->client : scene->web;

	if (scene_from(scene, ifindex, &frame) != REDIRECTED)
		return 0;
	return (uint16_t)(frame.bytes[34] << 8 | frame.bytes[35]);
}

static void ports_keep_the_order_of_the_clients_own(void **state)
{
	struct scene *scene = *state;
	uint16_t first = port_of(scene, CLIENT, 5000);

	for (uint16_t i = 1; i < 100; i++)
		assert_int_equal(port_of(scene, CLIENT, 5000 + i),
				 FIRST + (first - FIRST + i) % COUNT);
}

static void same_flow_gets_the_same_port_again(void **state)
{
	struct scene *scene = *state;
	uint16_t first = port_of(scene, CLIENT, 5000);
	struct flow flow;

	assert_true(scene_flow(scene,
			       (struct packet_words){ IPPROTO_UDP, CLIENT, 5000, OUTSIDE, 53, 0 },
			       1, &flow));
	assert_int_equal(scene_clear(state), 0); /* all flows are lost */
	assert_int_equal(port_of(scene, CLIENT, 5000), first);
}

static void no_two_flows_share_a_port(void **state)
{
	struct scene *scene = *state;
	bool taken[COUNT] = { false };
	const char *const names[] = { CLIENT, WEB };

	for (int i = 0; i < 600; i++) {
		uint16_t port = port_of(scene, names[i % 2], (uint16_t)(5000 + i / 2 * 3));

		assert_in_range(port, FIRST, FIRST + COUNT - 1);
		assert_false(taken[port - FIRST]);
		taken[port - FIRST] = true;
	}
}

static void full_range_is_a_named_reason(void **state)
{
	struct scene *scene = *state;

	for (int i = 0; i < 1200; i++)
		port_of(scene, CLIENT, (uint16_t)(5000 + i));
	assert_in_range(scene_drops(scene, DROP_PORTS_FULL, SLOT_CLIENT), 1200 - COUNT,
			1200 - COUNT * 9 / 10);
}

static void port_of_a_flow_that_ended_is_taken_over(void **state)
{
	struct scene *scene = *state;
	uint16_t port = port_of(scene, CLIENT, 5000);
	struct packet_words answer = { IPPROTO_UDP, OUTSIDE, 53, HOST, port, 0 };
	struct flow flow;

	assert_true(scene_flow(scene, answer, 0, &flow));
	flow.new_destination_port = htons(9); /* another client's, ... */
	flow.generation = 7;                  /* who is gone */
	scene_put_flow(scene, answer, 0, &flow);
	struct packet_words forward = { IPPROTO_UDP, CLIENT, 5000, OUTSIDE, 53, 0 };
	struct flow mine;
	assert_true(scene_flow(scene, forward, 1, &mine));
	mine.generation = 7;
	scene_put_flow(scene, forward, 1, &mine);
	assert_int_equal(port_of(scene, CLIENT, 5000), port);
	flow.generation = 1; /* alive: its port stays its own */
	scene_put_flow(scene, answer, 0, &flow);
	scene_put_flow(scene, forward, 1, &mine);
	assert_int_not_equal(port_of(scene, CLIENT, 5000), port);
}

static void port_of_a_socket_of_the_host_is_not_given(void **state)
{
	struct scene *scene = *state;
	uint16_t port = port_of(scene, CLIENT, 5000);
	auto_fd socket_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in own = { .sin_family = AF_INET, .sin_port = htons(port) };

	assert_int_equal(bind(socket_fd, (struct sockaddr *)&own, sizeof own), 0);
	assert_int_equal(scene_clear(state), 0);
	assert_int_not_equal(port_of(scene, CLIENT, 5000), port);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(ports_keep_the_order_of_the_clients_own, scene_clear),
		cmocka_unit_test_setup(same_flow_gets_the_same_port_again, scene_clear),
		cmocka_unit_test_setup(no_two_flows_share_a_port, scene_clear),
		cmocka_unit_test_setup(full_range_is_a_named_reason, scene_clear),
		cmocka_unit_test_setup(port_of_a_flow_that_ended_is_taken_over, scene_clear),
		cmocka_unit_test_setup(port_of_a_socket_of_the_host_is_not_given, scene_clear),
	};

	return SCENE_RUN(tests);
}
