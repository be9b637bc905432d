/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernel settings of a container. Only those that belong to a namespace of its
 * own may be set: any other would change the host.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>

#include "base/file.h"
#include "root.h"

static const struct {
	const char *prefix;
	enum oci_namespace owner;
} owners[] = {
	{ "net.", OCI_NS_NETWORK },          { "fs.mqueue.", OCI_NS_IPC },
	{ "kernel.msg", OCI_NS_IPC },        { "kernel.sem", OCI_NS_IPC },
	{ "kernel.shm", OCI_NS_IPC },        { "kernel.hostname", OCI_NS_UTS },
	{ "kernel.domainname", OCI_NS_UTS },
};

static int check_owner(const struct oci_spec *spec, const char *setting, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(owners); i++) {
		if (!text_starts_with(setting, owners[i].prefix))
			continue;
		if (spec->namespaces[owners[i].owner].use != OCI_NS_HOST)
			return 0;
		return error_set(err, EINVAL, "needs a namespace of the container's own");
	}
	return error_set(err, EINVAL, "belongs to the whole host");
}

static int set_one(int root_fd, const char *setting, struct error *err)
{
	const char *value = strchr(setting, '=');
	auto_free char *path = NULL;
	if (!value)
		return error_set(err, EINVAL, "must be key=value");
	int r = text_format(&path, err, "/proc/sys/%.*s", (int)(value - setting), setting);
	if (r < 0)
		return r;
	for (char *dot = path; (dot = strchr(dot, '.'));)
		*dot = '/';
	auto_fd fd = -1;
	r = file_open_in_root(root_fd, path, O_WRONLY | O_CLOEXEC, 0, &fd, err);
	if (r < 0)
		return r;
	struct statfs status;
	if (fstatfs(fd, &status) < 0 || status.f_type != PROC_SUPER_MAGIC)
		return error_set(err, EPERM, "/proc is not the container's own");
	if (write(fd, value + 1, strlen(value + 1)) < 0)
		return error_set_errno(err, errno, "writing");
	return 0;
}

int root_set_sysctls(const struct oci_spec *spec, int root_fd, struct error *err)
{
	for (size_t i = 0; i < spec->sysctls.count; i++) {
		const char *setting = spec->sysctls.items[i];
		int r = check_owner(spec, setting, err);
		if (r == 0)
			r = set_one(root_fd, setting, err);
		if (r < 0)
			return error_wrap(err, "sysctl %s", setting);
	}
	return 0;
}
