/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Points 114 to 119: STATUS and GC. */
#include "conformance.h"

#include <stdio.h>
#include <string.h>

#define STUB_RESULT \
	"{'cniVersion':'1.1.0','ips':[{'address':'10.78.0.5/24','gateway':'10.78.0.1'}]}"

static struct json_t *newest(const struct json_t *list)
{
	return conf_top(list, "{'cniVersion':'1.1.0'}");
}

static void point_status(struct world *world)
{
	auto_json list = newest(world->list);
	auto_outcome fresh = { 0 }, used = { 0 };
	auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
	chain_run(world, list, "STATUS", NULL, &fresh);
	claim_done(world, &fresh, "STATUS before any ADD");
	netns_make(world, "t1");
	claim(world, chain_do(world, list, "ADD", &one), "ADD");
	chain_run(world, list, "STATUS", NULL, &used);
	claim_done(world, &used, "STATUS with a container");
	claim(world, used.output_size == 0, "STATUS writes nothing");
}

static void point_status_full(struct world *world)
{
	auto_json bare = conf_ipam(world, "{'subnet':'10.77.0.0/30'}");
	auto_json list = newest(bare);
	auto_outcome outcome = { 0 }, again = { 0 };
	auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
	netns_make(world, "t1");
	claim(world, chain_do(world, list, "ADD", &one), "the one address of a /30");
	chain_run(world, list, "STATUS", NULL, &outcome);
	claim_error(world, &outcome, 50, "10.77.0", "STATUS with a full pool");
	chain_do(world, list, "DEL", &one);
	chain_run(world, list, "STATUS", NULL, &again);
	claim_done(world, &again, "STATUS when the pool has room again");
}

static void point_status_delegate(struct world *world)
{
	auto_json changed = conf_with(world, NULL, "{'ipam':{'type':'stub-ipam'}}");
	auto_json list = newest(changed);
	auto_outcome fine = { 0 }, failed = { 0 };
	stub_make(world, "stub-ipam", STUB_RESULT);
	plugin_run(world, list, 0, "STATUS", NULL, NULL, &fine);
	claim_done(world, &fine, "STATUS with a delegate that is well");
	claim(world, stub_count("stub-ipam", "STATUS") == 1, "the delegate's STATUS was called");
	stub_order("stub-ipam", "STATUS.exit", "1");
	stub_order("stub-ipam", "STATUS.output",
		   "{'cniVersion':'1.1.0','code':51,'msg':'no lease server'}");
	plugin_run(world, list, 0, "STATUS", NULL, NULL, &failed);
	claim_error(world, &failed, 51, "no lease server", "STATUS with a delegate that is not");
}

static void point_status_fast(struct world *world)
{
	auto_json list = newest(world->list);
	struct running running[16];
	int64_t slowest = 0;
	if (!world_warm(world, list))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(running); i++) {
		char name[16], netns[32];
		snprintf(name, sizeof name, "p%zu", i);
		snprintf(netns, sizeof netns, "/run/netns/p%zu", i);
		netns_make(world, name);
		auto_free char *input = chain_input(list, 0, NULL, NULL);
		struct call call = { .type = chain_type(list, 0),
				     .command = "ADD",
				     .id = name,
				     .netns = netns,
				     .ifname = "eth0",
				     .path = world->path,
				     .input = input };
		call_start(world, &call, &running[i]);
	}
	for (int i = 0; i < 5; i++) {
		auto_outcome outcome = { 0 };
		plugin_run(world, list, 0, "STATUS", NULL, NULL, &outcome);
		if (outcome.duration_ms > slowest)
			slowest = outcome.duration_ms;
	}
	for (size_t i = 0; i < ARRAY_SIZE(running); i++) {
		auto_outcome outcome = { 0 };
		call_finish(world, &running[i], 60000, &outcome);
	}
	show(world, "%d ms", (int)slowest);
	claim(world, slowest < 2000, "STATUS during 16 ADDs waits for none of them");
}

struct three {
	struct attachment attachments[3];
};

static bool add_three(struct world *world, const struct json_t *list, struct three *ret)
{
	static const char *const ids[] = { "g0", "g1", "g2" };
	static const char *const paths[] = { "/run/netns/g0", "/run/netns/g1", "/run/netns/g2" };
	bool done = true;
	for (size_t i = 0; i < 3; i++) {
		ret->attachments[i] =
			(struct attachment){ .id = ids[i], .ifname = "eth0", .netns = paths[i] };
		netns_make(world, ids[i]);
		done = chain_do(world, list, "ADD", &ret->attachments[i]) && done;
	}
	claim(world, done, "three ADDs");
	return done;
}

static void drop_three(struct world *world, const struct json_t *list, struct three *three)
{
	for (size_t i = 0; i < 3; i++) {
		chain_do(world, list, "DEL", &three->attachments[i]);
		attachment_free_result(&three->attachments[i]);
		netns_drop(world, three->attachments[i].id);
	}
}

static size_t count_left(void)
{
	return (size_t)net_has("g0", "link eth0 ") + net_has("g1", "link eth0 ") +
	       net_has("g2", "link eth0 ");
}

