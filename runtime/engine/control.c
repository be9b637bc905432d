/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verbs that change a running container without ending it: pause, unpause, update. */
#include "control.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cleanup.h"
#include "events.h"
#include "saved.h"
#include "spec.h"

static struct path paused_mark(struct engine *engine, const struct container *container)
{
	return path_in(container_run_dir(engine, container->id), PAUSED_MARK);
}

int container_thaw(struct engine *engine, const struct container *container, struct error *err)
{
	auto_saved saved = { 0 };
	int r = saved_load(engine, container->id, &saved, err);
	if (r == 0)
		r = oci_resume(&saved.spec, err);
	if (r == 0)
		(void)unlink(paused_mark(engine, container).text);
	return r;
}

/* Found, locked, and looked at again under the lock. */
static int open_locked(struct engine *engine, const char *reference,
		       struct container **ret_container, struct container_now *ret_now,
		       int *ret_lock_fd, struct error *err)
{
	int r = container_find(engine, reference, ret_container, err);
	if (r == 0)
		r = container_lock(engine, (*ret_container)->id, ret_lock_fd, err);
	return r < 0 ? r : container_settle(engine, *ret_container, ret_now, err);
}

int container_pause(struct engine *engine, const char *reference, struct error *err)
{
	AUTO(container) container = NULL;
	auto_fd lock_fd = -1;
	auto_saved saved = { 0 };
	struct container_now now;
	struct error ignored;
	int r = open_locked(engine, reference, &container, &now, &lock_fd, err);
	if (r == 0 && now.status != CONTAINER_RUNNING)
		r = error_set(err, EINVAL, "container %s does not run", container->name);
	if (r == 0 && now.paused)
		r = error_set(err, EALREADY, "container %s is paused already", container->name);
	if (r == 0)
		r = saved_load(engine, container->id, &saved, err);
	/* The mark first: whoever sees it may thaw what is not frozen, but not the other way. */
	struct path mark = paused_mark(engine, container);
	if (r == 0)
		r = file_replace(mark.text, "", 0, 0600, FILE_NO_SYNC, err);
	if (r < 0)
		return r;
	r = oci_pause(&saved.spec, err);
	if (r < 0) {
		(void)oci_resume(&saved.spec, &ignored);
		(void)unlink(mark.text);
		return error_wrap(err, "container %s", container->name);
	}
	event_container(engine, container, "pause", NULL, NULL);
	return 0;
}

int container_unpause(struct engine *engine, const char *reference, struct error *err)
{
	AUTO(container) container = NULL;
	auto_fd lock_fd = -1;
	struct container_now now;
	int r = open_locked(engine, reference, &container, &now, &lock_fd, err);
	if (r == 0 && !now.paused)
		r = error_set(err, EINVAL, "container %s is not paused", container->name);
	if (r == 0)
		r = container_thaw(engine, container, err);
	if (r == 0)
		event_container(engine, container, "unpause", NULL, NULL);
	return r;
}

int container_update_limits(struct engine *engine, const char *reference,
			    const struct container_options *options, struct error *err)
{
	AUTO(container) container = NULL;
	auto_fd lock_fd = -1;
	auto_saved saved = { 0 };
	struct container_now now;
	int r = open_locked(engine, reference, &container, &now, &lock_fd, err);
	if (r == 0)
		r = saved_load(engine, container->id, &saved, err);
	if (r == 0 && options->restart)
		r = restart_policy_parse(options->restart, &saved.settings.restart, err);
	if (r == 0 && container->temporary && saved.settings.restart.kind != RESTART_NO)
		r = error_set(err, EINVAL, "--restart: container %s is removed at its end (--rm)",
			      container->name);
	if (r == 0)
		r = spec_set_limits(engine, &saved.spec, options, err);
	if (r == 0 && container_is_running(&now))
		r = oci_update(&saved.spec, &saved.spec.resources, err);
	if (r == 0)
		r = saved_write(engine, container->id, &saved, err);
	if (r == 0)
		event_container(engine, container, "update", NULL, NULL);
	if (r < 0 || !options->restart)
		return r;
	json_put_string(container->document, "restart", options->restart);
	return container_update(engine, container, err);
}
