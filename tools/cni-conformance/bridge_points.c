/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Points 37 to 58: the keys of bridge, by what they do. */
#include "conformance.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>

#define IPAM_4 "{'ranges':[[{'subnet':'10.77.0.0/24'}]]}"

static bool add(struct world *world, const struct json_t *list, struct attachment *attachment)
{
	return chain_do(world, list, "ADD", attachment);
}

static void point_foreign_device(struct world *world)
{
	auto_json changed = conf_with(world, "bridge", "{'bridge':'taken0'}");
	auto_json named = conf_top(changed, "{'name':'taken-net'}");
	auto_json list = conf_change(named, 0, "{'ipam':{'ranges':[[{'subnet':'10.88.0.0/24'}]]}}");
	auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
	auto_outcome outcome = { 0 };
	if (!world_warm(world, world->list))
		return;
	netns_make(world, "t1");
	link_make_pair(NULL, "taken0", "other0", NULL);
	world_remember(world);
	plugin_run(world, list, 0, "ADD", &one, NULL, &outcome);
	claim_error(world, &outcome, 0, "taken0", "a bridge's name that another device has");
	claim_clean(world, "a bridge's name that another device has");
}

static void point_taken_interface(struct world *world)
{
	auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
	auto_outcome outcome = { 0 };
	if (!world_warm(world, world->list))
		return;
	netns_make(world, "t1");
	link_make_pair("t1", "eth0", "far", NULL);
	world_remember(world);
	plugin_run(world, world->list, 0, "ADD", &one, NULL, &outcome);
	claim_error(world, &outcome, 0, "eth0", "an interface of that name is there already");
	claim_clean(world, "an interface of that name is there already");
}

static void point_gateway(struct world *world)
{
	auto_json bare = conf_ipam(world, IPAM_4);
	auto_json list = conf_change(bare, 0, "{'isGateway':true,'isDefaultGateway':false}");
	auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
	char forward[8];
	netns_make(world, "t1");
	claim(world, add(world, list, &one), "ADD with isGateway");
	const char *bridge = result_text(one.result, "interfaces.0.name");
	char line[64];
	snprintf(line, sizeof line, "address %s 10.77.0.1/24", bridge);
	claim(world, net_has(NULL, line), "the bridge has the gateway's address");
	sysctl_get(NULL, "net/ipv4/ip_forward", forward, sizeof forward);
	claim(world, text_equal(forward, "1"), "forwarding is on");
	claim(world, ping("t1", "10.77.0.1"), "the gateway answers");
	claim(world, !net_has("t1", "route 0.0.0.0/0"), "there is no default route");
}

static size_t count_lines(const char *netns, const char *start)
{
	auto_words lines = { 0 };
	size_t count = 0;
	net_list(netns, &lines);
	for (size_t i = 0; i < lines.count; i++)
		count += text_starts_with(lines.items[i], start);
	return count;
}

static void point_default_gateway(struct world *world)
{
	static const char *const ipams[] = {
		IPAM_4, "{'ranges':[[{'subnet':'10.77.0.0/24'}]],'routes':[{'dst':'0.0.0.0/0'}]}"
	};
	for (size_t i = 0; i < ARRAY_SIZE(ipams); i++) {
		auto_json bare = conf_ipam(world, ipams[i]);
		auto_json list = conf_change(bare, 0, "{'isDefaultGateway':true}");
		auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
		size_t in_result = 0;
		netns_make(world, "t1");
		claim(world, add(world, list, &one), "ADD with isDefaultGateway");
		claim(world, count_lines("t1", "route 0.0.0.0/0 via 10.77.0.1") == 1,
		      "one default route in the kernel");
		for (size_t k = 0; k < result_count(one.result, "routes"); k++) {
			char path[32];
			snprintf(path, sizeof path, "routes.%zu.dst", k);
			in_result += text_equal(result_text(one.result, path), "0.0.0.0/0");
		}
		claim(world, in_result == 1, "one default route in the result");
		chain_do(world, list, "DEL", &one);
		netns_drop(world, "t1");
	}
}

static void point_bridge_mac(struct world *world)
{
	char first[18] = "", bridge[IFNAMSIZ] = "";
	bool same = true;
	netns_make(world, "t1");
	for (int i = 0; i < 5; i++) {
		auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
		if (!add(world, world->list, &one))
			break;
		snprintf(bridge, sizeof bridge, "%s", result_text(one.result, "interfaces.0.name"));
		struct link_facts facts = link_read(NULL, bridge);
		if (!first[0])
			memcpy(first, facts.mac, sizeof first);
		same = same && text_equal(first, facts.mac);
		chain_do(world, world->list, "DEL", &one);
		facts = link_read(NULL, bridge);
		same = same && (!facts.index || text_equal(first, facts.mac));
	}
	claim(world, first[0] && same, "the bridge's MAC stays while ports come and go");
}

