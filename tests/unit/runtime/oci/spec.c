/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "base/json.h"
#include "runtime/oci.h"
#include "unit.h"

static int read_text(const char *text, struct oci_spec *ret_spec, struct error *err)
{
	auto_json config = NULL;
	int r = json_parse("config.json", text, strlen(text), &config, err);
	if (r < 0)
		return r;
	struct json_at root = json_root(config, "config.json");
	return oci_spec_read(&root, "c1", "/bundle", ret_spec, err);
}

#define BASE "\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"rootfs\"}"

/* Each error names the place and what would be right. */
static void a_wrong_field_is_named(void **state)
{
	(void)state;
	static const struct {
		const char *config, *text;
	} rows[] = {
		{ "[]", "config.json: must be an object" },
		{ "{\"root\":{\"path\":\"x\"}}", "ociVersion: is missing" },
		{ "{\"ociVersion\":\"2.0\",\"root\":{\"path\":\"x\"}}",
		  "ociVersion: version \"2.0\" is not known here: 1.x is" },
		{ "{\"ociVersion\":\"1.0.2\"}", "root: is missing" },
		{ "{" BASE ",\"mounts\":[{\"destination\":\"etc\"}]}",
		  "mounts[0].destination: \"etc\" must be an absolute path" },
		{ "{" BASE ",\"mounts\":[{\"type\":\"proc\"}]}",
		  "mounts[0].destination: is missing" },
		{ "{" BASE ",\"process\":{\"cwd\":\"x\"}}",
		  "process.cwd: \"x\" must be an absolute path" },
		{ "{" BASE ",\"process\":{\"args\":[1],\"cwd\":\"/\"}}", "process.args[0]" },
		{ "{" BASE
		  ",\"process\":{\"cwd\":\"/\",\"capabilities\":{\"bounding\":[\"CAP_X\"]}}}",
		  "process.capabilities.bounding[0]: unknown capability \"CAP_X\"" },
		{ "{" BASE
		  ",\"process\":{\"cwd\":\"/\",\"rlimits\":[{\"type\":\"RLIMIT_X\",\"hard\":1,"
		  "\"soft\":1}]}}",
		  "process.rlimits[0].type: unknown limit \"RLIMIT_X\"" },
		{ "{" BASE ",\"process\":{\"cwd\":\"/\",\"user\":{\"uid\":-1}}}",
		  "process.user.uid" },
		{ "{" BASE ",\"linux\":{\"namespaces\":[{\"type\":\"x\"}]}}",
		  "linux.namespaces[0].type: unknown namespace \"x\"" },
		{ "{" BASE ",\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"pid\"}]}}",
		  "linux.namespaces[1]: a second namespace of type pid" },
		{ "{" BASE ",\"linux\":{\"cgroupsPath\":\"/\"}}",
		  "linux.cgroupsPath: \"/\" names no group of its own" },
		{ "{" BASE ",\"linux\":{\"cgroupsPath\":\"/a/../b\"}}", "linux.cgroupsPath" },
		{ "{" BASE ",\"linux\":{\"resources\":{\"memory\":{\"limit\":\"1g\"}}}}",
		  "linux.resources.memory.limit" },
		{ "{" BASE
		  ",\"linux\":{\"resources\":{\"devices\":[{\"allow\":true,\"access\":\"x\"}]}}}",
		  "linux.resources.devices[0]: access \"x\": must be of r, w and m" },
		{ "{" BASE ",\"linux\":{\"seccomp\":{\"defaultAction\":\"X\"}}}",
		  "defaultAction: unknown action \"X\"" },
		{ "{" BASE ",\"hooks\":{\"prestart\":[{\"path\":\"x\"}]}}",
		  "hooks.prestart[0].path: \"x\" must be an absolute path" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		auto_oci_spec spec = { 0 };
		struct error err = { 0 };
		int r = read_text(rows[i].config, &spec, &err);
		if (r >= 0 || !strstr(err.text, rows[i].text))
			fail_msg("row %zu: %d \"%s\" has no \"%s\"", i, r, err.text, rows[i].text);
	}
}

static void ids_that_are_paths_are_refused(void **state)
{
	(void)state;
	static const char *const ids[] = { "", ".", "..", "a/b", "../x", "a b", ".hidden" };
	auto_json config = NULL;
	struct error err = { 0 };
	static const char text[] = "{" BASE "}";
	MUST(json_parse("config.json", text, sizeof text - 1, &config, &err), err);
	struct json_at root = json_root(config, "config.json");
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		auto_oci_spec spec = { 0 };
		CHECK_ROW(i, ids[i], oci_spec_read(&root, ids[i], "/b", &spec, &err) == -EINVAL);
	}
}

