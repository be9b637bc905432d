/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Points 90 to 107, 125, 126: firewall, bandwidth, tuning, loopback and capabilities. */
#include "conformance.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/process.h"

static void point_no_previous(struct world *world)
{
	if (!world_warm(world, world->list))
		return;
	for (size_t i = 1; i < chain_length(world->list); i++) {
		auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
		auto_outcome add = { 0 }, del = { 0 };
		const char *type = chain_type(world->list, i);
		char what[80];
		netns_make(world, "t1");
		world_remember(world);
		plugin_run(world, world->list, i, "ADD", &one, NULL, &add);
		snprintf(what, sizeof what, "%s: ADD without prevResult", type);
		if (text_equal(type, "portmap") || text_equal(type, "bandwidth"))
			claim(world, add.status < 128, "%s: no crash", what);
		else
			claim_error(world, &add, 0, NULL, what);
		plugin_run(world, world->list, i, "DEL", &one, NULL, &del);
		snprintf(what, sizeof what, "%s: DEL without prevResult", type);
		claim_done(world, &del, what);
		claim_clean(world, what);
		netns_drop(world, "t1");
	}
}

static void run_tool(const char *a, const char *b, const char *c, const char *d)
{
	char *argv[] = { (char *)a, (char *)b, (char *)c, (char *)d, NULL };
	struct process_spec spec = { a, argv, NULL, -1, -1, -1 };
	auto_free char *output = NULL;
	size_t size;
	int status;
	struct error err;
	process_run(&spec, "", 0, 65536, 10000, &output, &size, &status, &err);
}

static void point_drop_policy(struct world *world)
{
	auto_json bare = conf_ipam(world, "{'ranges':[[{'subnet':'10.77.0.0/24'}]]}");
	auto_json list = conf_change(bare, 0, "{'isDefaultGateway':true,'ipMasq':true}");
	auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
	auto_attachment two = { .id = "c2", .ifname = "eth0", .netns = "/run/netns/t2" };
	char seen[64], address[64] = "";
	outside_make(world);
	serve(world, "outside", 7000);
	run_tool("/usr/sbin/iptables", "-P", "FORWARD", "DROP");
	netns_make(world, "t1");
	netns_make(world, "t2");
	claim(world, chain_do(world, list, "ADD", &one) && chain_do(world, list, "ADD", &two),
	      "two ADDs while FORWARD's policy is DROP");
	result_address(two.result, 4, address);
	claim(world, ask("t1", "tcp", "198.51.100.2", 7000, seen), "a container reaches outside");
	claim(world, ping("t1", address), "containers reach each other");
}

