/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cleanup.h"
#include "saved.h"

#define BINDS_MAX 512

void view_release(struct view *view)
{
	struct error ignored;
	cleanup_fd(&view->root_fd);
	cleanup_fd(&view->namespace_fd);
	if (view->scratch.text[0])
		(void)tree_remove(view->scratch.text, &ignored);
	cleanup_fd(&view->lock_fd);
}

static int open_running(struct engine *engine, const struct container_now *now, struct view *view,
			struct error *err)
{
	char path[64];
	struct process_identity process = now->state.process;
	snprintf(path, sizeof path, "/proc/%d/root", (int)process.pid);
	view->root_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (view->root_fd < 0 || !process_is_alive(process))
		return error_set(err, ESRCH, "the container ended just now");
	char command[80];
	snprintf(command, sizeof command, "ls %s", path);
	engine_step(engine, command, "its files are reached as its first process sees them");
	return 0;
}

static bool has_option(const struct words *options, const char *name)
{
	for (size_t i = 0; i < options->count; i++)
		if (text_equal(options->items[i], name))
			return true;
	return false;
}

static int open_stopped(struct engine *engine, const struct container *container, struct view *view,
			struct error *err)
{
	auto_saved saved = { 0 };
	char name[32];
	auto_free struct image_bind *binds = calloc(BINDS_MAX, sizeof *binds);
	int r = binds ? saved_load(engine, container->id, &saved, err)
		      : error_set(err, ENOMEM, "no memory for mounts");
	if (r < 0)
		return r;
	const struct oci_spec *spec = &saved.spec;
	struct image_tree tree = { .layer_paths = &spec->overlay_lower,
				   .upper = spec->overlay_upper,
				   .scratch = view->scratch.text,
				   .read_only = spec->root_readonly,
				   .binds = binds };
	for (size_t i = 0; i < spec->mount_count && tree.bind_count < BINDS_MAX; i++)
		if (text_equal(spec->mounts[i].type, "bind"))
			binds[tree.bind_count++] =
				(struct image_bind){ spec->mounts[i].source,
						     spec->mounts[i].destination,
						     has_option(&spec->mounts[i].options, "ro") };
	snprintf(name, sizeof name, "view-%d", (int)getpid());
	view->scratch = path_in(container_dir(engine, container->id), name);
	r = directory_make(view->scratch.text, 0700, err);
	if (r == 0)
		r = image_open_tree(&tree, &view->root_fd, &view->namespace_fd, err);
	engine_step(engine, NULL,
		    "its layers and its mounts are mounted where nobody else sees it");
	return r;
}

int view_open(struct engine *engine, const char *reference, struct view *view, struct error *err)
{
	AUTO(container) container = NULL;
	struct container_now now;
	auto_fd lock_fd = -1;
	int r = container_find_now(engine, reference, &container, &now, err);
	if (r == 0)
		r = container_lock(engine, container->id, &lock_fd, err);
	if (r == 0)
		r = container_look(engine, container, &now, err);
	if (r < 0)
		return r;
	if (now.status == CONTAINER_RESTARTING)
		return error_set(err, EAGAIN, "container %s is restarting: stop it first",
				 container->name);
	if (now.status == CONTAINER_RUNNING)
		r = open_running(engine, &now, view, err);
	else
		r = open_stopped(engine, container, view, err);
	if (now.status != CONTAINER_RUNNING)
		view->lock_fd = TAKE_FD(lock_fd);
	return r < 0 ? error_wrap(err, "container %s", container->name) : 0;
}
