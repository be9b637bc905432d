/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state of a container as the OCI runtime spec writes it.
 */
#include <string.h>

#include "base/json.h"
#include "runtime/oci.h"

struct json_t *oci_state_json(const struct oci_spec *spec, pid_t pid, const char *status)
{
	struct json_t *state = json_new_object();
	json_put_string(state, "ociVersion", OCI_VERSION);
	json_put_string(state, "id", spec->id);
	json_put_integer(state, "pid", pid);
	json_put_string(state, "status", status);
	json_put_string(state, "bundle", spec->bundle ? spec->bundle : "");
	json_put_string(state, "rootfs", spec->rootfs ? spec->rootfs : "");
	struct json_t *annotations = json_new_object();
	for (size_t i = 0; i < spec->annotations.count; i++) {
		auto_free char *key = strdup(spec->annotations.items[i]);
		char *value = key ? strchr(key, '=') : NULL;
		if (!value)
			continue;
		*value = '\0';
		json_put_string(annotations, key, value + 1);
	}
	json_put(state, "annotations", annotations);
	return state;
}

int oci_state_format(const struct oci_spec *spec, pid_t pid, const char *status, char **ret_text,
		     struct error *err)
{
	auto_json state = oci_state_json(spec, pid, status);
	return json_format(state, JSON_COMPACT, ret_text, err);
}
