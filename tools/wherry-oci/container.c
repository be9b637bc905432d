/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "container.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"

#define STATE_FILE "state.json"
#define SOCKET_FILE "start.sock"
#define STATE_SIZE_MAX (16u << 20)
#define ID_LENGTH_MAX 256

/* The id becomes a path: the check of the spec's own gate comes too late for that. */
static int set_directory(const struct cli *cli, const char *id, struct container *container,
			 struct error *err)
{
	if (!*id || id[0] == '.' || strchr(id, '/') || strlen(id) > ID_LENGTH_MAX)
		return error_set(err, EINVAL, "container id \"%s\" is not valid", id);
	snprintf(container->directory, sizeof container->directory, "%s/%s", cli->root, id);
	return 0;
}

void container_release(struct container *container)
{
	oci_spec_release(&container->spec);
	free(container->owner);
	container->owner = NULL;
}

static void set_created(struct container *container)
{
	struct timespec now;
	struct tm parts;
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &parts);
	size_t size = strftime(container->created, sizeof container->created, "%Y-%m-%dT%H:%M:%S",
			       &parts);
	snprintf(container->created + size, sizeof container->created - size, ".%09ldZ",
		 now.tv_nsec);
}

int container_make(const struct cli *cli, const char *id, struct container *ret, struct error *err)
{
	int r = set_directory(cli, id, ret, err);
	if (r == 0)
		r = directory_make(cli->root, 0700, err);
	if (r < 0)
		return r;
	if (mkdir(ret->directory, 0700) < 0) {
		if (errno == EEXIST)
			return error_set(err, EEXIST, "container with id exists: %s", id);
		return error_set_errno(err, errno, "%s", ret->directory);
	}
	set_created(ret);
	/* Only root has a name here: the C library's look-up does not work in a static program. */
	return getuid() == 0 ? text_copy("root", &ret->owner, err)
			     : text_format(&ret->owner, err, "%u", (unsigned int)getuid());
}

static int container_file(const struct container *container, const char *name, char **ret_path,
			  struct error *err)
{
	return text_format(ret_path, err, "%s/%s", container->directory, name);
}

int container_socket(const struct container *container, char **ret_path, struct error *err)
{
	return container_file(container, SOCKET_FILE, ret_path, err);
}

int container_save(struct container *container, pid_t pid, struct error *err)
{
	auto_json state = json_new_object();
	struct json_t *spec = NULL;
	auto_free char *path = NULL, *text = NULL;
	int r = process_identify(pid, &container->process, err);
	if (r == 0)
		r = oci_spec_save(&container->spec, &spec, err);
	if (r < 0)
		return r;
	json_put(state, "spec", spec);
	json_put_integer(state, "pid", pid);
	json_put_integer(state, "startTime", (int64_t)container->process.start_time);
	json_put_string(state, "created", container->created);
	json_put_string(state, "owner", container->owner);
	r = json_format(state, JSON_COMPACT, &text, err);
	if (r == 0)
		r = container_file(container, STATE_FILE, &path, err);
	return r < 0 ? r : file_replace(path, text, strlen(text), 0600, FILE_NO_SYNC, err);
}

static int read_state(const struct json_at *at, struct container *container, struct error *err)
{
	struct json_at spec = { 0 };
	const char *created = NULL, *owner = NULL;
	int64_t pid = 0, start_time = 0;
	int r = json_get_object(at, "spec", JSON_REQUIRED, &spec, err);
	if (r == 0)
		r = json_get_integer(at, "pid", JSON_REQUIRED, 1, INT32_MAX, &pid, err);
	if (r == 0)
		r = json_get_integer(at, "startTime", JSON_REQUIRED, 0, INT64_MAX, &start_time,
				     err);
	if (r == 0)
		r = json_get_string(at, "created", JSON_REQUIRED, &created, err);
	if (r == 0)
		r = json_get_string(at, "owner", JSON_REQUIRED, &owner, err);
	if (r == 0)
		r = text_copy(owner, &container->owner, err);
	if (r < 0)
		return r;
	snprintf(container->created, sizeof container->created, "%s", created);
	container->process.pid = (pid_t)pid;
	container->process.start_time = (uint64_t)start_time;
	return oci_spec_load(&spec, &container->spec, err);
}

int container_load(const struct cli *cli, const char *id, struct container *ret, struct error *err)
{
	auto_free char *path = NULL;
	auto_json state = NULL;
	int r = set_directory(cli, id, ret, err);
	if (r == 0)
		r = container_file(ret, STATE_FILE, &path, err);
	if (r < 0)
		return r;
	if (!path_exists(path))
		return error_set(err, ENOENT, "container \"%s\" does not exist", id);
	r = json_read_file(path, STATE_SIZE_MAX, &state, err);
	if (r < 0)
		return r;
	struct json_at root = json_root(state, path);
	return read_state(&root, ret, err);
}

int container_forget(const struct container *container, struct error *err)
{
	return tree_remove(container->directory, err);
}

const char *container_status(const struct container *container)
{
	auto_free char *socket = NULL;
	struct error ignored = { 0 };
	if (!process_is_alive(container->process))
		return "stopped";
	if (container_socket(container, &socket, &ignored) == 0 && path_exists(socket))
		return "created";
	return oci_is_paused(&container->spec) ? "paused" : "running";
}

struct json_t *container_json(const struct container *container)
{
	const char *status = container_status(container);
	bool stopped = text_equal(status, "stopped");
	struct json_t *state =
		oci_state_json(&container->spec, stopped ? 0 : container->process.pid, status);
	json_put_string(state, "created", container->created);
	json_put_string(state, "owner", container->owner);
	return state;
}
