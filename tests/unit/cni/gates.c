/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an outsider can send wrongly, and the whole answer to it. Every call
 * here is refused before anything is opened, so it runs without privileges.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "cni/cni.h"

#define ANSWER_MAX 2048

typedef int plugin(const struct instance *instance, const struct cni_environment *environment,
		   const char *config, size_t config_size, char **ret_output);

static const struct cni_environment good = { .command = "ADD",
					     .container_id = "c1",
					     .netns = "/nowhere/netns",
					     .interface = "eth0",
					     .path = "/nowhere" };

/* Texts are written with ' for " and ` for ', so that they can be read. */
static void to_json(const char *text, char *ret, size_t size)
{
	snprintf(ret, size, "%s", text);
	for (char *at = ret; *at; at++)
		*at = *at == '\'' ? '"' : *at == '`' ? '\'' : *at;
}

static struct instance test_instance(void)
{
	struct instance instance;
	struct error err = { 0 };

	if (instance_init("/proc", &instance, &err) < 0)
		fail_msg("%s", err.text);
	return instance;
}

static void expect(size_t row, plugin *run, const struct cni_environment *env, const char *config,
		   const char *answer)
{
	struct instance instance = test_instance();
	char json[ANSWER_MAX], expected[ANSWER_MAX];
	auto_free char *output = NULL;

	to_json(config, json, sizeof json);
	to_json(answer, expected, sizeof expected);
	int status = run(&instance, env, json, strlen(json), &output);
	if (strcmp(output, expected) != 0 || status != (strstr(expected, "\"code\"") != NULL))
		fail_msg("row %zu: %s\n  is       %s\n  expected %s", row, json, output, expected);
}

#define CONFIG(keys) "{'cniVersion':'1.0.0','name':'net','type':'wherry-cni'," keys "}"
#define IPAM "'ipam':{'type':'wherry-ipam','subnet':'10.1.0.0/16'}"
#define WITH(keys) CONFIG(IPAM "," keys)
#define ERROR(code, text) "{'cniVersion':'1.0.0','code':" code ",'msg':'standard input: " text "'}"

