/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How flows live and end: TCP's states, age, and endpoints that go away. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <linux/in.h>

#include "base/cleanup.h"
#include "scene.h"

#include <cmocka.h>

static const struct packet_words forward = { IPPROTO_TCP, OUTSIDE, 4000, HOST, 8080, TCP_SYN };
static const struct packet_words answer = { IPPROTO_TCP, WEB, 80, OUTSIDE, 4000, TCP_ACK };

static int in(struct scene *scene, uint8_t flags)
{
	struct packet_words words = forward;
	words.flags = flags;
	struct frame frame = frame_make(words);

	return scene_in(scene, &frame);
}

static int out(struct scene *scene, uint8_t flags)
{
	struct packet_words words = answer;
	words.flags = flags;
	struct frame frame = frame_make(words);

	return scene_from(scene, scene->web, &frame);
}

static uint32_t state_of(struct scene *scene, bool of_answer)
{
	struct flow flow;

	assert_true(scene_flow(scene, of_answer ? answer : forward, of_answer ? 1 : 0, &flow));
	return flow.state & (FLOW_OPENING - 1); /* what the packets told, not where it stands */
}

static void open_flow(struct scene *scene)
{
	scene_publish(scene, "0.0.0.0", 8080, 80);
	assert_int_equal(in(scene, TCP_SYN), REDIRECTED);
	assert_int_equal(out(scene, TCP_SYN | TCP_ACK), REDIRECTED);
	assert_int_equal(in(scene, TCP_ACK), REDIRECTED);
}

static void both_halves_know_of_syn_answer_fin_and_reset(void **state)
{
	struct scene *scene = *state;

	open_flow(scene);
	assert_int_equal(state_of(scene, false), FLOW_SEEN_SYN | FLOW_SEEN_ACK | FLOW_ANSWERED);
	assert_int_equal(state_of(scene, true), FLOW_SEEN_SYN | FLOW_SEEN_ACK | FLOW_ANSWERED);
	assert_int_equal(in(scene, TCP_FIN | TCP_ACK), REDIRECTED);
	assert_true(state_of(scene, false) & FLOW_SEEN_FIN);
	assert_true(state_of(scene, true) & FLOW_PEER_FIN);
	assert_int_equal(out(scene, TCP_RST), REDIRECTED);
	assert_true(state_of(scene, true) & FLOW_SEEN_RST);
	assert_true(state_of(scene, false) & FLOW_PEER_RST);
}

static void syn_opens_a_closed_flow_anew(void **state)
{
	struct scene *scene = *state;

	open_flow(scene);
	assert_int_equal(in(scene, TCP_FIN | TCP_ACK), REDIRECTED);
	assert_int_equal(out(scene, TCP_FIN | TCP_ACK), REDIRECTED);
	assert_int_equal(in(scene, TCP_SYN), REDIRECTED);
	assert_int_equal(state_of(scene, false), FLOW_SEEN_SYN);
	assert_int_equal(state_of(scene, true), FLOW_ANSWERED);
}

/* Makes both halves look as if they had been silent for a time. */
static void age(struct scene *scene, uint32_t seconds)
{
	struct flow flow;

	assert_true(scene_flow(scene, forward, 0, &flow));
	flow.seen -= seconds;
	scene_put_flow(scene, forward, 0, &flow);
	assert_true(scene_flow(scene, answer, 1, &flow));
	flow.seen -= seconds;
	scene_put_flow(scene, answer, 1, &flow);
}

