/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An upper directory becomes a layer's tar: sorted names, whole seconds, hard
 * links by inode, whiteouts in OCI's form.
 */
#include "diff.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "base/text.h"
#include "path.h"
#include "runtime/image.h"
#include "tar_write.h"
#include "tree.h"

#define DEPTH_MAX 512
#define MQUEUE_FILES 0x19800202 /* no header tells it */
#define COPY_SIZE (128u << 10)

struct diff {
	int root_fd;
	enum diff_form form;
	struct tar_writer *writer;
	struct path_set inodes; /* "DEV:INODE" of files with several names; link: the first */
	uint64_t size_bytes;
	uint8_t buffer[COPY_SIZE];
};

static int cannot(const char *path, int code, struct error *err)
{
	return error_set_errno(err, code, "\"%.200s\"", path);
}

static int put_file(struct diff *diff, const struct tar_entry *entry, struct error *err)
{
	uint64_t left = entry->size;
	auto_fd fd = tree_open(diff->root_fd, entry->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return cannot(entry->path, -fd, err);
	int r = tar_writer_entry(diff->writer, entry, err);
	while (r == 0 && left > 0) {
		ssize_t n = read(fd, diff->buffer, left < COPY_SIZE ? (size_t)left : COPY_SIZE);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return cannot(entry->path, n < 0 ? errno : EIO, err);
		r = tar_writer_data(diff->writer, diff->buffer, (size_t)n, err);
		left -= (uint64_t)n;
	}
	diff->size_bytes += entry->size;
	return r < 0 ? r : tar_writer_end_data(diff->writer, err);
}

static int put_whiteout(struct diff *diff, const char *folder, const char *name, struct error *err)
{
	auto_free char *path = NULL;
	int r = text_format(&path, err, "%s%s%s", folder, *folder ? "/" : "", name);
	if (r < 0)
		return r;
	struct tar_entry entry = { .type = TAR_FILE, .path = path, .mode = 0600 };
	return tar_writer_entry(diff->writer, &entry, err);
}

/* The link's first name if this inode was written before; 1, 0, -ENOMEM. */
static int find_first_name(struct diff *diff, const struct stat *st, const char *path,
			   const char **ret_first)
{
	char key[64];
	if (S_ISDIR(st->st_mode) || st->st_nlink < 2)
		return 0;
	snprintf(key, sizeof key, "%llu:%llu", (unsigned long long)st->st_dev,
		 (unsigned long long)st->st_ino);
	struct path_item *item = path_set_find(&diff->inodes, key);
	if (item) {
		*ret_first = item->link;
		return 1;
	}
	item = path_set_put(&diff->inodes, key);
	if (item)
		item->link = strdup(path);
	return item && item->link ? 0 : -ENOMEM;
}

static int read_xattr(const char *source, const char *name, struct tar_entry *entry,
		      struct error *err)
{
	uint8_t value[4096];
	if (text_starts_with(name, "trusted.overlay.redirect") ||
	    text_starts_with(name, "trusted.overlay.metacopy"))
		return error_set(err, ENOTSUP,
				 "\"%.200s\" has %s: mount without redirects and metacopy",
				 entry->path, name);
	if (!text_starts_with(name, "user.") && !text_equal(name, "security.capability") &&
	    !text_starts_with(name, "system.posix_acl_"))
		return 0;
	ssize_t n = lgetxattr(source, name, value, sizeof value);
	if (n <= 0 || entry->xattr_count == TAR_XATTRS_MAX)
		return n < 0 ? cannot(entry->path, errno, err) : 0;
	struct tar_xattr *more = reallocarray(entry->xattrs, entry->xattr_count + 1, sizeof *more);
	if (!more)
		return error_set(err, ENOMEM, "no memory for attributes");
	entry->xattrs = more;
	struct tar_xattr *xattr = &more[entry->xattr_count++];
	*xattr = (struct tar_xattr){ .name = strdup(name),
				     .value = malloc((size_t)n),
				     .size = (size_t)n };
	if (!xattr->name || !xattr->value)
		return error_set(err, ENOMEM, "no memory for attributes");
	memcpy(xattr->value, value, (size_t)n);
	return 0;
}

int diff_read_xattrs(const char *source, struct tar_entry *entry, struct error *err)
{
	auto_free char *names = malloc(XATTR_LIST_MAX);
	if (!names)
		return error_set(err, ENOMEM, "no memory for attributes");
	ssize_t size = llistxattr(source, names, XATTR_LIST_MAX);
	if (size < 0)
		return errno == ENOTSUP ? 0 : cannot(entry->path, errno, err);
	int r = 0;
	for (char *name = names; r == 0 && name < names + size; name += strlen(name) + 1)
		r = read_xattr(source, name, entry, err);
	return r;
}

static enum tar_type type_of(mode_t mode)
{
	return S_ISREG(mode)   ? TAR_FILE
	       : S_ISDIR(mode) ? TAR_DIRECTORY
	       : S_ISLNK(mode) ? TAR_SYMLINK
	       : S_ISCHR(mode) ? TAR_CHARACTER
	       : S_ISBLK(mode) ? TAR_BLOCK_DEVICE
			       : TAR_FIFO;
}

void diff_set_entry(struct tar_entry *entry, const struct stat *st)
{
	entry->type = type_of(st->st_mode);
	entry->mode = st->st_mode & 07777;
	entry->uid = st->st_uid;
	entry->gid = st->st_gid;
	entry->mtime_s = st->st_mtim.tv_sec;
	entry->size = S_ISREG(st->st_mode) ? (uint64_t)st->st_size : 0;
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode)) {
		entry->major = major(st->st_rdev);
		entry->minor = minor(st->st_rdev);
	}
}

