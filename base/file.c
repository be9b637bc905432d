/* SPDX-License-Identifier: GPL-2.0-or-later */
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

#define READ_STEP 65536
#define TREE_DEPTH_MAX 4096  /* nested directories: each holds a descriptor while inside */
#define LOCK_POLL_NS 2000000 /* flock has no time limit: asked again this often */

int file_read_fd(int fd, const char *name, size_t size_max, char **ret_data, size_t *ret_size,
		 struct error *err)
{
	auto_text text = { 0 };
	auto_free char *step = malloc(READ_STEP);
	ssize_t n;
	if (!step)
		return error_set(err, ENOMEM, "%s: no memory", name);
	while ((n = read(fd, step, READ_STEP)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set_errno(err, errno, "cannot read %s", name);
		text_append_bytes(&text, step, (size_t)n);
		if (text.size > size_max)
			return error_set(err, EFBIG, "%s: over %zu bytes", name, size_max);
	}
	size_t size = text.size;
	int r = text_take(&text, ret_data, err);
	if (r == 0)
		*ret_size = size;
	return r;
}

int file_read(const char *path, size_t size_max, char **ret_data, size_t *ret_size,
	      struct error *err)
{
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_set_errno(err, errno, "cannot open %s", path);
	return file_read_fd(fd, path, size_max, ret_data, ret_size, err);
}

int file_write_existing(const char *path, const char *data, struct error *err)
{
	auto_fd fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return error_set_errno(err, errno, "cannot open %s", path);
	if (write(fd, data, strlen(data)) < 0)
		return error_set_errno(err, errno, "cannot write \"%s\" to %s", data, path);
	return 0;
}

int fd_write_all(int fd, const void *data, size_t size)
{
	const char *at = data;
	while (size > 0) {
		ssize_t n = write(fd, at, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += n;
		size -= (size_t)n;
	}
	return 0;
}

int file_replace(const char *path, const void *data, size_t size, mode_t mode, enum file_sync sync,
		 struct error *err)
{
	auto_free char *fresh = NULL;
	int r = text_format(&fresh, err, "%s.XXXXXX", path);
	if (r < 0)
		return r;
	auto_fd fd = mkostemp(fresh, O_CLOEXEC);
	if (fd < 0)
		return error_set_errno(err, errno, "cannot make %s", fresh);
	r = fd_write_all(fd, data, size);
	if (r == 0 && (fchmod(fd, mode) < 0 || (sync == FILE_SYNC && fsync(fd) < 0)))
		r = -errno;
	if (r == 0 && rename(fresh, path) < 0)
		r = -errno;
	if (r == 0)
		return 0;
	unlink(fresh);
	return error_set_errno(err, -r, "cannot write %s", path);
}

int directory_make(const char *path, mode_t mode, struct error *err)
{
	auto_free char *copy = NULL;
	int r = text_copy(path, &copy, err);
	if (r < 0)
		return r;
	for (char *at = copy + 1; *copy; at++) {
		bool last = *at == '\0';
		if (*at != '/' && !last)
			continue;
		*at = '\0';
		if (mkdir(copy, mode) < 0 && errno != EEXIST)
			return error_set_errno(err, errno, "cannot make directory %s", copy);
		if (last)
			break;
		*at = '/';
	}
	struct stat status;
	if (stat(path, &status) < 0 || !S_ISDIR(status.st_mode))
		return error_set(err, ENOTDIR, "%s is no directory", path);
	return 0;
}

static int remove_inside(int parent, const char *name, dev_t device, unsigned depth);

static int remove_entries(int fd, dev_t device, unsigned depth)
{
	auto_dir dir = fdopendir(fd);
	struct dirent *entry;
	int r = 0;
	if (!dir) {
		close(fd);
		return -errno;
	}
	while (r == 0 && (entry = readdir(dir)))
		if (!text_equal(entry->d_name, ".") && !text_equal(entry->d_name, ".."))
			r = remove_inside(dirfd(dir), entry->d_name, device, depth + 1);
	return r;
}

static int remove_inside(int parent, const char *name, dev_t device, unsigned depth)
{
	struct stat status;
	if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &status) < 0 || status.st_dev != device || depth > TREE_DEPTH_MAX) {
		close(fd);
		return -EXDEV;
	}
	int r = remove_entries(fd, device, depth);
	if (r == 0 && unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		r = -errno;
	return r;
}

int tree_remove(const char *path, struct error *err)
{
	struct stat status;
	if (lstat(path, &status) < 0)
		return errno == ENOENT ? 0 : error_set_errno(err, errno, "cannot remove %s", path);
	int r = remove_inside(AT_FDCWD, path, status.st_dev, 0);
	if (r == -EXDEV)
		return error_set(err, EXDEV,
				 "cannot remove %s: another file system is mounted in it", path);
	return r == 0 ? 0 : error_set_errno(err, -r, "cannot remove %s", path);
}

bool path_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

int file_open_in_root(int root_fd, const char *path, int flags, mode_t mode, int *ret_fd,
		      struct error *err)
{
	struct open_how how = { .flags = (unsigned)(flags | O_CLOEXEC),
				.mode = flags & O_CREAT ? mode : 0,
				.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	int fd;
	do
		fd = (int)syscall(SYS_openat2, root_fd, path, &how, sizeof how);
	while (fd < 0 && (errno == EAGAIN || errno == EINTR));
	if (fd < 0)
		return error_set_errno(err, errno, "%s", path);
	*ret_fd = fd;
	return 0;
}

/* flock cannot be waited for with a limit but by a signal, which a library has not. */
static int wait_for_lock(int fd, int timeout_ms)
{
	const struct timespec pause = { .tv_nsec = LOCK_POLL_NS };
	int64_t left_ns = (int64_t)timeout_ms * 1000000;
	while (flock(fd, LOCK_EX | (timeout_ms < 0 ? 0 : LOCK_NB)) < 0) {
		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK || left_ns <= 0)
			return -errno;
		nanosleep(&pause, NULL);
		left_ns -= LOCK_POLL_NS;
	}
	return 0;
}

int lock_take(const char *path, int timeout_ms, int *ret_fd, struct error *err)
{
	auto_fd fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_set_errno(err, errno, "cannot open %s", path);
	int r = wait_for_lock(fd, timeout_ms);
	if (r == -EWOULDBLOCK)
		return error_set(err, EWOULDBLOCK, "%s is locked by another process", path);
	if (r < 0)
		return error_set_errno(err, -r, "cannot lock %s", path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}
