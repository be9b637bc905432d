/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One object of a tree, with all below it, as a tar archive: what `cp` carries. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "diff.h"
#include "runtime/image.h"
#include "tree.h"

#define COPY_SIZE (128u << 10)

struct proc_path {
	char text[64];
};
/* An O_PATH descriptor can be opened for reading by this name only. */
static struct proc_path proc_path(int fd)
{
	struct proc_path path;
	snprintf(path.text, sizeof path.text, "/proc/self/fd/%d", fd);
	return path;
}

static int put_content(struct tar_writer *writer, int top_fd, uint64_t left, struct error *err)
{
	auto_free uint8_t *buffer = malloc(COPY_SIZE);
	auto_fd fd = open(proc_path(top_fd).text, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || !buffer)
		return error_set_errno(err, fd < 0 ? errno : ENOMEM, "open it");
	int r = 0;
	while (r == 0 && left > 0) {
		ssize_t n = read(fd, buffer, left < COPY_SIZE ? (size_t)left : COPY_SIZE);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return error_set_errno(err, n < 0 ? errno : EIO, "read it");
		r = tar_writer_data(writer, buffer, (size_t)n, err);
		left -= (uint64_t)n;
	}
	return r < 0 ? r : tar_writer_end_data(writer, err);
}

static int fill_top(int top_fd, const struct stat *st, struct tar_entry *entry, struct error *err)
{
	diff_set_entry(entry, st);
	if (S_ISSOCK(st->st_mode))
		return error_set(err, EINVAL,
				 "is a socket, which means nothing without its "
				 "process");
	if (!S_ISLNK(st->st_mode))
		return diff_read_xattrs(proc_path(top_fd).text, entry, err);
	char target[PATH_MAX];
	ssize_t n = readlinkat(top_fd, "", target, sizeof target - 1);
	if (n < 0)
		return error_set_errno(err, errno, "read the link");
	target[n] = 0;
	return text_copy(target, &entry->link, err);
}

static int put_top(struct tar_writer *writer, int top_fd, const struct stat *st, struct error *err)
{
	struct tar_entry entry = { .path = strdup("") };
	int r = entry.path ? fill_top(top_fd, st, &entry, err)
			   : error_set(err, ENOMEM, "no memory for an archive");
	if (r == 0)
		r = tar_writer_entry(writer, &entry, err);
	if (r == 0 && entry.type == TAR_FILE)
		r = put_content(writer, top_fd, entry.size, err);
	tar_entry_release(&entry);
	return r;
}

int image_archive_write(int top_fd, const char *name, int fd, struct error *err)
{
	AUTO(tar_writer) writer = NULL;
	struct digest digest;
	struct stat st;
	uint64_t size;
	auto_fd folder_fd = -1;
	if (fstat(top_fd, &st) < 0)
		return error_set_errno(err, errno, "%s", name);
	int r = tar_writer_create(fd, &writer, err);
	if (r == 0 && *name) {
		tar_writer_set_prefix(writer, name);
		r = put_top(writer, top_fd, &st, err);
	}
	if (r == 0 && S_ISDIR(st.st_mode)) {
		folder_fd = tree_open(top_fd, "", O_RDONLY | O_DIRECTORY);
		r = folder_fd < 0 ? error_set_errno(err, -folder_fd, "open it")
				  : diff_put_tree(folder_fd, DIFF_COPY, writer, &size, err);
	}
	return r < 0 ? r : tar_writer_finish(writer, &digest, &size, err);
}
