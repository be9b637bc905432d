/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every key of the plugin's configuration with every wrong type: an error of
 * the specification that names the key, and nothing is left.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "scene/scene.h"

#define RANGE "{\"subnet\":\"10.3.0.0/24\"}"
#define HEAD "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"type\":\"wherry-cni\","
#define IPAM "\"ipam\":{\"ranges\":[[" RANGE "]]}"
#define PORT "\"containerPort\":80,\"protocol\":\"tcp\""

/* Where a key stands: the document in front of it and behind it. */
static const struct {
	const char *before, *after;
} places[] = {
	[0] = { "{", ",\"name\":\"n\",\"type\":\"wherry-cni\"," IPAM "}" },
	[1] = { "{\"cniVersion\":\"1.0.0\",\"type\":\"wherry-cni\"," IPAM ",", "}" },
	[2] = { HEAD IPAM ",", "}" },
	[3] = { HEAD, "}" },
	[4] = { HEAD "\"ipam\":{\"ranges\":[[" RANGE "]],", "}}" },
	[5] = { HEAD "\"ipam\":{", "}}" },
	[6] = { HEAD "\"ipam\":{\"ranges\":[[{\"subnet\":\"10.3.0.0/24\",", "}]]}}" },
	[7] = { HEAD "\"ipam\":{\"ranges\":[[{", "}]]}}" },
	[8] = { HEAD "\"ipam\":{\"ranges\":[[" RANGE "]],\"routes\":[{", "}]}}" },
	[9] = { HEAD IPAM ",\"runtimeConfig\":{", "}}" },
	[10] = { HEAD IPAM ",\"runtimeConfig\":{\"portMappings\":[{" PORT ",", "}]}}" },
	[11] = { HEAD IPAM ",\"runtimeConfig\":{\"portMappings\":[{\"hostPort\":8080,"
			   "\"protocol\":\"tcp\",",
		 "}]}}" },
	[12] = { HEAD IPAM ",\"runtimeConfig\":{\"portMappings\":[{\"hostPort\":8080,"
			   "\"containerPort\":80,",
		 "}]}}" },
	[13] = { HEAD IPAM ",\"dns\":{", "}}" },
	[14] = { HEAD IPAM ",\"args\":{\"cni\":{", "}}}" },
	[15] = { HEAD IPAM ",\"runtimeConfig\":{\"portMappings\":[{\"hostPort\":8080," PORT ",",
		 "}]}}" },
};

/* Kinds that a value can have, and those that a key takes. */
#define KINDS "btnao" /* bool, text, number, array, object */
static const char *const values[] = { "true", "\"\\u0001\"", "-7.5", "[]", "{}" };

static const struct {
	const char *key;
	int place;
	const char *kinds; /* those that are right, or right enough to be refused otherwise */
} rows[] = {
	{ "cniVersion", 0, "" },
	{ "name", 1, "" },
	{ "bridge", 2, "t" },
	{ "mtu", 2, "" },
	{ "vlan", 2, "" },
	{ "vlanTrunk", 2, "a" },
	{ "isGateway", 2, "b" },
	{ "isDefaultGateway", 2, "b" },
	{ "ipMasq", 2, "b" },
	{ "ipMasqBackend", 2, "" },
	{ "publishFrom", 2, "a" },
	{ "portIsolation", 2, "b" },
	{ "hairpinMode", 2, "b" },
	{ "promiscMode", 2, "b" },
	{ "forceAddress", 2, "b" },
	{ "macspoofchk", 2, "b" },
	{ "enabledad", 2, "b" },
	{ "preserveDefaultVlan", 2, "b" },
	{ "disableContainerInterface", 2, "b" },
	{ "root", 2, "" },
	{ "dns", 2, "o" },
	{ "runtimeConfig", 2, "o" },
	{ "prevResult", 2, "o" },
	{ "ipam", 3, "o" },
	{ "type", 4, "t" },
	{ "routes", 4, "a" },
	{ "resolvConf", 4, "" },
	{ "ranges", 5, "a" },
	{ "rangeStart", 6, "" },
	{ "rangeEnd", 6, "" },
	{ "gateway", 6, "" },
	{ "subnet", 7, "" },
	{ "dst", 8, "" },
	{ "portMappings", 9, "a" },
	{ "ips", 9, "a" },
	{ "mac", 9, "" },
	{ "bandwidth", 9, "o" },
	{ "aliases", 9, "ao" },
	{ "hostPort", 10, "" },
	{ "hostIP", 15, "" },
	{ "containerPort", 11, "" },
	{ "protocol", 12, "" },
	{ "nameservers", 13, "a" },
	{ "domain", 13, "t" },
	{ "search", 13, "a" },
	{ "options", 13, "a" },
	{ "mac", 14, "" },
};

static void each_wrong_type_is_named_and_leaves_nothing(void **state)
{
	static const char *const argv[] = { "wherry-cni", NULL };
	struct scene *scene = *state;
	auto_free char *netns = NULL;
	struct error err;
	scene_container(scene, "c1");
	assert_int_equal(text_format(&netns, &err, "CNI_NETNS=%s", scene_netns_path(scene, "c1")),
			 0);
	const char *const environment[] = { "CNI_COMMAND=ADD",
					    "CNI_CONTAINERID=c1",
					    "CNI_IFNAME=eth0",
					    "CNI_PATH=/nowhere",
					    netns,
					    NULL };
	auto_free char *before = scene_snapshot(scene);
	size_t wrong = 0;
	for (size_t i = 0; i < ARRAY_SIZE(rows) * ARRAY_SIZE(values); i++) {
		size_t row = i / ARRAY_SIZE(values), kind = i % ARRAY_SIZE(values);
		int place = rows[row].place;
		auto_free char *config = NULL;
		if (strchr(rows[row].kinds, KINDS[kind]))
			continue;
		assert_int_equal(text_format(&config, &err, "%s\"%s\":%s%s", places[place].before,
					     rows[row].key, values[kind], places[place].after),
				 0);
		struct scene_command command = { .argv = argv,
						 .environment = environment,
						 .input = config };
		int status = scene_execute(scene, &command);
		const char *output = scene_output(scene);
		if (status == 1 && strstr(output, "\"code\":") && strstr(output, rows[row].key))
			continue;
		print_error("%s: status %d: %s%s\n", config, status, output, scene_errors(scene));
		wrong++;
	}
	assert_int_equal(wrong, 0);
	scene_assert_unchanged(scene, before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_wrong_type_is_named_and_leaves_nothing,
						scene_set_up, scene_tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
