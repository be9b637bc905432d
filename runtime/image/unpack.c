/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Entries of a layer's tar become files, directories, links and nodes. All
 * calls are relative to descriptors of directories that were reached without
 * a symbolic link.
 */
#include "unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/text.h"
#include "tree.h"
#include "unpack_internal.h"

/* An entry whose parent is there: what each kind of object needs. */
struct target {
	const char *path, *name;
	int parent_fd;
};

static int bad_parent(const char *path, int r, struct error *err)
{
	if (r == -ELOOP)
		return error_set(err, EINVAL, "entry \"%.200s\" is written through a symbolic link",
				 path);
	if (r == -ENOTDIR || r == -EEXIST)
		return error_set(err, EINVAL,
				 "entry \"%.200s\" lies below something that is no directory",
				 path);
	return error_set_errno(err, -r, "entry \"%.200s\"", path);
}

static int cannot(const char *path, int code, struct error *err)
{
	if (code == EEXIST)
		return error_set(err, EINVAL, "entry \"%.200s\" appears twice", path);
	return error_set_errno(err, code, "unpack \"%.200s\"", path);
}

/* One missing directory; its own parent is there. */
static int make_implied(struct unpacker *unpacker, const char *path, struct error *err)
{
	size_t parent_size;
	char parent[PATH_MAX];
	const char *name = layer_path_name(path, &parent_size);
	snprintf(parent, sizeof parent, "%.*s", (int)parent_size, path);
	auto_fd fd = tree_open(unpacker->root_fd, parent, O_PATH | O_DIRECTORY);
	if (fd < 0)
		return bad_parent(path, fd, err);
	struct stat st;
	if (mkdirat(fd, name, 0755) < 0) {
		bool link = errno == EEXIST && fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			    S_ISLNK(st.st_mode);
		return bad_parent(path, link ? -ELOOP : -errno, err);
	}
	if (fchmodat(fd, name, 0755, 0) < 0)
		return cannot(path, errno, err);
	struct path_item *item = path_set_put(&unpacker->directories, path);
	if (!item)
		return error_set(err, ENOMEM, "no memory for a path");
	item->implied = true;
	return 0;
}

