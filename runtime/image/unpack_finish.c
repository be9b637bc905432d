/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The part of a layer that depends on the layers below it. Look-ups follow
 * overlayfs's own rules: a whiteout, an opaque directory or another kind of
 * object ends the search downwards.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/image.h"
#include "tree.h"
#include "unpack_internal.h"

#define STACK_MAX (IMAGE_LAYERS_MAX + 1)

/* The layer itself is at 0, then those below, top first. */
struct stack {
	int fds[STACK_MAX];
	bool active[STACK_MAX]; /* has all directories of the path so far */
	size_t count;
};

static void deactivate(struct stack *stack, size_t from)
{
	for (size_t i = from; i < stack->count; i++)
		stack->active[i] = false;
}

static bool is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == 0;
}

/* Goes through one directory of the path. 0, -ENOENT, or -ELOOP/-ENOTDIR where a non-directory is.
 */
static int step_into(struct stack *stack, const char *prefix)
{
	bool found = false;
	for (size_t i = 0; i < stack->count; i++) {
		struct stat st;
		if (!stack->active[i])
			continue;
		if (fstatat(stack->fds[i], prefix, &st, AT_SYMLINK_NOFOLLOW) < 0) {
			stack->active[i] = false;
			if (errno != ENOENT)
				return -errno;
			continue;
		}
		if (!S_ISDIR(st.st_mode)) {
			deactivate(stack, i);
			if (!found && !is_whiteout(&st))
				return S_ISLNK(st.st_mode) ? -ELOOP : -ENOTDIR;
			break;
		}
		found = true;
		if (tree_is_opaque(stack->fds[i], prefix) == 1)
			deactivate(stack, i + 1);
	}
	return found ? 0 : -ENOENT;
}

/*
 * What the layers below show at path. 1: *ret_index has it, *ret_st says what
 * it is; 0: nothing; -ELOOP or -ENOTDIR: the way leads through no directory.
 */
