/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a network configuration, as CNI_ARGS, and as a delegate's result.
 * What must hold: an ADD whose namespace is nowhere always fails, with one error
 * object of a known code.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "cni/cni.h"
#include "fuzz.h"
#include "result.h"

static void check_call(const struct cni_environment *environment, const char *config, size_t size)
{
	struct instance instance;
	struct error err = { 0 };
	auto_free char *output = NULL;
	auto_json document = NULL;
	int64_t code = 0;

	int r = instance_init("/proc", &instance, &err);
	assert(r == 0);
	int status = cni_run(&instance, environment, config, size, &output);
	assert(status == 1);
	r = json_parse("output", output, strlen(output), &document, &err);
	assert(r == 0);
	struct json_at root = json_root(document, "output");
	r = json_get_integer(&root, "code", JSON_REQUIRED, 1, 8, &code, &err);
	assert(r == 0);
}

static void check_result(const char *text, size_t size)
{
	auto_json document = NULL;
	auto_json formatted = NULL;
	auto_cni_result result = { 0 };
	struct error err = { 0 };

	if (json_parse("plugin", text, size, &document, &err) < 0)
		return;
	struct json_at at = json_root(document, "plugin");
	if (cni_result_read(&at, CNI_0_4_0, &result, &err) == 0) {
		int r = cni_result_format(&result, CNI_1_1_0, &formatted, &err);
		assert(r == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cni_environment environment = { .command = "ADD",
					       .container_id = "c1",
					       .netns = "/nowhere/netns",
					       .interface = "eth0" };
	char *text = malloc(size + 1);

	assert(text);
	memcpy(text, data, size);
	text[size] = '\0';
	check_call(&environment, text, size);
	check_result(text, size);
	environment.args = text;
	check_call(&environment, "{}", 2);
	free(text);
	return 0;
}
