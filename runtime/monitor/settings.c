/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "runtime/monitor.h"

void monitor_settings_save(const struct monitor_settings *settings, struct json_t *config)
{
	struct json_t *value = json_new_object();
	json_put_bool(value, "interactive", settings->interactive);
	json_put_integer(value, "restart", settings->restart.kind);
	json_put_integer(value, "restartMax", settings->restart.max);
	json_put_integer(value, "logFileSize", (int64_t)settings->log.file_size_bytes);
	json_put_integer(value, "logFiles", settings->log.files);
	if (settings->health_interval_ms)
		json_put_integer(value, "healthInterval", settings->health_interval_ms);
	json_put(config, "monitor", value);
}

int monitor_settings_load(const struct json_at *config, struct monitor_settings *settings,
			  struct error *err)
{
	struct json_at at;
	int64_t kind = RESTART_NO, max = 0, size = LOG_SIZE_DEFAULT, files = LOG_FILES_DEFAULT;
	int r = json_get_object(config, "monitor", JSON_REQUIRED, &at, err);
	if (r == 0)
		r = json_get_bool(&at, "interactive", JSON_REQUIRED, &settings->interactive, err);
	if (r == 0)
		r = json_get_integer(&at, "restart", JSON_REQUIRED, 0, RESTART_UNLESS_STOPPED,
				     &kind, err);
	if (r == 0)
		r = json_get_integer(&at, "restartMax", JSON_REQUIRED, 0, INT32_MAX, &max, err);
	if (r == 0)
		r = json_get_integer(&at, "logFileSize", JSON_REQUIRED, 1, INT64_MAX, &size, err);
	if (r == 0)
		r = json_get_integer(&at, "logFiles", JSON_REQUIRED, 1, LOG_FILES_MAX, &files, err);
	if (r == 0)
		r = json_get_integer(&at, "healthInterval", JSON_OPTIONAL, 0, INT64_MAX / 2,
				     &settings->health_interval_ms, err);
	if (r < 0)
		return r;
	settings->restart.kind = (enum restart_kind)kind;
	settings->restart.max = (unsigned)max;
	settings->log.file_size_bytes = (uint64_t)size;
	settings->log.files = (unsigned)files;
	return 0;
}
