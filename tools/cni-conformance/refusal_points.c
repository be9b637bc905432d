/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Points 20 to 132 that ask for what may be refused, if it is refused by name. */
#include "conformance.h"

#include <stdio.h>
#include <string.h>

/* Works, or error 2 with the key's name: never dropped in silence. */
static void obeyed_or_refused(struct world *world, const char *type, const char *change,
			      const char *key)
{
	auto_json list = conf_with(world, type, change);
	auto_attachment one = {
		.id = "c1",
		.ifname = "eth0",
		.netns = "/run/netns/t1",
		.runtime =
			"{'portMappings':[{'hostPort':8080,'containerPort':80,'protocol':'tcp'}]}"
	};
	auto_outcome outcome = { 0 };
	netns_make(world, "t1");
	if (!chain_run(world, list, "ADD", &one, &outcome))
		claim_error(world, &outcome, 2, key, change);
	else
		claim(world, true, "%s is taken", change);
	claim(world, chain_do(world, list, "DEL", &one), "%s: DEL", change);
	netns_drop(world, "t1");
}

static void point_conditions(struct world *world)
{
	static const char *const rows[] = {
		"{'conditionsV4':['-s','10.9.0.0/16']}",
		"{'conditionsV6':['!','-s','fd09::/64']}",
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		obeyed_or_refused(world, "portmap", rows[i], "conditions");
}

static void point_masquerade_all(struct world *world)
{
	obeyed_or_refused(world, "portmap", "{'masqAll':true}", "masqAll");
}

static void point_admin_chain(struct world *world)
{
	obeyed_or_refused(world, "firewall", "{'iptablesAdminChainName':'MINE'}",
			  "iptablesAdminChainName");
}

static void point_subnets(struct world *world)
{
	static const char *const rows[] = {
		"{'ingressRate':1000000,'ingressBurst':1000000,'shapedSubnets':['10.9.0.0/16']}",
		"{'ingressRate':1000000,'ingressBurst':1000000,'unshapedSubnets':['10.9.0.0/16']}",
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		obeyed_or_refused(world, "bandwidth", rows[i], "Subnets");
}

static void point_two_interfaces(struct world *world)
{
	auto_json list = conf_with(world, "bandwidth",
				   "{'ingressRate':8000000,'ingressBurst':8000000,"
				   "'egressRate':8000000,'egressBurst':8000000}");
	auto_attachment first = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
	auto_attachment second = { .id = "c1", .ifname = "eth1", .netns = "/run/netns/t1" };
	if (!world_warm(world, world->list))
		return;
	netns_make(world, "t1");
	claim(world, chain_do(world, list, "ADD", &first), "a rate for eth0");
	claim(world, chain_do(world, list, "ADD", &second),
	      "a rate for eth1 of the same container");
	claim(world, chain_do(world, list, "CHECK", &second), "CHECK of eth1");
	attachment_free_result(&first);
	attachment_free_result(&second);
	first.netns = second.netns = NULL;
	claim(world, chain_do(world, list, "DEL", &first), "DEL without namespace and prevResult");
	claim(world, chain_do(world, list, "DEL", &second), "and of the other");
	netns_drop(world, "t1");
	claim_clean(world, "rates after DEL");
}

static void point_other_interface(struct world *world)
{
	auto_json bare = conf_ipam(world, "{'ranges':[[{'subnet':'10.77.0.0/24'}]]}");
	int index = chain_find(world, world->list, "portmap");
	auto_json without =
		conf_change(bare, (size_t)index, "{'capabilities':{'portMappings':true}}");
	auto_json list = conf_change(without, 0, "{'ipam':{'routes':[{'dst':'0.0.0.0/0'}]}}");
	auto_attachment plain = { .id = "c1", .ifname = "eth1", .netns = "/run/netns/t1" };
	auto_attachment published = {
		.id = "c1",
		.ifname = "eth0",
		.netns = "/run/netns/t1",
		.runtime =
			"{'portMappings':[{'hostPort':8080,'containerPort':80,'protocol':'tcp'}]}"
	};
	char seen[64];
	outside_make(world);
	netns_make(world, "t1");
	claim(world, chain_do(world, list, "ADD", &published), "eth0 with a mapping");
	claim(world, chain_do(world, without, "ADD", &plain), "eth1 without");
	serve(world, "t1", 80);
	claim(world, ask("outside", "tcp", "198.51.100.1", 8080, seen), "the mapping answers");
	claim(world, chain_do(world, without, "DEL", &plain), "DEL of eth1");
	claim(world, ask("outside", "tcp", "198.51.100.1", 8080, seen),
	      "the mapping of eth0 stays when eth1 goes");
}

const struct point refusal_points[] = {
	{ 79, "masqAll", NEEDS_PORTMAP | NEEDS_POOL, point_masquerade_all },
	{ 81, "conditions", NEEDS_PORTMAP | NEEDS_POOL, point_conditions },
	{ 86, "mappings of another interface", NEEDS_PORTMAP | NEEDS_POOL, point_other_interface },
	{ 92, "an admin's own chain", NEEDS_FIREWALL, point_admin_chain },
	{ 100, "shapedSubnets and unshapedSubnets", NEEDS_BANDWIDTH, point_subnets },
	{ 101, "rates of two interfaces", NEEDS_BANDWIDTH, point_two_interfaces },
	{ 0 },
};