static void point_firewall_keys(struct world *world)
{
	static const struct {
		const char *change;
		int code;
	} rows[] = {
		{ "{'backend':''}", 0 },          { "{'backend':'iptables'}", 0 },
		{ "{'ingressPolicy':''}", 0 },    { "{'ingressPolicy':'open'}", 0 },
		{ "{'ingressPolicy':'odd'}", 7 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		auto_outcome outcome = { 0 };
		auto_json list = conf_with(world, "firewall", rows[i].change);
		auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
		netns_make(world, "t1");
		bool done = chain_run(world, list, "ADD", &one, &outcome);
		if (rows[i].code)
			claim_error(world, &outcome, rows[i].code, "ingressPolicy", rows[i].change);
		else
			claim(world, done, "%s", rows[i].change);
		chain_do(world, list, "DEL", &one);
		netns_drop(world, "t1");
	}
}

static struct json_t *policy_list(const struct world *world, const char *policy, int number)
{
	char ipam[100], main_keys[100], top[60];
	snprintf(ipam, sizeof ipam, "{'ranges':[[{'subnet':'10.%d.0.0/24'}]]}", number);
	snprintf(main_keys, sizeof main_keys, "{'bridge':'pol%d','isDefaultGateway':true}", number);
	snprintf(top, sizeof top, "{'name':'policy%d'}", number);
	int index = chain_find(world, world->list, "firewall");
	auto_json first = conf_ipam(world, ipam);
	auto_json second = conf_change(first, 0, main_keys);
	auto_json third = conf_change(second, (size_t)index, policy);
	return conf_top(third, top);
}

static void policy_case(struct world *world, const char *policy, bool within, bool across)
{
	auto_json near = policy_list(world, policy, 71);
	auto_json far = policy_list(world, policy, 72);
	auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
	auto_attachment two = { .id = "c2", .ifname = "eth0", .netns = "/run/netns/t2" };
	auto_attachment three = { .id = "c3", .ifname = "eth0", .netns = "/run/netns/t3" };
	char seen[64], near_address[64] = "", far_address[64] = "";
	auto_outcome outcome = { 0 };
	netns_make(world, "t1");
	netns_make(world, "t2");
	netns_make(world, "t3");
	if (!chain_run(world, near, "ADD", &one, &outcome)) {
		claim_error(world, &outcome, 2, "ingressPolicy", policy);
		return;
	}
	claim(world, chain_do(world, near, "ADD", &two) && chain_do(world, far, "ADD", &three),
	      "%s: two networks, three containers", policy);
	serve(world, "t2", 80);
	serve(world, "t3", 80);
	result_address(two.result, 4, near_address);
	result_address(three.result, 4, far_address);
	claim(world, ask("t1", "tcp", near_address, 80, seen) == within, "%s: neighbours %s",
	      policy, within ? "reach each other" : "do not reach each other");
	claim(world, ask("t1", "tcp", far_address, 80, seen) == across,
	      "%s: the other network is %s", policy, across ? "open" : "closed");
	claim(world, ask(NULL, "tcp", near_address, 80, seen), "%s: the host gets through", policy);
	chain_do(world, far, "DEL", &three);
	chain_do(world, near, "DEL", &two);
	chain_do(world, near, "DEL", &one);
}

static void point_same_bridge(struct world *world)
{
	policy_case(world, "{'ingressPolicy':'same-bridge'}", true, false);
}

static void point_isolated(struct world *world)
{
	policy_case(world, "{'ingressPolicy':'isolated'}", false, false);
}

static void point_rates(struct world *world)
{
	static const struct {
		const char *change;
		bool fine;
	} rows[] = {
		{ "{'ingressRate':0,'ingressBurst':0,'egressRate':0,'egressBurst':0}", true },
		{ "{'ingressRate':1000000,'ingressBurst':4294967295}", true },
		{ "{'egressRate':100000000000,'egressBurst':1000000}", true },
		{ "{'ingressRate':1000000}", false },
		{ "{'egressRate':1000000}", false },
		{ "{'ingressBurst':1000000}", false },
		{ "{'egressBurst':1000000}", false },
		{ "{'ingressRate':-1,'ingressBurst':1000}", false },
		{ "{'ingressRate':'1M','ingressBurst':1000}", false },
		{ "{'ingressRate':1000000,'ingressBurst':34359738368}", false },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		auto_outcome outcome = { 0 };
		auto_json list = conf_with(world, "bandwidth", rows[i].change);
		auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
		netns_make(world, "t1");
		bool done = chain_run(world, list, "ADD", &one, &outcome);
		if (rows[i].fine)
			claim(world, done, "%s", rows[i].change);
		else
			claim_error(world, &outcome, 7, NULL, rows[i].change);
		claim(world, chain_do(world, list, "DEL", &one), "%s: DEL", rows[i].change);
		netns_drop(world, "t1");
	}
}

static void point_sysctl(struct world *world)
{
	auto_json list = conf_with(world, "tuning",
				   "{'sysctl':{'net.core.somaxconn':'500',"
				   "'net/ipv4/conf/IFNAME/arp_filter':'1'}}");
	auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
	char before[16], after[16], inner[16], filter[16];
	sysctl_get(NULL, "net/core/somaxconn", before, sizeof before);
	netns_make(world, "t1");
	claim(world, chain_do(world, list, "ADD", &one), "ADD with sysctl");
	sysctl_get("t1", "net/core/somaxconn", inner, sizeof inner);
	sysctl_get(NULL, "net/core/somaxconn", after, sizeof after);
	sysctl_get("t1", "net/ipv4/conf/eth0/arp_filter", filter, sizeof filter);
	show(world, "in the container %s, on the host %s", inner, after);
	claim(world, text_equal(inner, "500"), "it is set in the container");
	claim(world, text_equal(before, after), "and not on the host");
	claim(world, text_equal(filter, "1"), "IFNAME stands for the interface");
	chain_do(world, list, "DEL", &one);
	static const char *const wrong[] = {
		"{'sysctl':{'kernel.hostname':'x'}}",
		"{'sysctl':{'net/../kernel/hostname':'x'}}",
		"{'sysctl':{'net.core.none_such':'1'}}",
		"{'sysctl':'x'}",
	};
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		auto_outcome outcome = { 0 };
		auto_json bad = conf_with(world, "tuning", wrong[i]);
		chain_run(world, bad, "ADD", &one, &outcome);
		claim_error(world, &outcome, 0, NULL, wrong[i]);
		claim(world, chain_do(world, bad, "DEL", &one), "%s: DEL", wrong[i]);
	}
}