static const struct {
	const char *config, *answer;
} wrong_types[] = {
	{ WITH("'mtu':'1500'"),
	  ERROR("7", "mtu: must be a whole number from 0 to 65535, not \\'1500\\'") },
	{ WITH("'mtu':-1"), ERROR("7", "mtu: must be a whole number from 0 to 65535, not -1") },
	{ WITH("'mtu':1.5"), ERROR("7", "mtu: must be a whole number from 0 to 65535, not 1.5") },
	{ WITH("'bridge':1"), ERROR("7", "bridge: must be a string, not 1") },
	{ WITH("'isGateway':'yes'"),
	  ERROR("7", "isGateway: must be true or false, not \\'yes\\'") },
	{ WITH("'isDefaultGateway':1"),
	  ERROR("7", "isDefaultGateway: must be true or false, not 1") },
	{ WITH("'ipMasq':1"), ERROR("7", "ipMasq: must be true or false, not 1") },
	{ WITH("'hairpinMode':1"), ERROR("7", "hairpinMode: must be true or false, not 1") },
	{ WITH("'promiscMode':1"), ERROR("7", "promiscMode: must be true or false, not 1") },
	{ WITH("'forceAddress':1"), ERROR("7", "forceAddress: must be true or false, not 1") },
	{ WITH("'portIsolation':1"), ERROR("7", "portIsolation: must be true or false, not 1") },
	{ WITH("'macspoofchk':1"), ERROR("7", "macspoofchk: must be true or false, not 1") },
	{ WITH("'vlan':4095"),
	  ERROR("7", "vlan: must be a whole number from 0 to 4094, not 4095") },
	{ WITH("'vlanTrunk':{}"), ERROR("7", "vlanTrunk: must be a list, not {}") },
	{ WITH("'ipMasqBackend':'pf'"),
	  ERROR("7", "ipMasqBackend: \\'pf\\' is none of \\'iptables\\' and \\'nftables\\'") },
	{ WITH("'root':'here'"), ERROR("7", "root: \\'here\\' must be an absolute path") },
	{ WITH("'dns':[]"), ERROR("7", "dns: must be an object, not []") },
	{ WITH("'dns':{'nameservers':['1.1.1.1',2]}"),
	  ERROR("7", "dns.nameservers[1]: must be a string, not 2") },
	{ CONFIG("'ipam':[]"), ERROR("7", "ipam: must be an object, not []") },
	{ CONFIG("'ipam':{'type':1}"), ERROR("7", "ipam.type: must be a string, not 1") },
	{ CONFIG("'ipam':{'subnet':'10.1'}"),
	  ERROR("7", "ipam.subnet: must be a prefix such as \\'10.1.0.0/16\\', not \\'10.1\\'") },
	{ CONFIG("'ipam':{'ranges':{}}"), ERROR("7", "ipam.ranges: must be a list, not {}") },
	{ WITH("'runtimeConfig':[]"), ERROR("7", "runtimeConfig: must be an object, not []") },
	{ WITH("'runtimeConfig':{'ips':['10.1.0.300']}"),
	  ERROR("7", "runtimeConfig.ips[0]: \\'10.1.0.300\\' is no address: 10.1.2.3 or fd00::1 "
		     "would be") },
	{ WITH("'runtimeConfig':{'mac':'02:42'}"),
	  ERROR("7", "runtimeConfig.mac: must be a unicast MAC such as \\'02:42:0a:01:00:05\\', "
		     "not \\'02:42\\'") },
	{ WITH("'runtimeConfig':{'portMappings':{}}"),
	  ERROR("7", "runtimeConfig.portMappings: must be a list, not {}") },
	{ WITH("'runtimeConfig':{'portMappings':[{'hostPort':80,'containerPort':80,'protocol':'tcp'"
	       "},{'hostPort':0,'containerPort':80,'protocol':'tcp'}]}"),
	  ERROR("7", "runtimeConfig.portMappings[1].hostPort: must be a whole number from 1 to "
		     "65535, not 0") },
	{ WITH("'runtimeConfig':{'portMappings':[{'hostPort':80,'containerPort':80,'protocol':'"
	       "icmp'}]}"),
	  ERROR("7", "runtimeConfig.portMappings[0].protocol: \\'icmp\\' is none of tcp, udp and "
		     "sctp") },
	{ WITH("'runtimeConfig':{'portMappings':[{'hostPort':80,'containerPort':80}]}"),
	  ERROR("7", "runtimeConfig.portMappings[0].protocol: is missing") },
	{ WITH("'runtimeConfig':{'PortMappings':[{'HostPort':80,'ContainerPort':80,'Protocol':'TCP'"
	       ",'HostIP':'x'}]}"),
	  ERROR("7", "runtimeConfig.portMappings[0].hostIP: must be an address such as "
		     "\\'10.1.2.3\\', not \\'x\\'") },
	{ WITH("'runtimeConfig':{'aliases':'web'}"),
	  ERROR("7", "runtimeConfig.aliases: must be a list of names, or an object of such lists "
		     "by network") },
	{ WITH("'runtimeConfig':{'bandwidth':{'ingressRate':'x'}}"),
	  ERROR("7", "runtimeConfig.bandwidth.ingressRate: must be a whole number from 0 to "
		     "9223372036854775807, not \\'x\\'") },
};

static void cni_011_a_wrong_type_in_any_key_names_key_value_and_what_is_right(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong_types); i++)
		expect(i, cni_run, &good, wrong_types[i].config, wrong_types[i].answer);
}

