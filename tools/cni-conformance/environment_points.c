/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Points 7 to 10 and 14 to 17: the environment's variables. */
#include "conformance.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#define ID_LONG 200

static struct call call_for(struct world *world, const char *command, const char *input)
{
	return (struct call){ .type = chain_type(world->list, 0),
			      .command = command,
			      .id = "c1",
			      .netns = "/run/netns/t1",
			      .ifname = "eth0",
			      .path = world->path,
			      .input = input };
}

static void point_commands(struct world *world)
{
	static const char *const rows[] = { "add", "Add", "FLY", "", "ADD ", "DELETE", "GET" };
	auto_free char *input = chain_input(world->list, 0, NULL, NULL);
	netns_make(world, "t1");
	world_remember(world);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		auto_outcome outcome = { 0 };
		struct call call = call_for(world, rows[i], input);
		char what[64];
		snprintf(what, sizeof what, "CNI_COMMAND=\"%s\"", rows[i]);
		if (!rows[i][0])
			continue;
		call_run(world, &call, &outcome);
		claim_error(world, &outcome, 4, rows[i], what);
	}
	claim_clean(world, "after unknown commands");
}

static void check_missing(struct world *world, const char *command, const char *variable,
			  bool empty, bool required)
{
	auto_outcome outcome = { 0 };
	auto_free char *input = chain_input(world->list, 0, NULL, NULL);
	struct call call = call_for(world, command, input);
	const char *value = empty ? "" : NULL;
	char what[80];
	snprintf(what, sizeof what, "%s with %s %s", command, variable,
		 empty ? "empty" : "not set");
	if (text_equal(variable, "CNI_CONTAINERID"))
		call.id = value;
	else if (text_equal(variable, "CNI_NETNS"))
		call.netns = value;
	else
		call.ifname = value;
	call_run(world, &call, &outcome);
	if (required)
		claim_error(world, &outcome, 4, variable, what);
	else
		claim_done(world, &outcome, what);
}

static void point_variables(struct world *world)
{
	static const struct {
		const char *command, *variable;
		bool required;
	} rows[] = {
		{ "ADD", "CNI_CONTAINERID", true }, { "ADD", "CNI_NETNS", true },
		{ "ADD", "CNI_IFNAME", true },      { "CHECK", "CNI_CONTAINERID", true },
		{ "CHECK", "CNI_NETNS", true },     { "CHECK", "CNI_IFNAME", true },
		{ "DEL", "CNI_CONTAINERID", true }, { "DEL", "CNI_IFNAME", true },
		{ "DEL", "CNI_NETNS", false },
	};
	auto_outcome outcome = { 0 };
	auto_free char *input = chain_input(world->list, 0, NULL, NULL);
	netns_make(world, "t1");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (int empty = 0; empty < 2; empty++)
			check_missing(world, rows[i].command, rows[i].variable, empty,
				      rows[i].required);
	struct call none = { .type = chain_type(world->list, 0), .command = "ADD", .input = input };
	call_run(world, &none, &outcome);
	claim_error(world, &outcome, 4, "CNI_CONTAINERID", "ADD without any variable");
	claim_error(world, &outcome, 4, "CNI_IFNAME", "ADD without any variable");
}

static void point_path(struct world *world)
{
	auto_outcome outcome = { 0 };
	auto_json list = conf_ipam(world, "{'ranges':[[{'subnet':'10.77.0.0/24'}]]}");
	auto_free char *input = chain_input(list, 0, NULL, NULL);
	struct call call = call_for(world, "ADD", input);
	netns_make(world, "t1");
	call.path = NULL;
	call_run(world, &call, &outcome);
	if (outcome.status == 0)
		claim_done(world, &outcome, "ADD without CNI_PATH, with an IPAM of its own");
	else
		claim_error(world, &outcome, 4, "CNI_PATH", "ADD without CNI_PATH");
}

static void point_path_foreign(struct world *world)
{
	auto_outcome outcome = { 0 };
	auto_json list = conf_with(world, NULL, "{'ipam':{'type':'stub-ipam'}}");
	auto_free char *input = chain_input(list, 0, NULL, NULL);
	struct call call = call_for(world, "ADD", input);
	if (!world_warm(world, world->list))
		return;
	netns_make(world, "t1");
	world_remember(world);
	call.path = NULL;
	call_run(world, &call, &outcome);
	claim_error(world, &outcome, 4, "CNI_PATH", "ADD with a foreign IPAM, without CNI_PATH");
	claim_clean(world, "ADD without CNI_PATH");
}