static void point_mtu(struct world *world)
{
	auto_json list = conf_with(world, "bridge", "{'mtu':1400}");
	auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
	netns_make(world, "t1");
	claim(world, add(world, list, &one), "ADD with mtu 1400");
	claim(world, link_read("t1", "eth0").mtu == 1400, "the interface has it");
	claim(world, link_read(NULL, result_text(one.result, "interfaces.1.name")).mtu == 1400,
	      "the host's end has it");
	chain_do(world, list, "DEL", &one);
	static const char *const wrong[] = { "{'mtu':-1}", "{'mtu':65536}", "{'mtu':1.5}" };
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		auto_outcome outcome = { 0 };
		auto_json bad = conf_with(world, "bridge", wrong[i]);
		plugin_run(world, bad, 0, "ADD", &one, NULL, &outcome);
		claim_error(world, &outcome, 7, "mtu", wrong[i]);
	}
}

static void point_hairpin_promisc(struct world *world)
{
	auto_json list = conf_with(world, "bridge", "{'hairpinMode':true,'promiscMode':true}");
	auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
	auto_outcome outcome = { 0 };
	netns_make(world, "t1");
	world_remember(world);
	plugin_run(world, list, 0, "ADD", &one, NULL, &outcome);
	claim_error(world, &outcome, 0, NULL, "hairpinMode with promiscMode");
	claim_clean(world, "hairpinMode with promiscMode");
}

static void point_isolation(struct world *world)
{
	auto_json list = conf_with(world, "bridge", "{'portIsolation':true,'isGateway':true}");
	auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
	auto_attachment two = { .id = "c2", .ifname = "eth0", .netns = "/run/netns/t2" };
	auto_outcome outcome = { 0 };
	char address[64] = "";
	netns_make(world, "t1");
	netns_make(world, "t2");
	chain_run(world, list, "ADD", &one, &outcome);
	if (outcome.status != 0) {
		claim_error(world, &outcome, 2, "portIsolation", "portIsolation");
		return;
	}
	claim(world, add(world, list, &two), "ADD of a second");
	result_address(two.result, 4, address);
	claim(world, !ping("t1", address), "isolated containers do not reach each other");
	claim(world, ping("t1", result_text(one.result, "ips.0.gateway")),
	      "an isolated container reaches the gateway");
}

static void point_vlan(struct world *world)
{
	static const struct {
		const char *change, *key;
		int code;
	} rows[] = {
		{ "{'vlan':-1}", "vlan", 7 },
		{ "{'vlan':4095}", "vlan", 7 },
		{ "{'vlanTrunk':[{'minID':5}]}", "vlanTrunk", 7 },
		{ "{'vlanTrunk':[{'minID':9,'maxID':5}]}", "vlanTrunk", 7 },
		{ "{'vlanTrunk':[{'id':4095}]}", "vlanTrunk", 7 },
	};
	auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
	auto_outcome good = { 0 };
	auto_json none = conf_with(world, "bridge", "{'vlan':0}");
	auto_json list = conf_with(world, "bridge", "{'vlan':100}");
	netns_make(world, "t1");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		auto_outcome outcome = { 0 };
		auto_json bad = conf_with(world, "bridge", rows[i].change);
		plugin_run(world, bad, 0, "ADD", &one, NULL, &outcome);
		claim_error(world, &outcome, rows[i].code, rows[i].key, rows[i].change);
	}
	claim(world, add(world, none, &one), "vlan 0 is none");
	chain_do(world, none, "DEL", &one);
	plugin_run(world, list, 0, "ADD", &one, NULL, &good);
	if (good.status != 0)
		claim_error(world, &good, 2, "vlan", "vlan 100, if it is not supported");
	else
		claim_done(world, &good, "vlan 100");
}

