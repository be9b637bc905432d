/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "runtime/state.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/instance.h"
#include "base/json.h"
#include "base/text.h"

#define STATE_SIZE_MAX 4096

static const char *const status_names[] = { "created", "running", "restarting", "exited" };
_Static_assert(ARRAY_SIZE(status_names) == CONTAINER_STATUS_COUNT, "a name for each status");

const char *container_status_name(enum container_status status)
{
	return status_names[status];
}

static void put_identity(struct json_t *object, const char *key, struct process_identity identity)
{
	struct json_t *value = json_new_object();
	json_put_integer(value, "pid", identity.pid);
	json_put_integer(value, "startTime", (int64_t)identity.start_time);
	json_put(object, key, value);
}

static int get_identity(const struct json_at *at, const char *key, struct process_identity *ret,
			struct error *err)
{
	struct json_at place;
	int64_t pid = 0, start_time = 0;
	int r = json_get_object(at, key, JSON_REQUIRED, &place, err);
	if (r == 0)
		r = json_get_integer(&place, "pid", JSON_REQUIRED, 0, INT32_MAX, &pid, err);
	if (r == 0)
		r = json_get_integer(&place, "startTime", JSON_REQUIRED, 0, INT64_MAX, &start_time,
				     err);
	*ret = (struct process_identity){ .pid = (pid_t)pid, .start_time = (uint64_t)start_time };
	return r;
}

static int get_status(const struct json_at *at, enum container_status *ret, struct error *err)
{
	const char *name = NULL;
	int r = json_get_string(at, "status", JSON_REQUIRED, &name, err);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(status_names); i++) {
		if (strcmp(name, status_names[i]) != 0)
			continue;
		*ret = i;
		return 0;
	}
	return r < 0 ? r : json_error(at, err, EINVAL, "status \"%s\" is unknown", name);
}

static int read_numbers(const struct json_at *at, struct container_state *state, struct error *err)
{
	int64_t exit_code = 0, restarts = 0;
	int r = json_get_integer(at, "exitCode", JSON_REQUIRED, 0, 255, &exit_code, err);
	if (r == 0)
		r = json_get_integer(at, "restarts", JSON_REQUIRED, 0, INT32_MAX, &restarts, err);
	if (r == 0)
		r = json_get_integer(at, "startedNs", JSON_REQUIRED, 0, INT64_MAX,
				     &state->started_ns, err);
	if (r == 0)
		r = json_get_integer(at, "finishedNs", JSON_REQUIRED, 0, INT64_MAX,
				     &state->finished_ns, err);
	state->exit_code = (int)exit_code;
	state->restarts = (int)restarts;
	return r;
}

int container_state_read(const char *run_dir, struct container_state *ret_state, struct error *err)
{
	char path[INSTANCE_PATH_MAX + 128];
	auto_json document = NULL;
	snprintf(path, sizeof path, "%s/state.json", run_dir);
	int r = json_read_file(path, STATE_SIZE_MAX, &document, err);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	struct container_state state = { 0 };
	struct json_at root = json_root(document, path);
	r = get_status(&root, &state.status, err);
	if (r == 0)
		r = get_identity(&root, "process", &state.process, err);
	if (r == 0)
		r = get_identity(&root, "monitor", &state.monitor, err);
	if (r == 0)
		r = read_numbers(&root, &state, err);
	if (r < 0)
		return r;
	*ret_state = state;
	return 1;
}

int container_state_write(const char *run_dir, const struct container_state *state,
			  struct error *err)
{
	char path[INSTANCE_PATH_MAX + 128];
	auto_free char *text = NULL;
	auto_json document = json_new_object();
	snprintf(path, sizeof path, "%s/state.json", run_dir);
	json_put_string(document, "status", container_status_name(state->status));
	put_identity(document, "process", state->process);
	put_identity(document, "monitor", state->monitor);
	json_put_integer(document, "exitCode", state->exit_code);
	json_put_integer(document, "restarts", state->restarts);
	json_put_integer(document, "startedNs", state->started_ns);
	json_put_integer(document, "finishedNs", state->finished_ns);
	int r = json_format(document, JSON_COMPACT, &text, err);
	return r < 0 ? r : file_replace(path, text, strlen(text), 0644, FILE_NO_SYNC, err);
}