static const struct {
	const char *config, *answer;
} not_meant[] = {
	{ "", "{'cniVersion':'1.1.0','code':6,'msg':'standard input is empty: it must hold the "
	      "network configuration'}" },
	{ "{", "{'cniVersion':'1.1.0','code':6,'msg':'standard input: no valid JSON at line 1, "
	       "column 1: string or `}` expected near end of file'}" },
	{ "[]", "{'cniVersion':'1.1.0','code':6,'msg':'standard input: must be an object'}" },
	{ "{'cniVersion':'0.3','name':'net'}",
	  "{'cniVersion':'1.1.0','code':1,'msg':'cniVersion \\'0.3\\' is not supported: 0.1.0, "
	  "0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0 and 1.1.0 are'}" },
	{ "{'cniVersion':'1.0.0'}", ERROR("7", "name: is missing") },
	{ "{'cniVersion':'1.0.0','name':'../x'}",
	  ERROR("7", "name: \\'../x\\' must have 1 to 127 of the characters a-z A-Z 0-9 _ . - and "
		     "begin with a letter or digit") },
	{ WITH("'bridge':'a/b'"),
	  ERROR("7",
		"bridge: \\'a/b\\' is no device name: 1 to 15 bytes without `/`, `:` and space") },
	{ WITH("'hairpinMode':true,'promiscMode':true"),
	  ERROR("7", "promiscMode: cannot be true together with hairpinMode") },
	{ WITH("'vlan':5"), ERROR("2", "vlan: is not supported yet: 0 would be right") },
	{ WITH("'runtimeConfig':{'bandwidth':{'egressRate':8}}"),
	  ERROR("7", "runtimeConfig.bandwidth.egressRate: needs egressBurst beside it") },
	{ WITH("'runtimeConfig':{'portMappings':[{'hostPort':80,'containerPort':80,'protocol':'"
	       "dccp'}]}"),
	  ERROR("7", "runtimeConfig.portMappings[0].protocol: \\'dccp\\' is none of tcp, udp and "
		     "sctp") },
	{ CONFIG("'ipam':{'ranges':[[{'subnet':'fd00::/64'}],[{'subnet':'fd01::/64'}]]}"),
	  ERROR("2", "ipam: subnet fd01::/64 is a second one of IPv6: not supported yet") },
	{ CONFIG("'ipam':{'subnet':'fd00::/64','routes':[{'dst':'fd05::/64','gw':'fd00::9'}]}"),
	  ERROR("2", "ipam.routes[0]: gw fd00::9 is not the gateway: not supported yet") },
	{ CONFIG("'ipam':{'subnet':'fd00::/64','routes':[{'dst':'fd05::/64','gw':'10.0.0.1'}]}"),
	  ERROR("7", "ipam.routes[0]: gw 10.0.0.1 is of another family than dst fd05::/64") },
	{ CONFIG("'ipam':{'subnet':'fd00::/127'}"),
	  ERROR("7", "ipam: subnet fd00::/127 is too small: at most /126") },
	{ CONFIG("'ipam':{'subnet':'fd00::/64','rangeStart':'fd01::1'}"),
	  ERROR("7", "ipam: rangeStart fd01::1 lies outside subnet fd00::/64") },
	{ CONFIG("'ipam':{'ranges':[[{'subnet':'10.1.0.0/16'},{'subnet':'fd00::/64'}]]}"),
	  ERROR("7", "ipam: subnets 10.1.0.0/16 and fd00::/64 of one set are of two families") },
	{ WITH("'prevResult':{'cniVersion':'0.4.0'}"),
	  ERROR("7", "prevResult.cniVersion: \\'0.4.0\\' is not the configuration`s: 1.0.0 would "
		     "be right") },
	{ CONFIG("'ipam':{'subnet':'10.1.0.9/16'}"),
	  ERROR("7", "ipam: subnet 10.1.0.9/16 has host bits: 10.1.0.0/16 would be right") },
	{ CONFIG(IPAM), "{'cniVersion':'1.0.0','code':3,'msg':'CNI_NETNS: network namespace "
			"/nowhere/netns: No such "
			"file or directory'}" },
};

static void cni_011_what_cannot_be_meant_is_refused_in_one_clear_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(not_meant); i++)
		expect(i, cni_run, &good, not_meant[i].config, not_meant[i].answer);
}

#define ENVIRONMENT_ERROR(text) "{'cniVersion':'1.1.0','code':4,'msg':'" text "'}"