static void what_a_config_does_not_say_is_off(void **state)
{
	(void)state;
	auto_oci_spec spec = { 0 };
	struct error err = { 0 };
	MUST(read_text("{" BASE "}", &spec, &err), err);
	assert_string_equal(spec.rootfs, "/bundle/rootfs");
	assert_int_equal(spec.seccomp, OCI_SECCOMP_UNCONFINED);
	assert_int_equal(spec.process.capabilities, 0);
	assert_int_equal(spec.mount_count, 0);
	for (int i = 0; i < OCI_NS_COUNT; i++)
		assert_int_equal(spec.namespaces[i].use, OCI_NS_HOST);
	assert_string_equal(spec.cgroup_path, "wherry-oci/c1");
}

/* The whole of it, so that a member that save forgets is found by the text. */
static void a_saved_spec_comes_back_the_same(void **state)
{
	(void)state;
	struct error err = { 0 };
	auto_oci_spec spec = { 0 }, again = { 0 };
	auto_json first = NULL;
	auto_json second = NULL;
	auto_free char *first_text = NULL, *second_text = NULL;
	MUST(oci_spec_default("c1", &spec, &err), err);
	spec.init = true;
	spec.hostname = strdup("h");
	spec.process.ambient = spec.process.capabilities & 1;
	spec.process.terminal = true;
	spec.process.terminal_rows = 3;
	spec.process.terminal_columns = 4;
	spec.resources.memory_bytes = 1 << 20;
	spec.resources.cpuset_cpus = strdup("0");
	spec.process.rlimits = calloc(2, sizeof *spec.process.rlimits);
	assert_non_null(spec.process.rlimits);
	spec.process.rlimit_count = 2;
	spec.process.rlimits[0] = (struct oci_rlimit){ 7, 10, UINT64_MAX, true };
	spec.process.rlimits[1] = (struct oci_rlimit){ 6, 10, 20, false };
	MUST(words_append(&spec.overlay_lower, "/l,:o", &err), err);
	MUST(words_append(&spec.annotations, "a=b=c", &err), err);
	spec.namespaces[OCI_NS_NETWORK].use = OCI_NS_PATH;
	spec.namespaces[OCI_NS_NETWORK].path = strdup("/run/netns/x");
	MUST(oci_spec_save(&spec, &first, &err), err);
	struct json_at root = json_root(first, "saved");
	MUST(oci_spec_load(&root, &again, &err), err);
	MUST(oci_spec_save(&again, &second, &err), err);
	MUST(json_format(first, JSON_INDENTED, &first_text, &err), err);
	MUST(json_format(second, JSON_INDENTED, &second_text, &err), err);
	assert_string_equal(first_text, second_text);
	assert_true(again.init && again.process.rlimits[0].explicit_request);
	assert_false(again.process.rlimits[1].explicit_request);
	assert_int_equal(again.seccomp, OCI_SECCOMP_DEFAULT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wrong_field_is_named),
		cmocka_unit_test(ids_that_are_paths_are_refused),
		cmocka_unit_test(what_a_config_does_not_say_is_off),
		cmocka_unit_test(a_saved_spec_comes_back_the_same),
	};
	return cmocka_run_group_tests_name("oci-spec", tests, NULL, NULL);
}
