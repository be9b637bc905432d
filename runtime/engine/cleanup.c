/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cleanup.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "attach.h"
#include "base/file.h"
#include "base/loop.h"
#include "events.h"
#include "saved.h"
#include "volume.h"

#define LOCK_MS 60000
#define EXIT_KILLED 137 /* 128 + SIGKILL: what became of it when its monitor died */

int container_lock(struct engine *engine, const char *id, int *ret_fd, struct error *err)
{
	struct path path = path_in(container_dir(engine, id), "lock");
	int r = lock_take(path.text, LOCK_MS, ret_fd, err);
	if (r == -ENOENT)
		return error_set(err, ENOENT, "no such container: %.12s", id);
	return r;
}

/* Cgroups by the saved spec; whatever still runs in them is killed. */
static int remove_cgroups(struct engine *engine, const struct container *container,
			  struct error *err)
{
	auto_saved saved = { 0 };
	int r = saved_load(engine, container->id, &saved, err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	return oci_cleanup(&saved.spec, err);
}

static int note_end(struct engine *engine, const struct container *container,
		    const struct container_now *now, struct error *err)
{
	struct json_t *document = container->document;
	json_put_integer(document, "startedNs", now->started_ns);
	json_put_integer(document, "finishedNs", now->finished_ns);
	json_put_integer(document, "exitCode", now->exit_code);
	return container_update(engine, container, err);
}

static void tell_end(struct engine *engine, const struct container *container,
		     const struct container_now *now)
{
	char code[16];
	snprintf(code, sizeof code, "%d", now->exit_code);
	event_container(engine, container, "die", "exitCode", code);
}

int container_clear(struct engine *engine, const struct container *container,
		    enum container_clear_reason reason, struct error *err)
{
	struct container_now now;
	struct path run_dir = container_run_dir(engine, container->id);
	int looked = container_look(engine, container, &now, err);
	if (reason == CLEAR_ENDED && looked == 0 && now.state.started_ns)
		tell_end(engine, container, &now);
	/* The namespaces are gone with their last process: so are the links. */
	int result = remove_cgroups(engine, container, err);
	int r = attachments_remove(engine, container, ENDPOINT_LEAVE_LINK, err);
	if (result == 0)
		result = r;
	if (container->temporary) {
		r = container_erase(engine, container, true, err);
	} else if (reason == CLEAR_ENDED && looked == 0 && now.state.monitor.pid) {
		r = note_end(engine, container, &now, err);
		if (r < 0) /* as on a full disk: the run directory still tells how it ended */
			return r;
	}
	if (result == 0)
		result = r;
	r = tree_remove(run_dir.text, err);
	return result < 0 ? result : r;
}

static void kill_orphan(const struct container_now *now)
{
	if (now->state.process.pid > 0 && process_is_alive(now->state.process))
		(void)kill(now->state.process.pid, SIGKILL);
}

int container_settle(struct engine *engine, const struct container *container,
		     struct container_now *ret_now, struct error *err)
{
	struct container_now now;
	struct error state_error;
	int r = container_look(engine, container, &now, err);
	if (r < 0)
		return r;
	if (!now.orphaned) {
		*ret_now = now;
		return 0;
	}
	struct path run_dir = container_run_dir(engine, container->id);
	kill_orphan(&now);
	if (now.status != CONTAINER_EXITED) {
		engine_warn(engine,
			    "the monitor of container %s was killed: the container is "
			    "ended too",
			    container->name);
		now.status = now.state.status = CONTAINER_EXITED;
		now.exit_code = now.state.exit_code = EXIT_KILLED;
		now.finished_ns = now.state.finished_ns = clock_wall_ns();
		(void)container_state_write(run_dir.text, &now.state, &state_error);
	}
	r = container_clear(engine, container, CLEAR_ENDED, err);
	now.state = (struct container_state){ 0 };
	now.orphaned = false;
	*ret_now = now;
	ret_now->removed = container->temporary;
	return r;
}

int container_find_now(struct engine *engine, const char *reference,
		       struct container **ret_container, struct container_now *ret_now,
		       struct error *err)
{
	int r = container_find(engine, reference, ret_container, err);
	if (r == 0)
		r = container_settle(engine, *ret_container, ret_now, err);
	if (r == 0 && ret_now->removed)
		r = error_set(err, ENOENT, "no such container: %s", reference);
	return r;
}

static int remove_volumes(struct engine *engine, const struct container *container,
			  struct error *err)
{
	struct json_at list, root = container_root(container);
	int r = json_get_array(&root, "mounts", JSON_OPTIONAL, &list, err);
	for (size_t i = 0; r == 0 && i < json_count(&list); i++) {
		struct json_at row = json_element(&list, i);
		const char *kind = NULL, *name = NULL;
		r = json_get_string(&row, "Type", JSON_REQUIRED, &kind, err);
		if (r == 0)
			r = json_get_string(&row, "Name", JSON_OPTIONAL, &name, err);
		if (r == 0 && name && text_equal(kind, "anonymous"))
			r = volume_remove(&engine->instance, name, err);
	}
	return r;
}

int container_erase(struct engine *engine, const struct container *container, bool volumes,
		    struct error *err)
{
	struct path dir = container_dir(engine, container->id);
	int result = volumes ? remove_volumes(engine, container, err) : 0;
	int r = tree_remove(dir.text, err);
	if (result == 0)
		result = r;
	r = container_delete(engine, container, err);
	event_container(engine, container, "destroy", NULL, NULL);
	return result < 0 ? result : r;
}
