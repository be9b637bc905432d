/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Points 59 to 73, 131: host-local's configuration, by the addresses that come out. */
#include "conformance.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"

/* ADD number `index` of a container of its own; its first address in ret ("" if it failed). */
static void take(struct world *world, const struct json_t *list, int index, const char *args,
		 struct outcome *ret)
{
	char id[16], name[16], netns[48];
	snprintf(id, sizeof id, "c%d", index);
	snprintf(name, sizeof name, "t%d", index);
	snprintf(netns, sizeof netns, "/run/netns/t%d", index);
	auto_attachment one = { .id = id, .ifname = "eth0", .netns = netns, .args = args };
	netns_make(world, name);
	plugin_run(world, list, 0, "ADD", &one, NULL, ret);
}

static bool give_back(struct world *world, const struct json_t *list, int index)
{
	char id[16], name[16], netns[48];
	snprintf(id, sizeof id, "c%d", index);
	snprintf(name, sizeof name, "t%d", index);
	snprintf(netns, sizeof netns, "/run/netns/t%d", index);
	auto_attachment one = { .id = id, .ifname = "eth0", .netns = netns };
	auto_outcome outcome = { 0 };
	plugin_run(world, list, 0, "DEL", &one, NULL, &outcome);
	netns_drop(world, name);
	return outcome.status == 0;
}

static void claim_address(struct world *world, const char *ipam, const char *wanted)
{
	auto_json list = conf_ipam(world, ipam);
	auto_outcome outcome = { 0 };
	take(world, list, 1, NULL, &outcome);
	claim(world, text_equal(result_text(outcome.json, "ips.0.address"), wanted), "%s: %s", ipam,
	      wanted);
	give_back(world, list, 1);
}

static void point_forms(struct world *world)
{
	claim_address(world,
		      "{'subnet':'10.77.0.0/24','rangeStart':'10.77.0.20',"
		      "'rangeEnd':'10.77.0.30','gateway':'10.77.0.254'}",
		      "10.77.0.20/24");
	claim_address(world, "{'ranges':[[{'subnet':'10.78.0.0/24','rangeStart':'10.78.0.20'}]]}",
		      "10.78.0.20/24");
	auto_json list = conf_ipam(world, "{'ranges':[[{'subnet':'10.79.0.0/30'},"
					  "{'subnet':'10.79.0.4/30'}]]}");
	auto_outcome first = { 0 }, second = { 0 };
	take(world, list, 2, NULL, &first);
	take(world, list, 3, NULL, &second);
	claim(world, text_equal(result_text(first.json, "ips.0.address"), "10.79.0.2/30"),
	      "a set of two /30: the first's address");
	claim(world, text_equal(result_text(second.json, "ips.0.address"), "10.79.0.6/30"),
	      "a set of two /30: the second's address");
	claim(world, result_count(first.json, "ips") == 1, "a set gives one address");
}

static void point_two_sets(struct world *world)
{
	auto_json list = conf_ipam(world, "{'ranges':[[{'subnet':'10.77.0.0/24'}],"
					  "[{'subnet':'fd00:77::/64'}]]}");
	auto_outcome outcome = { 0 };
	take(world, list, 1, NULL, &outcome);
	claim_done(world, &outcome, "ADD with a set of each family");
	claim(world, result_count(outcome.json, "ips") == 2, "each set gives an address");
	claim(world,
	      net_has("t1", "address eth0 10.77.0.2/24") &&
		      net_has("t1", "address eth0 fd00:77::2/64"),
	      "both are set");
	claim(world, ping("t1", "10.77.0.1") || !result_has(world->list, "plugins.0.isGateway"),
	      "the IPv4 gateway answers");
}

