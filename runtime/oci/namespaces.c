/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One table from the spec's namespaces to the kernel's.
 */
#include "namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>

#include "spec.h"

static const struct {
	const char *name;
	int flag;
} kinds[OCI_NS_COUNT] = {
	[OCI_NS_MOUNT] = { "mount", CLONE_NEWNS },
	[OCI_NS_PID] = { "pid", CLONE_NEWPID },
	[OCI_NS_UTS] = { "uts", CLONE_NEWUTS },
	[OCI_NS_IPC] = { "ipc", CLONE_NEWIPC },
	[OCI_NS_NETWORK] = { "network", CLONE_NEWNET },
	[OCI_NS_CGROUP] = { "cgroup", CLONE_NEWCGROUP },
	[OCI_NS_USER] = { "user", CLONE_NEWUSER },
};

const char *oci_namespace_name(enum oci_namespace kind)
{
	return kinds[kind].name;
}

uint64_t namespaces_clone_flags(const struct oci_spec *spec)
{
	uint64_t flags = 0;
	for (int i = 0; i < OCI_NS_COUNT; i++)
		if (i != OCI_NS_CGROUP && spec->namespaces[i].use == OCI_NS_NEW)
			flags |= (uint64_t)(unsigned int)kinds[i].flag;
	return flags;
}

int namespaces_join_paths(const struct oci_spec *spec, struct error *err)
{
	for (int i = 0; i < OCI_NS_COUNT; i++) {
		if (i == OCI_NS_PID || spec->namespaces[i].use != OCI_NS_PATH)
			continue;
		const char *path = spec->namespaces[i].path;
		auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || setns(fd, kinds[i].flag) < 0)
			return error_set_errno(err, errno, "%s namespace %s", kinds[i].name, path);
	}
	return 0;
}

int namespaces_join(const struct oci_spec *spec, int init_pidfd, struct error *err)
{
	int flags = 0;
	for (int i = 0; i < OCI_NS_COUNT; i++)
		if (i != OCI_NS_PID && spec->namespaces[i].use != OCI_NS_HOST)
			flags |= kinds[i].flag;
	if (flags && setns(init_pidfd, flags) < 0)
		return error_set_errno(err, errno, "joining the container's namespaces");
	return 0;
}

int namespaces_set_pid_for_children(int fd, struct error *err)
{
	auto_fd own = -1;
	if (fd < 0)
		fd = own = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWPID) < 0)
		return error_set_errno(err, errno, "pid namespace");
	return 0;
}
