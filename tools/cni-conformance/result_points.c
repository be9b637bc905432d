/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Points 31 to 36: what a result says, and how lists hand it on. */
#include "conformance.h"

#include <stdio.h>
#include <string.h>

#define RICH_RESULT                                                                      \
	"{'cniVersion':'1.1.0','interfaces':[{'name':'br9','mac':'02:00:00:00:00:01'},"  \
	"{'name':'eth0','mac':'02:00:00:00:00:02','sandbox':'/run/netns/t1','mtu':1400," \
	"'socketPath':'/s','pciID':'0000:00:00.0'}],"                                    \
	"'ips':[{'interface':1,'address':'10.78.0.5/24','gateway':'10.78.0.1'}],"        \
	"'routes':[{'dst':'0.0.0.0/0','gw':'10.78.0.1','mtu':1300,'advmss':1200,"        \
	"'priority':7,'table':100,'scope':0}],'dns':{'nameservers':['10.78.0.1']}}"

/* The container's interface in a result; -1 if there is none. */
static int container_index(const struct json_t *result, const char *ifname)
{
	for (size_t i = 0; i < result_count(result, "interfaces"); i++) {
		char name[48], sandbox[48];
		snprintf(name, sizeof name, "interfaces.%zu.name", i);
		snprintf(sandbox, sizeof sandbox, "interfaces.%zu.sandbox", i);
		if (text_equal(result_text(result, name), ifname) &&
		    result_text(result, sandbox)[0])
			return (int)i;
	}
	return -1;
}

static void point_interfaces(struct world *world)
{
	auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
	netns_make(world, "t1");
	claim(world, chain_do(world, world->list, "ADD", &one), "ADD");
	int index = container_index(one.result, "eth0");
	claim(world, index >= 0, "interfaces hold the container's, with its sandbox");
	if (text_equal(chain_type(world->list, 0), "bridge") ||
	    chain_find(world, world->list, "bridge") == 0)
		claim(world, index == 2, "they are bridge, host veth, container, in this order");
	for (size_t i = 0; i < result_count(one.result, "interfaces"); i++) {
		char path[48];
		snprintf(path, sizeof path, "interfaces.%zu.sandbox", i);
		if ((int)i != index)
			claim(world, !result_text(one.result, path)[0],
			      "interface %zu of the host has no sandbox", i);
	}
	for (size_t i = 0; i < result_count(one.result, "ips"); i++) {
		char path[48];
		snprintf(path, sizeof path, "ips.%zu.interface", i);
		claim(world, result_number(one.result, path, -1) == index,
		      "address %zu points at the container's interface", i);
	}
}

static void point_addresses(struct world *world)
{
	auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
	netns_make(world, "t1");
	claim(world, chain_do(world, world->list, "ADD", &one), "ADD");
	for (size_t i = 0; i < result_count(one.result, "interfaces"); i++) {
		char name_path[48], mac_path[48], sandbox_path[48];
		snprintf(name_path, sizeof name_path, "interfaces.%zu.name", i);
		snprintf(mac_path, sizeof mac_path, "interfaces.%zu.mac", i);
		snprintf(sandbox_path, sizeof sandbox_path, "interfaces.%zu.sandbox", i);
		const char *name = result_text(one.result, name_path);
		const char *mac = result_text(one.result, mac_path);
		bool inner = result_text(one.result, sandbox_path)[0];
		struct link_facts facts = link_read(inner ? "t1" : NULL, name);
		show(world, "result %s, kernel %s", mac, facts.mac);
		if (mac[0])
			claim(world, text_equal(mac, facts.mac), "the MAC of %s is the kernel's",
			      inner ? "the container's interface" : "a host interface");
	}
	for (size_t i = 0; i < result_count(one.result, "ips"); i++) {
		char path[48], line[128];
		snprintf(path, sizeof path, "ips.%zu.address", i);
		snprintf(line, sizeof line, "address eth0 %s", result_text(one.result, path));
		claim(world, net_has("t1", line), "the result's address %zu is the kernel's", i);
		snprintf(path, sizeof path, "ips.%zu.gateway", i);
		claim(world, !strchr(result_text(one.result, path), '/'),
		      "gateway %zu is a bare address", i);
	}
}

static void pass_through(struct world *world, const struct json_t *list, const struct json_t *given,
			 size_t index)
{
	auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
	auto_outcome outcome = { 0 };
	const char *type = chain_type(list, index);
	plugin_run(world, list, index, "ADD", &one, given, &outcome);
	claim(world, outcome.status == 0, "%s: chained ADD with nothing to do", type);
	if (outcome.status != 0)
		return;
	static const char *const paths[] = { "interfaces.1.mtu",   "interfaces.1.socketPath",
					     "interfaces.1.pciID", "routes.0.mtu",
					     "routes.0.advmss",    "routes.0.priority",
					     "routes.0.table",     "dns.nameservers.0" };
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		claim(world, result_has(outcome.json, paths[i]), "%s: %s survives", type, paths[i]);
	claim(world, json_same(outcome.json, given), "%s: prevResult comes out unchanged", type);
}

