/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Points 18 to 24: many at once, killed at any time, and beside other programs. */
#include "conformance.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define PARALLEL 64
#define STUB_RESULT \
	"{'cniVersion':'1.0.0','ips':[{'address':'10.78.0.5/24','gateway':'10.78.0.1'}]}"

/* The first plugin alone: the others of a list need its result. */
static void start_add(struct world *world, const struct json_t *list, size_t number,
		      const char *command, struct running *ret)
{
	char id[16], netns[48];
	snprintf(id, sizeof id, "p%zu", number);
	snprintf(netns, sizeof netns, "/run/netns/p%zu", number);
	auto_free char *input = chain_input(list, 0, NULL, NULL);
	struct call call = { .type = chain_type(list, 0),
			     .command = command,
			     .id = id,
			     .netns = netns,
			     .ifname = "eth0",
			     .path = world->path,
			     .input = input };
	call_start(world, &call, ret);
}

static size_t count_distinct(char (*texts)[64], size_t count)
{
	size_t distinct = 0;
	for (size_t i = 0; i < count; i++) {
		bool seen = !texts[i][0];
		for (size_t k = 0; k < i; k++)
			seen |= text_equal(texts[i], texts[k]);
		distinct += !seen;
	}
	return distinct;
}

static void point_parallel(struct world *world)
{
	auto_json list = conf_ipam(world, "{'ranges':[[{'subnet':'10.77.0.0/16'}]]}");
	struct running running[PARALLEL];
	char addresses[PARALLEL][64] = { "" };
	size_t failed = 0;
	for (size_t i = 0; i < PARALLEL; i++) {
		char name[16];
		snprintf(name, sizeof name, "p%zu", i);
		netns_make(world, name);
	}
	for (size_t i = 0; i < PARALLEL; i++)
		start_add(world, list, i, "ADD", &running[i]);
	char first_failure[DETAIL_MAX] = "";
	for (size_t i = 0; i < PARALLEL; i++) {
		auto_outcome outcome = { 0 };
		call_finish(world, &running[i], 60000, &outcome);
		if (outcome.status != 0 && failed++ == 0)
			memcpy(first_failure, world->detail, sizeof first_failure);
		result_address(outcome.json, 4, addresses[i]);
	}
	show(world, "%zu failed; the first: %s", failed, first_failure);
	claim(world, failed == 0, "64 ADDs at once all succeed");
	claim(world, count_distinct(addresses, PARALLEL) == PARALLEL - failed,
	      "their addresses all differ");
	failed = 0;
	for (size_t i = 0; i < 10; i++)
		start_add(world, list, 0, "DEL", &running[i]);
	for (size_t i = 0; i < 10; i++) {
		auto_outcome outcome = { 0 };
		call_finish(world, &running[i], 60000, &outcome);
		failed += outcome.status != 0;
	}
	claim(world, failed == 0, "10 DELs at once for one container all exit 0");
}

static void point_kill(struct world *world)
{
	if (!world_warm(world, world->list))
		return;
	auto_attachment one = { .id = "p1", .ifname = "eth0", .netns = "/run/netns/p1" };
	int rounds = world->settings->is_long ? 200 : 16, killed = 0;
	netns_make(world, "p1");
	world_remember(world);
	for (int i = 0; i < rounds; i++) {
		struct running running;
		auto_outcome outcome = { 0 };
		int delay_us = i * 8000 / rounds * (i % 4 == 3 ? 8 : 1);
		start_add(world, world->list, 1, "ADD", &running);
		nanosleep(&(struct timespec){ .tv_nsec = delay_us * 1000L }, NULL);
		if (running.pid > 0)
			kill(running.pid, SIGKILL);
		call_finish(world, &running, 5000, &outcome);
		killed += outcome.status == 128 + SIGKILL;
		if (!chain_do(world, world->list, "DEL", &one)) {
			claim(world, false, "DEL after a kill %d us into ADD", delay_us);
			return;
		}
	}
	show(world, "%d of %d were killed", killed, rounds);
	claim(world, killed > 0, "some of the ADDs were killed before their end");
	claim_clean(world, "kill and DEL, at many instants");
	claim(world, chain_do(world, world->list, "ADD", &one), "the next ADD works");
}

static void point_hung(struct world *world)
{
	auto_json list = conf_with(world, NULL, "{'ipam':{'type':'stub-ipam'}}");
	auto_free char *input = chain_input(list, 0, NULL, NULL);
	auto_outcome outcome = { 0 };
	struct call call = { .type = chain_type(list, 0),
			     .command = "ADD",
			     .id = "c1",
			     .netns = "/run/netns/t1",
			     .ifname = "eth0",
			     .path = world->path,
			     .input = input,
			     .timeout_ms = 58000 };
	stub_make(world, "stub-ipam", STUB_RESULT);
	stub_order("stub-ipam", "ADD.sleep", "");
	netns_make(world, "t1");
	call_run(world, &call, &outcome);
	claim_error(world, &outcome, 11, NULL, "ADD with an IPAM that never answers");
}