static void point_wrong_ranges(struct world *world)
{
	static const struct {
		const char *ipam, *needle;
	} rows[] = {
		{ "{'ranges':[]}", NULL },
		{ "{'ranges':[[]]}", "range" },
		{ "{'subnet':'10.77.0.5/24'}", "10.77.0.5" },
		{ "{'subnet':'10.77.0.0/31'}", "10.77.0.0/31" },
		{ "{'subnet':'10.77.0.0/32'}", "10.77.0.0/32" },
		{ "{'subnet':'fd00::/127'}", "fd00::/127" },
		{ "{'subnet':'10.77.0.0/24','rangeStart':'10.78.0.1'}", "10.78.0.1" },
		{ "{'subnet':'10.77.0.0/24','rangeEnd':'10.78.0.1'}", "10.78.0.1" },
		{ "{'subnet':'10.77.0.0/24','rangeStart':'10.77.0.9','rangeEnd':'10.77.0.8'}",
		  "10.77.0" },
		{ "{'ranges':[[{'subnet':'10.77.0.0/24'},{'subnet':'fd00::/64'}]]}", "fd00::" },
		{ "{'ranges':[[{'subnet':'10.77.0.0/24'},{'subnet':'10.77.0.0/25'}]]}", "10.77.0" },
		{ "{'ranges':[[{'subnet':'10.77.0.0/24'}],[{'subnet':'10.77.0.0/25'}]]}",
		  "10.77.0" },
		{ "{'subnet':'10.77.0.0/24','gateway':'fd00::1'}", "gateway" },
		{ "{'subnet':'10.77.0.0/24','rangeStart':'10.77.0.0'}", "10.77.0.0" },
		{ "{'subnet':'10.77.0.0/24','rangeEnd':'10.77.0.255'}", "10.77.0.255" },
		{ "{'subnet':'x'}", "subnet" },
	};
	if (!world_warm(world, world->list))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		auto_outcome outcome = { 0 };
		auto_json list = conf_ipam(world, rows[i].ipam);
		take(world, list, 1, NULL, &outcome);
		claim_error(world, &outcome, 7, rows[i].needle, rows[i].ipam);
		claim(world, outcome.status >= 0 && outcome.status < 128, "%s: no crash",
		      rows[i].ipam);
		if (outcome.status == 0)
			give_back(world, list, 1);
		netns_drop(world, "t1");
	}
	claim_clean(world, "after wrong ranges");
}

static void point_defaults(struct world *world)
{
	auto_json list = conf_ipam(world, "{'subnet':'10.77.0.0/29'}");
	bool right = true;
	for (int i = 2; i <= 6; i++) {
		auto_outcome outcome = { 0 };
		char wanted[24];
		snprintf(wanted, sizeof wanted, "10.77.0.%d/29", i);
		take(world, list, i, NULL, &outcome);
		right = right && text_equal(result_text(outcome.json, "ips.0.address"), wanted);
	}
	claim(world, right, "a /29 gives .2 to .6, both ends and never the gateway");
	auto_outcome full = { 0 };
	take(world, list, 7, NULL, &full);
	claim_error(world, &full, 0, "10.77.0", "the sixth of a /29");
}

static void point_next_fit(struct world *world)
{
	auto_json list = conf_ipam(world, "{'subnet':'10.77.0.0/24'}");
	char seen[3][64] = { "" };
	for (int i = 0; i < 3; i++) {
		auto_outcome outcome = { 0 };
		take(world, list, 1, NULL, &outcome);
		result_address(outcome.json, 4, seen[i]);
		give_back(world, list, 1);
	}
	show(world, "%s, %s, %s", seen[0], seen[1], seen[2]);
	claim(world,
	      seen[0][0] && !text_equal(seen[0], seen[1]) && !text_equal(seen[1], seen[2]) &&
		      !text_equal(seen[0], seen[2]),
	      "a freed address rests: three ADDs, three addresses");
}

static void point_exhausted(struct world *world)
{
	auto_json list = conf_ipam(world, "{'subnet':'10.77.0.0/30'}");
	auto_outcome first = { 0 }, second = { 0 }, third = { 0 };
	take(world, list, 1, NULL, &first);
	claim_done(world, &first, "the one address of a /30");
	take(world, list, 2, NULL, &second);
	claim_error(world, &second, 0, "10.77.0", "the second of a /30");
	claim(world, !net_has("t2", "link eth0 "), "no interface is left");
	claim(world, give_back(world, list, 1), "DEL");
	take(world, list, 3, NULL, &third);
	claim_done(world, &third, "the address is free again");
}

static void point_requests(struct world *world)
{
	auto_json list = conf_ipam(world, "{'subnet':'10.77.0.0/24'}");
	auto_json by_args = conf_change(list, 0, "{'args':{'cni':{'ips':['10.77.0.51']}}}");
	auto_json by_runtime = conf_change(list, 0, "{'capabilities':{'ips':true}}");
	struct {
		const char *what, *wanted, *args, *runtime;
		const struct json_t *list;
	} rows[] = {
		{ "CNI_ARGS", "10.77.0.50/24", "IP=10.77.0.50", NULL, list },
		{ "args.cni.ips", "10.77.0.51/24", NULL, NULL, by_args },
		{ "runtimeConfig.ips", "10.77.0.52/24", NULL, "{'ips':['10.77.0.52/24']}",
		  by_runtime },
		{ "runtimeConfig.ips without a length", "10.77.0.53/24", NULL,
		  "{'ips':['10.77.0.53']}", by_runtime },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		auto_attachment one = { .id = "c1",
					.ifname = "eth0",
					.netns = "/run/netns/t1",
					.args = rows[i].args,
					.runtime = rows[i].runtime };
		netns_make(world, "t1");
		claim(world, chain_do(world, rows[i].list, "ADD", &one), "an address by %s",
		      rows[i].what);
		claim(world, text_equal(result_text(one.result, "ips.0.address"), rows[i].wanted),
		      "it is %s", rows[i].wanted);
		chain_do(world, rows[i].list, "DEL", &one);
		netns_drop(world, "t1");
	}
}