static void point_no_ipam(struct world *world)
{
	auto_json list = conf_with(world, NULL, "{'ipam':null}");
	auto_json empty = conf_with(world, NULL, "{'ipam':null}");
	auto_json down = conf_change(list, 0, "{'disableContainerInterface':true}");
	auto_json both = conf_with(world, NULL, "{'disableContainerInterface':true}");
	auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
	auto_outcome outcome = { 0 }, refused = { 0 }, disabled = { 0 };
	netns_make(world, "t1");
	plugin_run(world, list, 0, "ADD", &one, NULL, &outcome);
	claim_done(world, &outcome, "ADD without ipam");
	claim(world, result_count(outcome.json, "ips") == 0, "the result has no address");
	claim(world, link_read("t1", "eth0").flags & IFF_UP, "the interface is up");
	plugin_run(world, empty, 0, "DEL", &one, outcome.json, &refused);
	claim_done(world, &refused, "DEL without ipam");
	outcome_free(&refused);
	plugin_run(world, both, 0, "ADD", &one, NULL, &refused);
	claim_error(world, &refused, 0, "disableContainerInterface",
		    "disableContainerInterface with an ipam");
	plugin_run(world, down, 0, "ADD", &one, NULL, &disabled);
	if (disabled.status != 0)
		claim_error(world, &disabled, 2, "disableContainerInterface",
			    "disableContainerInterface, if it is not supported");
	else
		claim(world, !(link_read("t1", "eth0").flags & IFF_UP),
		      "disableContainerInterface leaves it down");
}

static void point_mac_request(struct world *world)
{
	auto_json by_args = conf_with(world, NULL, "{'args':{'cni':{'mac':'02:00:00:00:00:0b'}}}");
	auto_json by_runtime = conf_change(by_args, 0, "{'capabilities':{'mac':true}}");
	struct {
		const char *what, *mac;
		const struct json_t *list;
		const char *args, *runtime;
	} rows[] = {
		{ "CNI_ARGS", "02:00:00:00:00:0a", world->list, "MAC=02:00:00:00:00:0a", NULL },
		{ "args.cni before CNI_ARGS", "02:00:00:00:00:0b", by_args, "MAC=02:00:00:00:00:0a",
		  NULL },
		{ "runtimeConfig before both", "02:00:00:00:00:0c", by_runtime,
		  "MAC=02:00:00:00:00:0a", "{'mac':'02:00:00:00:00:0c'}" },
	};
	static const char *const wrong[] = { "MAC=x", "MAC=00:00:00:00:00:00",
					     "MAC=01:00:5e:00:00:01", "MAC=02:00:00:00:00" };
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		auto_attachment one = { .id = "c1",
					.ifname = "eth0",
					.netns = "/run/netns/t1",
					.args = rows[i].args,
					.runtime = rows[i].runtime };
		netns_make(world, "t1");
		claim(world, add(world, rows[i].list, &one), "ADD with a MAC by %s", rows[i].what);
		claim(world, text_equal(link_read("t1", "eth0").mac, rows[i].mac),
		      "the interface has the MAC by %s", rows[i].what);
		chain_do(world, rows[i].list, "DEL", &one);
		netns_drop(world, "t1");
	}
	netns_make(world, "t1");
	world_remember(world);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		auto_outcome outcome = { 0 };
		auto_attachment one = {
			.id = "c1", .ifname = "eth0", .netns = "/run/netns/t1", .args = wrong[i]
		};
		plugin_run(world, world->list, 0, "ADD", &one, NULL, &outcome);
		claim_error(world, &outcome, 0, NULL, wrong[i]);
	}
	claim_clean(world, "after wrong MACs");
}

static void masquerade_case(struct world *world, bool masquerade)
{
	auto_json bare = conf_ipam(world, IPAM_4);
	auto_json list = conf_change(bare, 0,
				     masquerade ? "{'isDefaultGateway':true,'ipMasq':true}"
						: "{'isDefaultGateway':true,'ipMasq':false}");
	auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
	char seen[64], address[64] = "?";
	netns_make(world, "t1");
	claim(world, add(world, list, &one), "ADD with ipMasq %s", masquerade ? "true" : "false");
	result_address(one.result, 4, address);
	route_set("outside", "eth0", "10.77.0.0/24", "198.51.100.1", true);
	claim(world, ask("t1", "tcp", "198.51.100.2", 7000, seen), "the container reaches outside");
	show(world, "the server saw %s", seen);
	claim(world, text_equal(seen, masquerade ? "198.51.100.1" : address), "outside sees %s",
	      masquerade ? "the host's address" : "the container's address");
	claim(world, ask("t1", "udp", "198.51.100.2", 7000, seen), "by UDP too");
	chain_do(world, list, "DEL", &one);
	netns_drop(world, "t1");
}