static void flows_end_by_age_according_to_their_state(void **state)
{
	static const struct {
		uint8_t in, out; /* flags of one more packet each way */
		uint32_t life;
	} rows[] = {
		{ TCP_ACK, TCP_ACK, FLOW_LIFE_TCP },
		{ TCP_ACK | TCP_FIN, TCP_ACK, FLOW_LIFE_TCP }, /* half closed */
		{ TCP_ACK | TCP_FIN, TCP_ACK | TCP_FIN, FLOW_LIFE_TCP_CLOSING },
		{ TCP_RST, TCP_ACK, FLOW_LIFE_TCP_RESET },
		{ TCP_ACK, TCP_RST, FLOW_LIFE_TCP_RESET },
	};
	struct scene *scene = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(scene_clear(state), 0);
		open_flow(scene);
		in(scene, rows[i].in);
		out(scene, rows[i].out);
		age(scene, rows[i].life - 2);
		if (in(scene, TCP_ACK) != REDIRECTED)
			fail_msg("row %zu: ended too early", i);
		age(scene, rows[i].life + 2);
		if (in(scene, TCP_ACK) != PASS)
			fail_msg("row %zu: lives too long", i);
	}
}

static void silent_direction_lives_as_long_as_the_other_speaks(void **state)
{
	struct scene *scene = *state;
	struct flow flow;

	open_flow(scene);
	assert_true(scene_flow(scene, answer, 1, &flow));
	flow.seen -= FLOW_LIFE_TCP + 100;
	scene_put_flow(scene, answer, 1, &flow);
	assert_int_equal(out(scene, TCP_ACK), REDIRECTED);
}

static void flow_ends_with_its_endpoint(void **state)
{
	struct scene *scene = *state;

	open_flow(scene);
	scene_set_generation(scene, SLOT_WEB, 2);
	assert_int_equal(in(scene, TCP_ACK), PASS);
	assert_int_equal(in(scene, TCP_SYN), PASS); /* the publication is the old one's, too */
}

static void address_given_again_meets_no_old_flow(void **state)
{
	struct scene *scene = *state;
	struct frame frame =
		frame_make((struct packet_words){ IPPROTO_UDP, CLIENT, 4000, OUTSIDE, 53, 0 });

	assert_int_equal(scene_from(scene, scene->client, &frame), REDIRECTED);
	uint16_t port = (uint16_t)(frame.bytes[34] << 8 | frame.bytes[35]);
	struct packet_words back = { IPPROTO_UDP, OUTSIDE, 53, HOST, port, 0 };
	frame = frame_make(back);
	assert_int_equal(scene_in(scene, &frame), REDIRECTED);
	scene_set_generation(scene, SLOT_CLIENT, 2);
	frame = frame_make(back);
	assert_int_equal(scene_in(scene, &frame), PASS);
}

static void each_direction_counts_itself_and_the_first_answer_is_timed(void **state)
{
	struct scene *scene = *state;
	struct flow flow, reply;

	open_flow(scene);
	assert_true(scene_flow(scene, forward, 0, &flow));
	assert_true(scene_flow(scene, answer, 1, &reply));
	assert_int_equal(flow.packets, 2);
	assert_int_equal(reply.packets, 1);
	assert_int_equal(flow.bytes, 2 * reply.bytes);
	assert_true(flow.answer_us < 10 * 1000 * 1000);
	uint32_t first = flow.answer_us;
	assert_int_equal(out(scene, TCP_ACK), REDIRECTED);
	assert_true(scene_flow(scene, forward, 0, &flow));
	assert_int_equal(flow.answer_us, first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(both_halves_know_of_syn_answer_fin_and_reset, scene_clear),
		cmocka_unit_test_setup(syn_opens_a_closed_flow_anew, scene_clear),
		cmocka_unit_test_setup(flows_end_by_age_according_to_their_state, scene_clear),
		cmocka_unit_test_setup(silent_direction_lives_as_long_as_the_other_speaks,
				       scene_clear),
		cmocka_unit_test_setup(flow_ends_with_its_endpoint, scene_clear),
		cmocka_unit_test_setup(address_given_again_meets_no_old_flow, scene_clear),
		cmocka_unit_test_setup(each_direction_counts_itself_and_the_first_answer_is_timed,
				       scene_clear),
	};

	return SCENE_RUN(tests);
}
