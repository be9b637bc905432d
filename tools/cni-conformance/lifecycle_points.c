/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Points 108 to 113, 130, 133: DEL of anything, CHECK that looks. */
#include "conformance.h"

#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include "base/file.h"

#define STUB_RESULT \
	"{'cniVersion':'1.0.0','ips':[{'address':'10.78.0.5/24','gateway':'10.78.0.1'}]}"

/* What is broken between ADD and DEL. */
enum damage {
	DAMAGE_NONE,
	DAMAGE_TWICE,
	DAMAGE_NETNS_EMPTY,
	DAMAGE_NETNS_UNSET,
	DAMAGE_NETNS_GONE,
	DAMAGE_NETNS_FILE,
	DAMAGE_LINK_GONE,
	DAMAGE_NO_PREVIOUS,
	DAMAGE_ODD_PREVIOUS,
	DAMAGE_NO_RUNTIME,
	DAMAGE_NEVER_ADDED,
	DAMAGE_ALL,
};
static const char *const damage_words[] = {
	[DAMAGE_NONE] = "nothing",
	[DAMAGE_TWICE] = "a second DEL",
	[DAMAGE_NETNS_EMPTY] = "CNI_NETNS empty",
	[DAMAGE_NETNS_UNSET] = "CNI_NETNS unset",
	[DAMAGE_NETNS_GONE] = "the namespace gone",
	[DAMAGE_NETNS_FILE] = "the namespace a plain file",
	[DAMAGE_LINK_GONE] = "the link gone",
	[DAMAGE_NO_PREVIOUS] = "no prevResult",
	[DAMAGE_ODD_PREVIOUS] = "a prevResult of an odd form",
	[DAMAGE_NO_RUNTIME] = "no runtimeConfig",
	[DAMAGE_NEVER_ADDED] = "never added",
	[DAMAGE_ALL] = "namespace gone, no prevResult, no runtimeConfig",
};

static void do_damage(struct world *world, enum damage damage, struct attachment *one)
{
	if (damage == DAMAGE_NETNS_EMPTY)
		one->netns = "";
	if (damage == DAMAGE_NETNS_UNSET)
		one->netns = NULL;
	if (damage == DAMAGE_NETNS_GONE || damage == DAMAGE_ALL || damage == DAMAGE_NETNS_FILE)
		netns_drop(world, "t1");
	if (damage == DAMAGE_NETNS_FILE)
		file_put("/run/netns/t1", "");
	if (damage == DAMAGE_LINK_GONE)
		link_delete("t1", "eth0");
	if (damage == DAMAGE_NO_PREVIOUS || damage == DAMAGE_ALL)
		attachment_free_result(one);
	if (damage == DAMAGE_ODD_PREVIOUS) {
		attachment_free_result(one);
		one->result = conf_parse("{'cniVersion':'0.1.0','ip4':{'ip':'10.0.0.1/8'}}");
	}
	if (damage == DAMAGE_NO_RUNTIME || damage == DAMAGE_ALL)
		one->runtime = NULL;
}

static void damage_case(struct world *world, enum damage damage)
{
	auto_outcome outcome = { 0 };
	auto_attachment one = { .id = "c1",
				.ifname = "eth0",
				.netns = "/run/netns/t1",
				.runtime = "{'portMappings':[{'hostPort':8080,'containerPort':80,"
					   "'protocol':'tcp'}]}" };
	char what[100];
	netns_make(world, "t1");
	if (damage != DAMAGE_NEVER_ADDED && !chain_do(world, world->list, "ADD", &one)) {
		claim(world, false, "ADD");
		return;
	}
	do_damage(world, damage, &one);
	snprintf(what, sizeof what, "DEL with %s", damage_words[damage]);
	for (int i = 0; i < (damage == DAMAGE_TWICE ? 2 : 1); i++) {
		chain_run(world, world->list, "DEL", &one, &outcome);
		claim_done(world, &outcome, what);
	}
	netns_drop(world, "t1");
	claim_clean(world, what);
}

static void point_damage(struct world *world)
{
	if (!world_warm(world, world->list))
		return;
	/* The first mapping may leave what all share. */
	damage_case(world, DAMAGE_NONE);
	world_remember(world);
	for (size_t i = 0; i < ARRAY_SIZE(damage_words); i++)
		damage_case(world, (enum damage)i);
}

static void point_changed_conf(struct world *world)
{
	static const char *const changes[] = {
		"{'ipMasq':false}",
		"{'macspoofchk':true}",
		"{'mtu':1300}",
		"{'ipam':{'ranges':null,'subnet':'10.200.0.0/24'}}",
		"{'ipam':{'ranges':null,'subnet':'no subnet'}}",
		"{'mtu':'wrong'}",
	};
	if (!world_warm(world, world->list))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		auto_outcome outcome = { 0 };
		auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
		auto_json list = conf_with(world, NULL, changes[i]);
		netns_make(world, "t1");
		claim(world, chain_do(world, world->list, "ADD", &one), "ADD");
		chain_run(world, list, "DEL", &one, &outcome);
		claim_done(world, &outcome, changes[i]);
		netns_drop(world, "t1");
		claim_clean(world, changes[i]);
		chain_do(world, world->list, "DEL", &one);
	}
}