static void point_masquerade(struct world *world)
{
	static const char *const backends[] = { "{'ipMasqBackend':'iptables'}",
						"{'ipMasqBackend':'nftables'}" };
	outside_make(world);
	serve(world, "outside", 7000);
	masquerade_case(world, true);
	auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
	netns_make(world, "t1");
	for (size_t i = 0; i < ARRAY_SIZE(backends); i++) {
		auto_json first = conf_ipam(world, IPAM_4);
		auto_json list = conf_change(first, 0, backends[i]);
		claim(world, add(world, list, &one), "%s is taken", backends[i]);
		chain_do(world, list, "DEL", &one);
	}
	auto_outcome outcome = { 0 };
	auto_json wrong = conf_with(world, "bridge", "{'ipMasqBackend':'magic','ipMasq':true}");
	plugin_run(world, wrong, 0, "ADD", &one, NULL, &outcome);
	claim_error(world, &outcome, 7, "ipMasqBackend", "an unknown ipMasqBackend");
}

static void point_no_masquerade(struct world *world)
{
	outside_make(world);
	serve(world, "outside", 7000);
	masquerade_case(world, false);
}

static void point_routes(struct world *world)
{
	auto_json list =
		conf_ipam(world, "{'ranges':[[{'subnet':'10.77.0.0/24'}]],'routes':["
				 "{'dst':'10.200.0.0/16'},"
				 "{'dst':'10.201.0.0/16','gw':'10.77.0.77','priority':9}]}");
	auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
	netns_make(world, "t1");
	claim(world, add(world, list, &one), "ADD with routes");
	claim(world, net_has("t1", "route 10.200.0.0/16 via 10.77.0.1 dev eth0"),
	      "a route without gw takes the gateway");
	claim(world,
	      net_has("t1", "route 10.201.0.0/16 via 10.77.0.77 dev eth0 table 254 priority 9"),
	      "a route with gw and priority");
	chain_do(world, list, "DEL", &one);
	auto_outcome outcome = { 0 };
	auto_json wrong = conf_ipam(world, "{'ranges':[[{'subnet':'10.77.0.0/24'}]],'routes':["
					   "{'dst':'10.200.0.0/16','gw':'192.0.2.1'}]}");
	world_remember(world);
	plugin_run(world, wrong, 0, "ADD", &one, NULL, &outcome);
	claim_error(world, &outcome, 0, NULL, "a route whose gateway nobody reaches");
	claim(world, !net_has("t1", "link eth0 "), "no interface is left");
}

static void point_first_packet(struct world *world)
{
	auto_json bare = conf_ipam(world, IPAM_4);
	auto_json list = conf_change(bare, 0, "{'isGateway':true}");
	int rounds = world->settings->is_long ? 200 : 20, lost = 0, failed = 0;
	for (int i = 0; i < rounds; i++) {
		auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
		netns_make(world, "t1");
		failed += !add(world, list, &one);
		lost += !ping("t1", "10.77.0.1");
		chain_do(world, list, "DEL", &one);
		netns_drop(world, "t1");
	}
	show(world, "%d of %d lost, %d ADDs failed", lost, rounds, failed);
	claim(world, lost == 0 && failed == 0, "the first packet after ADD passes, every time");
}

const struct point bridge_points[] = {
	{ 37, "a device that is no bridge", NEEDS_BRIDGE, point_foreign_device },
	{ 38, "the interface is there already", 0, point_taken_interface },
	{ 39, "isGateway", NEEDS_BRIDGE | NEEDS_POOL, point_gateway },
	{ 40, "isDefaultGateway", NEEDS_BRIDGE | NEEDS_POOL, point_default_gateway },
	{ 43, "the bridge's MAC", NEEDS_BRIDGE, point_bridge_mac },
	{ 45, "mtu", NEEDS_BRIDGE, point_mtu },
	{ 46, "hairpinMode with promiscMode", NEEDS_BRIDGE, point_hairpin_promisc },
	{ 46, "portIsolation", NEEDS_BRIDGE, point_isolation },
	{ 47, "vlan and vlanTrunk", NEEDS_BRIDGE, point_vlan },
	{ 53, "no ipam", NEEDS_BRIDGE, point_no_ipam },
	{ 54, "a MAC is asked for", NEEDS_BRIDGE, point_mac_request },
	{ 55, "ipMasq true", NEEDS_BRIDGE | NEEDS_POOL, point_masquerade },
	{ 55, "ipMasq false", NEEDS_BRIDGE | NEEDS_POOL, point_no_masquerade },
	{ 56, "routes", NEEDS_BRIDGE | NEEDS_POOL, point_routes },
	{ 58, "the first packet", NEEDS_BRIDGE | NEEDS_POOL, point_first_packet },
	{ 0 },
};
