/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Points 25 to 30: the versions of the protocol, and what is converted. */
#include "conformance.h"

#include <stdio.h>
#include <string.h>

static const char *const versions[] = { "0.1.0", "0.2.0", "0.3.0", "0.3.1",
					"0.4.0", "1.0.0", "1.1.0" };

static struct json_t *list_of_version(const struct json_t *list, const char *version)
{
	char change[64];
	snprintf(change, sizeof change, "{'cniVersion':'%s'}", version);
	return conf_top(list, change);
}

static void point_lists(struct world *world)
{
	for (size_t k = 0; k < chain_length(world->list); k++) {
		auto_outcome outcome = { 0 };
		const char *type = chain_type(world->list, k);
		struct call call = { .type = type,
				     .command = "VERSION",
				     .input = "{\"cniVersion\":\"1.0.0\"}" };
		call_run(world, &call, &outcome);
		for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
			char quoted[16];
			snprintf(quoted, sizeof quoted, "\"%s\"", versions[i]);
			claim(world, strstr(outcome.output, quoted), "%s supports %s", type,
			      versions[i]);
		}
	}
}

static void point_wrong_versions(struct world *world)
{
	static const char *const wrong[] = { "0.3", "1.0", "2.0.0", "1.1.1", "x", "0.0.9" };
	netns_make(world, "t1");
	world_remember(world);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		auto_outcome outcome = { 0 };
		auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
		auto_json list = list_of_version(world->list, wrong[i]);
		char what[48];
		snprintf(what, sizeof what, "cniVersion %s", wrong[i]);
		plugin_run(world, list, 0, "ADD", &one, NULL, &outcome);
		claim_error(world, &outcome, 1, wrong[i], what);
	}
	claim_clean(world, "after wrong versions");
}

static void point_no_version(struct world *world)
{
	auto_outcome outcome = { 0 };
	auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
	auto_json list = conf_top(world->list, "{'cniVersion':null}");
	netns_make(world, "t1");
	plugin_run(world, list, 0, "ADD", &one, NULL, &outcome);
	if (outcome.status == 0)
		claim(world, result_has(outcome.json, "ip4"), "no cniVersion counts as 0.1.0");
	else
		claim_error(world, &outcome, 1, NULL, "no cniVersion");
}

static void point_new_commands(struct world *world)
{
	static const struct {
		const char *command, *from;
	} rows[] = { { "CHECK", "0.4.0" }, { "GC", "1.1.0" }, { "STATUS", "1.1.0" } };
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (size_t k = 0; k < ARRAY_SIZE(versions); k++) {
			auto_outcome outcome = { 0 };
			auto_attachment one = { .id = "c1",
						.ifname = "eth0",
						.netns = "/run/netns/t1" };
			auto_json list = list_of_version(world->list, versions[k]);
			char what[48];
			if (strcmp(versions[k], rows[i].from) >= 0)
				continue;
			netns_make(world, "t1");
			snprintf(what, sizeof what, "%s in %s", rows[i].command, versions[k]);
			plugin_run(world, list, 0, rows[i].command, &one, NULL, &outcome);
			claim_error(world, &outcome, 1, NULL, what);
			netns_drop(world, "t1");
		}
}

static void claim_old_form(struct world *world, const struct json_t *result, const char *version)
{
	claim(world, result_has(result, "ip4.ip") && !result_has(result, "interfaces"),
	      "%s: ip4 with ip, and no interfaces", version);
}

static void claim_middle_form(struct world *world, const struct json_t *result, const char *version)
{
	claim(world, text_equal(result_text(result, "ips.0.version"), "4"),
	      "%s: ips say their version", version);
	claim(world, result_count(result, "interfaces") > 0, "%s: has interfaces", version);
}

static void claim_new_form(struct world *world, const struct json_t *result, const char *version)
{
	claim(world, result_count(result, "ips") > 0 && !result_has(result, "ips.0.version"),
	      "%s: ips without version", version);
	claim(world, !result_has(result, "dns") || result_count(result, "dns") > 0,
	      "%s: no empty dns", version);
}

static void point_forms(struct world *world)
{
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
		auto_json list = list_of_version(world->list, versions[i]);
		netns_make(world, "t1");
		bool done = chain_do(world, list, "ADD", &one);
		claim(world, done, "ADD in %s", versions[i]);
		if (done) {
			claim(world, text_equal(result_text(one.result, "cniVersion"), versions[i]),
			      "the result is of %s", versions[i]);
			if (i < 2)
				claim_old_form(world, one.result, versions[i]);
			else if (i < 5)
				claim_middle_form(world, one.result, versions[i]);
			else
				claim_new_form(world, one.result, versions[i]);
		}
		if (strcmp(versions[i], "0.4.0") >= 0)
			claim(world, chain_do(world, list, "CHECK", &one), "CHECK in %s",
			      versions[i]);
		claim(world, chain_do(world, list, "DEL", &one), "DEL in %s", versions[i]);
		netns_drop(world, "t1");
	}
}

