/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each program costs a packet, by BPF_PROG_TEST_RUN, beside what it may cost: one JSON object
 * a line. The time that a run takes without the program is taken off. A budget is what was
 * measured when it was written down, and a tenth: on another machine only the rows' ratios to
 * each other tell something.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>

#include "again.h"
#include "again.skel.h"
#include "base/text.h"
#include "scene.h"

#include <cmocka.h>

#define PASSES 11
#define REPEATS 100000
#define FRESH_REPEATS 10000 /* as many flows begin in one pass */
#define FRESH_FROM 20000    /* their first source port */

struct bench {
	struct scene *scene;
	struct wherry_again *again;
};

/* A packet that is judged: what made its flow, and how it comes in. */
struct item {
	const char *name;
	unsigned budget_ns;
	enum hook_at { FROM_CONTAINER, FROM_UPLINK, TO_CONTAINER } hook;
	enum end { AT_CLIENT, AT_WEB, AT_UPLINK, AT_GATEWAY } at;
	struct packet_words words;
	int verdict;
	bool fresh;
};

static const struct item items[] = {
	{ "container to container",
	  75,
	  FROM_CONTAINER,
	  AT_CLIENT,
	  { IPPROTO_TCP, CLIENT, 4000, WEB, 80, TCP_ACK },
	  REDIRECTED,
	  false },
	{ "masqueraded",
	  105,
	  FROM_CONTAINER,
	  AT_CLIENT,
	  { IPPROTO_TCP, CLIENT, 5000, OUTSIDE, 80, TCP_ACK },
	  REDIRECTED,
	  false },
	{ "to a published port",
	  205,
	  FROM_UPLINK,
	  AT_UPLINK,
	  { IPPROTO_TCP, OUTSIDE, 4000, HOST, 8080, TCP_ACK },
	  REDIRECTED,
	  false },
	{ "reply of a published port",
	  130,
	  FROM_CONTAINER,
	  AT_WEB,
	  { IPPROTO_TCP, WEB, 80, OUTSIDE, 4000, TCP_ACK },
	  REDIRECTED,
	  false },
	{ "to a published port, new",
	  1600,
	  FROM_UPLINK,
	  AT_UPLINK,
	  { IPPROTO_TCP, OUTSIDE, FRESH_FROM, HOST, 8080, TCP_SYN },
	  REDIRECTED,
	  true },
	{ "from outside, the host's own",
	  65,
	  FROM_UPLINK,
	  AT_UPLINK,
	  { IPPROTO_TCP, OUTSIDE, 4000, HOST, 22, TCP_ACK },
	  PASS,
	  false },
	{ "host to container",
	  95,
	  TO_CONTAINER,
	  AT_GATEWAY,
	  { IPPROTO_TCP, GATEWAY, 4000, WEB, 80, TCP_ACK },
	  REDIRECTED,
	  false },
	{ "container to host",
	  70,
	  FROM_CONTAINER,
	  AT_CLIENT,
	  { IPPROTO_TCP, CLIENT, 4000, GATEWAY, 22, TCP_ACK },
	  REDIRECTED,
	  false },
};

static const struct bpf_program *program_of(const struct bench *bench, const struct item *item)
{
	const struct wherry_datapath *bpf = bench->scene->bpf;
	if (item->hook == FROM_CONTAINER)
		return bpf->progs.from_container;
	return item->hook == FROM_UPLINK ? bpf->progs.from_uplink : bpf->progs.to_container;
}

static uint32_t ifindex_of(const struct bench *bench, enum end at)
{
	const struct scene *scene = bench->scene;
	const uint32_t ends[] = { [AT_CLIENT] = scene->client,
				  [AT_WEB] = scene->web,
				  [AT_UPLINK] = scene->uplink,
				  [AT_GATEWAY] = scene->gateway };
	return ends[at];
}

