/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process that has entered a container is seen there in /proc, and its
 * program file can be opened through it and, once it has ended, written: the
 * host's own program (CVE-2019-5736). So the program runs from a read-only
 * mount that is in no mount namespace, which nobody can make writable; or,
 * where such a mount cannot be made, from sealed memory.
 */
#include "protect.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "mount.h"
#include "runtime/oci.h"

#define OWN_FILE "/proc/self/exe"
#define PATH_VARIABLE "WHERRY_PROGRAM_PATH" /* where the program was, before it moved */
#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static bool is_protected(void)
{
	struct statvfs status;
	if (statvfs(OWN_FILE, &status) == 0 && (status.f_flag & ST_RDONLY))
		return true;
	auto_fd fd = open(OWN_FILE, O_RDONLY | O_CLOEXEC);
	int seals = fd < 0 ? -1 : fcntl(fd, F_GET_SEALS);
	return seals >= 0 && (seals & SEALS) == SEALS;
}

int protect_check(struct error *err)
{
	if (is_protected())
		return 0;
	return error_set(err, EPERM,
			 "this program's file could be written from the container: "
			 "oci_protect_self must come first");
}

static int copy_to_memory(const char *path, int *ret_fd, struct error *err)
{
	auto_fd from = open(path, O_RDONLY | O_CLOEXEC);
	auto_fd to = memfd_create("wherry", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct stat status;
	if (from < 0 || to < 0 || fstat(from, &status) < 0)
		return error_set_errno(err, errno, "copy of %s in memory", path);
	for (off_t at = 0; at < status.st_size;) {
		ssize_t n = sendfile(to, from, &at, (size_t)(status.st_size - at));
		if (n <= 0)
			return error_set_errno(err, n < 0 ? errno : EIO, "copy of %s in memory",
					       path);
	}
	if (fcntl(to, F_ADD_SEALS, SEALS) < 0)
		return error_set_errno(err, errno, "sealing the copy of %s", path);
	*ret_fd = TAKE_FD(to);
	return 0;
}

int oci_protected_open(const char *path, int *ret_fd, struct error *err)
{
	static const struct mount_options readonly = { .set = MOUNT_ATTR_RDONLY };
	auto_free char *resolved = realpath(path, NULL);
	if (!resolved)
		return error_set_errno(err, errno, "%s", path);
	struct error ignored = { 0 };
	if (mount_clone(AT_FDCWD, resolved, &readonly, ret_fd, &ignored) == 0)
		return 0;
	return copy_to_memory(resolved, ret_fd, err);
}

int oci_program_path(char **ret_path, struct error *err)
{
	const char *moved = getenv(PATH_VARIABLE);
	if (moved && is_protected())
		return text_copy(moved, ret_path, err);
	char path[PATH_MAX];
	ssize_t size = readlink(OWN_FILE, path, sizeof path - 1);
	if (size < 0)
		return error_set_errno(err, errno, "%s", OWN_FILE);
	path[size] = '\0';
	return text_copy(path, ret_path, err);
}

/* The kernel names a program that is executed by descriptor after the descriptor. */
static void restore_name(const char *argv0)
{
	const char *slash = strrchr(argv0, '/');
	(void)prctl(PR_SET_NAME, slash ? slash + 1 : argv0, 0, 0, 0);
}

int oci_protect_self(char *const argv[], struct error *err)
{
	if (is_protected()) {
		restore_name(argv[0]);
		return 0;
	}
	auto_free char *path = NULL;
	int r = oci_program_path(&path, err);
	auto_fd fd = -1;
	if (r == 0)
		r = oci_protected_open(path, &fd, err);
	if (r == 0 && setenv(PATH_VARIABLE, path, 1) < 0)
		r = error_set_errno(err, errno, "protecting this program");
	if (r < 0)
		return r;
	fexecve(fd, argv, environ);
	return error_set_errno(err, errno, "executing %s again", path);
}