static void point_no_address_old(struct world *world)
{
	auto_json first = conf_with(world, NULL, "{'ipam':null}");
	for (size_t i = 0; i < 2; i++) {
		auto_outcome outcome = { 0 };
		auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
		auto_json list = list_of_version(first, versions[i]);
		char what[64];
		netns_make(world, "t1");
		world_remember(world);
		plugin_run(world, list, 0, "ADD", &one, NULL, &outcome);
		snprintf(what, sizeof what, "a result without address in %s", versions[i]);
		claim_error(world, &outcome, 0, NULL, what);
		claim(world, !net_has("t1", "link eth0 "), "%s: no interface is left", what);
		netns_drop(world, "t1");
	}
}

static void point_ipam_versions(struct world *world)
{
	static const struct {
		const char *version, *result;
	} rows[] = {
		{ "0.1.0",
		  "{'cniVersion':'0.1.0','ip4':{'ip':'10.78.0.5/24','gateway':'10.78.0.1'}}" },
		{ "0.2.0", "{'cniVersion':'0.2.0','ip4':{'ip':'10.78.0.5/24'},'dns':{}}" },
		{ "0.3.0",
		  "{'cniVersion':'0.3.0','ips':[{'version':'4','address':'10.78.0.5/24'}]}" },
		{ "0.3.1",
		  "{'cniVersion':'0.3.1','ips':[{'version':'4','address':'10.78.0.5/24'}]}" },
		{ "0.4.0",
		  "{'cniVersion':'0.4.0','ips':[{'version':'4','address':'10.78.0.5/24'}]}" },
		{ "1.0.0", "{'cniVersion':'1.0.0','ips':[{'address':'10.78.0.5/24'}]}" },
		{ "1.1.0", "{'cniVersion':'1.1.0','ips':[{'address':'10.78.0.5/24'}]}" },
		{ "none", "{'ips':[{'address':'10.78.0.5/24'}]}" },
	};
	auto_json list = conf_with(world, NULL, "{'ipam':{'type':'stub-ipam'}}");
	stub_make(world, "stub-ipam", NULL);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
		netns_make(world, "t1");
		stub_order("stub-ipam", "ADD.output", rows[i].result);
		claim(world, chain_do(world, list, "ADD", &one), "an IPAM result of %s",
		      rows[i].version);
		claim(world, net_has("t1", "address eth0 10.78.0.5/24"), "%s: its address is set",
		      rows[i].version);
		chain_do(world, list, "DEL", &one);
		netns_drop(world, "t1");
	}
}

static void point_ipam_nothing(struct world *world)
{
	static const char *const answers[] = { "{}", "null", "{'cniVersion':'1.0.0','ips':[]}", "",
					       "{'cniVersion':'1.0.0','ips':[{'address':'x'}]}" };
	auto_json list = conf_with(world, NULL, "{'ipam':{'type':'stub-ipam'}}");
	stub_make(world, "stub-ipam", NULL);
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		auto_outcome outcome = { 0 };
		auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
		char what[80];
		int before = stub_count("stub-ipam", "DEL");
		netns_make(world, "t1");
		stub_order("stub-ipam", "ADD.output", answers[i]);
		plugin_run(world, list, 0, "ADD", &one, NULL, &outcome);
		snprintf(what, sizeof what, "IPAM answers %s",
			 answers[i][0] ? answers[i] : "nothing");
		claim_error(world, &outcome, 0, NULL, what);
		claim(world, stub_count("stub-ipam", "DEL") == before + 1, "%s: its DEL is called",
		      what);
		claim(world, !net_has("t1", "link eth0 "), "%s: no interface is left", what);
		netns_drop(world, "t1");
	}
}

static void point_previous(struct world *world)
{
	size_t last = chain_length(world->list) - 1;
	auto_json list = list_of_version(world->list, "0.4.0");
	auto_json good = conf_parse("{'cniVersion':'0.4.0','interfaces':[{'name':'eth0','sandbox':"
				    "'/run/netns/t1'}],'ips':[{'version':'4','interface':0,"
				    "'address':'10.78.0.5/24'}]}");
	auto_json wrong = conf_parse("{'cniVersion':'1.0.0','ips':'none'}");
	auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
	auto_outcome first = { 0 }, second = { 0 };
	netns_make(world, "t1");
	link_make_pair("t1", "eth0", "far", NULL);
	plugin_run(world, list, last, "ADD", &one, good, &first);
	claim_done(world, &first, "a chained ADD with a prevResult of its version");
	plugin_run(world, list, last, "ADD", &one, wrong, &second);
	claim_error(world, &second, 0, NULL, "a prevResult of another form");
}

const struct point version_points[] = {
	{ 25, "supported versions", 0, point_lists },
	{ 25, "versions that nobody knows", 0, point_wrong_versions },
	{ 25, "no cniVersion at all", NEEDS_POOL, point_no_version },
	{ 26, "commands that a version does not have", 0, point_new_commands },
	{ 27, "results in the form of each version", NEEDS_POOL, point_forms },
	{ 28, "no address in a version that must have one", NEEDS_POOL, point_no_address_old },
	{ 29, "IPAM results of all versions", NEEDS_POOL, point_ipam_versions },
	{ 29, "IPAM results without address", NEEDS_POOL, point_ipam_nothing },
	{ 30, "prevResult", NEEDS_CHAIN, point_previous },
	{ 0 },
};