static void point_allowlist(struct world *world)
{
	static const struct {
		const char *allowlist;
		bool fine;
	} rows[] = { { "^net\\.core\\.somaxconn$\n", true }, { "^net\\.ipv4\\..*$\n", false } };
	auto_json list = conf_with(world, "tuning", "{'sysctl':{'net.core.somaxconn':'500'}}");
	struct error err;
	directory_make("/etc/cni/tuning", 0755, &err);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		auto_outcome outcome = { 0 };
		auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
		netns_make(world, "t1");
		file_put("/etc/cni/tuning/allowlist.conf", rows[i].allowlist);
		bool done = chain_run(world, list, "ADD", &one, &outcome);
		if (rows[i].fine)
			claim(world, done, "a sysctl that the allowlist matches");
		else
			claim_error(world, &outcome, 0, "somaxconn",
				    "a sysctl that the allowlist does not match");
		chain_do(world, list, "DEL", &one);
		netns_drop(world, "t1");
	}
}

static void point_attributes(struct world *world)
{
	auto_json list = conf_with(world, "tuning",
				   "{'mac':'02:00:00:00:00:0d','mtu':1390,'promisc':true,"
				   "'allmulti':true,'txQLen':77}");
	auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
	netns_make(world, "t1");
	claim(world, chain_do(world, list, "ADD", &one), "ADD with attributes");
	struct link_facts facts = link_read("t1", "eth0");
	claim(world, text_equal(facts.mac, "02:00:00:00:00:0d"), "mac");
	claim(world, facts.mtu == 1390, "mtu");
	claim(world, facts.flags & IFF_PROMISC, "promisc");
	claim(world, facts.flags & IFF_ALLMULTI, "allmulti");
	claim(world, facts.txqlen == 77, "txQLen");
	auto_free char *text = NULL;
	struct error err;
	if (one.result && json_format(one.result, JSON_COMPACT, &text, &err) == 0)
		claim(world, strstr(text, "02:00:00:00:00:0d"), "the MAC stands in the result");
	claim(world, chain_do(world, list, "CHECK", &one), "CHECK");
	claim(world, chain_do(world, list, "DEL", &one), "DEL");
}

static void point_loopback(struct world *world)
{
	auto_json list = conf_parse("{'cniVersion':'1.0.0','name':'lo','plugins':"
				    "[{'type':'loopback'}]}");
	auto_attachment one = { .id = "c1", .ifname = "lo", .netns = "/run/netns/t1" };
	auto_outcome outcome = { 0 };
	struct call probe = { .type = "loopback", .command = "VERSION", .input = "{}" };
	call_run(world, &probe, &outcome);
	if (outcome.status < 0) {
		skip(world, "there is no loopback in CNI_PATH");
		return;
	}
	netns_make(world, "t1");
	link_set_up("t1", "lo", false);
	claim(world, chain_do(world, list, "ADD", &one), "loopback: ADD");
	claim(world, link_read("t1", "lo").flags & IFF_UP, "loopback: lo is up");
	claim(world, text_equal(result_text(one.result, "ips.0.address"), "127.0.0.1/8"),
	      "loopback: 127.0.0.1/8 in the result");
	claim(world, chain_do(world, list, "DEL", &one), "loopback: DEL");
}

