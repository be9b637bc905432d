/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who the program will be: user, groups, capabilities, limits, filter. The
 * order is the point: each step needs a privilege that a later one gives up.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "capability.h"
#include "launch.h"
#include "spec.h"
#include "syscalls.h"
#include "target.h"

/* A default that may not be raised to is what is allowed; what a user asked for must be had. */
static int set_limit(const struct oci_rlimit *wanted, struct error *err)
{
	struct rlimit limit = { .rlim_cur = wanted->soft, .rlim_max = wanted->hard };
	if (setrlimit((__rlimit_resource_t)wanted->resource, &limit) == 0)
		return 0;
	int code = errno;
	struct rlimit held;
	if (code != EPERM || getrlimit((__rlimit_resource_t)wanted->resource, &held) < 0)
		return error_set_errno(err, code, "limit %s", oci_rlimit_name(wanted->resource));
	if (wanted->explicit_request)
		return error_set(
			err, EPERM,
			"limit %s: %" PRIu64 " is over the %" PRIu64 " that this process may give",
			oci_rlimit_name(wanted->resource), wanted->hard, (uint64_t)held.rlim_max);
	limit.rlim_max = held.rlim_max;
	if (limit.rlim_cur > held.rlim_max)
		limit.rlim_cur = held.rlim_max;
	if (setrlimit((__rlimit_resource_t)wanted->resource, &limit) < 0)
		return error_set_errno(err, errno, "limit %s", oci_rlimit_name(wanted->resource));
	return 0;
}

int limits_apply(const struct oci_process *process, struct error *err)
{
	for (size_t i = 0; i < process->rlimit_count; i++) {
		int r = set_limit(&process->rlimits[i], err);
		if (r < 0)
			return r;
	}
	if (!process->have_oom_score_adj)
		return 0;
	char text[16];
	snprintf(text, sizeof text, "%d", process->oom_score_adj);
	return file_write_existing("/proc/self/oom_score_adj", text, err);
}

static int set_groups(const struct oci_process *process, struct error *err)
{
	_Static_assert(sizeof(gid_t) == sizeof *process->groups, "groups are passed as they are");
	if (setgroups(process->group_count, process->groups) < 0)
		return error_set_errno(err, errno, "setting groups");
	if (setresgid(process->gid, process->gid, process->gid) < 0)
		return error_set_errno(err, errno, "becoming group %" PRIu32, process->gid);
	return 0;
}

int identity_take(const struct launch *launch, struct error *err)
{
	const struct oci_process *process = launch->process;
	umask(0022);
	/* Without it the program would share the keys of whoever started it. */
	(void)sys_new_session_keyring();
	int r = capability_drop_bounding(process->capabilities, err);
	if (r == 0)
		r = set_groups(process, err);
	if (r < 0)
		return r;
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return error_set_errno(err, errno, "keeping capabilities");
	if (setresuid(process->uid, process->uid, process->uid) < 0)
		return error_set_errno(err, errno, "becoming user %" PRIu32, process->uid);
	uint64_t all;
	r = capability_all(&all, err);
	return r < 0 ? r : capability_apply(all, 0, err);
}

int identity_finish(const struct launch *launch, struct error *err)
{
	const struct oci_process *process = launch->process;
	/* Another user's exec would drop them anyhow; without them it also looks with his eyes. */
	uint64_t last = process->uid == 0 ? process->capabilities : process->ambient;
	uint64_t ambient = process->ambient & process->capabilities;
	if (!process->no_new_privileges) { /* then the filter needs CAP_SYS_ADMIN */
		int r = filter_load(&launch->filter, err);
		return r < 0 ? r : capability_apply(last, ambient, err);
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_set_errno(err, errno, "no_new_privs");
	int r = capability_apply(last, ambient, err);
	return r < 0 ? r : filter_load(&launch->filter, err);
}

int directory_enter(const char *path, struct error *err)
{
	auto_fd root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return error_set_errno(err, errno, "the root");
	auto_fd directory = -1;
	int r = target_make(root, path, TARGET_DIRECTORY, &directory, err);
	if (r < 0)
		return error_wrap(err, "working directory");
	if (fchdir(directory) < 0)
		return error_set_errno(err, errno, "working directory %s", path);
	/* The kernel marks what the root does not reach; the C library would hide that. */
	char where[PATH_MAX];
	if (syscall(SYS_getcwd, where, sizeof where) < 0 || where[0] != '/')
		return error_set(err, EPERM, "working directory %s is outside the container", path);
	return 0;
}
