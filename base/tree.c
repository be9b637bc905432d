/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Removal of trees that a stranger may have built: any depth, links that
 * point anywhere, mounts in the middle. Everything goes by descriptor, and
 * what lies too deep for one descriptor a level is first moved up to the top.
 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define DEPTH_MAX 64 /* open folders at a time */

struct removal {
	int top_fd;
	unsigned moved;   /* names given so far */
	const char *name; /* for errors: the tree's path */
};

static int remove_entries(struct removal *removal, int fd, int depth, struct error *err);

static int open_folder(int parent_fd, const char *name)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH,
	};
	long fd = syscall(SYS_openat2, parent_fd, name, &how, sizeof how);
	return fd < 0 ? -errno : (int)fd;
}

static int move_up(struct removal *removal, int parent_fd, const char *name)
{
	for (;;) {
		char free_name[32];
		snprintf(free_name, sizeof free_name, ".removed-%u", removal->moved++);
		if (syscall(SYS_renameat2, parent_fd, name, removal->top_fd, free_name,
			    1 /* RENAME_NOREPLACE */) == 0)
			return 0;
		if (errno != EEXIST)
			return -errno;
	}
}

static int remove_folder(struct removal *removal, int parent_fd, const char *name, int depth,
			 struct error *err)
{
	if (depth >= DEPTH_MAX && parent_fd != removal->top_fd) {
		int r = move_up(removal, parent_fd, name);
		return r < 0 ? error_set_errno(err, -r, "cannot remove %s: %s", removal->name, name)
			     : 0;
	}
	auto_fd fd = open_folder(parent_fd, name);
	if (fd == -EXDEV)
		return error_set(err, EBUSY, "cannot remove %s: \"%s\" in it is a mount point",
				 removal->name, name);
	if (fd < 0)
		return error_set_errno(err, -fd, "cannot remove %s: %s", removal->name, name);
	int r = remove_entries(removal, fd, depth + 1, err);
	if (r < 0)
		return r;
	if (unlinkat(parent_fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return error_set_errno(err, errno, "cannot remove %s: %s", removal->name, name);
	return 0;
}

static int remove_entry(struct removal *removal, int parent_fd, const char *name, int depth,
			struct error *err)
{
	if (unlinkat(parent_fd, name, 0) == 0 || errno == ENOENT)
		return 0;
	/* Linux says EISDIR for folders; EPERM may be one too (POSIX) or an immutable file. */
	struct stat info;
	int code = errno;
	if (fstatat(parent_fd, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(info.st_mode))
		return remove_folder(removal, parent_fd, name, depth, err);
	return error_set_errno(err, code, "cannot remove %s: %s", removal->name, name);
}

static int remove_entries(struct removal *removal, int fd, int depth, struct error *err)
{
	auto_fd list_fd = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_dir list = list_fd < 0 ? NULL : fdopendir(list_fd);
	if (!list)
		return error_set_errno(err, errno, "cannot list %s", removal->name);
	list_fd = -1; /* the list closes it */
	for (;;) {
		errno = 0;
		const struct dirent *entry = readdir(list);
		if (!entry)
			return errno ? error_set_errno(err, errno, "cannot list %s", removal->name)
				     : 0;
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		int r = remove_entry(removal, fd, entry->d_name, depth, err);
		if (r < 0)
			return r;
	}
}

/* Until it is empty: moving up puts new entries into the top folder. */
static int remove_contents(int top_fd, const char *path, struct error *err)
{
	struct removal removal = { .top_fd = top_fd, .name = path };
	unsigned moved;
	do {
		moved = removal.moved;
		int r = remove_entries(&removal, top_fd, 0, err);
		if (r < 0)
			return r;
	} while (removal.moved != moved);
	return 0;
}

int tree_remove(const char *path, struct error *err)
{
	if (unlink(path) == 0 || errno == ENOENT)
		return 0;
	int code = errno;
	struct stat info;
	if (lstat(path, &info) < 0 || !S_ISDIR(info.st_mode))
		return error_set_errno(err, code, "cannot remove %s", path);
	auto_fd top_fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (top_fd < 0)
		return error_set_errno(err, errno, "cannot open %s", path);
	int r = remove_contents(top_fd, path, err);
	if (r < 0)
		return r;
	if (rmdir(path) < 0 && errno != ENOENT)
		return error_set_errno(err, errno, "cannot remove %s", path);
	return 0;
}