static int fill_entry(struct diff *diff, int folder_fd, const char *name, const struct stat *st,
		      struct tar_entry *entry, struct error *err)
{
	const char *first = NULL;
	char source[NAME_MAX + 64];
	diff_set_entry(entry, st);
	int r = find_first_name(diff, st, entry->path, &first);
	if (r == 1) {
		entry->type = TAR_HARDLINK;
		return text_copy(first, &entry->link, err);
	}
	if (r == 0 && S_ISLNK(st->st_mode)) {
		char target[PATH_MAX];
		ssize_t n = readlinkat(folder_fd, name, target, sizeof target - 1);
		if (n < 0)
			return cannot(entry->path, errno, err);
		target[n] = 0;
		r = text_copy(target, &entry->link, err);
	}
	if (r < 0)
		return error_set(err, ENOMEM, "no memory for a layer");
	snprintf(source, sizeof source, "/proc/self/fd/%d/%s", folder_fd, name);
	return diff_read_xattrs(source, entry, err);
}

/* Files that hold no content of anybody's: the kernel makes them up. */
static bool is_made_up(int folder_fd, const char *name)
{
	static const long kinds[] = { PROC_SUPER_MAGIC,   SYSFS_MAGIC,   DEVPTS_SUPER_MAGIC,
				      CGROUP_SUPER_MAGIC, DEBUGFS_MAGIC, CGROUP2_SUPER_MAGIC,
				      BPF_FS_MAGIC,       TRACEFS_MAGIC, SECURITYFS_MAGIC,
				      MQUEUE_FILES,       PSTOREFS_MAGIC };
	struct statfs fs;
	auto_fd fd = openat(folder_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstatfs(fd, &fs) < 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if ((long)fs.f_type == kinds[i])
			return true;
	return false;
}

static int walk(struct diff *diff, const char *folder, int depth, struct error *err);

static int put_object(struct diff *diff, int folder_fd, const char *folder, const char *name,
		      int depth, struct error *err)
{
	struct stat st;
	auto_free char *path = NULL;
	int r = text_format(&path, err, "%s%s%s", folder, *folder ? "/" : "", name);
	if (r < 0)
		return r;
	if (fstatat(folder_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return cannot(path, errno, err);
	if (S_ISSOCK(st.st_mode))
		return 0; /* as Docker: a socket means nothing without its process */
	if (diff->form == DIFF_LAYER && S_ISCHR(st.st_mode) && st.st_rdev == 0) {
		auto_free char *hidden = NULL;
		r = text_format(&hidden, err, WHITEOUT_PREFIX "%s", name);
		return r < 0 ? r : put_whiteout(diff, folder, hidden, err);
	}
	struct tar_entry entry = { .path = TAKE(path) };
	r = fill_entry(diff, folder_fd, name, &st, &entry, err);
	if (r == 0)
		r = entry.type == TAR_FILE ? put_file(diff, &entry, err)
					   : tar_writer_entry(diff->writer, &entry, err);
	bool folder_below = r == 0 && entry.type == TAR_DIRECTORY;
	if (folder_below && diff->form == DIFF_LAYER &&
	    tree_is_opaque(diff->root_fd, entry.path) == 1)
		r = put_whiteout(diff, entry.path, WHITEOUT_OPAQUE, err);
	if (r == 0 && folder_below && !(diff->form == DIFF_COPY && is_made_up(folder_fd, name)))
		r = walk(diff, entry.path, depth + 1, err);
	tar_entry_release(&entry);
	return r;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int walk(struct diff *diff, const char *folder, int depth, struct error *err)
{
	if (depth > DEPTH_MAX)
		return error_set(err, ELOOP, "over %d directories deep", DEPTH_MAX);
	auto_fd fd = tree_open(diff->root_fd, folder, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return cannot(folder, -fd, err);
	auto_words names = { 0 };
	auto_dir dir = fdopendir(dup(fd));
	if (!dir)
		return cannot(folder, errno, err);
	int r = 0;
	for (struct dirent *entry; r == 0 && (entry = readdir(dir));)
		if (!text_equal(entry->d_name, ".") && !text_equal(entry->d_name, ".."))
			r = words_append(&names, entry->d_name, err);
	if (names.count > 1)
		qsort(names.items, names.count, sizeof *names.items, compare_names);
	for (size_t i = 0; r == 0 && i < names.count; i++)
		r = put_object(diff, fd, folder, names.items[i], depth, err);
	return r;
}

int diff_put_tree(int root_fd, enum diff_form form, struct tar_writer *writer,
		  uint64_t *ret_size_bytes, struct error *err)
{
	auto_free struct diff *diff = calloc(1, sizeof *diff);
	if (!diff)
		return error_set(err, ENOMEM, "no memory for a layer");
	diff->root_fd = root_fd;
	diff->form = form;
	diff->writer = writer;
	int r = walk(diff, "", 0, err);
	*ret_size_bytes = diff->size_bytes;
	path_set_release(&diff->inodes);
	return r;
}

static int write_to(int root_fd, int fd, struct digest *ret_digest, uint64_t *ret_size_bytes,
		    struct error *err)
{
	uint64_t archive_size;
	AUTO(tar_writer) writer = NULL;
	int r = tar_writer_create(fd, &writer, err);
	if (r == 0)
		r = diff_put_tree(root_fd, DIFF_LAYER, writer, ret_size_bytes, err);
	return r < 0 ? r : tar_writer_finish(writer, ret_digest, &archive_size, err);
}

int diff_write(int root_fd, const char *blob_path, struct digest *ret_digest,
	       uint64_t *ret_size_bytes, struct error *err)
{
	auto_fd fd = open(blob_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return error_set_errno(err, errno, "make %s", blob_path);
	int r = write_to(root_fd, fd, ret_digest, ret_size_bytes, err);
	return r < 0 ? error_wrap(err, "layer") : 0;
}

int image_write_archive(int root_fd, int fd, struct error *err)
{
	struct digest digest;
	uint64_t size;
	return write_to(root_fd, fd, &digest, &size, err);
}
