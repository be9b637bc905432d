/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whole files in, whole files out. What replaces a file is complete before it
 * gets the name; what is read has a limit before it is allocated.
 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/text.h"

#define READ_STEP 4096
#define LOCK_STEP_MS 2

int fd_write_all(int fd, const void *data, size_t size)
{
	const char *at = data;
	while (size > 0) {
		ssize_t written = write(fd, at, size);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		at += written;
		size -= (size_t)written;
	}
	return 0;
}

int file_read_fd(int fd, const char *name, size_t size_max, char **ret_data, size_t *ret_size,
		 struct error *err)
{
	/* Sizes from fstat are no help: files of /proc say 0. */
	auto_free char *data = NULL;
	size_t size = 0, capacity = 0;
	for (;;) {
		if (capacity - size < 2) {
			capacity = capacity ? 2 * capacity : READ_STEP;
			char *grown = realloc(data, capacity);
			if (!grown)
				return error_set(err, ENOMEM, "no memory for %s", name);
			data = grown;
		}
		ssize_t got = read(fd, data + size, capacity - size - 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return error_set_errno(err, errno, "cannot read %s", name);
		if (got == 0)
			break;
		size += (size_t)got;
		if (size > size_max)
			return error_set(err, EFBIG, "%s is larger than %zu bytes", name, size_max);
	}
	data[size] = '\0';
	*ret_data = TAKE(data);
	*ret_size = size;
	return 0;
}

int file_read(const char *path, size_t size_max, char **ret_data, size_t *ret_size,
	      struct error *err)
{
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return error_set_errno(err, errno, "cannot open %s", path);
	return file_read_fd(fd, path, size_max, ret_data, ret_size, err);
}

int file_write_existing(const char *path, const char *data, struct error *err)
{
	auto_fd fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return error_set_errno(err, errno, "cannot open %s", path);
	/* One call: the kernel takes each write to such a file as a value of its own. */
	ssize_t written;
	do
		written = write(fd, data, strlen(data));
	while (written < 0 && errno == EINTR);
	if (written < 0)
		return error_set_errno(err, errno, "cannot write \"%s\" to %s", data, path);
	return 0;
}

/* The directory part of path, "." if there is none; freed by the caller. */
static char *parent_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	if (!slash)
		return strdup(".");
	return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

static int sync_directory(const char *path, struct error *err)
{
	auto_free char *parent = parent_of(path);
	if (!parent)
		return error_set(err, ENOMEM, "no memory for the folder of %s", path);
	auto_fd fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		return error_set_errno(err, errno, "cannot sync %s", parent);
	return 0;
}

static int fill_and_rename(int fd, const char *temporary, const char *path, const void *data,
			   size_t size, mode_t mode, enum file_sync sync)
{
	int r = fd_write_all(fd, data, size);
	if (r < 0)
		return r;
	if (fchmod(fd, mode) < 0 || (sync == FILE_SYNC && fsync(fd) < 0) ||
	    rename(temporary, path) < 0)
		return -errno;
	return 0;
}

int file_replace(const char *path, const void *data, size_t size, mode_t mode, enum file_sync sync,
		 struct error *err)
{
	auto_free char *temporary = NULL;
	int r = text_format(&temporary, err, "%s.XXXXXX", path);
	if (r < 0)
		return r;
	auto_fd fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return error_set_errno(err, errno, "cannot make a file beside %s", path);
	r = fill_and_rename(fd, temporary, path, data, size, mode, sync);
	if (r < 0) {
		unlink(temporary);
		return error_set_errno(err, -r, "cannot write %s", path);
	}
	return sync == FILE_SYNC ? sync_directory(path, err) : 0;
}

static int make_one(const char *path, mode_t mode, struct error *err)
{
	struct stat info;
	if (mkdir(path, mode) == 0)
		return 0;
	int code = errno;
	if (stat(path, &info) == 0) {
		if (S_ISDIR(info.st_mode))
			return 0;
		code = ENOTDIR;
	}
	return error_set_errno(err, code, "cannot make folder %s", path);
}

int directory_make(const char *path, mode_t mode, struct error *err)
{
	auto_free char *partial = NULL;
	if (!path[0])
		return error_set(err, EINVAL, "a folder has no name");
	int r = text_copy(path, &partial, err);
	if (r < 0)
		return r;
	for (char *slash = strchr(partial + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		r = make_one(partial, mode, err);
		if (r < 0)
			return r;
		*slash = '/';
	}
	return make_one(partial, mode, err);
}

bool path_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

int file_open_in_root(int root_fd, const char *path, int flags, mode_t mode, int *ret_fd,
		      struct error *err)
{
	struct open_how how = {
		.flags = (uint64_t)(flags | O_CLOEXEC),
		.mode = flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY)) ? mode : 0,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	long fd;
	/* EAGAIN: something was renamed meanwhile, and the kernel could not be sure. */
	do
		fd = syscall(SYS_openat2, root_fd, path, &how, sizeof how);
	while (fd < 0 && (errno == EAGAIN || errno == EINTR));
	if (fd < 0 && errno == ENOSYS)
		return error_set(err, ENOSYS,
				 "cannot open %s: this kernel has no openat2(2), which Linux 5.6 "
				 "and later have",
				 path);
	if (fd < 0)
		return error_set_errno(err, errno, "cannot open %s", path);
	*ret_fd = (int)fd;
	return 0;
}

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* flock knows no timeout, so a bounded wait looks again every few milliseconds. */
static int flock_within(int fd, int timeout_ms)
{
	int64_t end = now_ms() + timeout_ms;
	for (;;) {
		if (flock(fd, timeout_ms < 0 ? LOCK_EX : LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EINTR && errno != EWOULDBLOCK)
			return -errno;
		if (timeout_ms >= 0 && now_ms() >= end)
			return -EWOULDBLOCK;
		if (errno == EWOULDBLOCK)
			nanosleep(&(struct timespec){ .tv_nsec = LOCK_STEP_MS * 1000000 }, NULL);
	}
}

/* False if the file that was locked has lost its name to another meanwhile. */
static bool is_still_at(int fd, const char *path)
{
	struct stat held, named;
	return fstat(fd, &held) == 0 && stat(path, &named) == 0 && held.st_ino == named.st_ino &&
	       held.st_dev == named.st_dev;
}

int lock_take(const char *path, int timeout_ms, int *ret_fd, struct error *err)
{
	for (;;) {
		auto_fd fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
		if (fd < 0)
			return error_set_errno(err, errno, "cannot open lock file %s", path);
		int r = flock_within(fd, timeout_ms);
		if (r == -EWOULDBLOCK)
			return error_set(err, EWOULDBLOCK, "%s is locked by another process", path);
		if (r < 0)
			return error_set_errno(err, -r, "cannot lock %s", path);
		if (is_still_at(fd, path)) {
			*ret_fd = TAKE_FD(fd);
			return 0;
		}
	}
}