static void point_ipam_fails(struct world *world)
{
	auto_json list = conf_with(world, NULL, "{'ipam':{'type':'stub-ipam'}}");
	auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
	auto_outcome failed = { 0 }, done = { 0 };
	stub_make(world, "stub-ipam", STUB_RESULT);
	netns_make(world, "t1");
	claim(world, chain_do(world, list, "ADD", &one), "ADD");
	stub_order("stub-ipam", "DEL.exit", "1");
	stub_order("stub-ipam", "DEL.output",
		   "{'cniVersion':'1.0.0','code':100,'msg':'not today'}");
	plugin_run(world, list, 0, "DEL", &one, one.result, &failed);
	claim_error(world, &failed, 100, "not today", "DEL whose IPAM fails");
	claim(world, !net_has("t1", "link eth0 "), "the interface is gone all the same");
	stub_order("stub-ipam", "DEL.exit", "0");
	stub_order("stub-ipam", "DEL.output", "");
	plugin_run(world, list, 0, "DEL", &one, one.result, &done);
	claim_done(world, &done, "DEL after the repair");
}

static void point_check_tolerates(struct world *world)
{
	int rounds = world->settings->is_long ? 100 : 10, failed = 0;
	auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
	netns_make(world, "t1");
	claim(world, chain_do(world, world->list, "ADD", &one), "ADD");
	world_remember(world);
	for (int i = 0; i < rounds; i++)
		failed += !chain_do(world, world->list, "CHECK", &one);
	claim(world, failed == 0, "CHECK right after ADD, %d times", rounds);
	claim_clean(world, "CHECK");
	address_set("t1", "eth0", "10.250.0.1/24", true);
	claim(world, chain_do(world, world->list, "CHECK", &one), "CHECK accepts one more address");
	route_set("t1", "eth0", "10.251.0.0/16", NULL, true);
	claim(world, chain_do(world, world->list, "CHECK", &one), "CHECK accepts one more route");
	const char *host_end = result_text(one.result, "interfaces.1.name");
	if (host_end[0] && !result_text(one.result, "interfaces.1.sandbox")[0]) {
		link_set_mac(NULL, host_end, "02:00:00:00:00:77");
		claim(world, chain_do(world, world->list, "CHECK", &one),
		      "CHECK accepts a host end whose MAC udev changed");
	}
}

/* Each removes one thing that CHECK must miss. */
static void remove_link(struct attachment *one)
{
	(void)one;
	link_delete("t1", "eth0");
}

static void remove_address(struct attachment *one)
{
	address_set("t1", "eth0", result_text(one->result, "ips.0.address"), false);
}

static void remove_route(struct attachment *one)
{
	(void)one;
	route_set("t1", "eth0", "10.88.0.0/16", NULL, false);
}

static void remove_bridge(struct attachment *one)
{
	link_delete(NULL, result_text(one->result, "interfaces.0.name"));
}

static void remove_host_end(struct attachment *one)
{
	(void)one;
	link_delete("t1", "eth0");
	link_make_pair("t1", "eth0", "far", NULL);
	address_set("t1", "eth0", result_text(one->result, "ips.0.address"), true);
}

static void point_check_misses(struct world *world)
{
	static const struct {
		const char *what;
		void (*remove)(struct attachment *one);
		bool is_bridge;
	} rows[] = {
		{ "the container's link", remove_link, false },
		{ "its address", remove_address, false },
		{ "a route", remove_route, false },
		{ "the bridge", remove_bridge, true },
		{ "the host's end, replaced by a stranger's", remove_host_end, false },
	};
	bool pool = result_has(world->list, "plugins.0.ipam.ranges") ||
		    result_has(world->list, "plugins.0.ipam.subnet");
	auto_json list = pool ? conf_ipam(world, "{'ranges':[[{'subnet':'10.77.0.0/24'}]],"
						 "'routes':[{'dst':'10.88.0.0/16'}]}")
			      : json_clone(world->list);
	auto_outcome none = { 0 };
	auto_attachment bare = { .id = "c9", .ifname = "eth0", .netns = "/run/netns/t9" };
	netns_make(world, "t9");
	plugin_run(world, list, 0, "CHECK", &bare, NULL, &none);
	claim_error(world, &none, 0, NULL, "CHECK without prevResult");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		auto_outcome outcome = { 0 };
		auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
		char what[100];
		if (rows[i].is_bridge && chain_find(world, list, "bridge") < 0)
			continue;
		netns_make(world, "t1");
		claim(world, chain_do(world, list, "ADD", &one), "ADD");
		rows[i].remove(&one);
		chain_run(world, list, "CHECK", &one, &outcome);
		snprintf(what, sizeof what, "CHECK misses %s", rows[i].what);
		claim_error(world, &outcome, 0, NULL, what);
		claim(world, chain_do(world, list, "DEL", &one), "DEL without %s", rows[i].what);
		netns_drop(world, "t1");
	}
}

