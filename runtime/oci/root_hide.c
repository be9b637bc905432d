/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a container sees of /proc and /sys without being allowed to: masked
 * paths are covered (files by /dev/null, directories by an empty file system),
 * read-only paths by a read-only sight of themselves.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/file.h"
#include "mount.h"
#include "root.h"
#include "target.h"

static int cover_directory(int target, const char *path, struct error *err)
{
	static const struct mount_options empty = {
		.set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
	};
	auto_fd fd = -1;
	int r = mount_new("tmpfs", "tmpfs", &empty, &fd, err);
	return r < 0 ? r : mount_put(fd, target, path, err);
}

static int cover_file(int target, const char *path, struct error *err)
{
	static const struct mount_options plain = { 0 };
	auto_fd fd = -1;
	int r = mount_clone(AT_FDCWD, "/dev/null", &plain, &fd, err);
	return r < 0 ? r : mount_put(fd, target, path, err);
}

static int mask(int root_fd, const char *path, struct error *err)
{
	auto_fd target = -1;
	int r = target_find(root_fd, path, &target, err);
	if (r <= 0)
		return r;
	struct stat status;
	if (fstat(target, &status) < 0)
		return error_set_errno(err, errno, "%s", path);
	return S_ISDIR(status.st_mode) ? cover_directory(target, path, err)
				       : cover_file(target, path, err);
}

static int make_readonly(int root_fd, const char *path, struct error *err)
{
	static const struct mount_options all_below = {
		.recursive = true,
		.set_recursive = MOUNT_ATTR_RDONLY,
	};
	auto_fd target = -1, clone = -1;
	int r = target_find(root_fd, path, &target, err);
	if (r <= 0)
		return r;
	r = mount_clone(target, "", &all_below, &clone, err);
	return r < 0 ? r : mount_put(clone, target, path, err);
}

int root_hide(const struct oci_spec *spec, int root_fd, struct error *err)
{
	for (size_t i = 0; i < spec->readonly_paths.count; i++) {
		const char *path = spec->readonly_paths.items[i];
		int r = make_readonly(root_fd, path, err);
		if (r < 0)
			return error_wrap(err, "read-only path %s", path);
	}
	for (size_t i = 0; i < spec->masked_paths.count; i++) {
		const char *path = spec->masked_paths.items[i];
		int r = mask(root_fd, path, err);
		if (r < 0)
			return error_wrap(err, "masked path %s", path);
	}
	return 0;
}