static const struct {
	struct cni_environment env;
	const char *answer;
} environments[] = {
	{ { .command = "add" },
	  ENVIRONMENT_ERROR("CNI_COMMAND \\'add\\' is not known: ADD, DEL, CHECK, GC, STATUS and "
			    "VERSION are") },
	{ { .command = "ADD" },
	  ENVIRONMENT_ERROR("missing in the environment: CNI_CONTAINERID, CNI_NETNS, CNI_IFNAME") },
	{ { .command = "DEL", .container_id = "", .interface = "eth0" },
	  ENVIRONMENT_ERROR("missing in the environment: CNI_CONTAINERID") },
	{ { .command = "ADD", .container_id = "-a", .netns = "/n", .interface = "eth0" },
	  ENVIRONMENT_ERROR("CNI_CONTAINERID \\'-a\\' must have 1 to 255 of the characters a-z A-Z "
			    "0-9 _ . - and begin with a letter or digit") },
	{ { .command = "ADD", .container_id = "a", .netns = "/n", .interface = "a b" },
	  ENVIRONMENT_ERROR(
		  "CNI_IFNAME \\'a b\\' must have 1 to 15 bytes and no `/`, `:` or space") },
	{ { .command = "ADD", .container_id = "a", .netns = "/n", .interface = "sixteen-bytes-xx" },
	  ENVIRONMENT_ERROR("CNI_IFNAME \\'sixteen-bytes-xx\\' must have 1 to 15 bytes and no `/`, "
			    "`:` or space") },
	{ { .command = "ADD",
	    .container_id = "a",
	    .netns = "/n",
	    .interface = "eth0",
	    .args = "IP" },
	  ENVIRONMENT_ERROR("CNI_ARGS: \\'IP\\' is no pair KEY=VALUE") },
	{ { .command = "ADD",
	    .container_id = "a",
	    .netns = "/n",
	    .interface = "eth0",
	    .args = "FOO=1" },
	  ENVIRONMENT_ERROR("CNI_ARGS: FOO: is not known: IP, MAC, IgnoreUnknown and K8S_… are") },
	{ { .command = "ADD",
	    .container_id = "a",
	    .netns = "/n",
	    .interface = "eth0",
	    .args = "MAC=1" },
	  ENVIRONMENT_ERROR("CNI_ARGS: MAC: \\'1\\' is no MAC: 02:42:0a:01:00:05 would be") },
};

static void cni_007_each_command_names_the_variables_that_it_lacks(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(environments); i++)
		expect(i, cni_run, &environments[i].env, CONFIG(IPAM), environments[i].answer);
}

static void cni_014_unknown_arguments_pass_where_they_are_to_be_ignored(void **state)
{
	static const char *const args[] = { "FOO=1;IgnoreUnknown=true",
					    "IgnoreUnknown=1;NB_INDEX=3",
					    "K8S_POD_NAME=web;K8S_POD_NAMESPACE=x", "",
					    "IP=;MAC=" };
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(args); i++) {
		struct cni_environment env = good;
		env.args = args[i];
		expect(i, cni_run, &env, CONFIG(IPAM),
		       "{'cniVersion':'1.0.0','code':3,'msg':'CNI_NETNS: network namespace "
		       "/nowhere/netns: No such "
		       "file or directory'}");
	}
}

#define SUPPORTED "'supportedVersions':['0.1.0','0.2.0','0.3.0','0.3.1','0.4.0','1.0.0','1.1.0']}"

static void cni_005_version_answers_whatever_else_is_there(void **state)
{
	static const struct {
		const char *config, *answer;
	} rows[] = {
		{ "{'cniVersion':'0.4.0'}", "{'cniVersion':'0.4.0'," SUPPORTED },
		{ "", "{'cniVersion':'1.1.0'," SUPPORTED },
		{ "{broken", "{'cniVersion':'1.1.0'," SUPPORTED },
	};
	struct cni_environment env = { .command = "VERSION",
				       .netns = "dummy",
				       .interface = "dummy" };
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		expect(i, cni_run, &env, rows[i].config, rows[i].answer);
		expect(i, cni_ipam_run, &env, rows[i].config, rows[i].answer);
	}
}