static void point_check_delegate(struct world *world)
{
	auto_json list = conf_with(world, NULL, "{'ipam':{'type':'stub-ipam'}}");
	auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
	auto_outcome outcome = { 0 };
	stub_make(world, "stub-ipam", STUB_RESULT);
	netns_make(world, "t1");
	claim(world, chain_do(world, list, "ADD", &one), "ADD");
	claim(world, chain_do(world, list, "CHECK", &one), "CHECK");
	claim(world, stub_count("stub-ipam", "CHECK") == 1, "the delegate's CHECK was called");
	stub_order("stub-ipam", "CHECK.exit", "1");
	stub_order("stub-ipam", "CHECK.output",
		   "{'cniVersion':'1.0.0','code':123,'msg':'lease is lost'}");
	plugin_run(world, list, 0, "CHECK", &one, one.result, &outcome);
	claim_error(world, &outcome, 123, "lease is lost", "the delegate's CHECK fails");
}

static void point_check_without_ipam(struct world *world)
{
	auto_json list = conf_with(world, NULL, "{'ipam':null}");
	auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
	auto_outcome add = { 0 }, check = { 0 };
	netns_make(world, "t1");
	plugin_run(world, list, 0, "ADD", &one, NULL, &add);
	claim_done(world, &add, "ADD without ipam");
	plugin_run(world, list, 0, "CHECK", &one, add.json, &check);
	claim_done(world, &check, "CHECK without ipam");
}

/* What a boot takes away: namespaces, links, /run and bpffs. /var stays. */
static void point_reboot(struct world *world)
{
	auto_json list = conf_ipam(world, "{'subnet':'10.77.0.0/24'}");
	auto_attachment old = {
		.id = "old", .ifname = "eth0", .netns = "/run/netns/t1", .args = "IP=10.77.0.50"
	};
	auto_attachment new = {
		.id = "new", .ifname = "eth0", .netns = "/run/netns/t2", .args = "IP=10.77.0.50"
	};
	auto_outcome outcome = { 0 };
	struct error err;
	netns_make(world, "t1");
	claim(world, chain_do(world, list, "ADD", &old), "ADD before the boot");
	const char *bridge = result_text(old.result, "interfaces.0.name");
	netns_drop(world, "t1");
	if (chain_find(world, list, "bridge") == 0)
		link_delete(NULL, bridge);
	umount2("/sys/fs/bpf", MNT_DETACH);
	mount("bpf", "/sys/fs/bpf", "bpf", 0, NULL);
	tree_remove("/run/wherry", &err);
	tree_remove("/run/cni", &err);
	netns_make(world, "t2");
	chain_run(world, list, "ADD", &new, &outcome);
	claim_done(world, &outcome, "after the boot its address can be asked for");
	chain_run(world, list, "DEL", &old, &outcome);
	claim_done(world, &outcome, "DEL of what the boot ended");
	claim(world, net_has("t2", "address eth0 10.77.0.50/24"), "the new holder keeps it");
}

static void point_late_del(struct world *world)
{
	auto_json list = conf_ipam(world, "{'subnet':'10.77.0.0/24'}");
	auto_attachment a = { .id = "a", .ifname = "eth0", .netns = "/run/netns/t1" };
	auto_attachment b = { .id = "b", .ifname = "eth0", .netns = "/run/netns/t2" };
	char address[64] = "", request[80];
	netns_make(world, "t1");
	netns_make(world, "t2");
	claim(world, chain_do(world, list, "ADD", &a), "ADD of a");
	result_address(a.result, 4, address);
	claim(world, chain_do(world, list, "DEL", &a), "DEL of a");
	snprintf(request, sizeof request, "IP=%s", address);
	b.args = request;
	claim(world, chain_do(world, list, "ADD", &b), "ADD of b with a's address");
	claim(world, chain_do(world, list, "DEL", &a), "a late DEL of a, with its prevResult");
	claim(world, net_has("t2", "address eth0 ") && chain_do(world, list, "CHECK", &b),
	      "b is whole after that");
}

const struct point lifecycle_points[] = {
	{ 108, "DEL of what is damaged", 0, point_damage },
	{ 109, "DEL with another configuration", NEEDS_BRIDGE | NEEDS_POOL, point_changed_conf },
	{ 110, "DEL whose IPAM fails", NEEDS_POOL, point_ipam_fails },
	{ 111, "CHECK accepts what others may do", 0, point_check_tolerates },
	{ 112, "CHECK misses what is gone", 0, point_check_misses },
	{ 113, "CHECK of the delegate", NEEDS_POOL, point_check_delegate },
	{ 113, "CHECK without ipam", NEEDS_BRIDGE, point_check_without_ipam },
	{ 130, "after a boot", NEEDS_POOL, point_reboot },
	{ 133, "a late DEL", NEEDS_POOL, point_late_del },
	{ 0 },
};