static void point_collect(struct world *world)
{
	static const char *const one[] = { "g1/eth0", NULL }, *const none[] = { NULL };
	auto_json list = newest(world->list);
	struct three three;
	if (!world_warm(world, list))
		return;
	auto_outcome outcome = { 0 }, all = { 0 };
	if (!add_three(world, list, &three))
		return;
	claim(world, chain_gc(world, list, one, &outcome), "GC with one of three");
	claim(world, net_has("g1", "address eth0 "), "the listed one stays");
	claim(world, count_left() == 1, "the others are gone");
	claim(world, chain_do(world, list, "CHECK", &three.attachments[1]), "its CHECK holds");
	claim(world, chain_gc(world, list, none, &all), "GC with an empty list");
	claim(world, count_left() == 0, "nothing is left");
	for (size_t i = 0; i < 3; i++)
		netns_drop(world, three.attachments[i].id);
	claim_clean(world, "GC of all");
	for (size_t i = 0; i < 3; i++)
		claim(world, chain_do(world, list, "DEL", &three.attachments[i]),
		      "DEL after GC, of %s", three.attachments[i].id);
}

static void point_collect_keys(struct world *world)
{
	static const struct {
		const char *what, *change;
		size_t left;
		bool fine;
	} rows[] = {
		{ "both keys absent", "{'x':1}", 3, false },
		{ "attachments alone",
		  "{'cni.dev/attachments':[{'containerID':'g0','ifname':'eth0'}]}", 1, true },
		{ "another interface's name",
		  "{'cni.dev/valid-attachments':[{'containerID':'g0','ifname':'eth1'}]}", 0, true },
		{ "a list that is no list", "{'cni.dev/valid-attachments':'g0'}", 3, false },
	};
	auto_json list = newest(world->list);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct three three;
		auto_outcome outcome = { 0 };
		auto_json with = conf_top(list, rows[i].change);
		if (!add_three(world, list, &three))
			return;
		plugin_run(world, with, 0, "GC", NULL, NULL, &outcome);
		if (rows[i].fine)
			claim_done(world, &outcome, rows[i].what);
		else
			claim_error(world, &outcome, 7, NULL, rows[i].what);
		show(world, "%zu are left", count_left());
		claim(world, count_left() == rows[i].left, "%s: %zu of three are left",
		      rows[i].what, rows[i].left);
		drop_three(world, list, &three);
	}
}

static void point_other_network(struct world *world)
{
	static const char *const none[] = { NULL };
	auto_json list = newest(world->list);
	auto_json named = conf_top(list, "{'name':'second-net'}");
	auto_json second = conf_change(named, 0,
				       "{'bridge':'second0','ipam':{'ranges':"
				       "[[{'subnet':'10.88.0.0/24'}]],'subnet':null}}");
	auto_attachment other = { .id = "other", .ifname = "eth0", .netns = "/run/netns/other" };
	auto_outcome outcome = { 0 };
	struct three three;
	netns_make(world, "other");
	claim(world, chain_do(world, second, "ADD", &other), "ADD in another network");
	if (!add_three(world, list, &three))
		return;
	claim(world, chain_gc(world, list, none, &outcome), "GC of the first network");
	claim(world, count_left() == 0, "its three are gone");
	claim(world, net_has("other", "address eth0 10.88.0.2/24"), "the other network's stays");
	claim(world, chain_do(world, second, "CHECK", &other), "and its CHECK holds");
}

static void point_collect_ping(struct world *world)
{
	static const char *const one[] = { "g1/eth0", NULL };
	auto_json bare = conf_ipam(world, "{'ranges':[[{'subnet':'10.77.0.0/24'}]]}");
	auto_json gateway = conf_change(bare, 0, "{'isGateway':true}");
	auto_json list = newest(gateway);
	auto_outcome outcome = { 0 };
	struct three three;
	char seen[64], address[64] = "";
	if (!add_three(world, list, &three))
		return;
	result_address(three.attachments[1].result, 4, address);
	serve(world, "g1", 80);
	claim(world, ask(NULL, "tcp", address, 80, seen), "the listed one answers before GC");
	claim(world, chain_gc(world, list, one, &outcome), "GC");
	claim(world, ask(NULL, "tcp", address, 80, seen), "the listed one answers after GC");
}

static void point_collect_delegate(struct world *world)
{
	static const char *const none[] = { NULL };
	auto_json changed = conf_with(world, NULL, "{'ipam':{'type':'stub-ipam'}}");
	auto_json list = newest(changed);
	auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
	auto_outcome outcome = { 0 };
	stub_make(world, "stub-ipam", STUB_RESULT);
	netns_make(world, "t1");
	claim(world, chain_do(world, list, "ADD", &one), "ADD");
	stub_order("stub-ipam", "GC.exit", "1");
	stub_order("stub-ipam", "GC.output",
		   "{'cniVersion':'1.1.0','code':123,'msg':'cannot collect'}");
	chain_gc(world, list, none, &outcome);
	claim(world, stub_count("stub-ipam", "GC") == 1, "GC is handed to the delegate");
	claim_error(world, &outcome, 0, "cannot collect", "the delegate's GC fails");
	claim(world, !net_has("t1", "link eth0 "), "what is ours is collected all the same");
}

const struct point collect_points[] = {
	{ 114, "STATUS", NEEDS_V11, point_status },
	{ 114, "STATUS with a full pool", NEEDS_V11 | NEEDS_POOL, point_status_full },
	{ 114, "STATUS of the delegate", NEEDS_V11 | NEEDS_POOL, point_status_delegate },
	{ 115, "STATUS during ADDs", NEEDS_V11, point_status_fast },
	{ 116, "GC reads the list", NEEDS_V11, point_collect_keys },
	{ 117, "GC removes what is not listed", NEEDS_V11, point_collect },
	{ 117, "GC and other networks", NEEDS_V11 | NEEDS_POOL, point_other_network },
	{ 117, "GC and traffic", NEEDS_V11 | NEEDS_POOL | NEEDS_BRIDGE, point_collect_ping },
	{ 119, "GC of the delegate", NEEDS_V11 | NEEDS_POOL, point_collect_delegate },
	{ 0 },
};