static void point_wrong_requests(struct world *world)
{
	static const struct {
		const char *what, *args;
	} rows[] = {
		{ "an address that is taken", "IP=10.77.0.50" },
		{ "the gateway", "IP=10.77.0.1" },
		{ "an address of no range", "IP=10.99.0.1" },
		{ "no address at all", "IP=x" },
	};
	auto_json list = conf_ipam(world, "{'subnet':'10.77.0.0/24'}");
	auto_outcome holder = { 0 };
	take(world, list, 9, "IP=10.77.0.50", &holder);
	claim_done(world, &holder, "the holder");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		auto_outcome outcome = { 0 };
		netns_make(world, "t1");
		world_remember(world);
		netns_drop(world, "t1");
		take(world, list, 1, rows[i].args, &outcome);
		claim_error(world, &outcome, 0, rows[i].args + 3, rows[i].what);
		claim_clean(world, rows[i].what);
		give_back(world, list, 1);
	}
}

static void point_again(struct world *world)
{
	auto_json list = conf_ipam(world, "{'subnet':'10.77.0.0/24'}");
	auto_attachment other = { .id = "c1", .ifname = "eth1", .netns = "/run/netns/t1" };
	auto_outcome first = { 0 }, again = { 0 }, second = { 0 }, del = { 0 };
	take(world, list, 1, NULL, &first);
	auto_attachment same = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
	plugin_run(world, list, 0, "ADD", &same, NULL, &again);
	claim_error(world, &again, 0, NULL, "ADD of the same container and interface");
	claim(world, net_has("t1", "address eth0 10.77.0.2/24"), "the first one stays");
	plugin_run(world, list, 0, "ADD", &other, NULL, &second);
	claim_done(world, &second, "ADD of another interface");
	claim(world, text_equal(result_text(second.json, "ips.0.address"), "10.77.0.3/24"),
	      "it has a lease of its own");
	plugin_run(world, list, 0, "DEL", &other, NULL, &del);
	claim_done(world, &del, "DEL of the second");
	claim(world, net_has("t1", "address eth0 10.77.0.2/24") && !net_has("t1", "link eth1 "),
	      "DEL frees its own only");
}

static void point_resolv(struct world *world)
{
	auto_json list = conf_ipam(world, "{'subnet':'10.77.0.0/24','resolvConf':'/run/witness/r',"
					  "'routes':[{'dst':'10.1.0.0/16'}]}");
	auto_json missing = conf_ipam(world, "{'subnet':'10.77.0.0/24','resolvConf':'/run/none'}");
	auto_outcome outcome = { 0 }, failed = { 0 };
	file_put("/run/witness/r", "# x\nnameserver 10.5.5.5\ndomain d.test\nsearch a.test b.test\n"
				   "options ndots:2\n");
	take(world, list, 1, NULL, &outcome);
	claim(world, text_equal(result_text(outcome.json, "dns.nameservers.0"), "10.5.5.5"),
	      "resolvConf: nameserver");
	claim(world, text_equal(result_text(outcome.json, "dns.domain"), "d.test"),
	      "resolvConf: domain");
	claim(world, text_equal(result_text(outcome.json, "dns.search.1"), "b.test"),
	      "resolvConf: search");
	claim(world, text_equal(result_text(outcome.json, "dns.options.0"), "ndots:2"),
	      "resolvConf: options");
	claim(world, text_equal(result_text(outcome.json, "routes.0.dst"), "10.1.0.0/16"),
	      "routes come back");
	take(world, missing, 2, NULL, &failed);
	claim_error(world, &failed, 0, "/run/none", "resolvConf names no file");
}

static void point_two_names(struct world *world)
{
	auto_json list = conf_ipam(world, "{'subnet':'10.77.0.0/24'}");
	auto_json named = conf_top(list, "{'name':'other-name'}");
	auto_outcome first = { 0 }, second = { 0 };
	auto_json change = conf_change(named, 0, "{'bridge':'cni9'}");
	take(world, list, 1, NULL, &first);
	take(world, change, 2, NULL, &second);
	if (second.status == 0)
		claim(world,
		      text_equal(result_text(first.json, "ips.0.address"),
				 result_text(second.json, "ips.0.address")),
		      "two networks of one subnet do not see each other's leases");
	else
		claim_error(world, &second, 0, "10.77.0.0/24",
			    "two networks of one subnet, if they are refused");
}