static void point_ids(struct world *world)
{
	static const char *const wrong[] = { "-a",  ".a",       "_a",  "a/b", "a b", "a\n",
					     "a\t", "\xc3\xa9", "a;b", "..",  "a:b", "a=b" };
	auto_free char *input = chain_input(world->list, 0, NULL, NULL);
	char first[ID_LONG + 1], second[ID_LONG + 1];
	netns_make(world, "t1");
	netns_make(world, "t2");
	world_remember(world);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		auto_outcome outcome = { 0 };
		struct call call = call_for(world, "ADD", input);
		char what[64];
		call.id = wrong[i];
		call_run(world, &call, &outcome);
		snprintf(what, sizeof what, "container ID \"%s\"", wrong[i]);
		claim_error(world, &outcome, 4, NULL, what);
	}
	claim_clean(world, "after wrong container IDs");
	memset(first, 'a', ID_LONG);
	first[ID_LONG] = '\0';
	memcpy(second, first, sizeof second);
	second[ID_LONG - 1] = 'b';
	auto_attachment one = { .id = first, .ifname = "eth0", .netns = "/run/netns/t1" };
	auto_attachment two = { .id = second, .ifname = "eth0", .netns = "/run/netns/t2" };
	char address[64] = "", other[64] = "";
	claim(world, chain_do(world, world->list, "ADD", &one), "an ID of 200 bytes is taken");
	claim(world, chain_do(world, world->list, "ADD", &two),
	      "one that differs in its last byte");
	result_address(one.result, 4, address);
	result_address(two.result, 4, other);
	claim(world, !text_equal(address, other), "the two have addresses of their own");
	claim(world, chain_do(world, world->list, "DEL", &one), "DEL of the first");
	claim(world, net_has("t2", "link eth0 ") && !net_has("t1", "link eth0 "),
	      "DEL of the first leaves the second");
}

static void point_names(struct world *world)
{
	static const char *const wrong[] = {
		".", "..", "a/b", "a:b", "a b", "a\tb", "0123456789abcdef", "\xe2\x80\x83x", "a\n"
	};
	static const char *const networks[] = { "../x", "a/b", "", ".", "-x", "a b", "\xc3\xa9" };
	auto_free char *input = chain_input(world->list, 0, NULL, NULL);
	netns_make(world, "t1");
	world_remember(world);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		auto_outcome outcome = { 0 };
		struct call call = call_for(world, "ADD", input);
		char what[64];
		call.ifname = wrong[i];
		call_run(world, &call, &outcome);
		snprintf(what, sizeof what, "interface name \"%s\"", wrong[i]);
		claim_error(world, &outcome, 4, NULL, what);
	}
	for (size_t i = 0; i < ARRAY_SIZE(networks); i++) {
		auto_outcome outcome = { 0 };
		auto_json change = json_new_object();
		json_put_string(change, "name", networks[i]);
		auto_json list = conf_merge(world->list, change);
		auto_free char *text = chain_input(list, 0, NULL, NULL);
		struct call call = call_for(world, "ADD", text);
		char what[64];
		call_run(world, &call, &outcome);
		snprintf(what, sizeof what, "network name \"%s\"", networks[i]);
		claim_error(world, &outcome, 7, NULL, what);
	}
	auto_outcome nameless = { 0 };
	auto_json list = conf_top(world->list, "{'name':null}");
	auto_free char *text = chain_input(list, 0, NULL, NULL);
	struct call call = call_for(world, "ADD", text);
	call_run(world, &call, &nameless);
	claim_error(world, &nameless, 7, "name", "a configuration without name");
	claim_clean(world, "after wrong names");
}

