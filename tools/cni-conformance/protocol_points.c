/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Points 1 to 6, 11 to 13: what goes in by standard input, and what comes out. */
#include "conformance.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void point_one_object(struct world *world)
{
	auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
	auto_outcome done = { 0 }, failed = { 0 };
	netns_make(world, "t1");
	plugin_run(world, world->list, 0, "ADD", &one, NULL, &done);
	claim_done(world, &done, "ADD");
	struct json_at root = json_root(done.json, "stdout");
	claim(world, done.json && json_is_object(&root), "ADD writes exactly one JSON object");
	plugin_run(world, world->list, 0, "ADD", &one, NULL, &failed);
	claim_error(world, &failed, 0, NULL, "ADD of the same interface again");
	claim(world, failed.json && !result_has(failed.json, "interfaces"),
	      "a failed ADD writes one object, and no result");
}

static void point_error_object(struct world *world)
{
	auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/none" };
	auto_outcome outcome = { 0 };
	plugin_run(world, world->list, 0, "ADD", &one, NULL, &outcome);
	claim(world, outcome.status > 0 && outcome.status < 128, "a missing namespace fails ADD");
	claim(world, outcome_code(&outcome) > 0,
	      "the error on stdout is one object with an integer code and msg");
	claim(world,
	      text_equal(result_text(outcome.json, "cniVersion"),
			 chain_text(world->list, "cniVersion")),
	      "its cniVersion is the configuration's");
}

static void point_codes(struct world *world)
{
	static const struct {
		const char *what, *command, *netns, *input;
		int code;
	} rows[] = {
		{ "a version that nobody knows", "ADD", "/run/netns/t1",
		  "{\"cniVersion\":\"9.9.9\",\"name\":\"n\",\"type\":\"x\"}", 1 },
		{ "an unknown command", "FLY", "/run/netns/t1", NULL, 4 },
		{ "broken JSON", "ADD", "/run/netns/t1", "{", 6 },
		{ "a name that is no name", "ADD", "/run/netns/t1",
		  "{\"cniVersion\":\"1.0.0\",\"name\":\"a/b\",\"type\":\"x\"}", 7 },
	};
	netns_make(world, "t1");
	auto_free char *whole = chain_input(world->list, 0, NULL, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		auto_outcome outcome = { 0 };
		struct call call = { .type = chain_type(world->list, 0),
				     .command = rows[i].command,
				     .id = "c1",
				     .netns = rows[i].netns,
				     .ifname = "eth0",
				     .path = world->path,
				     .input = rows[i].input ? rows[i].input : whole };
		call_run(world, &call, &outcome);
		claim_error(world, &outcome, rows[i].code, NULL, rows[i].what);
	}
}

static void claim_silent(struct world *world, const struct outcome *outcome, const char *command)
{
	claim(world, outcome->status == 0, "%s succeeds", command);
	claim(world, outcome->output_size == 0, "%s writes nothing to stdout", command);
}

static void point_silence(struct world *world)
{
	static const char *const valid[] = { "c1/eth0", NULL };
	const char *version = chain_text(world->list, "cniVersion");
	auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
	auto_outcome check = { 0 }, status = { 0 }, collect = { 0 }, del = { 0 };
	netns_make(world, "t1");
	claim(world, chain_do(world, world->list, "ADD", &one), "ADD succeeds");
	if (strcmp(version, "0.4.0") >= 0) {
		chain_run(world, world->list, "CHECK", &one, &check);
		claim_silent(world, &check, "CHECK");
	}
	if (strcmp(version, "1.1.0") >= 0) {
		chain_run(world, world->list, "STATUS", NULL, &status);
		claim_silent(world, &status, "STATUS");
		chain_gc(world, world->list, valid, &collect);
		claim_silent(world, &collect, "GC");
	}
	chain_run(world, world->list, "DEL", &one, &del);
	claim_silent(world, &del, "DEL");
}

static void point_version(struct world *world)
{
	static const struct {
		const char *what, *input, *version;
	} rows[] = {
		{ "1.0.0 on stdin", "{\"cniVersion\":\"1.0.0\"}", "1.0.0" },
		{ "0.4.0 on stdin", "{\"cniVersion\":\"0.4.0\"}", "0.4.0" },
		{ "1.1.0 on stdin", "{\"cniVersion\":\"1.1.0\"}", "1.1.0" },
		{ "empty stdin", "", "1.1.0" },
		{ "broken stdin", "{", "1.1.0" },
	};
	for (size_t k = 0; k < chain_length(world->list); k++)
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
			auto_outcome outcome = { 0 };
			const char *type = chain_type(world->list, k);
			struct call call = { .type = type,
					     .command = "VERSION",
					     .id = "",
					     .netns = "dummy",
					     .ifname = "dummy",
					     .path = "dummy",
					     .input = rows[i].input };
			call_run(world, &call, &outcome);
			claim(world, outcome.status == 0, "%s: VERSION with %s: exit 0", type,
			      rows[i].what);
			claim(world,
			      text_equal(result_text(outcome.json, "cniVersion"), rows[i].version),
			      "%s: VERSION with %s: answers in %s", type, rows[i].what,
			      rows[i].version);
			claim(world, result_count(outcome.json, "supportedVersions") > 0,
			      "%s: VERSION with %s: lists supportedVersions", type, rows[i].what);
		}
}

