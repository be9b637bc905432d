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

#include "mount.h"
#include "syscalls.h"

static int append_data(struct mount_options *options, const char *key, const char *value,
		       struct error *err)
{
	return value ? words_append_format(&options->data, err, "%s=%s", key, value) : 0;
}

static int overlay_new(const struct oci_spec *spec, int *ret_fd, struct error *err)
{
	auto_mount_options options = { 0 };
	int r = 0;
	for (size_t i = 0; r == 0 && i < spec->overlay_lower.count; i++)
		r = append_data(&options, "lowerdir+", spec->overlay_lower.items[i], err);
	if (r == 0)
		r = append_data(&options, "upperdir", spec->overlay_upper, err);
	if (r == 0)
		r = append_data(&options, "workdir", spec->overlay_work, err);
	return r < 0 ? r : mount_new("overlay", "overlay", &options, ret_fd, err);
}

/*
 * Before Linux 6.5 layers go in one string of at most a page: by descriptor
 * numbers even 127 fit, and no colon or comma in a name can break it.
 */
static int overlay_old(const struct oci_spec *spec, const char *target, struct error *err)
{
	auto_text data = { 0 };
	int fds[OCI_OVERLAY_LOWER_MAX];
	size_t count = 0;
	int r = 0;
	for (; count < spec->overlay_lower.count && count < OCI_OVERLAY_LOWER_MAX; count++) {
		fds[count] =
			open(spec->overlay_lower.items[count], O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (fds[count] < 0) {
			r = error_set_errno(err, errno, "layer %s",
					    spec->overlay_lower.items[count]);
			break;
		}
		text_append(&data, "%s/proc/self/fd/%d", count ? ":" : "lowerdir=", fds[count]);
	}
	if (spec->overlay_upper)
		text_append(&data, ",upperdir=%s,workdir=%s", spec->overlay_upper,
			    spec->overlay_work);
	if (r == 0 && data.failed)
		r = error_set(err, ENOMEM, "no memory for an overlay");
	if (r == 0 && mount("overlay", target, "overlay", 0, data.data) < 0)
		r = error_set_errno(err, errno, "overlay of %zu layers", spec->overlay_lower.count);
	for (size_t i = 0; i < count; i++)
		close(fds[i]);
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
	auto_fd fd = -1;
	int r = overlay_new(spec, &fd, err);
	if (r == -EINVAL) {
		error_clear(err);
		r = overlay_old(spec, target, err);
	} else if (r == 0) {
		r = put_on(fd, target, err);
	}
	if (r < 0)
		return r;
	int root_fd = open(target, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return error_set_errno(err, errno, "%s", target);
	*ret_fd = root_fd;
	return 0;
}

static int mount_directory(const struct oci_spec *spec, int *ret_fd, struct error *err)
{
	static const struct mount_options options = { .recursive = true };
	auto_fd fd = -1;
	int r = mount_clone(AT_FDCWD, spec->rootfs, &options, &fd, err);
	if (r == 0)
		r = put_on(fd, spec->rootfs, err);
	if (r < 0)
		return r;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int root_mount(const struct oci_spec *spec, int *ret_fd, struct error *err)
{
	int r = spec->overlay_lower.count ? mount_overlay(spec, ret_fd, err)
					  : mount_directory(spec, ret_fd, err);
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
