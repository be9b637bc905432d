/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Points 74 to 88: published ports, by who gets through. */
#include "conformance.h"

#include <stdio.h>
#include <string.h>

#include "base/process.h"

#define IPAM_4 "{'ranges':[[{'subnet':'10.77.0.0/24'}]],'routes':[{'dst':'0.0.0.0/0'}]}"
#define SERVER_PORT 80

/* One container with a server, mappings, and the list that made it. */
struct published {
	struct attachment one;
	struct json_t *list;
	char address[64];
};

static struct json_t *port_list(const struct world *world)
{
	auto_json first = conf_ipam(world, IPAM_4);
	auto_json second = conf_change(first, 0, "{'isGateway':true}");
	int index = chain_find(world, world->list, "portmap");
	return conf_change(second, (size_t)index, "{'capabilities':{'portMappings':true}}");
}

static bool publish(struct world *world, struct published *ret, const char *mappings)
{
	ret->list = port_list(world);
	ret->one = (struct attachment){
		.id = "c1", .ifname = "eth0", .netns = "/run/netns/t1", .runtime = mappings
	};
	netns_make(world, "t1");
	bool done = chain_do(world, ret->list, "ADD", &ret->one);
	claim(world, done, "ADD with %s", mappings);
	serve(world, "t1", SERVER_PORT);
	result_address(ret->one.result, 4, ret->address);
	return done;
}

static void point_nothing(struct world *world)
{
	auto_json list = conf_top(world->list, "{'cniVersion':'1.0.0'}");
	auto_json given = conf_parse("{'cniVersion':'1.0.0','interfaces':[{'name':'eth0','sandbox':"
				     "'/run/netns/t1'}],'ips':[{'interface':0,"
				     "'address':'10.78.0.5/24'}],'dns':{'search':['x.test']}}");
	int index = chain_find(world, list, "portmap");
	auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
	auto_outcome add = { 0 }, del = { 0 };
	netns_make(world, "t1");
	world_remember(world);
	plugin_run(world, list, (size_t)index, "ADD", &one, given, &add);
	claim(world, json_same(add.json, given), "without mappings prevResult passes unchanged");
	plugin_run(world, list, (size_t)index, "DEL", &one, given, &del);
	claim_done(world, &del, "DEL without mappings");
	claim_clean(world, "ADD and DEL without mappings");
}

static void point_reach(struct world *world)
{
	struct published published;
	char seen[64];
	outside_make(world);
	if (!publish(world, &published,
		     "{'portMappings':[{'hostPort':8080,'containerPort':80,'protocol':'tcp'},"
		     "{'hostPort':8080,'containerPort':80,'protocol':'udp'}]}"))
		return;
	claim(world, ask("outside", "tcp", "198.51.100.1", 8080, seen), "TCP from outside");
	show(world, "the server saw %s", seen);
	claim(world, text_equal(seen, "198.51.100.2"), "the container sees the client's address");
	claim(world, ask("outside", "udp", "198.51.100.1", 8080, seen), "UDP from outside");
	claim(world, !ask("outside", "tcp", "198.51.100.1", 8081, seen), "another port is closed");
}

static void point_sctp(struct world *world)
{
	auto_json list = port_list(world);
	auto_attachment one = { .id = "c1",
				.ifname = "eth0",
				.netns = "/run/netns/t1",
				.runtime = "{'portMappings':[{'hostPort':8080,'containerPort':80,"
					   "'protocol':'sctp'}]}" };
	auto_outcome outcome = { 0 };
	netns_make(world, "t1");
	if (chain_run(world, list, "ADD", &one, &outcome))
		claim_done(world, &outcome, "a mapping of SCTP");
	else
		claim_error(world, &outcome, 2, "sctp", "SCTP, if it is not supported");
}

static void point_addresses(struct world *world)
{
	static const struct {
		const char *host_ip;
		bool reached;
	} rows[] = {
		{ "", true },           { "0.0.0.0", true },        { "198.51.100.1", true },
		{ "127.0.0.1", false }, { "198.51.100.99", false },
	};
	outside_make(world);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct published published;
		char mappings[200], seen[64];
		snprintf(mappings, sizeof mappings,
			 "{'portMappings':[{'hostPort':8080,'containerPort':80,'protocol':'tcp',"
			 "'hostIP':'%s'}]}",
			 rows[i].host_ip);
		publish(world, &published, mappings);
		claim(world, ask("outside", "tcp", "198.51.100.1", 8080, seen) == rows[i].reached,
		      "hostIP '%s': outside %s", rows[i].host_ip,
		      rows[i].reached ? "gets through" : "does not");
		chain_do(world, published.list, "DEL", &published.one);
		netns_drop(world, "t1");
	}
}