static void cni_026_commands_need_the_version_that_brought_them(void **state)
{
	static const struct {
		const char *command, *config, *answer;
	} rows[] = {
		{ "CHECK", "{'cniVersion':'0.3.1','name':'net'}",
		  "{'cniVersion':'1.1.0','code':1,'msg':'CNI_COMMAND CHECK needs cniVersion 0.4.0 "
		  "or above, not 0.3.1'}" },
		{ "GC", "{'cniVersion':'1.0.0','name':'net'}",
		  "{'cniVersion':'1.1.0','code':1,'msg':'CNI_COMMAND GC needs cniVersion 1.1.0 or "
		  "above, not 1.0.0'}" },
		{ "STATUS", "{'name':'net'}",
		  "{'cniVersion':'1.1.0','code':1,'msg':'CNI_COMMAND STATUS needs cniVersion 1.1.0 "
		  "or above, not 0.1.0'}" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cni_environment env = good;
		env.command = rows[i].command;
		expect(i, cni_run, &env, rows[i].config, rows[i].answer);
	}
}

static void cni_108_del_of_what_never_was_makes_nothing(void **state)
{
	static const char *const configs[] = {
		CONFIG(IPAM),
		WITH("'prevResult':'broken'"),
		WITH("'mtu':'unusable','ipMasq':7"),
		CONFIG("'ipam':{'subnet':'no subnet'}"),
		"{'name':'net'}",
	};
	struct cni_environment env = good;
	env.command = "DEL";
	env.netns = "";
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(configs); i++)
		expect(i, cni_run, &env, configs[i], "");
}

static void cni_060_wherry_ipam_names_what_is_wrong(void **state)
{
	static const struct {
		const char *config, *answer;
	} rows[] = {
		{ "{'cniVersion':'1.0.0','name':'net'}", ERROR("7", "ipam: is missing") },
		{ CONFIG("'ipam':{}"), ERROR("7", "ipam: no range to take an address from") },
		{ CONFIG("'ipam':{'ranges':[[]]}"),
		  ERROR("7", "ipam.ranges[0]: must be a list of 1 to 16 ranges") },
		{ WITH("'runtimeConfig':{'ipRanges':[[{'subnet':'10.1.0.1/16'}]]}"),
		  ERROR("7", "runtimeConfig.ipRanges[0][0]: subnet 10.1.0.1/16 has host bits: "
			     "10.1.0.0/16 would be right") },
		{ "{'cniVersion':'0.2.0','name':'net','ipam':{'ranges':[[{'subnet':'10.1.0.0/24'}],"
		  "[{'subnet':'10.2.0.0/24'}]]}}",
		  "{'cniVersion':'0.2.0','code':7,'msg':'standard input: ipam.ranges: two "
		  "addresses "
		  "of one family cannot be told in cniVersion 0.2.0: 0.3.0 or above would be "
		  "right'}" },
		{ WITH("'dns':{'search':'a.b'}"), ERROR("7", "dns.search: must be a list, not "
							     "\\'a.b\\'") },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		expect(i, cni_ipam_run, &good, rows[i].config, rows[i].answer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cni_011_a_wrong_type_in_any_key_names_key_value_and_what_is_right),
		cmocka_unit_test(cni_011_what_cannot_be_meant_is_refused_in_one_clear_line),
		cmocka_unit_test(cni_007_each_command_names_the_variables_that_it_lacks),
		cmocka_unit_test(cni_014_unknown_arguments_pass_where_they_are_to_be_ignored),
		cmocka_unit_test(cni_005_version_answers_whatever_else_is_there),
		cmocka_unit_test(cni_026_commands_need_the_version_that_brought_them),
		cmocka_unit_test(cni_060_wherry_ipam_names_what_is_wrong),
		cmocka_unit_test(cni_108_del_of_what_never_was_makes_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
