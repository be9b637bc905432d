/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Small operations on a layer's directory, all relative to its descriptor and
 * none through a symbolic link.
 */
#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#include "base/file.h"
#include "base/text.h"
#include "path.h"

#define PROC_PATH_MAX 64
#define COPY_SIZE (128u << 10)

int tree_open(int root_fd, const char *path, int flags)
{
	struct open_how how = {
		.flags = (uint64_t)flags | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	long fd = syscall(SYS_openat2, root_fd, *path ? path : ".", &how, sizeof how);
	return fd < 0 ? -errno : (int)fd;
}

/* The parent directory of path, and its last component. */
static int open_parent(int root_fd, const char *path, const char **ret_name)
{
	size_t parent_size;
	*ret_name = layer_path_name(path, &parent_size);
	char parent[PATH_MAX];
	memcpy(parent, path, parent_size);
	parent[parent_size] = 0;
	return tree_open(root_fd, parent, O_PATH | O_DIRECTORY);
}

int tree_stat(int root_fd, const char *path, struct stat *ret)
{
	if (!*path)
		return fstat(root_fd, ret) < 0 ? -errno : 0;
	const char *name;
	auto_fd parent = open_parent(root_fd, path, &name);
	if (parent < 0)
		return parent;
	return fstatat(parent, name, ret, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

/*
 * A path by which calls without an "at" form reach the object itself, also a
 * symbolic link: it is named through its parent's descriptor.
 */
static int link_path(int root_fd, const char *path, int *ret_fd, char **ret)
{
	const char *name;
	*ret_fd = open_parent(root_fd, path, &name);
	if (*ret_fd < 0)
		return *ret_fd;
	return asprintf(ret, "/proc/self/fd/%d/%s", *ret_fd, name) < 0 ? -ENOMEM : 0;
}

int tree_is_opaque(int root_fd, const char *path)
{
	char value[2] = "";
	auto_fd fd = tree_open(root_fd, path, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return fd;
	return fgetxattr(fd, OVERLAY_OPAQUE, value, sizeof value) == 1 && value[0] == 'y';
}

int tree_set_xattr(int root_fd, const char *path, const char *name, const void *value, size_t size)
{
	auto_fd fd = -1;
	if (!*path)
		return fsetxattr(root_fd, name, value, size, 0) < 0 ? -errno : 0;
	auto_free char *target = NULL;
	int r = link_path(root_fd, path, &fd, &target);
	if (r < 0)
		return r;
	return lsetxattr(target, name, value, size, 0) < 0 ? -errno : 0;
}

int tree_copy_xattrs(int from_root, const char *from, int to_root, const char *to)
{
	auto_fd fd = -1;
	auto_free char *source = NULL;
	auto_free char *names = malloc(2 * XATTR_LIST_MAX);
	int r = *from ? link_path(from_root, from, &fd, &source) : 0;
	if (r < 0)
		return r;
	if (!names || (!source && !(source = malloc(PROC_PATH_MAX))))
		return -ENOMEM;
	if (!*from)
		snprintf(source, PROC_PATH_MAX, "/proc/self/fd/%d/.", from_root);
	ssize_t size = llistxattr(source, names, XATTR_LIST_MAX);
	if (size < 0)
		return errno == ENOTSUP ? 0 : -errno;
	char *value = names + XATTR_LIST_MAX;
	for (char *name = names; r == 0 && name < names + size; name += strlen(name) + 1) {
		if (text_starts_with(name, "trusted.overlay."))
			continue;
		ssize_t n = lgetxattr(source, name, value, XATTR_LIST_MAX);
		if (n < 0)
			return -errno;
		r = tree_set_xattr(to_root, to, name, value, (size_t)n);
	}
	return r;
}

static int copy_by_buffer(int in, int out)
{
	auto_free char *buffer = malloc(COPY_SIZE);
	if (!buffer)
		return -ENOMEM;
	for (;;) {
		ssize_t n = read(in, buffer, COPY_SIZE);
		if (n == 0)
			return 0;
		int r = n > 0 ? fd_write_all(out, buffer, (size_t)n) : errno == EINTR ? 0 : -errno;
		if (r < 0)
			return r;
	}
}

/* The kernel copies (or shares) blocks inside one file system only. */
int tree_copy_bytes(int in, int out)
{
	for (;;) {
		ssize_t n = copy_file_range(in, NULL, out, NULL, 1 << 30, 0);
		if (n == 0)
			return 0;
		if (n < 0 && (errno == EXDEV || errno == EOPNOTSUPP || errno == EINVAL))
			return copy_by_buffer(in, out);
		if (n < 0 && errno != EINTR)
			return -errno;
	}
}

static int copy_content(int from_root, const char *from, int to_parent, const char *name)
{
	auto_fd in = tree_open(from_root, from, O_RDONLY | O_NOFOLLOW);
	if (in < 0)
		return in;
	auto_fd out = openat(to_parent, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out < 0)
		return -errno;
	return tree_copy_bytes(in, out);
}

static int copy_link(int from_root, const char *from, int to_parent, const char *name)
{
	char target[PATH_MAX];
	const char *from_name;
	auto_fd parent = open_parent(from_root, from, &from_name);
	if (parent < 0)
		return parent;
	ssize_t n = readlinkat(parent, from_name, target, sizeof target - 1);
	if (n < 0)
		return -errno;
	target[n] = 0;
	return symlinkat(target, to_parent, name) < 0 ? -errno : 0;
}

static int make_object(const struct stat *st, int from_root, const char *from, int to_parent,
		       const char *name)
{
	if (S_ISREG(st->st_mode))
		return copy_content(from_root, from, to_parent, name);
	if (S_ISLNK(st->st_mode))
		return copy_link(from_root, from, to_parent, name);
	return mknodat(to_parent, name, st->st_mode, st->st_rdev) < 0 ? -errno : 0;
}

int tree_copy_object(int from_root, const char *from, int to_root, const char *to)
{
	struct stat st;
	const char *name;
	int r = tree_stat(from_root, from, &st);
	if (r < 0)
		return r;
	auto_fd parent = open_parent(to_root, to, &name);
	if (parent < 0)
		return parent;
	r = make_object(&st, from_root, from, parent, name);
	if (r < 0)
		return r;
	struct timespec times[2] = { st.st_atim, st.st_mtim };
	if (fchownat(parent, name, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!S_ISLNK(st.st_mode) && fchmodat(parent, name, st.st_mode & 07777, 0) < 0)
		return -errno;
	r = tree_copy_xattrs(from_root, from, to_root, to);
	if (r < 0)
		return r;
	return utimensat(parent, name, times, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}