static void point_wrong_address(struct world *world)
{
	auto_json list = port_list(world);
	auto_attachment one = { .id = "c1",
				.ifname = "eth0",
				.netns = "/run/netns/t1",
				.runtime = "{'portMappings':[{'hostPort':8080,'containerPort':80,"
					   "'protocol':'tcp','hostIP':'nowhere'}]}" };
	auto_outcome outcome = { 0 };
	netns_make(world, "t1");
	chain_run(world, list, "ADD", &one, &outcome);
	claim_error(world, &outcome, 7, "nowhere", "a hostIP that is no address");
	claim(world, chain_do(world, list, "DEL", &one), "DEL after that");
}

static void point_from_host(struct world *world)
{
	struct published published;
	auto_attachment two = { .id = "c2", .ifname = "eth0", .netns = "/run/netns/t2" };
	char seen[64];
	outside_make(world);
	if (!publish(world, &published,
		     "{'portMappings':[{'hostPort':8080,'containerPort':80,'protocol':'tcp'}]}"))
		return;
	claim(world, ask(NULL, "tcp", "198.51.100.1", 8080, seen), "the host by its own address");
	claim(world, ask(NULL, "tcp", "127.0.0.1", 8080, seen), "the host by 127.0.0.1");
	claim(world, ask("t1", "tcp", "198.51.100.1", 8080, seen), "the container itself");
	netns_make(world, "t2");
	claim(world, chain_do(world, published.list, "ADD", &two), "ADD of another container");
	claim(world, ask("t2", "tcp", "198.51.100.1", 8080, seen), "another of its subnet");
	claim(world, ask("t2", "tcp", published.address, 80, seen), "another, without the mapping");
}

static void point_no_snat(struct world *world)
{
	struct published published = { 0 };
	char seen[64], route_localnet[8];
	int index = chain_find(world, world->list, "portmap");
	auto_json list = port_list(world);
	auto_json without = conf_change(list, (size_t)index, "{'snat':false}");
	outside_make(world);
	netns_make(world, "t1");
	published.one = (struct attachment){ .id = "c1",
					     .ifname = "eth0",
					     .netns = "/run/netns/t1",
					     .runtime = "{'portMappings':[{'hostPort':8080,"
							"'containerPort':80,'protocol':'tcp'}]}" };
	claim(world, chain_do(world, without, "ADD", &published.one), "ADD with snat false");
	serve(world, "t1", SERVER_PORT);
	claim(world, ask("outside", "tcp", "198.51.100.1", 8080, seen), "outside gets through");
	claim(world, text_equal(seen, "198.51.100.2"), "with its own address");
	sysctl_get(NULL, "net/ipv4/conf/up0/route_localnet", route_localnet, sizeof route_localnet);
	claim(world, text_equal(route_localnet, "0"), "the uplink's route_localnet is untouched");
}

static void point_wrong_mappings(struct world *world)
{
	static const char *const rows[] = {
		"{'hostPort':0,'containerPort':80,'protocol':'tcp'}",
		"{'hostPort':65536,'containerPort':80,'protocol':'tcp'}",
		"{'hostPort':80,'containerPort':0,'protocol':'tcp'}",
		"{'hostPort':80,'containerPort':-1,'protocol':'tcp'}",
		"{'hostPort':80,'containerPort':80,'protocol':'icmp'}",
		"{'hostPort':80,'containerPort':80}",
		"{'hostPort':'80','containerPort':80,'protocol':'tcp'}",
	};
	auto_json list = port_list(world);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char runtime[256];
		auto_outcome outcome = { 0 };
		snprintf(runtime, sizeof runtime,
			 "{'portMappings':[{'hostPort':9999,'containerPort':1,'protocol':'TCP'},"
			 "%s]}",
			 rows[i]);
		auto_attachment one = {
			.id = "c1", .ifname = "eth0", .netns = "/run/netns/t1", .runtime = runtime
		};
		netns_make(world, "t1");
		chain_run(world, list, "ADD", &one, &outcome);
		claim_error(world, &outcome, 7, "1", rows[i]);
		claim(world, chain_do(world, list, "DEL", &one), "%s: DEL", rows[i]);
		netns_drop(world, "t1");
	}
}

static void point_wrong_backend(struct world *world)
{
	static const struct {
		const char *change;
		bool fine;
	} rows[] = {
		{ "{'backend':'iptables'}", true },
		{ "{'backend':'nftables'}", true },
		{ "{'backend':'magic'}", false },
		{ "{'markMasqBit':31}", true },
		{ "{'markMasqBit':32}", false },
		{ "{'markMasqBit':-1}", false },
		{ "{'markMasqBit':3,'externalSetMarkChain':'X'}", false },
	};
	int index = chain_find(world, world->list, "portmap");
	auto_json list = port_list(world);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		auto_outcome outcome = { 0 };
		auto_json changed = conf_change(list, (size_t)index, rows[i].change);
		auto_attachment one = {
			.id = "c1",
			.ifname = "eth0",
			.netns = "/run/netns/t1",
			.runtime = "{'portMappings':[{'hostPort':8080,'containerPort':80,"
				   "'protocol':'tcp'}]}"
		};
		netns_make(world, "t1");
		bool done = chain_run(world, changed, "ADD", &one, &outcome);
		if (rows[i].fine)
			claim(world, done, "%s", rows[i].change);
		else
			claim_error(world, &outcome, 0, NULL, rows[i].change);
		chain_do(world, changed, "DEL", &one);
		netns_drop(world, "t1");
	}
}