static void point_args(struct world *world)
{
	static const struct {
		const char *args;
		bool fine;
	} rows[] = {
		{ "", true },
		{ "IgnoreUnknown=true", true },
		{ "IgnoreUnknown=1;K8S_POD_NAME=p;X=y", true },
		{ "IgnoreUnknown=true;K8S_POD_NAME=", true },
		{ "IgnoreUnknown=true;A=b;A=c", true },
		{ "MADE_UP=1", false },
		{ "IgnoreUnknown=false;MADE_UP=1", false },
		{ "ignoreunknown=true;MADE_UP=1", false },
		{ "IgnoreUnknown=true;NOEQUALS", false },
		{ "IgnoreUnknown=true;A=b=c", false },
	};
	netns_make(world, "t1");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		auto_outcome outcome = { 0 };
		char id[16], what[100];
		snprintf(id, sizeof id, "c%zu", i);
		snprintf(what, sizeof what, "CNI_ARGS=\"%s\"", rows[i].args);
		auto_attachment one = {
			.id = id, .ifname = "eth0", .netns = "/run/netns/t1", .args = rows[i].args
		};
		chain_run(world, world->list, "ADD", &one, &outcome);
		if (rows[i].fine)
			claim_done(world, &outcome, what);
		else
			claim_error(world, &outcome, 0, NULL, what);
		one.args = NULL;
		chain_do(world, world->list, "DEL", &one);
	}
}

static void point_netns_forms(struct world *world)
{
	char proc[64];
	netns_make(world, "t1");
	netns_make(world, "t2");
	int ready[2];
	if (pipe(ready) < 0 || symlink("/run/netns/t2", "/run/witness/link") < 0)
		return;
	pid_t pid = fork();
	if (pid == 0) {
		int ok = unshare(CLONE_NEWNET);
		if (write(ready[1], &ok, sizeof ok) < 0)
			_exit(1);
		pause();
		_exit(0);
	}
	int ok = -1;
	if (read(ready[0], &ok, sizeof ok) < 0)
		return;
	snprintf(proc, sizeof proc, "/proc/%d/ns/net", pid);
	const char *const forms[] = { "/run/netns/t1", proc, "/run/witness/link" };
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		char id[8];
		snprintf(id, sizeof id, "c%zu", i);
		auto_attachment one = { .id = id, .ifname = "eth0", .netns = forms[i] };
		claim(world, chain_do(world, world->list, "ADD", &one), "ADD with %s", forms[i]);
		bool found = false;
		for (size_t k = 0; k < result_count(one.result, "interfaces"); k++) {
			char path[48];
			snprintf(path, sizeof path, "interfaces.%zu.sandbox", k);
			found |= text_equal(result_text(one.result, path), forms[i]);
		}
		claim(world, found, "sandbox in the result is %s", forms[i]);
		claim(world, chain_do(world, world->list, "DEL", &one), "DEL with %s", forms[i]);
	}
}

static void point_own_netns(struct world *world)
{
	auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/proc/self/ns/net" };
	auto_outcome add = { 0 }, del = { 0 };
	world_remember(world);
	plugin_run(world, world->list, 0, "ADD", &one, NULL, &add);
	claim_error(world, &add, 8, NULL, "ADD into the plugin's own namespace");
	claim_clean(world, "ADD into the plugin's own namespace");
	plugin_run(world, world->list, 0, "DEL", &one, NULL, &del);
	claim_done(world, &del, "DEL with the plugin's own namespace");
}

static void point_no_netns(struct world *world)
{
	static const char *const paths[] = { "/run/witness/file", "/run/witness" };
	file_put(paths[0], "");
	world_remember(world);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = paths[i] };
		auto_outcome outcome = { 0 };
		plugin_run(world, world->list, 0, "ADD", &one, NULL, &outcome);
		claim_error(world, &outcome, 8, NULL,
			    i ? "a folder as CNI_NETNS" : "a file as CNI_NETNS");
	}
	claim_clean(world, "after what is no namespace");
}

const struct point environment_points[] = {
	{ 7, "unknown commands", 0, point_commands },
	{ 7, "variables that are missing", 0, point_variables },
	{ 8, "CNI_PATH only where another program is run", NEEDS_POOL, point_path },
	{ 8, "CNI_PATH for a foreign IPAM", NEEDS_POOL, point_path_foreign },
	{ 9, "container IDs", 0, point_ids },
	{ 10, "names of interfaces and networks", 0, point_names },
	{ 14, "CNI_ARGS", 0, point_args },
	{ 15, "forms of CNI_NETNS", 0, point_netns_forms },
	{ 16, "the plugin's own namespace", 0, point_own_netns },
	{ 17, "CNI_NETNS that is no namespace", 0, point_no_netns },
	{ 0 },
};
