/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "runtime.h"

#include "base/file.h"
#include "dataplane/dataplane.h"

#define CONFIG_MAX 16384
#define VARIABLES 8

static void to_json(const char *text, char *ret)
{
	snprintf(ret, CONFIG_MAX, "%s", text);
	for (char *at = ret; *at; at++)
		if (*at == '\'')
			*at = '"';
}

const char *runtime_path(void)
{
	static _Thread_local char path[1024];
	snprintf(path, sizeof path, "%s:/usr/lib/cni", getenv("WHERRY_BIN"));
	return path;
}

int runtime_call(struct scene *scene, const struct call *call)
{
	static const char *const names[] = { "CNI_COMMAND", "CNI_CONTAINERID", "CNI_NETNS",
					     "CNI_IFNAME",  "CNI_PATH",        "CNI_ARGS" };
	const char *netns = call->netns ? call->netns : scene_netns_path(scene, call->container);
	const char *values[] = { call->command, call->container, netns,
				 "eth0",        runtime_path(),  call->args ? call->args : "" };
	char variables[VARIABLES][1200], json[CONFIG_MAX];
	const char *environment[VARIABLES + 1] = { NULL };
	const char *argv[] = { call->plugin ? call->plugin : "wherry-cni", NULL };
	struct scene_command command = {
		.argv = argv, .environment = environment, .input = json, .timeout_ms = 30000
	};

	to_json(call->config, json);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(variables[i], sizeof variables[i], "%s=%s", names[i], values[i]);
		environment[i] = variables[i];
	}
	return scene_execute(scene, &command);
}

int runtime_run(struct scene *scene, const char *command, const char *container, const char *config)
{
	struct call call = { .command = command, .container = container, .config = config };
	return runtime_call(scene, &call);
}

const char *runtime_text(struct scene *scene, const char *list, size_t index, const char *key)
{
	static _Thread_local char text[512];
	auto_json document = NULL;
	struct error err = { 0 };
	const char *output = scene_output(scene), *value = "";

	if (json_parse("output", output, strlen(output), &document, &err) < 0)
		fail_msg("%s: %s", err.text, output);
	struct json_at root = json_root(document, "output");
	struct json_at items = json_member(&root, list ? list : ""),
		       item = json_element(&items, index);
	if (json_get_string(list ? &item : &root, key, JSON_REQUIRED, &value, &err) < 0)
		fail_msg("%s: %s", err.text, output);
	snprintf(text, sizeof text, "%s", value);
	return text;
}

const char *runtime_add(struct scene *scene, const char *container, const char *config)
{
	static _Thread_local char address[128];

	if (runtime_run(scene, "ADD", container, config) != 0)
		fail_msg("ADD of %s: %s%s", container, scene_output(scene), scene_errors(scene));
	snprintf(address, sizeof address, "%s", runtime_text(scene, "ips", 0, "address"));
	address[strcspn(address, "/")] = '\0';
	return address;
}

void runtime_expect_error(struct scene *scene, const char *command, const char *container,
			  const char *config, int code, const char *message)
{
	auto_json document = NULL;
	struct error err = { 0 };
	const char *text = "";
	int64_t is = 0;

	int status = runtime_run(scene, command, container, config);
	const char *output = scene_output(scene);
	if (status != 1 || json_parse("output", output, strlen(output), &document, &err) < 0)
		fail_msg("%s of %s: status %d: %s", command, container, status, output);
	struct json_at root = json_root(document, "output");
	json_get_integer(&root, "code", JSON_REQUIRED, 1, 999, &is, &err);
	json_get_string(&root, "msg", JSON_REQUIRED, &text, &err);
	assert_string_equal(text, message);
	assert_int_equal(is, code);
}

void runtime_expect_silence(struct scene *scene, const char *command, const char *container,
			    const char *config)
{
	int status = runtime_run(scene, command, container, config);
	if (status != 0 || *scene_output(scene))
		fail_msg("%s of %s: status %d: %s%s", command, container, status,
			 scene_output(scene), scene_errors(scene));
}

int runtime_tear_down(void **state)
{
	const struct instance *instance = scene_instance(*state);
	struct error err = { 0 };
	int r = dataplane_reset(instance, &err);

	if (r == 0)
		r = tree_remove(instance->run, &err);
	if (r < 0)
		print_error("%s\n", err.text);
	return scene_tear_down(state) < 0 || r < 0 ? -1 : 0;
}