static void point_held(struct world *world)
{
	struct published published;
	auto_outcome outcome = { 0 }, again = { 0 };
	if (!publish(world, &published,
		     "{'portMappings':[{'hostPort':8080,'containerPort':80,'protocol':'tcp'},"
		     "{'hostPort':8080,'containerPort':80,'protocol':'tcp'}]}"))
		return;
	auto_attachment two = { .id = "c2",
				.ifname = "eth0",
				.netns = "/run/netns/t2",
				.runtime = published.one.runtime };
	netns_make(world, "t2");
	chain_run(world, published.list, "ADD", &two, &outcome);
	claim_error(world, &outcome, 0, "c1", "a port that another container holds");
	chain_do(world, published.list, "DEL", &two);
	netns_drop(world, "t1");
	chain_run(world, published.list, "ADD", &two, &again);
	claim_done(world, &again, "a holder whose namespace is gone gives way");
}

static void point_listener(struct world *world)
{
	struct published published;
	char seen[64];
	outside_make(world);
	serve(world, NULL, 8080);
	if (!publish(world, &published,
		     "{'portMappings':[{'hostPort':8080,'containerPort':80,'protocol':'tcp'}]}"))
		return;
	claim(world, ask("outside", "tcp", "198.51.100.1", 8080, seen),
	      "outside gets an answer though a process of the host listens");
	claim(world, ask(NULL, "tcp", "198.51.100.1", 8080, seen), "the host gets an answer");
}

static void point_gone(struct world *world)
{
	struct published published;
	char seen[64];
	outside_make(world);
	if (!publish(world, &published,
		     "{'portMappings':[{'hostPort':8080,'containerPort':80,'protocol':'tcp'}]}"))
		return;
	claim(world, ask("outside", "tcp", "198.51.100.1", 8080, seen), "it answers before DEL");
	claim(world, chain_do(world, published.list, "DEL", &published.one), "DEL");
	int64_t start = now_ms();
	bool answered = ask("outside", "tcp", "198.51.100.1", 8080, seen);
	claim(world, !answered && now_ms() - start < 900, "after DEL a connect is refused at once");
}

static void flush_rules(void)
{
	static const char *const commands[][4] = {
		{ "/usr/sbin/nft", "flush", "ruleset", NULL },
		{ "/usr/sbin/iptables", "-F", NULL },
		{ "/usr/sbin/iptables", "-t", "nat", "-F" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		char *argv[5] = { NULL };
		int status;
		size_t size;
		auto_free char *output = NULL;
		struct error err;
		for (size_t k = 0; k < 4 && commands[i][k]; k++)
			argv[k] = (char *)commands[i][k];
		struct process_spec spec = { argv[0], argv, NULL, -1, -1, -1 };
		process_run(&spec, "", 0, 65536, 10000, &output, &size, &status, &err);
	}
}

static void point_flush(struct world *world)
{
	struct published published;
	char seen[64];
	outside_make(world);
	if (!publish(world, &published,
		     "{'portMappings':[{'hostPort':8080,'containerPort':80,'protocol':'tcp'}]}"))
		return;
	claim(world, ask("outside", "tcp", "198.51.100.1", 8080, seen), "it answers");
	flush_rules();
	claim(world, ask("outside", "tcp", "198.51.100.1", 8080, seen),
	      "it answers after nft flush ruleset and iptables -F");
}

const struct point port_points[] = {
	{ 74, "no mappings, nothing touched", NEEDS_PORTMAP | NEEDS_CHAIN, point_nothing },
	{ 75, "a client outside", NEEDS_PORTMAP | NEEDS_POOL, point_reach },
	{ 75, "SCTP", NEEDS_PORTMAP | NEEDS_POOL, point_sctp },
	{ 77, "hostIP", NEEDS_PORTMAP | NEEDS_POOL, point_addresses },
	{ 77, "a wrong hostIP", NEEDS_PORTMAP | NEEDS_POOL, point_wrong_address },
	{ 78, "the host, the container and its neighbours", NEEDS_PORTMAP | NEEDS_POOL,
	  point_from_host },
	{ 79, "snat false", NEEDS_PORTMAP | NEEDS_POOL, point_no_snat },
	{ 82, "wrong mappings", NEEDS_PORTMAP | NEEDS_POOL, point_wrong_mappings },
	{ 82, "backend and markMasqBit", NEEDS_PORTMAP | NEEDS_POOL, point_wrong_backend },
	{ 83, "a port that is held", NEEDS_PORTMAP | NEEDS_POOL, point_held },
	{ 84, "a listener on the host", NEEDS_PORTMAP | NEEDS_POOL, point_listener },
	{ 86, "after DEL", NEEDS_PORTMAP | NEEDS_POOL, point_gone },
	{ 88, "flushed rules", NEEDS_PORTMAP | NEEDS_POOL, point_flush },
	{ 0 },
};
