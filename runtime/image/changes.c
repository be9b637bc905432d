/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a container changed: its upper directory beside the layers below it. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "build_walk.h"
#include "runtime/image.h"
#include "tree.h"

struct changes {
	int layer_fds[IMAGE_LAYERS_MAX]; /* top first */
	size_t layer_count;
	int (*visit)(char kind, const char *path, void *context, struct error *err);
	void *context;
};

static void changes_release(struct changes *changes)
{
	for (size_t i = 0; i < changes->layer_count; i++)
		close(changes->layer_fds[i]);
}

static bool is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == 0;
}

/* The topmost layer that knows the path decides. */
static bool was_there(const struct changes *changes, const char *path)
{
	struct stat st;
	for (size_t i = 0; i < changes->layer_count; i++)
		if (tree_stat(changes->layer_fds[i], path, &st) == 0)
			return !is_whiteout(&st);
	return false;
}

static int compare(const struct walk_item *item, void *context, struct error *err)
{
	const struct changes *changes = context;
	auto_free char *path = NULL;
	char kind = is_whiteout(&item->st) ? 'D' : was_there(changes, item->path) ? 'C' : 'A';
	int r = text_format(&path, err, "/%s", item->path);
	return r < 0 ? r : changes->visit(kind, path, changes->context, err);
}

int image_changes(const struct words *layer_paths, const char *upper,
		  int (*visit)(char kind, const char *path, void *context, struct error *err),
		  void *context, struct error *err)
{
	__attribute__((cleanup(changes_release))) struct changes changes = { .visit = visit,
									     .context = context };
	auto_fd root = open(upper, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return error_set_errno(err, errno, "%s", upper);
	for (size_t i = 0; i < layer_paths->count && i < IMAGE_LAYERS_MAX; i++) {
		int fd = open(layer_paths->items[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			return error_set_errno(err, errno, "layer %s", layer_paths->items[i]);
		changes.layer_fds[changes.layer_count++] = fd;
	}
	return walk_tree(root, "", NULL, compare, &changes, err);
}
