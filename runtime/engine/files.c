/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A container's files, seen from outside it: `diff` and `export`. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cleanup.h"
#include "events.h"
#include "saved.h"

/* Places to mount on, which are made where the image lacks them. */
static const char *const made_places[] = {
	"/dev", "/proc", "/sys", "/etc/hostname", "/etc/hosts", "/etc/resolv.conf",
};

struct filter {
	const struct oci_spec *spec;
	int (*visit)(char kind, const char *path, void *context, struct error *err);
	void *context;
};

static bool is_made_place(const struct oci_spec *spec, const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(made_places); i++)
		if (text_equal(path, made_places[i]))
			return true;
	for (size_t i = 0; i < spec->mount_count; i++)
		if (text_equal(path, spec->mounts[i].destination))
			return true;
	return false;
}

static int filter_change(char kind, const char *path, void *context, struct error *err)
{
	const struct filter *filter = context;
	if (kind == 'A' && is_made_place(filter->spec, path))
		return 0;
	return filter->visit(kind, path, filter->context, err);
}

int container_changes(struct engine *engine, const char *reference,
		      int (*visit)(char kind, const char *path, void *context, struct error *err),
		      void *context, struct error *err)
{
	AUTO(container) container = NULL;
	auto_saved saved = { 0 };
	int r = container_find(engine, reference, &container, err);
	if (r == 0)
		r = saved_load(engine, container->id, &saved, err);
	if (r < 0)
		return r;
	struct filter filter = { &saved.spec, visit, context };
	return image_changes(&saved.spec.overlay_lower, saved.spec.overlay_upper, filter_change,
			     &filter, err);
}

/* The upper directory as the topmost layer: nothing is written, whether it runs or not. */
static int open_root(const struct oci_spec *spec, const char *scratch, int *ret_fd,
		     struct error *err)
{
	auto_words layers = { 0 };
	int r = words_append(&layers, spec->overlay_upper, err);
	for (size_t i = 0; r == 0 && i < spec->overlay_lower.count; i++)
		r = words_append(&layers, spec->overlay_lower.items[i], err);
	if (r == 0)
		r = directory_make(scratch, 0700, err);
	if (r == 0)
		r = image_open_directory(&layers, "/", scratch, ret_fd, err);
	return r < 0 ? r : 0;
}

int container_export(struct engine *engine, const char *reference, int fd, struct error *err)
{
	AUTO(container) container = NULL;
	auto_saved saved = { 0 };
	auto_fd root_fd = -1;
	char name[32];
	struct error ignored;
	int r = container_find(engine, reference, &container, err);
	if (r == 0)
		r = saved_load(engine, container->id, &saved, err);
	if (r < 0)
		return r;
	snprintf(name, sizeof name, "export-%d", (int)getpid());
	struct path scratch = path_in(container_dir(engine, container->id), name);
	r = open_root(&saved.spec, scratch.text, &root_fd, err);
	if (r == 0)
		r = image_write_archive(root_fd, fd, err);
	cleanup_fd(&root_fd);
	root_fd = -1;
	(void)tree_remove(scratch.text, &ignored);
	if (r == 0)
		event_container(engine, container, "export", NULL, NULL);
	return r;
}
