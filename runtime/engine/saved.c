/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "saved.h"

#include <errno.h>
#include <string.h>

#include "base/file.h"

int saved_load(struct engine *engine, const char *id, struct saved *ret_saved, struct error *err)
{
	struct path path = path_in(container_dir(engine, id), MONITOR_CONFIG);
	auto_json config = NULL;
	struct json_at spec, root;
	int r = json_read_file(path.text, MONITOR_CONFIG_SIZE_MAX, &config, err);
	if (r < 0)
		return r;
	root = json_root(config, path.text);
	r = json_get_object(&root, "spec", JSON_REQUIRED, &spec, err);
	if (r == 0)
		r = monitor_settings_load(&root, &ret_saved->settings, err);
	return r < 0 ? r : oci_spec_load(&spec, &ret_saved->spec, err);
}

int saved_write(struct engine *engine, const char *id, const struct saved *saved, struct error *err)
{
	struct path path = path_in(container_dir(engine, id), MONITOR_CONFIG);
	auto_json config = json_new_object();
	auto_free char *text = NULL;
	struct json_t *spec = NULL;
	int r = oci_spec_save(&saved->spec, &spec, err);
	if (r < 0)
		return r;
	json_put(config, "spec", spec);
	monitor_settings_save(&saved->settings, config);
	r = json_format(config, JSON_COMPACT, &text, err);
	/* A new container counts when its record is committed: no sync of its own is needed. */
	return r < 0 ? r : file_replace(path.text, text, strlen(text), 0600, FILE_NO_SYNC, err);
}
