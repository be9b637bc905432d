/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list of mounts: new file systems, binds of host files and directories,
 * and "cgroup", which is one mount on v2 and a directory of them on v1.
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

struct place {
	const struct oci_spec *spec;
	int root_fd;
	const struct cgroup_layout *layout;
};

static int put_in_root(int root_fd, int mount_fd, const char *destination, enum target_kind kind,
		       struct error *err)
{
	auto_fd target = -1;
	int r = target_make(root_fd, destination, kind, &target, err);
	return r < 0 ? r : mount_put(mount_fd, target, destination, err);
}

static int mount_bind(int root_fd, const struct oci_mount *mount,
		      const struct mount_options *options, struct error *err)
{
	auto_fd source = open(mount->source, O_PATH | O_CLOEXEC);
	if (source < 0)
		return error_set_errno(err, errno, "source %s", mount->source);
	struct stat status;
	if (fstat(source, &status) < 0)
		return error_set_errno(err, errno, "source %s", mount->source);
	auto_fd clone = -1;
	int r = mount_clone(source, "", options, &clone, err);
	if (r < 0)
		return r;
	return put_in_root(root_fd, clone, mount->destination,
			   S_ISDIR(status.st_mode) ? TARGET_DIRECTORY : TARGET_FILE, err);
}

/* One v1 hierarchy, as the container's cgroup namespace shows it: from its own group on. */
static int mount_hierarchy(int directory_fd, const struct cgroup_hierarchy *hierarchy,
			   const struct mount_options *options, struct error *err)
{
	auto_mount_options own = { .set = options->set };
	int r = 0;
	for (int i = 0; r == 0 && i < CGROUP_CONTROLLER_COUNT; i++)
		if (hierarchy->controllers & 1u << i)
			r = words_append(&own.data, cgroup_controller_name(i), err);
	auto_fd fd = -1;
	if (r == 0)
		r = mount_new("cgroup", "cgroup", &own, &fd, err);
	if (r < 0)
		return r;
	const char *name = strrchr(hierarchy->mount, '/') + 1;
	if (mkdirat(directory_fd, name, 0755) < 0)
		return error_set_errno(err, errno, "making %s", name);
	auto_fd target = openat(directory_fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return target < 0 ? error_set_errno(err, errno, "%s", name)
			  : mount_put(fd, target, name, err);
}

/* Only hierarchies in which the container has a group: another's root is the host's. */
static int mount_hierarchies(int directory_fd, const struct place *place,
			     const struct mount_options *options, struct error *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < place->layout->count; i++) {
		const struct cgroup_hierarchy *hierarchy = &place->layout->hierarchies[i];
		if (!hierarchy->unified && cgroup_is_wanted(hierarchy, &place->spec->resources))
			r = mount_hierarchy(directory_fd, hierarchy, options, err);
	}
	return r;
}

static int mount_cgroups(const struct place *place, const struct oci_mount *mount,
			 const struct mount_options *options, struct error *err)
{
	const struct cgroup_layout *layout = place->layout;
	int root_fd = place->root_fd;
	auto_fd fd = -1;
	if (layout->count == 1 && layout->hierarchies[0].unified) {
		struct mount_options own = { .set = options->set };
		int r = mount_new("cgroup2", "cgroup", &own, &fd, err);
		return r < 0 ? r
			     : put_in_root(root_fd, fd, mount->destination, TARGET_DIRECTORY, err);
	}
	auto_mount_options directory = { .set = options->set & ~(uint64_t)MOUNT_ATTR_RDONLY };
	int r = words_append(&directory.data, "mode=755", err);
	if (r == 0)
		r = mount_new("tmpfs", "tmpfs", &directory, &fd, err);
	if (r == 0)
		r = put_in_root(root_fd, fd, mount->destination, TARGET_DIRECTORY, err);
	if (r == 0)
		r = mount_hierarchies(fd, place, options, err);
	if (r == 0 && (options->set & MOUNT_ATTR_RDONLY))
		r = mount_make_readonly(fd, MOUNT_THIS, mount->destination, err);
	return r;
}

static int mount_one(const struct place *place, const struct oci_mount *mount, struct error *err)
{
	int root_fd = place->root_fd;
	auto_mount_options options = { 0 };
	int r = mount_options_parse(&mount->options, &options, err);
	if (r < 0)
		return r;
	if (options.bind || text_equal(mount->type, "bind"))
		return mount_bind(root_fd, mount, &options, err);
	if (text_equal(mount->type, "cgroup") || text_equal(mount->type, "cgroup2"))
		return mount_cgroups(place, mount, &options, err);
	auto_fd fd = -1;
	r = mount_new(mount->type, mount->source, &options, &fd, err);
	return r < 0 ? r : put_in_root(root_fd, fd, mount->destination, TARGET_DIRECTORY, err);
}

int root_mount_all(const struct oci_spec *spec, int root_fd, const struct cgroup_layout *layout,
		   struct error *err)
{
	struct place place = { spec, root_fd, layout };
	for (size_t i = 0; i < spec->mount_count; i++) {
		int r = mount_one(&place, &spec->mounts[i], err);
		if (r < 0)
			return error_wrap(err, "mount %s", spec->mounts[i].destination);
	}
	return 0;
}