static int look_below(struct stack *stack, const char *path, size_t *ret_index, struct stat *ret_st)
{
	char prefix[PATH_MAX];
	for (size_t i = 0; i < stack->count; i++)
		stack->active[i] = true;
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(prefix, sizeof prefix, "%.*s", (int)(slash - path), path);
		int r = step_into(stack, prefix);
		if (r < 0)
			return r == -ENOENT ? 0 : r;
	}
	for (size_t i = 1; i < stack->count; i++) {
		if (!stack->active[i] ||
		    fstatat(stack->fds[i], *path ? path : ".", ret_st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		*ret_index = i;
		return !is_whiteout(ret_st);
	}
	return 0;
}

/* A directory without an entry of its own looks as it does below. */
static int adopt_directory(struct unpacker *unpacker, struct stack *stack, struct path_item *item,
			   struct error *err)
{
	struct stat st;
	size_t index;
	int r = look_below(stack, item->path, &index, &st);
	if (r == 0)
		return 0;
	if (r < 0 || !S_ISDIR(st.st_mode))
		return error_set(err, EINVAL,
				 "entries below \"%.200s\" are written through %s of a lower layer",
				 item->path,
				 r == -ELOOP || (r > 0 && S_ISLNK(st.st_mode)) ? "a symbolic link"
									       : "a file");
	auto_fd fd = tree_open(unpacker->root_fd, item->path, O_RDONLY | O_DIRECTORY);
	if (fd < 0 || fchown(fd, st.st_uid, st.st_gid) < 0 || fchmod(fd, st.st_mode & 07777) < 0)
		return error_set_errno(err, fd < 0 ? -fd : errno, "directory \"%.200s\"",
				       item->path);
	item->mtime_s = st.st_mtim.tv_sec;
	item->mtime_ns = (uint32_t)st.st_mtim.tv_nsec;
	item->implied = false;
	r = tree_copy_xattrs(stack->fds[index], item->path, unpacker->root_fd, item->path);
	return r < 0 ? error_set_errno(err, -r, "attributes of \"%.200s\"", item->path) : 0;
}

/* From the first one not yet seen: copying a file up may add some. */
static int adopt_directories(struct unpacker *unpacker, struct stack *stack, size_t *seen,
			     struct error *err)
{
	int r = 0;
	for (; r == 0 && *seen < unpacker->directories.count; ++*seen)
		if (unpacker->directories.items[*seen].implied)
			r = adopt_directory(unpacker, stack, &unpacker->directories.items[*seen],
					    err);
	return r;
}

/* The target of a hard link is below: this layer gets a copy under the same name. */
static int copy_up(struct unpacker *unpacker, struct stack *stack, const struct path_item *link,
		   struct path_set *copies, struct error *err)
{
	struct stat st;
	size_t index;
	int fd, r = look_below(stack, link->link, &index, &st);
	if (r == 0)
		return error_set(err, EINVAL, "hard link \"%.200s\" leads to nothing: \"%.200s\"",
				 link->path, link->link);
	if (r < 0 || S_ISDIR(st.st_mode))
		return error_set(err, EINVAL, "hard link \"%.200s\" leads %s", link->path,
				 r < 0 ? "through something that is no directory"
				       : "to a directory");
	if ((uint64_t)st.st_size > unpacker->limits.free_bytes - unpacker->size_bytes)
		return error_set(err, ENOSPC, "hard link \"%.200s\": no space to copy its target",
				 link->path);
	r = unpack_parent(unpacker, link->link, &fd, err);
	if (r < 0)
		return r;
	r = tree_copy_object(stack->fds[index], link->link, unpacker->root_fd, link->link);
	if (r < 0)
		return error_set_errno(err, -r, "copy \"%.200s\" from a lower layer", link->link);
	unpacker->size_bytes += S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
	return path_set_put(copies, link->link) ? 0
						: error_set(err, ENOMEM, "no memory for a path");
}

static int make_links(struct unpacker *unpacker, struct stack *stack, struct path_set *copies,
		      struct error *err)
{
	for (size_t i = 0; i < unpacker->links.count; i++) {
		const struct path_item *link = &unpacker->links.items[i];
		int r = unpack_link(unpacker, link->path, link->link, err);
		if (r == 0) {
			r = copy_up(unpacker, stack, link, copies, err);
			if (r == 0)
				r = unpack_link(unpacker, link->path, link->link, err);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

static int put_whiteout(struct unpacker *unpacker, const char *path, struct error *err)
{
	int fd, r = unpack_parent(unpacker, path, &fd, err);
	if (r < 0)
		return r;
	if (mknodat(fd, layer_path_name(path, &(size_t){ 0 }), S_IFCHR, 0) < 0)
		return error_set_errno(err, errno, "whiteout of \"%.200s\"", path);
	return 0;
}

/* Hides what is below, but nothing that this layer has itself. */
static int hide(struct unpacker *unpacker, struct stack *stack, const char *path,
		const struct path_set *copies, struct error *err)
{
	struct stat st;
	size_t index, parent_size;
	int fd;
	if (look_below(stack, path, &index, &st) != 1)
		return 0;
	int r = unpack_parent(unpacker, path, &fd, err);
	if (r < 0)
		return r;
	const char *name = layer_path_name(path, &parent_size);
	if (path_set_find(copies, path) && unlinkat(fd, name, 0) < 0)
		return error_set_errno(err, errno, "whiteout of \"%.200s\"", path);
	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return put_whiteout(unpacker, path, err);
	if (!S_ISDIR(st.st_mode))
		return 0;
	r = tree_set_xattr(unpacker->root_fd, path, OVERLAY_OPAQUE, "y", 1);
	return r < 0 ? error_set_errno(err, -r, "whiteout of \"%.200s\"", path) : 0;
}

/* Last: all that is put into a directory changes its time. */
static int set_times(struct unpacker *unpacker, struct error *err)
{
	for (size_t i = 0; i < unpacker->directories.count; i++) {
		const struct path_item *item = &unpacker->directories.items[i];
		if (item->implied)
			continue;
		struct timespec times[2] = { { .tv_nsec = UTIME_NOW },
					     { item->mtime_s, item->mtime_ns } };
		if (utimensat(unpacker->root_fd, *item->path ? item->path : ".", times,
			      AT_SYMLINK_NOFOLLOW) < 0)
			return error_set_errno(err, errno, "time of \"%.200s\"", item->path);
	}
	return 0;
}

int unpacker_finish(struct unpacker *unpacker, const int *lower_fds, size_t lower_count,
		    struct error *err)
{
	struct stack stack = { .fds = { unpacker->root_fd }, .count = lower_count + 1 };
	if (lower_count > IMAGE_LAYERS_MAX)
		return error_set(err, EINVAL, "over %d layers", IMAGE_LAYERS_MAX);
	for (size_t i = 0; i < lower_count; i++)
		stack.fds[i + 1] = lower_fds[i];
	struct path_set copies = { 0 };
	size_t seen = 0;
	int r = adopt_directories(unpacker, &stack, &seen, err);
	if (r == 0)
		r = make_links(unpacker, &stack, &copies, err);
	if (r == 0)
		r = adopt_directories(unpacker, &stack, &seen, err);
	for (size_t i = 0; r == 0 && i < unpacker->whiteouts.count; i++)
		r = hide(unpacker, &stack, unpacker->whiteouts.items[i].path, &copies, err);
	path_set_release(&copies);
	return r < 0 ? r : set_times(unpacker, err);
}