static void point_bare(struct world *world)
{
	for (size_t i = 0; i < chain_length(world->list); i++) {
		auto_outcome outcome = { 0 };
		const char *type = chain_type(world->list, i);
		struct call call = { .type = type };
		call_run(world, &call, &outcome);
		claim(world, outcome.status == 0 && outcome.output_size == 0,
		      "%s without CNI_COMMAND: exit 0, nothing on stdout", type);
		claim(world,
		      strstr(outcome.errors, "CNI ") && strstr(outcome.errors, " plugin v") &&
			      strstr(outcome.errors, "1.0.0"),
		      "%s without CNI_COMMAND: names itself and the protocol on stderr", type);
	}
}

static void run_input(struct world *world, const char *input, size_t size, struct outcome *ret)
{
	struct call call = { .type = chain_type(world->list, 0),
			     .command = "ADD",
			     .id = "c1",
			     .netns = "/run/netns/t1",
			     .ifname = "eth0",
			     .path = world->path,
			     .input = input,
			     .input_size = size };
	call_run(world, &call, ret);
}

static void point_bad_json(struct world *world)
{
	static const struct {
		const char *what, *input;
	} rows[] = {
		{ "an open brace", "{" },
		{ "an array", "[]" },
		{ "a number", "7" },
		{ "a string", "\"x\"" },
		{ "null", "null" },
		{ "nothing", "" },
		{ "a blank", " \n" },
		{ "two objects", "{\"name\":\"n\"}{\"name\":\"n\"}" },
		{ "a cut object", "{\"cniVersion\":\"1.0.0\",\"name\":\"n" },
		{ "bytes that are not UTF-8", "{\"name\":\"\xff\xfe\"}" },
	};
	netns_make(world, "t1");
	world_remember(world);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		auto_outcome outcome = { 0 };
		run_input(world, rows[i].input, 0, &outcome);
		claim_error(world, &outcome, 6, NULL, rows[i].what);
	}
	claim_clean(world, "after broken JSON");
}

static void point_wrong_types(struct world *world)
{
	static const struct {
		const char *change, *key;
	} rows[] = {
		{ "{'mtu':'1500'}", "mtu" },
		{ "{'bridge':7}", "bridge" },
		{ "{'isGateway':'yes'}", "isGateway" },
		{ "{'ipMasq':1}", "ipMasq" },
		{ "{'ipam':7}", "ipam" },
		{ "{'dns':[]}", "dns" },
	};
	netns_make(world, "t1");
	world_remember(world);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
		auto_outcome outcome = { 0 };
		auto_json list = conf_with(world, NULL, rows[i].change);
		plugin_run(world, list, 0, "ADD", &one, NULL, &outcome);
		claim_error(world, &outcome, 7, rows[i].key, rows[i].change);
	}
	claim_clean(world, "after wrong types");
}

static void point_unknown_keys(struct world *world)
{
	auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
	auto_json list = conf_with(world, NULL,
				   "{'keyA':{'b':[1]},'args':{'podman_labels':{'a':'b'}},"
				   "'cni.dev/future':1,'capabilities':{'madeUp':true}}");
	netns_make(world, "t1");
	claim(world, chain_do(world, list, "ADD", &one), "ADD with unknown keys succeeds");
	claim(world, chain_do(world, list, "DEL", &one), "DEL with unknown keys succeeds");
}

static void point_unknown_ipam_key(struct world *world)
{
	auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
	auto_json list = conf_with(world, NULL, "{'ipam':{'resolveConf':'/none','x':1}}");
	netns_make(world, "t1");
	claim(world, chain_do(world, list, "ADD", &one), "ADD with unknown keys in ipam succeeds");
}

static void point_case(struct world *world)
{
	auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
	auto_json list = conf_ipam(world, "{'Ranges':[[{'Subnet':'10.77.0.0/24',"
					  "'RangeStart':'10.77.0.9'}]]}");
	netns_make(world, "t1");
	claim(world, chain_do(world, list, "ADD", &one), "ADD with capitalised keys succeeds");
	claim(world, text_equal(result_text(one.result, "ips.0.address"), "10.77.0.9/24"),
	      "capitalised keys are obeyed");
}

const struct point protocol_points[] = {
	{ 1, "one JSON object on stdout, whatever happens", 0, point_one_object },
	{ 2, "the error object", 0, point_error_object },
	{ 3, "error codes", 0, point_codes },
	{ 4, "DEL, CHECK, GC and STATUS are silent on success", 0, point_silence },
	{ 5, "VERSION needs nothing but its name", 0, point_version },
	{ 6, "the bare program says what it is", 0, point_bare },
	{ 11, "broken JSON", 0, point_bad_json },
	{ 11, "wrong types in known keys", NEEDS_BRIDGE, point_wrong_types },
	{ 12, "unknown keys are ignored", 0, point_unknown_keys },
	{ 12, "unknown keys in ipam are ignored", NEEDS_POOL, point_unknown_ipam_key },
	{ 13, "keys match without regard to case", NEEDS_POOL, point_case },
	{ 0 },
};
