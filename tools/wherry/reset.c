/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reset.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "dataplane/dataplane.h"
#include "runtime/engine.h"

#define END_MS 10000 /* until a process that was told to end must be gone */

/* Kills by a descriptor, which no later process of the same number can get. */
static bool end_process(pid_t pid, int signal)
{
	auto_fd pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd wait = { .fd = pidfd, .events = POLLIN };
	if (pidfd < 0 || syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) < 0)
		return false;
	return poll(&wait, 1, END_MS) == 1;
}

/* True if wherryd ran. Its lock tells, since a pid file may be a dead one's. */
static bool end_wherryd(const struct instance *instance)
{
	char path[INSTANCE_PATH_MAX + 32];
	auto_free char *text = NULL;
	size_t size;
	uint64_t pid;
	struct error ignored;
	auto_fd lock_fd = -1;

	snprintf(path, sizeof path, "%s/wherryd.lock", instance->run);
	if (!path_exists(path) || lock_take(path, 0, &lock_fd, &ignored) == 0)
		return false;
	snprintf(path, sizeof path, "%s/wherryd.pid", instance->run);
	if (file_read(path, 64, &text, &size, &ignored) < 0) {
		/* It is ending already: its pid file goes first, its lock with its last breath. */
		snprintf(path, sizeof path, "%s/wherryd.lock", instance->run);
		return lock_take(path, END_MS, &lock_fd, &ignored) == 0;
	}
	if (size && text[size - 1] == '\n')
		text[size - 1] = '\0';
	return text_to_unsigned(text, 1, INT32_MAX, &pid) == 0 && end_process((pid_t)pid, SIGTERM);
}

/* Removes what can be removed; the first that cannot is the error. */
static int remove_each(struct engine *engine, const struct json_at *rows, FILE *file,
		       struct error *err)
{
	int result = 0;
	for (size_t i = 0; i < json_count(rows); i++) {
		struct error trouble;
		const char *id;
		struct json_at row = json_element(rows, i);
		int r = json_get_string(&row, "FullID", JSON_REQUIRED, &id, &trouble);
		if (r == 0)
			r = container_remove(engine, id, CONTAINER_FORCE, true, &trouble);
		if (r == 0)
			fprintf(file, "removed container %.12s\n", id);
		if (r < 0 && result == 0) {
			result = r;
			*err = trouble;
		}
	}
	return result;
}

/* An engine of our own: its state must be closed before the data path goes. */
static int remove_containers(const struct instance *instance, FILE *file, struct error *err)
{
	AUTO(engine) engine = NULL;
	auto_json list = NULL;
	struct container_filter filter = { .all = true };
	int r = engine_open(instance, &engine, err);
	if (r == 0)
		r = containers_list(engine, &filter, &list, err);
	if (r < 0)
		return r;
	struct json_at rows = json_root(list, "containers");
	return remove_each(engine, &rows, file, err);
}

/* The records of networks go with their data path; images and volumes stay. */
static int remove_records(const struct instance *instance, struct error *err)
{
	static const char *const names[] = { "engine.mdb", "engine.mdb-lock" };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char path[INSTANCE_PATH_MAX + 32];
		snprintf(path, sizeof path, "%s/%s", instance->lib, names[i]);
		if (unlink(path) < 0 && errno != ENOENT)
			return error_set_errno(err, errno, "%s", path);
	}
	(void)rmdir(instance->lib); /* if nothing else is in it */
	return 0;
}

int reset_instance(const struct instance *instance, FILE *file, struct error *err)
{
	if (end_wherryd(instance))
		fprintf(file, "ended wherryd\n");
	int r = remove_containers(instance, file, err);
	if (r == 0)
		r = dataplane_reset(instance, err);
	if (r == 0)
		r = tree_remove(instance->run, err);
	if (r == 0)
		r = remove_records(instance, err);
	if (r == 0)
		fprintf(file, "removed networks, programs and maps\n");
	return r;
}
