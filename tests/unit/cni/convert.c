/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a list of the reference's plugins to Wherry's, compared whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "cni/convert.h"

#define LIST(plugins) "{'cniVersion':'0.4.0','name':'n','plugins':[" plugins "]}"
#define POOL "'ipam':{'type':'host-local','subnet':'10.1.0.0/16'}"

static char *to_json(const char *text)
{
	char *json = strdup(text);
	for (char *at = json; *at; at++)
		if (*at == '\'')
			*at = '"';
	return json;
}

static const struct {
	const char *source, *list;
	const char *notes; /* all of them, a blank behind each */
} rows[] = {
	{ LIST("{'type':'bridge','isGateway':true," POOL "},"
	       "{'type':'portmap','capabilities':{'portMappings':true},'backend':'iptables'},"
	       "{'type':'firewall','backend':'','ingressPolicy':'isolated'},"
	       "{'type':'tuning','sysctl':{'net.core.somaxconn':'500'},'capabilities':{'mac':true}"
	       "}"),
	  LIST("{'type':'wherry','isGateway':true," POOL
	       ",'capabilities':{'portMappings':true,'mac':true},'ingressPolicy':'isolated',"
	       "'sysctl':{'net.core.somaxconn':'500'}}"),
	  "" },
	{ LIST("{'type':'bridge','vlan':5," POOL "},{'type':'portmap','masqAll':true}"),
	  LIST("{'type':'wherry'," POOL "}"),
	  "bridge.vlan is not carried over: there are no VLANs inside a network "
	  "portmap.masqAll is not carried over: containers see the client's own address " },
	{ LIST("{'type':'bridge','vlan':0,'forceAddress':false," POOL "},{'type':'sbr','x':1}"),
	  LIST("{'type':'wherry'," POOL "},{'type':'sbr','x':1}"),
	  "sbr stays in the list as it is " },
	{ LIST("{'type':'bridge','mtu':'wrong'," POOL "}"),
	  LIST("{'type':'wherry','mtu':'wrong'," POOL "}"),
	  "as it is, ADD refuses it: standard input: mtu: must be a whole number from 0 to 65535, "
	  "not \"wrong\" " },
	{ "{'cniVersion':'0.4.0','name':'n','type':'bridge'," POOL "}",
	  LIST("{'type':'wherry'," POOL "}"), "" },
};

static void a_list_of_the_reference_becomes_one_plugin(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		auto_free char *source = to_json(rows[i].source), *wanted = to_json(rows[i].list);
		auto_free char *text = NULL;
		auto_json parsed = NULL;
		auto_json list = NULL;
		auto_words notes = { 0 };
		auto_text all = { 0 };
		struct error err;
		assert_int_equal(json_parse("test", source, strlen(source), &parsed, &err), 0);
		struct json_at root = json_root(parsed, "test");
		if (cni_convert(&root, &list, &notes, &err) < 0)
			fail_msg("%s: %s", source, err.text);
		assert_int_equal(json_format(list, JSON_COMPACT, &text, &err), 0);
		assert_string_equal(text, wanted);
		for (size_t k = 0; k < notes.count; k++)
			text_append(&all, "%s ", notes.items[k]);
		assert_string_equal(all.data ? all.data : "", rows[i].notes);
	}
}

static void a_list_without_a_bridge_is_refused(void **state)
{
	static const char *const wrong[] = {
		"[]",      "{}",           LIST(""), LIST("{'type':'portmap'}"), LIST("{'type':7}"),
		LIST("7"), "{'plugins':7}"
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		auto_free char *source = to_json(wrong[i]);
		auto_json parsed = NULL;
		auto_json list = NULL;
		auto_words notes = { 0 };
		struct error err;
		assert_int_equal(json_parse("test", source, strlen(source), &parsed, &err), 0);
		struct json_at root = json_root(parsed, "test");
		if (cni_convert(&root, &list, &notes, &err) >= 0)
			fail_msg("%s is taken", source);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_of_the_reference_becomes_one_plugin),
		cmocka_unit_test(a_list_without_a_bridge_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
