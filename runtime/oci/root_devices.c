/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /dev of a container: six nodes, some links, and what the spec adds. Where
 * nodes cannot be made (a user namespace), the host's are bound.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/file.h"
#include "mount.h"
#include "root.h"
#include "target.h"

static const struct oci_device default_devices[] = {
	{ (char *)"/dev/null", 'c', 1, 3, 0666, 0, 0 },
	{ (char *)"/dev/zero", 'c', 1, 5, 0666, 0, 0 },
	{ (char *)"/dev/full", 'c', 1, 7, 0666, 0, 0 },
	{ (char *)"/dev/random", 'c', 1, 8, 0666, 0, 0 },
	{ (char *)"/dev/urandom", 'c', 1, 9, 0666, 0, 0 },
	{ (char *)"/dev/tty", 'c', 5, 0, 0666, 0, 0 },
};
static const struct {
	const char *name, *to;
} links[] = {
	{ "fd", "/proc/self/fd" },       { "stdin", "/proc/self/fd/0" },
	{ "stdout", "/proc/self/fd/1" }, { "stderr", "/proc/self/fd/2" },
	{ "ptmx", "pts/ptmx" },          { "core", "/proc/kcore" },
};

static int bind_node(int root_fd, const struct oci_device *device, struct error *err)
{
	static const struct mount_options plain = { 0 };
	auto_fd clone = -1, target = -1;
	int r = mount_clone(AT_FDCWD, device->path, &plain, &clone, err);
	if (r == 0)
		r = target_make(root_fd, device->path, TARGET_FILE, &target, err);
	return r < 0 ? r : mount_put(clone, target, device->path, err);
}

static int open_parent(int root_fd, const char *path, const char **ret_name, int *ret_fd,
		       struct error *err)
{
	const char *slash = strrchr(path, '/');
	auto_free char *parent = NULL;
	int r = text_format(&parent, err, "%.*s", (int)(slash - path + 1), path);
	*ret_name = slash + 1;
	return r < 0 ? r : target_make(root_fd, parent, TARGET_DIRECTORY, ret_fd, err);
}

static int make_node(int root_fd, const struct oci_device *device, struct error *err)
{
	auto_fd directory = -1;
	const char *name;
	int r = open_parent(root_fd, device->path, &name, &directory, err);
	if (r < 0)
		return r;
	mode_t mode = (device->type == 'b' ? S_IFBLK : S_IFCHR) | (device->mode & 07777);
	dev_t number = makedev(device->major, device->minor);
	if (mknodat(directory, name, mode, number) < 0) {
		if (errno == EPERM)
			return bind_node(root_fd, device, err);
		struct stat status;
		if (errno != EEXIST || fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) < 0 ||
		    status.st_rdev != number || (status.st_mode & S_IFMT) != (mode & S_IFMT))
			return error_set_errno(err, errno, "device %s", device->path);
	}
	if ((device->uid || device->gid) &&
	    fchownat(directory, name, device->uid, device->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return error_set_errno(err, errno, "owner of device %s", device->path);
	return 0;
}

/* A bound /dev is the host's, or somebody's: nothing is made in it. */
static bool has_own_dev(const struct oci_spec *spec)
{
	for (size_t i = 0; i < spec->mount_count; i++)
		if (text_equal(spec->mounts[i].destination, "/dev"))
			return text_equal(spec->mounts[i].type, "tmpfs");
	return false;
}

int root_make_devices(const struct oci_spec *spec, int root_fd, struct error *err)
{
	if (!has_own_dev(spec))
		return 0;
	int r = 0;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(default_devices); i++)
		r = make_node(root_fd, &default_devices[i], err);
	for (size_t i = 0; r == 0 && i < spec->device_count; i++)
		r = make_node(root_fd, &spec->devices[i], err);
	auto_fd dev = -1;
	if (r == 0)
		r = target_make(root_fd, "/dev", TARGET_DIRECTORY, &dev, err);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(links); i++)
		if (symlinkat(links[i].to, dev, links[i].name) < 0 && errno != EEXIST)
			r = error_set_errno(err, errno, "link /dev/%s", links[i].name);
	return r;
}
