/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A directory of an image, copied out whole: what fills a new volume. Links are
 * copied, never followed.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "build_walk.h"
#include "overlay.h"
#include "runtime/image.h"
#include "tree.h"

int image_open_directory(const struct words *layer_paths, const char *path, const char *scratch,
			 int *ret_fd, struct error *err)
{
	char upper[INSTANCE_PATH_MAX + 512];
	auto_fd root = -1;
	snprintf(upper, sizeof upper, "%s/upper", scratch);
	int r = directory_make(upper, 0700, err);
	if (r == 0)
		r = overlay_open(layer_paths, upper, scratch, &root, err);
	if (r == 0)
		r = file_open_in_root(root, path, O_RDONLY | O_DIRECTORY, 0, ret_fd, err);
	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	return r < 0 ? r : 1;
}

int image_open_tree(const struct image_tree *tree, int *ret_fd, int *ret_namespace_fd,
		    struct error *err)
{
	struct overlay_mounts mounts = { tree->read_only, tree->binds, tree->bind_count };
	int fds[2];
	int r = overlay_open_with(tree->layer_paths, tree->upper, tree->scratch, &mounts, fds, err);
	if (r < 0)
		return r;
	*ret_fd = fds[0];
	*ret_namespace_fd = fds[1];
	return 0;
}

/* Owner, mode and attributes of a directory that is there. */
static int dress(int from_fd, const char *path, const struct stat *st, int to_fd)
{
	auto_fd fd = tree_open(to_fd, path, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return fd;
	if (fchown(fd, st->st_uid, st->st_gid) < 0 || fchmod(fd, st->st_mode & 07777) < 0)
		return -errno;
	return tree_copy_xattrs(from_fd, path, to_fd, path);
}

struct copy_out {
	int from_fd, to_fd;
};

static int make_directory(const struct copy_out *copy, const struct walk_item *item)
{
	size_t parent_size = strlen(item->path) - strlen(item->name);
	auto_free char *parent = strndup(item->path, parent_size ? parent_size - 1 : 0);
	if (!parent)
		return -ENOMEM;
	auto_fd fd = tree_open(copy->to_fd, parent, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return fd;
	if (mkdirat(fd, item->name, 0700) < 0)
		return -errno;
	return dress(copy->from_fd, item->path, &item->st, copy->to_fd);
}

static int copy_item(const struct walk_item *item, void *context, struct error *err)
{
	const struct copy_out *copy = context;
	int r = S_ISDIR(item->st.st_mode)
			? make_directory(copy, item)
			: tree_copy_object(copy->from_fd, item->path, copy->to_fd, item->path);
	return r < 0 ? error_set_errno(err, -r, "copy \"%.200s\"", item->path) : 0;
}

/* After all is in them: making an entry changes its directory's time. */
static int set_times(const struct walk_item *item, void *context, struct error *err)
{
	const struct copy_out *copy = context;
	struct timespec times[2] = { item->st.st_atim, item->st.st_mtim };
	if (!S_ISDIR(item->st.st_mode))
		return 0;
	auto_fd fd = tree_open(copy->to_fd, item->path, O_RDONLY | O_DIRECTORY);
	if (fd < 0 || futimens(fd, times) < 0)
		return error_set_errno(err, fd < 0 ? -fd : errno, "time of \"%.200s\"", item->path);
	return 0;
}

int image_copy_directory(int from_fd, int to_fd, struct error *err)
{
	struct copy_out copy = { from_fd, to_fd };
	struct stat st;
	if (fstat(from_fd, &st) < 0)
		return error_set_errno(err, errno, "the image's directory");
	int r = dress(from_fd, "", &st, to_fd);
	if (r < 0)
		return error_set_errno(err, -r, "owner and mode of the directory");
	r = walk_tree(from_fd, "", NULL, copy_item, &copy, err);
	return r < 0 ? r : walk_tree(from_fd, "", NULL, set_times, &copy, err);
}