static void point_import(struct world *world)
{
	auto_json list = conf_ipam(world, "{'subnet':'10.77.0.0/24','dataDir':'/run/leases'}");
	char folder[PATH_MAX_BYTES], path[PATH_MAX_BYTES + 32];
	struct error err;
	auto_outcome outcome = { 0 };
	snprintf(folder, sizeof folder, "/run/leases/%s", chain_text(list, "name"));
	if (directory_make(folder, 0755, &err) < 0)
		show(world, "%s", err.text);
	snprintf(path, sizeof path, "%s/10.77.0.2", folder);
	file_put(path, "old\r\neth0");
	snprintf(path, sizeof path, "%s/last_reserved_ip.0", folder);
	file_put(path, "10.77.0.2");
	take(world, list, 1, NULL, &outcome);
	claim(world, text_equal(result_text(outcome.json, "ips.0.address"), "10.77.0.3/24"),
	      "an address that lies in host-local's folder is not given out");
}

static void point_alone(struct world *world)
{
	const char *type = world->settings->ipam_type;
	auto_json list = conf_parse("{'cniVersion':'1.0.0','name':'alone','plugins':[{'type':'x',"
				    "'ipam':{'ranges':[[{'subnet':'10.66.0.0/24'}]],"
				    "'routes':[{'dst':'0.0.0.0/0'}]}}]}");
	auto_json change = json_new_object();
	auto_json ipam = json_new_object();
	json_put_string(ipam, "type", type);
	json_put(change, "ipam", json_clone(ipam));
	auto_free char *change_text = NULL;
	struct error err;
	if (json_format(change, JSON_COMPACT, &change_text, &err) < 0)
		return;
	auto_json whole = conf_change(list, 0, change_text);
	auto_free char *input = chain_input(whole, 0, NULL, NULL);
	static const char *const commands[] = { "ADD", "CHECK", "DEL", "DEL" };
	auto_json result = NULL;
	netns_make(world, "t1");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
		auto_free char *with = i ? chain_input(whole, 0, &one, result) : strdup(input);
		auto_outcome outcome = { 0 };
		struct call call = { .type = type,
				     .command = commands[i],
				     .id = "c1",
				     .netns = "/run/netns/t1",
				     .ifname = "eth0",
				     .path = world->path,
				     .input = with };
		call_run(world, &call, &outcome);
		claim(world, outcome.status == 0, "%s alone: %s", type, commands[i]);
		if (i == 0) {
			claim(world,
			      !result_has(outcome.json, "interfaces") &&
				      !result_has(outcome.json, "ips.0.interface"),
			      "%s alone: no interfaces in its result", type);
			claim(world,
			      text_equal(result_text(outcome.json, "routes.0.dst"), "0.0.0.0/0"),
			      "%s alone: routes come back", type);
			result = TAKE(outcome.json);
		}
	}
}

static void point_static(struct world *world)
{
	auto_json first = conf_ipam(world, "{'type':'static','addresses':[{'address':"
					   "'10.77.0.60/24','gateway':'10.77.0.1'}]}");
	auto_json second = conf_ipam(world, "{'type':'static','addresses':[{'address':"
					    "'10.77.0.60'}]}");
	/* The newest that Debian 12's static speaks. */
	auto_json list = conf_top(first, "{'cniVersion':'1.0.0'}");
	auto_json no_length = conf_top(second, "{'cniVersion':'1.0.0'}");
	auto_outcome outcome = { 0 }, failed = { 0 };
	take(world, list, 1, NULL, &outcome);
	claim_done(world, &outcome, "ipam of type static");
	claim(world, net_has("t1", "address eth0 10.77.0.60/24"), "its address is set");
	claim(world, give_back(world, list, 1), "DEL");
	take(world, no_length, 2, NULL, &failed);
	claim_error(world, &failed, 0, "10.77.0.60", "an address without its length");
}

const struct point ipam_points[] = {
	{ 59, "subnet and ranges", NEEDS_POOL, point_forms },
	{ 59, "two families", NEEDS_POOL, point_two_sets },
	{ 60, "wrong ranges", NEEDS_POOL, point_wrong_ranges },
	{ 61, "defaults of a range", NEEDS_POOL, point_defaults },
	{ 62, "next fit", NEEDS_POOL, point_next_fit },
	{ 63, "an exhausted pool", NEEDS_POOL, point_exhausted },
	{ 64, "addresses that are asked for", NEEDS_POOL, point_requests },
	{ 65, "addresses that cannot be had", NEEDS_POOL, point_wrong_requests },
	{ 66, "the same again", NEEDS_POOL, point_again },
	{ 67, "routes and resolvConf", NEEDS_POOL, point_resolv },
	{ 68, "two networks of one subnet", NEEDS_POOL, point_two_names },
	{ 69, "leases in host-local's folder", NEEDS_POOL, point_import },
	{ 71, "the IPAM plugin alone", NEEDS_IPAM_TYPE, point_alone },
	{ 73, "static", NEEDS_POOL, point_static },
	{ 0 },
};