static void point_pass_through(struct world *world)
{
	auto_json given = conf_parse(RICH_RESULT);
	auto_json list = conf_top(world->list, "{'cniVersion':'1.1.0'}");
	netns_make(world, "t1");
	link_make_pair("t1", "eth0", "far", NULL);
	address_set("t1", "eth0", "10.78.0.5/24", true);
	for (size_t i = 1; i < chain_length(list); i++)
		pass_through(world, list, given, i);
}

static bool add_and_delete(struct world *world, const struct json_t *list)
{
	auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
	bool done = chain_do(world, list, "ADD", &one);
	done = done && net_has("t1", "address eth0 ");
	return chain_do(world, list, "DEL", &one) && done;
}

static void point_orders(struct world *world)
{
	size_t length = chain_length(world->list), order[16];
	if (length > ARRAY_SIZE(order) || !world_warm(world, world->list))
		return;
	netns_make(world, "t1");
	world_remember(world);
	for (size_t turn = 0; turn + 1 < length; turn++) {
		order[0] = 0;
		for (size_t i = 1; i < length; i++)
			order[i] = 1 + (i - 1 + turn) % (length - 1);
		auto_json list = conf_pick(world->list, order, length);
		claim(world, add_and_delete(world, list), "with %s first after the main plugin",
		      chain_type(list, 1));
		for (size_t i = 1; i + 1 < length; i++)
			order[i] = 1 + (i - 1 + (i - 1 >= turn)) % length;
		auto_json shorter = conf_pick(world->list, order, length - 1);
		claim(world, add_and_delete(world, shorter), "without %s",
		      chain_type(world->list, 1 + turn));
	}
	claim_clean(world, "all orders");
}

static void point_neighbours(struct world *world)
{
	auto_json after = conf_parse("{'type':'stub-after'}");
	auto_json list = conf_merge(world->list, world->list);
	struct json_at root = json_root(list, "list"), plugins = json_member(&root, "plugins");
	auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
	auto_json change = json_new_object();
	struct json_t *array = json_new_array();
	for (size_t i = 0; i < json_count(&plugins); i++)
		json_append(array, json_clone(json_element(&plugins, i).value));
	json_append(array, json_clone(after));
	json_put(change, "plugins", array);
	auto_json whole = conf_merge(list, change);
	stub_make(world, "stub-after", NULL);
	netns_make(world, "t1");
	claim(world, chain_do(world, whole, "ADD", &one), "ADD with a stranger at the end");
	auto_free char *input = stub_note("stub-after", "ADD", "stdin");
	claim(world, input && strstr(input, "\"prevResult\""), "the stranger got the result");
	claim(world, chain_do(world, whole, "DEL", &one), "DEL with a stranger at the end");
	claim(world, !net_has("t1", "link eth0 "), "the interface is gone");
}

static void point_dns(struct world *world)
{
	static const struct {
		const char *dns, *nameserver, *what;
	} rows[] = {
		{ "{'dns':null}", "10.9.9.9", "no dns: the IPAM's stays" },
		{ "{'dns':{}}", "10.9.9.9", "an empty dns: the IPAM's stays" },
		{ "{'dns':{'nameservers':['10.8.8.8']}}", "10.8.8.8",
		  "nameservers: replace the IPAM's" },
		{ "{'dns':{'search':['x.test']}}", "",
		  "search alone: replaces the IPAM's as a whole" },
	};
	auto_json foreign = conf_with(world, NULL, "{'ipam':{'type':'stub-ipam'}}");
	stub_make(world, "stub-ipam",
		  "{'cniVersion':'1.0.0','ips':[{'address':'10.78.0.5/24'}],"
		  "'dns':{'nameservers':['10.9.9.9']}}");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
		auto_outcome outcome = { 0 };
		auto_json list = conf_change(foreign, 0, rows[i].dns);
		netns_make(world, "t1");
		plugin_run(world, list, 0, "ADD", &one, NULL, &outcome);
		claim_done(world, &outcome, rows[i].what);
		claim(world,
		      text_equal(result_text(outcome.json, "dns.nameservers.0"),
				 rows[i].nameserver),
		      "%s", rows[i].what);
		chain_do(world, list, "DEL", &one);
		netns_drop(world, "t1");
	}
}

const struct point result_points[] = {
	{ 31, "interfaces of the result", 0, point_interfaces },
	{ 32, "MACs and addresses of the result", 0, point_addresses },
	{ 33, "new members survive the list", NEEDS_CHAIN | NEEDS_V11, point_pass_through },
	{ 35, "any order, and any left out", NEEDS_CHAIN, point_orders },
	{ 35, "a stranger after ours", 0, point_neighbours },
	{ 36, "dns of configuration and IPAM", NEEDS_POOL, point_dns },
	{ 0 },
};