static void point_foreign(struct world *world)
{
	auto_json list = conf_with(world, NULL, "{'ipam':{'type':'stub-ipam'}}");
	auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
	auto_outcome add = { 0 }, slash = { 0 }, none = { 0 };
	auto_free char *input = chain_input(list, 0, &one, NULL);
	stub_make(world, "stub-ipam", STUB_RESULT);
	netns_make(world, "t1");
	plugin_run(world, list, 0, "ADD", &one, NULL, &add);
	claim_done(world, &add, "ADD with a foreign IPAM");
	claim(world, net_has("t1", "address eth0 10.78.0.5/24"), "its address is set");
	auto_free char *stdin_text = stub_note("stub-ipam", "ADD", "stdin");
	auto_free char *environment = stub_note("stub-ipam", "ADD", "env");
	claim(world, text_equal(stdin_text, input), "it got the same bytes");
	claim(world,
	      environment && strstr(environment, "CNI_CONTAINERID=c1\n") &&
		      strstr(environment, "CNI_IFNAME=eth0\n") &&
		      strstr(environment, "CNI_NETNS=/run/netns/t1\n") &&
		      strstr(environment, "CNI_COMMAND=ADD\n"),
	      "it got the same environment");
	claim(world, add.errors && strstr(add.errors, "stub stub-ipam was here"),
	      "its stderr comes out");
	claim(world, chain_do(world, list, "DEL", &one), "DEL");
	claim(world, stub_count("stub-ipam", "DEL") == 1, "its DEL was called");
	auto_json with_slash = conf_with(world, NULL, "{'ipam':{'type':'../stub-ipam'}}");
	auto_json with_none = conf_with(world, NULL, "{'ipam':{'type':'stub-none'}}");
	plugin_run(world, with_slash, 0, "ADD", &one, NULL, &slash);
	claim_error(world, &slash, 0, "stub-ipam", "a type with a slash");
	plugin_run(world, with_none, 0, "ADD", &one, NULL, &none);
	claim_error(world, &none, 0, "stub-none", "a type that is in no folder");
}

static void point_delegate_error(struct world *world)
{
	static const int codes[] = { 11, 123 };
	auto_json list = conf_with(world, NULL, "{'ipam':{'type':'stub-ipam'}}");
	stub_make(world, "stub-ipam", STUB_RESULT);
	stub_order("stub-ipam", "ADD.exit", "1");
	netns_make(world, "t1");
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		char answer[200], what[48];
		auto_outcome outcome = { 0 };
		auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
		snprintf(answer, sizeof answer,
			 "{'cniVersion':'1.0.0','code':%d,'msg':'so it is','details':'and why'}",
			 codes[i]);
		stub_order("stub-ipam", "ADD.output", answer);
		plugin_run(world, list, 0, "ADD", &one, NULL, &outcome);
		snprintf(what, sizeof what, "a delegate's error %d", codes[i]);
		claim_error(world, &outcome, codes[i], "so it is", what);
		claim(world, strstr(result_text(outcome.json, "details"), "and why"),
		      "%s: its details come out", what);
	}
	claim(world, !net_has("t1", "link eth0 "), "the interface is gone after that");
}

static void point_order(struct world *world)
{
	auto_json list = conf_with(world, NULL, "{'ipam':{'type':'stub-ipam'}}");
	auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
	stub_make(world, "stub-ipam", STUB_RESULT);
	netns_make(world, "t1");
	claim(world, chain_do(world, list, "ADD", &one), "ADD with a foreign IPAM");
	auto_free char *links = stub_note("stub-ipam", "ADD", "links");
	show(world, "the namespace held: %s", links ? links : "nothing");
	claim(world, links && strstr(links, "link eth0 "),
	      "the interface exists before IPAM's ADD runs");
	link_delete("t1", "eth0");
	claim(world, chain_do(world, list, "DEL", &one), "DEL without the link");
	claim(world, stub_count("stub-ipam", "DEL") == 1, "IPAM's DEL runs also without the link");
	netns_drop(world, "t1");
	claim(world, chain_do(world, list, "DEL", &one), "DEL without the namespace");
	claim(world, stub_count("stub-ipam", "DEL") == 2,
	      "IPAM's DEL runs also without the namespace");
}

const struct point process_points[] = {
	{ 18, "64 ADDs and 10 DELs at once", NEEDS_POOL, point_parallel },
	{ 19, "SIGKILL at any instant of ADD", 0, point_kill },
	{ 20, "a hung IPAM", NEEDS_LONG | NEEDS_POOL, point_hung },
	{ 21, "a foreign IPAM", NEEDS_POOL, point_foreign },
	{ 22, "a delegate's error passes through", NEEDS_POOL, point_delegate_error },
	{ 23, "IPAM runs while the interface is there", NEEDS_POOL, point_order },
	{ 0 },
};
