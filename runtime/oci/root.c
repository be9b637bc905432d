/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The root of a container: overlay of many layers, or a directory bound on
 * itself; then the steps in their order, and pivot_root.
 */
#include "root.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "mount.h"
#include "syscalls.h"

/* Directories of an overlay, held open while it is mounted. */
struct overlay {
	int fds[OCI_OVERLAY_LOWER_MAX + 2];
	size_t count;
	struct text options;
};

static void overlay_release(struct overlay *overlay)
{
	for (size_t i = 0; i < overlay->count; i++)
		close(overlay->fds[i]);
	text_free(&overlay->options);
}

/*
 * Options are one string of at most a page. By descriptor even 128 layers fit,
 * and no colon or comma in a name can break it.
 */
static int add_directory(struct overlay *overlay, const char *key, const char *path,
			 struct error *err)
{
	if (overlay->count == ARRAY_SIZE(overlay->fds))
		return error_set(err, E2BIG, "over %d layers", OCI_OVERLAY_LOWER_MAX);
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_set_errno(err, errno, "layer %s", path);
	overlay->fds[overlay->count++] = fd;
	text_append(&overlay->options, "%s/proc/self/fd/%d", key, fd);
	return 0;
}

static int collect_overlay(const struct oci_spec *spec, struct overlay *overlay, struct error *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < spec->overlay_lower.count; i++)
		r = add_directory(overlay, i ? ":" : "lowerdir=", spec->overlay_lower.items[i],
				  err);
	if (r == 0 && spec->overlay_upper)
		r = add_directory(overlay, ",upperdir=", spec->overlay_upper, err);
	if (r == 0 && spec->overlay_upper)
		r = add_directory(overlay,
				  ",workdir=", spec->overlay_work ? spec->overlay_work : "", err);
	if (r == 0 && overlay->options.failed)
		r = error_set(err, ENOMEM, "no memory for an overlay");
	return r;
}

/* Any directory of this mount namespace will do to hang the overlay on. */
static const char *overlay_target(const struct oci_spec *spec)
{
	if (spec->rootfs && *spec->rootfs)
		return spec->rootfs;
	return spec->overlay_upper ? spec->overlay_upper : spec->overlay_lower.items[0];
}

static int put_on(int mount_fd, const char *target, struct error *err)
{
	auto_fd target_fd = open(target, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (target_fd < 0)
		return error_set_errno(err, errno, "%s", target);
	return mount_put(mount_fd, target_fd, target, err);
}

static int mount_overlay(const struct oci_spec *spec, int *ret_fd, struct error *err)
{
	const char *target = overlay_target(spec);
	__attribute__((cleanup(overlay_release))) struct overlay overlay = { .count = 0 };
	int r = collect_overlay(spec, &overlay, err);
	if (r < 0)
		return r;
	if (mount("overlay", target, "overlay", 0, overlay.options.data) < 0)
		return errno == ENODEV ? error_set(err, ENODEV,
						   "this kernel has no overlayfs "
						   "(CONFIG_OVERLAY_FS, module overlay)")
				       : error_set_errno(err, errno, "overlay of %zu layers",
							 spec->overlay_lower.count);
	int root_fd = open(target, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return error_set_errno(err, errno, "%s", target);
	*ret_fd = root_fd;
	return 0;
}

static int mount_directory(const char *path, uint64_t attributes, int *ret_fd, struct error *err)
{
	const struct mount_options options = { .recursive = true, .set = attributes };
	auto_fd fd = -1;
	int r = mount_clone(AT_FDCWD, path, &options, &fd, err);
	if (r == 0)
		r = put_on(fd, path, err);
	if (r < 0)
		return r;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int root_mount(const struct oci_spec *spec, int *ret_fd, struct error *err)
{
	int r;
	if (spec->overlay_lower.count == 0)
		r = mount_directory(spec->rootfs, 0, ret_fd, err);
	else if (spec->overlay_lower.count == 1 &&
		 !spec->overlay_upper) /* no overlay has one layer */
		r = mount_directory(spec->overlay_lower.items[0], MOUNT_ATTR_RDONLY, ret_fd, err);
	else
		r = mount_overlay(spec, ret_fd, err);
	return r < 0 ? error_wrap(err, "root file system") : 0;
}

/* Afterwards the old root is mounted nowhere, and no descriptor of ours leads to it. */
static int change_root(int root_fd, struct error *err)
{
	if (fchdir(root_fd) < 0)
		return error_set_errno(err, errno, "entering the root");
	if (sys_pivot_root_here() < 0)
		return error_set_errno(err, errno, "pivot_root");
	if (umount2(".", MNT_DETACH) < 0)
		return error_set_errno(err, errno, "leaving the old root");
	if (chdir("/") < 0)
		return error_set_errno(err, errno, "entering the root");
	return 0;
}

int root_enter(const struct oci_spec *spec, const struct cgroup_layout *layout, struct error *err)
{
	/* Slave, so that a volume that the host unmounts does not live on in here. */
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return error_set_errno(err, errno, "separating mounts from the host's");
	auto_fd root_fd = -1;
	int r = root_mount(spec, &root_fd, err);
	if (r == 0)
		r = root_mount_all(spec, root_fd, layout, err);
	if (r == 0)
		r = root_make_devices(spec, root_fd, err);
	if (r == 0)
		r = root_set_sysctls(spec, root_fd, err);
	if (r == 0)
		r = root_hide(spec, root_fd, err);
	if (r == 0 && spec->root_readonly)
		r = mount_make_readonly(root_fd, MOUNT_THIS, "the root", err);
	return r < 0 ? r : change_root(root_fd, err);
}