/* The flows that the items belong to, each answered. */
static void open_flows(struct scene *scene)
{
	struct packet_words out = { IPPROTO_TCP, CLIENT, 5000, OUTSIDE, 80, TCP_SYN };
	struct frame frame = frame_make(out);

	assert_int_equal(scene_from(scene, scene->client, &frame), REDIRECTED);
	uint16_t port = (uint16_t)(frame.bytes[34] << 8 | frame.bytes[35]);
	frame = frame_make(
		(struct packet_words){ IPPROTO_TCP, OUTSIDE, 80, HOST, port, TCP_SYN | TCP_ACK });
	assert_int_equal(scene_in(scene, &frame), REDIRECTED);
	scene_publish(scene, "0.0.0.0", 8080, 80);
	frame = frame_make(
		(struct packet_words){ IPPROTO_TCP, OUTSIDE, 4000, HOST, 8080, TCP_SYN });
	assert_int_equal(scene_in(scene, &frame), REDIRECTED);
	frame = frame_make(
		(struct packet_words){ IPPROTO_TCP, WEB, 80, OUTSIDE, 4000, TCP_SYN | TCP_ACK });
	assert_int_equal(scene_from(scene, scene->web, &frame), REDIRECTED);
}

static uint32_t run_again(const struct bench *bench, int judged_fd, uint32_t ifindex,
			  const struct frame *frame, const struct item *item)
{
	struct again start = { .fresh = item->fresh ? FRESH_FROM : 0 };
	struct __sk_buff context = { .ifindex = ifindex };
	uint32_t zero = 0;
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame->bytes,
		    .data_size_in = (uint32_t)frame->size, .ctx_in = &context,
		    .ctx_size_in = sizeof context, .repeat = item->fresh ? FRESH_REPEATS : REPEATS);

	memcpy(start.headers, frame->bytes, sizeof start.headers);
	assert_int_equal(
		bpf_map_update_elem(bpf_map__fd(bench->again->maps.start), &zero, &start, BPF_ANY),
		0);
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(bench->again->maps.judged), &zero,
					     &judged_fd, BPF_ANY),
			 0);
	assert_int_equal(
		bpf_prog_test_run_opts(bpf_program__fd(bench->again->progs.again), &options), 0);
	return options.duration;
}

static int compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static int median_ns(const struct bench *bench, const struct item *item, const struct frame *frame)
{
	int program = bpf_program__fd(program_of(bench, item)),
	    nothing = bpf_program__fd(bench->again->progs.nothing), costs[PASSES];
	uint32_t ifindex = ifindex_of(bench, item->at);

	for (int pass = 0; pass < PASSES; pass++) {
		uint32_t floor = run_again(bench, nothing, ifindex, frame, item);
		costs[pass] = (int)(run_again(bench, program, ifindex, frame, item) - floor);
	}
	qsort(costs, PASSES, sizeof costs[0], compare);
	return costs[PASSES / 2];
}

static void measure(const struct bench *bench, const struct item *item)
{
	struct frame frame = frame_make(item->words), once;
	struct bpf_prog_info info = { 0 };
	uint32_t size = sizeof info;
	const struct bpf_program *program = program_of(bench, item);

	if (item->at == AT_UPLINK || item->at == AT_GATEWAY)
		memcpy(frame.bytes, (uint8_t[]){ 2, 0, 0, 0, 0, item->at == AT_UPLINK ? 0xa0 : 1 },
		       ETH_ALEN);
	else if (strcmp(item->words.to, WEB) == 0)
		frame_mac(WEB, frame.bytes); /* as ARP has told it */
	once = frame;
	int verdict = scene_run(program, ifindex_of(bench, item->at), &once);
	if (verdict != item->verdict)
		fail_msg("%s: verdict %d, not %d", item->name, verdict, item->verdict);
	assert_int_equal(bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size), 0);
	printf("{\"case\":\"%s\",\"program\":\"%s\",\"ns\":%d,\"budget_ns\":%u,"
	       "\"instructions\":%u,\"verified\":%u}\n",
	       item->name, bpf_program__name(program), median_ns(bench, item, &frame),
	       item->budget_ns, info.xlated_prog_len / (uint32_t)sizeof(struct bpf_insn),
	       info.verified_insns);
}

/* The variant that this kernel would run. */
static void costs_of_all_items(void **state)
{
	struct bench bench = { .scene = *state, .again = wherry_again__open_and_load() };

	assert_non_null(bench.again);
	open_flows(bench.scene);
	for (size_t i = 0; i < ARRAY_SIZE(items); i++)
		measure(&bench, &items[i]);
	wherry_again__destroy(bench.again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(costs_of_all_items, scene_clear),
	};

	return scene_knows_summed()
		       ? cmocka_run_group_tests(tests, scene_setup_summed, scene_teardown)
		       : cmocka_run_group_tests(tests, scene_setup, scene_teardown);
}
