/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Wherry beside the reference plugins: wherry-ipam under their bridge,
 * wherry-cni over their host-local, and over a stub that misbehaves.
 */
#include <unistd.h>

#include "base/file.h"
#include "runtime.h"

static bool has_reference(void)
{
	return path_exists("/usr/lib/cni/bridge") && path_exists("/usr/lib/cni/host-local");
}

#define BRIDGE                                                                                \
	"{'cniVersion':'1.0.0','name':'ref','type':'bridge','bridge':'br0','isGateway':true," \
	"'ipam':{'type':'wherry-ipam','ranges':[[{'subnet':'10.7.0.0/24'}]],"                 \
	"'routes':[{'dst':'0.0.0.0/0'}]}}"

static void cni_071_wherry_ipam_serves_the_reference_bridge(void **state)
{
	struct scene *scene = *state;
	struct call call = { .command = "ADD",
			     .container = "c1",
			     .config = BRIDGE,
			     .plugin = "/usr/lib/cni/bridge" };

	if (!has_reference())
		skip();
	scene_container(scene, "c1");
	if (runtime_call(scene, &call) != 0)
		fail_msg("%s", scene_output(scene));
	assert_string_equal(runtime_text(scene, "ips", 0, "address"), "10.7.0.2/24");
	assert_string_equal(runtime_text(scene, "routes", 0, "dst"), "0.0.0.0/0");
	scene_assert_ping(scene, "node", "10.7.0.2");
	call.command = "DEL";
	assert_int_equal(runtime_call(scene, &call), 0);
	call.command = "ADD";
	assert_int_equal(runtime_call(scene, &call), 0);
	assert_string_equal(runtime_text(scene, "ips", 0, "address"), "10.7.0.3/24");
	call.command = "DEL";
	assert_int_equal(runtime_call(scene, &call), 0);
	assert_int_equal(scene_run(scene, "node", "ip", "link", "del", "br0", NULL), 0);
}

/* Writes an IPAM plugin as a shell script into its folder, which becomes CNI_PATH's first. */
static void write_stub(struct scene *scene, const char *body)
{
	char path[1024], script[4096];
	struct error err = { 0 };

	snprintf(path, sizeof path, "%s/stub", scene_folder(scene));
	snprintf(script, sizeof script, "#!/bin/sh\nread -r config\n%s\n", body);
	if (file_replace(path, script, strlen(script), 0755, FILE_NO_SYNC, &err) < 0)
		fail_msg("%s", err.text);
}

static int run_with_stub(struct scene *scene, const char *command)
{
	static const char config[] =
		"{\"cniVersion\":\"1.0.0\",\"name\":\"net\",\"type\":\"wherry-cni\","
		"\"bridge\":\"cni0\",\"ipam\":{\"type\":\"stub\"}}\n";
	char netns[1024], path[1024], name[64];
	const char *environment[] = { name, netns, path, "CNI_CONTAINERID=c1", "CNI_IFNAME=eth0",
				      NULL };
	const char *argv[] = { "wherry-cni", NULL };
	struct scene_command run = { .argv = argv, .environment = environment, .input = config };

	snprintf(name, sizeof name, "CNI_COMMAND=%s", command);
	snprintf(netns, sizeof netns, "CNI_NETNS=%s", scene_netns_path(scene, "c1"));
	snprintf(path, sizeof path, "CNI_PATH=%s", scene_folder(scene));
	return scene_execute(scene, &run);
}

static void cni_021_another_ipam_gives_the_address(void **state)
{
	struct scene *scene = *state;

	scene_container(scene, "c1");
	write_stub(scene, "[ $CNI_COMMAND = ADD ] && echo '{\"cniVersion\":\"0.4.0\",\"ips\":"
			  "[{\"version\":\"4\",\"address\":\"10.8.0.5/24\",\"gateway\":"
			  "\"10.8.0.1\"}]}'; exit 0");
	if (run_with_stub(scene, "ADD") != 0)
		fail_msg("%s", scene_output(scene));
	assert_string_equal(runtime_text(scene, "ips", 0, "address"), "10.8.0.5/24");
	scene_assert_ping(scene, "node", "10.8.0.5");
	assert_int_equal(run_with_stub(scene, "DEL"), 0);
}

static void cni_022_a_delegates_error_passes_through(void **state)
{
	static const char *const errors[] = {
		"{\"cniVersion\":\"1.0.0\",\"code\":11,\"msg\":\"later\",\"details\":\"busy\"}",
		"{\"cniVersion\":\"1.0.0\",\"code\":123,\"msg\":\"own\"}",
	};
	struct scene *scene = *state;

	scene_container(scene, "c1");
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		char body[512];
		snprintf(body, sizeof body, "echo '%s'; [ $CNI_COMMAND = DEL ]", errors[i]);
		write_stub(scene, body);
		assert_int_equal(run_with_stub(scene, "ADD"), 1);
		assert_string_equal(scene_output(scene), errors[i]);
	}
}

static void cni_029_no_address_is_an_error_that_ipam_hears_of(void **state)
{
	static const char *const outputs[] = { "", "{}", "null", "{\"ips\":[]}", "garbage" };
	struct scene *scene = *state;
	char heard[1024];

	scene_container(scene, "c1");
	snprintf(heard, sizeof heard, "%s/heard", scene_folder(scene));
	for (size_t i = 0; i < ARRAY_SIZE(outputs); i++) {
		char body[2048];
		snprintf(body, sizeof body,
			 "[ $CNI_COMMAND = DEL ] && echo $CNI_COMMAND >>%s; [ $CNI_COMMAND = ADD ] "
			 "&& echo '%s'; exit 0",
			 heard, outputs[i]);
		write_stub(scene, body);
		if (run_with_stub(scene, "ADD") != 1 || !path_exists(heard))
			fail_msg("row %zu: %s", i, scene_output(scene));
		assert_int_equal(unlink(heard), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE(cni_071_wherry_ipam_serves_the_reference_bridge),
		SCENE(cni_021_another_ipam_gives_the_address),
		SCENE(cni_022_a_delegates_error_passes_through),
		SCENE(cni_029_no_address_is_an_error_that_ipam_hears_of),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