static int make_parents(struct unpacker *unpacker, const char *parent, struct error *err)
{
	char prefix[PATH_MAX];
	for (const char *end = parent; *end;) {
		end = strchrnul(end + 1, '/');
		snprintf(prefix, sizeof prefix, "%.*s", (int)(end - parent), parent);
		if (path_set_find(&unpacker->directories, prefix))
			continue;
		if (text_starts_with(layer_path_name(prefix, &(size_t){ 0 }), WHITEOUT_PREFIX))
			return error_set(err, EINVAL, "entry \"%.200s\" lies below a whiteout",
					 parent);
		int r = make_implied(unpacker, prefix, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int unpack_parent(struct unpacker *unpacker, const char *path, int *ret_fd, struct error *err)
{
	size_t size;
	layer_path_name(path, &size);
	if (unpacker->parent && strlen(unpacker->parent) == size &&
	    memcmp(unpacker->parent, path, size) == 0) {
		*ret_fd = unpacker->parent_fd;
		return 0;
	}
	auto_free char *parent = strndup(path, size);
	if (!parent)
		return error_set(err, ENOMEM, "no memory for a path");
	int r = make_parents(unpacker, parent, err);
	if (r < 0)
		return r;
	auto_fd fd = tree_open(unpacker->root_fd, parent, O_PATH | O_DIRECTORY);
	if (fd < 0)
		return bad_parent(path, fd, err);
	free(unpacker->parent);
	cleanup_fd(&unpacker->parent_fd);
	unpacker->parent = TAKE(parent);
	*ret_fd = unpacker->parent_fd = TAKE_FD(fd);
	return 0;
}

/* Which attributes an archive may set; others (labels of foreign hosts) are left out. */
static int xattr_decide(const struct tar_xattr *xattr, const char *path, struct error *err)
{
	if (text_starts_with(xattr->name, "trusted.overlay.") ||
	    text_starts_with(xattr->name, "user.overlay."))
		return error_set(err, EINVAL,
				 "entry \"%.200s\" has the attribute %.60s, which steers overlayfs",
				 path, xattr->name);
	return text_starts_with(xattr->name, "user.") ||
	       text_starts_with(xattr->name, "trusted.") ||
	       text_starts_with(xattr->name, "system.posix_acl_") ||
	       text_equal(xattr->name, "security.capability");
}

static int set_xattrs(struct unpacker *unpacker, const struct tar_entry *entry, const char *path,
		      struct error *err)
{
	for (size_t i = 0; i < entry->xattr_count; i++) {
		const struct tar_xattr *xattr = &entry->xattrs[i];
		int r = xattr_decide(xattr, path, err);
		if (r == 0)
			continue;
		if (r < 0)
			return r;
		r = tree_set_xattr(unpacker->root_fd, path, xattr->name, xattr->value, xattr->size);
		/* A file system without user attributes (tmpfs of older kernels), or links. */
		bool bearable =
			text_starts_with(xattr->name, "user.") && (r == -ENOTSUP || r == -EPERM);
		if (r < 0 && !bearable)
			return error_set_errno(err, -r, "attribute %.60s of \"%.200s\"",
					       xattr->name, path);
	}
	return 0;
}

/* Owner first: changing it clears set-id bits and capabilities. */
static int set_attributes(struct unpacker *unpacker, const struct target *target,
			  const struct tar_entry *entry, struct error *err)
{
	if (fchownat(target->parent_fd, target->name, entry->uid, entry->gid, AT_SYMLINK_NOFOLLOW) <
	    0)
		return cannot(target->path, errno, err);
	if (entry->type != TAR_SYMLINK &&
	    fchmodat(target->parent_fd, target->name, entry->mode, 0) < 0)
		return cannot(target->path, errno, err);
	int r = set_xattrs(unpacker, entry, target->path, err);
	if (r < 0 || entry->type == TAR_DIRECTORY)
		return r;
	struct timespec times[2] = { { .tv_nsec = UTIME_NOW },
				     { .tv_sec = entry->mtime_s, .tv_nsec = entry->mtime_ns } };
	if (utimensat(target->parent_fd, target->name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return cannot(target->path, errno, err);
	return 0;
}

static int check_limits(const struct unpacker *unpacker, const struct tar_entry *entry,
			struct error *err)
{
	uint64_t size = entry->stored_size;
	uint64_t limit = unpacker->limits.ratio_bytes;
	if (size > limit || unpacker->size_bytes > limit - size)
		return error_set(err, EFBIG,
				 "the layer unpacks to over %llu bytes, more than its compressed "
				 "size can mean in earnest",
				 (unsigned long long)limit);
	limit = unpacker->limits.free_bytes;
	if (size > limit || unpacker->size_bytes > limit - size)
		return error_set(err, ENOSPC,
				 "the layer unpacks to more than the %llu bytes that are free",
				 (unsigned long long)limit);
	return 0;
}

static int write_piece(int fd, const struct tar_piece *piece)
{
	for (size_t done = 0; done < piece->size;) {
		ssize_t n = pwrite(fd, piece->data + done, piece->size - done,
				   (off_t)(piece->offset + done));
		if (n < 0 && errno != EINTR)
			return -errno;
		done += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

static int make_file(struct unpacker *unpacker, struct tar *tar, const struct tar_entry *entry,
		     const struct target *target, struct error *err)
{
	int r = check_limits(unpacker, entry, err);
	if (r < 0)
		return r;
	auto_fd fd = openat(target->parent_fd, target->name,
			    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return cannot(target->path, errno, err);
	struct tar_piece piece = { 0 };
	while ((r = tar_data(tar, &piece, err)) == 1) {
		r = write_piece(fd, &piece);
		if (r < 0)
			return cannot(target->path, -r, err);
	}
	if (r < 0)
		return r;
	if (entry->parts && ftruncate(fd, (off_t)entry->size) < 0)
		return cannot(target->path, errno, err);
	unpacker->size_bytes += entry->stored_size;
	return set_attributes(unpacker, target, entry, err);
}

static int make_directory(struct unpacker *unpacker, const struct tar_entry *entry,
			  const struct target *target, struct error *err)
{
	struct path_item *item = path_set_find(&unpacker->directories, target->path);
	if (!item) {
		if (mkdirat(target->parent_fd, target->name, 0700) < 0)
			return cannot(target->path, errno, err);
		item = path_set_put(&unpacker->directories, target->path);
		if (!item)
			return error_set(err, ENOMEM, "no memory for a path");
	}
	item->implied = false;
	item->mtime_s = entry->mtime_s;
	item->mtime_ns = entry->mtime_ns;
	return set_attributes(unpacker, target, entry, err);
}

static int make_symlink(struct unpacker *unpacker, const struct tar_entry *entry,
			const struct target *target, struct error *err)
{
	size_t size = strlen(entry->link);
	if (size == 0 || size > TAR_PATH_MAX)
		return error_set(err, EINVAL, "symbolic link \"%.200s\" has %s target",
				 target->path, size ? "too long a" : "no");
	if (symlinkat(entry->link, target->parent_fd, target->name) < 0)
		return cannot(target->path, errno, err);
	return set_attributes(unpacker, target, entry, err);
}

static int make_node(struct unpacker *unpacker, const struct tar_entry *entry,
		     const struct target *target, struct error *err)
{
	mode_t mode = entry->type == TAR_FIFO        ? S_IFIFO
		      : entry->type == TAR_CHARACTER ? S_IFCHR
						     : S_IFBLK;
	if (mode == S_IFCHR && entry->major == 0 && entry->minor == 0)
		return error_set(err, EINVAL,
				 "entry \"%.200s\" is the device 0:0, a whiteout of overlayfs",
				 target->path);
	if (mknodat(target->parent_fd, target->name, mode | 0600,
		    makedev(entry->major, entry->minor)) < 0)
		return cannot(target->path, errno, err);
	return set_attributes(unpacker, target, entry, err);
}

int unpack_link(struct unpacker *unpacker, const char *path, const char *target, struct error *err)
{
	struct stat st;
	size_t parent_size;
	int fd, r = tree_stat(unpacker->root_fd, target, &st);
	if (r == -ELOOP || r == -ENOTDIR)
		return error_set(
			err, EINVAL,
			"hard link \"%.200s\" leads through something that is no directory", path);
	if (r < 0)
		return r == -ENOENT ? 0 : cannot(path, -r, err);
	if (S_ISDIR(st.st_mode))
		return error_set(err, EINVAL, "hard link \"%.200s\" leads to a directory", path);
	const char *name = layer_path_name(target, &parent_size);
	auto_free char *parent = strndup(target, parent_size);
	if (!parent)
		return error_set(err, ENOMEM, "no memory for a path");
	auto_fd from = tree_open(unpacker->root_fd, parent, O_PATH | O_DIRECTORY);
	if (from < 0)
		return bad_parent(target, from, err);
	r = unpack_parent(unpacker, path, &fd, err);
	if (r < 0)
		return r;
	if (linkat(from, name, fd, layer_path_name(path, &parent_size), 0) < 0)
		return cannot(path, errno, err);
	return 1;
}

static int make_hardlink(struct unpacker *unpacker, const struct tar_entry *entry,
			 const struct target *target, struct error *err)
{
	auto_free char *to = NULL;
	int r = layer_path_clean(entry->link, &to, err);
	if (r < 0)
		return error_wrap(err, "target of hard link \"%.200s\"", target->path);
	if (text_equal(to, target->path))
		return error_set(err, EINVAL, "hard link \"%.200s\" leads to itself", to);
	r = unpack_link(unpacker, target->path, to, err);
	if (r != 0)
		return r < 0 ? r : 0;
	if (path_set_find(&unpacker->links, target->path))
		return cannot(target->path, EEXIST, err);
	struct path_item *item = path_set_put(&unpacker->links, target->path);
	if (!item)
		return error_set(err, ENOMEM, "no memory for a path");
	item->link = TAKE(to);
	return 0;
}

static int make_opaque(struct unpacker *unpacker, const struct target *target, struct error *err)
{
	char path[PATH_MAX];
	ptrdiff_t size = target->name - target->path;
	snprintf(path, sizeof path, "%.*s", (int)(size > 0 ? size - 1 : 0), target->path);
	int r = tree_set_xattr(unpacker->root_fd, path, OVERLAY_OPAQUE, "y", 1);
	return r < 0 ? cannot(target->path, -r, err) : 0;
}

static int make_whiteout(struct unpacker *unpacker, const struct tar_entry *entry,
			 const struct target *target, struct error *err)
{
	const char *hidden = target->name + strlen(WHITEOUT_PREFIX);
	if (entry->type != TAR_FILE && entry->type != TAR_HARDLINK)
		return error_set(err, EINVAL, "whiteout \"%.200s\" is no file", target->path);
	if (text_equal(target->name, WHITEOUT_OPAQUE))
		return make_opaque(unpacker, target, err);
	if (text_starts_with(hidden, WHITEOUT_PREFIX))
		return 0; /* aufs's own bookkeeping */
	if (!*hidden || text_equal(hidden, ".") || text_equal(hidden, ".."))
		return error_set(err, EINVAL, "whiteout \"%.200s\" hides no name", target->path);
	auto_free char *path = NULL;
	int r = text_format(&path, err, "%.*s%s", (int)(target->name - target->path), target->path,
			    hidden);
	if (r < 0)
		return r;
	if (!path_set_find(&unpacker->whiteouts, path) && !path_set_put(&unpacker->whiteouts, path))
		return error_set(err, ENOMEM, "no memory for a path");
	return 0;
}

static int make_root(struct unpacker *unpacker, const struct tar_entry *entry, struct error *err)
{
	if (entry->type != TAR_DIRECTORY)
		return error_set(err, EINVAL, "entry \"%.200s\" makes the root no directory",
				 entry->path);
	struct target root = { .path = "", .name = ".", .parent_fd = unpacker->root_fd };
	return make_directory(unpacker, entry, &root, err);
}

static int make_object(struct unpacker *unpacker, struct tar *tar, const struct tar_entry *entry,
		       const struct target *target, struct error *err)
{
	switch (entry->type) {
	case TAR_FILE:
		return make_file(unpacker, tar, entry, target, err);
	case TAR_DIRECTORY:
		return make_directory(unpacker, entry, target, err);
	case TAR_SYMLINK:
		return make_symlink(unpacker, entry, target, err);
	case TAR_HARDLINK:
		return make_hardlink(unpacker, entry, target, err);
	default:
		return make_node(unpacker, entry, target, err);
	}
}

static int unpack_entry(struct unpacker *unpacker, struct tar *tar, const struct tar_entry *entry,
			struct error *err)
{
	auto_free char *path = NULL;
	int r = layer_path_clean(entry->path, &path, err);
	if (r < 0)
		return r;
	if (++unpacker->entry_count > UNPACK_ENTRIES_MAX)
		return error_set(err, EFBIG, "the layer has over %u entries", UNPACK_ENTRIES_MAX);
	if (!*path)
		return make_root(unpacker, entry, err);
	struct target target = { .path = path, .name = layer_path_name(path, &(size_t){ 0 }) };
	if (entry->type == TAR_FILE && text_ends_with(entry->path, "/"))
		return error_set(err, EINVAL, "entry \"%.200s\" is a file with a directory's name",
				 entry->path);
	r = unpack_parent(unpacker, path, &target.parent_fd, err);
	if (r < 0)
		return r;
	if (text_starts_with(target.name, WHITEOUT_PREFIX))
		return make_whiteout(unpacker, entry, &target, err);
	return make_object(unpacker, tar, entry, &target, err);
}

int unpacker_create(int root_fd, const struct unpack_limits *limits, struct unpacker **ret_unpacker,
		    struct error *err)
{
	AUTO(unpacker) unpacker = calloc(1, sizeof *unpacker);
	if (!unpacker)
		return error_set(err, ENOMEM, "no memory to unpack");
	unpacker->root_fd = root_fd;
	unpacker->limits = *limits;
	unpacker->parent_fd = -1;
	struct path_item *root = path_set_put(&unpacker->directories, "");
	if (!root)
		return error_set(err, ENOMEM, "no memory to unpack");
	root->implied = true;
	*ret_unpacker = TAKE(unpacker);
	return 0;
}

void unpacker_free(struct unpacker *unpacker)
{
	if (!unpacker)
		return;
	path_set_release(&unpacker->directories);
	path_set_release(&unpacker->whiteouts);
	path_set_release(&unpacker->links);
	free(unpacker->parent);
	cleanup_fd(&unpacker->parent_fd);
	free(unpacker);
}

int unpacker_run(struct unpacker *unpacker, struct tar *tar, struct error *err)
{
	const struct tar_entry *entry;
	int r;
	while ((r = tar_next(tar, &entry, err)) == 1) {
		r = unpack_entry(unpacker, tar, entry, err);
		if (r < 0)
			return r;
	}
	return r;
}

uint64_t unpacker_size_bytes(const struct unpacker *unpacker)
{
	return unpacker->size_bytes;
}