static void point_capabilities(struct world *world)
{
	auto_json list = conf_with(
		world, NULL,
		"{'capabilities':{'bandwidth':true,'dns':true,'aliases':true,'infinibandGUID':true,"
		"'deviceID':true,'cgroupPath':true,'io.kubernetes.cri.pod-annotations':true}}");
	auto_attachment one = {
		.id = "c1",
		.ifname = "eth0",
		.netns = "/run/netns/t1",
		.runtime = "{'aliases':['a'],'infinibandGUID':'x','deviceID':'y','cgroupPath':'/z',"
			   "'dns':{'servers':['10.6.6.6'],'searches':['s.test'],'options':['o']},"
			   "'io.kubernetes.cri.pod-annotations':{'k':'v'}}"
	};
	netns_make(world, "t1");
	claim(world, chain_do(world, list, "ADD", &one), "ADD with all capabilities");
	claim(world, text_equal(result_text(one.result, "dns.nameservers.0"), "10.6.6.6"),
	      "the capability dns ends in the result's dns");
	claim(world, chain_do(world, list, "DEL", &one), "DEL with all capabilities");
}

static void point_generated(struct world *world)
{
	auto_json bare = conf_ipam(world, "{'ranges':[[{'subnet':'10.77.0.0/24'}]],"
					  "'routes':[{'dst':'10.244.0.0/16'}]}");
	auto_json list = conf_change(bare, 0,
				     "{'hairpinMode':true,'isDefaultGateway':true,"
				     "'forceAddress':true,'mtu':1450}");
	auto_attachment first = { .id = "c1", .ifname = "net1", .netns = "/run/netns/t1" };
	auto_attachment second = { .id = "c1", .ifname = "net2", .netns = "/run/netns/t1" };
	auto_json other = conf_change(list, 0, "{'isDefaultGateway':false}");
	netns_make(world, "t1");
	claim(world, chain_do(world, list, "ADD", &first), "a generated configuration for net1");
	claim(world, chain_do(world, other, "ADD", &second), "and for net2 of the same container");
	claim(world, chain_do(world, list, "DEL", &first), "DEL of net1");
	claim(world, link_read("t1", "net2").index, "net2 stays");
}

const struct point extra_points[] = {
	{ 90, "members of a list without prevResult", NEEDS_CHAIN, point_no_previous },
	{ 91, "a FORWARD policy of DROP", NEEDS_BRIDGE | NEEDS_FIREWALL | NEEDS_POOL,
	  point_drop_policy },
	{ 93, "backend and ingressPolicy", NEEDS_FIREWALL, point_firewall_keys },
	{ 94, "same-bridge", NEEDS_BRIDGE | NEEDS_FIREWALL | NEEDS_POOL, point_same_bridge },
	{ 95, "isolated", NEEDS_BRIDGE | NEEDS_FIREWALL | NEEDS_POOL, point_isolated },
	{ 100, "rates and bursts", NEEDS_BANDWIDTH, point_rates },
	{ 102, "sysctl", NEEDS_TUNING, point_sysctl },
	{ 103, "the allowlist of sysctls", NEEDS_TUNING, point_allowlist },
	{ 104, "attributes of the link", NEEDS_TUNING, point_attributes },
	{ 106, "loopback", 0, point_loopback },
	{ 125, "capabilities that nobody asked for", NEEDS_BRIDGE, point_capabilities },
	{ 126, "generated configurations", NEEDS_BRIDGE | NEEDS_POOL, point_generated },
	{ 0 },
};
