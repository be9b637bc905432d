/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A tar archive is unpacked into a directory that has files already: what `cp`
 * does at its far end. Nothing that the archive or the directory holds leads out
 * of the root: parents are opened one entry at a time, either through no link at
 * all, or through links resolved inside the root.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "base/file.h"
#include "inflate.h"
#include "path.h"
#include "runtime/image.h"
#include "tar.h"
#include "tree.h"

#define CHUNK_SIZE (256u << 10)
#define SET_ID_BITS 06000u

struct reading {
	const struct image_archive_place *place;
	int folder_fd;
	struct tar *tar;
	struct path_set folders; /* directories whose time is set at the end */
};
/* An entry's place. */
struct spot {
	const char *path, *name;
	int fd; /* of its directory */
};

static int cannot(const char *path, int code, struct error *err)
{
	return error_set_errno(err, code, "\"%.200s\"", path);
}

static int open_folder(struct reading *reading, const char *path, int *ret_fd, struct error *err)
{
	auto_free char *whole = NULL;
	int r;
	if (!reading->place->links) {
		*ret_fd = tree_open(reading->folder_fd, path, O_RDONLY | O_DIRECTORY);
		return *ret_fd < 0 ? *ret_fd : 0;
	}
	r = text_format(&whole, err, "%s/%s", reading->place->folder, path);
	return r < 0 ? r
		     : file_open_in_root(reading->place->root_fd, whole, O_RDONLY | O_DIRECTORY, 0,
					 ret_fd, err);
}

/* The directory that `size` bytes of path name; it is made where it lacks. */
static int reach(struct reading *reading, const char *path, size_t size, int *ret_fd,
		 struct error *err)
{
	char folder[PATH_MAX];
	size_t parent_size;
	snprintf(folder, sizeof folder, "%.*s", (int)size, path);
	int r = open_folder(reading, folder, ret_fd, err);
	if (r != -ENOENT || !size)
		return r < 0 ? cannot(folder, -r, err) : 0;
	const char *name = layer_path_name(folder, &parent_size);
	auto_fd parent = -1;
	r = reach(reading, folder, parent_size, &parent, err);
	if (r < 0)
		return r;
	if (mkdirat(parent, name, 0755) < 0 ||
	    fchownat(parent, name, reading->place->uid, reading->place->gid, AT_SYMLINK_NOFOLLOW) <
		    0)
		return cannot(folder, errno, err);
	*ret_fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return *ret_fd < 0 ? cannot(folder, errno, err) : 0;
}

/* --- what an entry becomes --------------------------------------------------------- */

static bool may_set(const struct image_archive_place *place, const char *name)
{
	if (text_starts_with(name, "user."))
		return !text_starts_with(name, "user.overlay.");
	return place->keep_special && (text_equal(name, "security.capability") ||
				       text_starts_with(name, "system.posix_acl_"));
}

static int set_xattrs(const struct image_archive_place *place, const struct tar_entry *entry,
		      const struct spot *spot, struct error *err)
{
	char path[PATH_MAX + 64];
	snprintf(path, sizeof path, "/proc/self/fd/%d/%s", spot->fd, spot->name);
	for (size_t i = 0; i < entry->xattr_count; i++) {
		const struct tar_xattr *xattr = &entry->xattrs[i];
		if (!may_set(place, xattr->name) ||
		    lsetxattr(path, xattr->name, xattr->value, xattr->size, 0) == 0)
			continue;
		if (errno != ENOTSUP && errno != EPERM)
			return error_set_errno(err, errno, "attribute %.60s of \"%.200s\"",
					       xattr->name, spot->path);
	}
	return 0;
}

/* Owner first: changing it clears set-id bits and capabilities. */
static int dress(const struct image_archive_place *place, const struct tar_entry *entry,
		 const struct spot *spot, struct error *err)
{
	uint32_t mode = place->keep_special ? entry->mode : entry->mode & ~SET_ID_BITS;
	struct timespec times[2] = { { .tv_nsec = UTIME_NOW },
				     { .tv_sec = entry->mtime_s, .tv_nsec = entry->mtime_ns } };
	if (fchownat(spot->fd, spot->name, place->keep_owner ? entry->uid : place->uid,
		     place->keep_owner ? entry->gid : place->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return cannot(spot->path, errno, err);
	if (entry->type != TAR_SYMLINK &&
	    fchmodat(spot->fd, spot->name, mode, AT_SYMLINK_NOFOLLOW) < 0)
		return cannot(spot->path, errno, err);
	int r = set_xattrs(place, entry, spot, err);
	if (r == 0 && entry->type != TAR_DIRECTORY &&
	    utimensat(spot->fd, spot->name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return cannot(spot->path, errno, err);
	return r;
}

static int fill_file(struct reading *reading, const struct tar_entry *entry, int fd,
		     const struct spot *spot, struct error *err)
{
	struct tar_piece piece;
	int r;
	while ((r = tar_data(reading->tar, &piece, err)) == 1)
		for (size_t done = 0; done < piece.size;) {
			ssize_t n = pwrite(fd, piece.data + done, piece.size - done,
					   (off_t)(piece.offset + done));
			if (n < 0 && errno != EINTR)
				return cannot(spot->path, errno, err);
			done += n > 0 ? (size_t)n : 0;
		}
	if (r == 0 && ftruncate(fd, (off_t)entry->size) < 0)
		return cannot(spot->path, errno, err);
	return r;
}

/* busy: a mount point, which can only be written to. */
static int make_file(struct reading *reading, const struct tar_entry *entry,
		     const struct spot *spot, bool busy, struct error *err)
{
	int flags = O_WRONLY | O_NOFOLLOW | O_CLOEXEC | (busy ? O_TRUNC : O_CREAT | O_EXCL);
	auto_fd fd = openat(spot->fd, spot->name, flags, 0600);
	if (fd < 0)
		return cannot(spot->path, errno, err);
	int r = fill_file(reading, entry, fd, spot, err);
	if (r < 0 && !busy)
		(void)unlinkat(spot->fd, spot->name, 0);
	return r < 0 ? r : dress(reading->place, entry, spot, err);
}

static int make_hardlink(struct reading *reading, const struct tar_entry *entry,
			 const struct spot *spot, struct error *err)
{
	auto_free char *target = NULL, *parent = NULL;
	auto_fd from = -1;
	size_t size;
	int r = layer_path_clean(entry->link, &target, err);
	if (r < 0)
		return error_wrap(err, "target of hard link \"%.200s\"", spot->path);
	const char *name = layer_path_name(target, &size);
	parent = strndup(target, size);
	r = parent ? open_folder(reading, parent, &from, err) : -ENOMEM;
	if (r == 0 && linkat(from, name, spot->fd, spot->name, 0) < 0)
		r = -errno;
	return r < 0 ? cannot(spot->path, -r, err) : 0;
}

static int make_node(struct reading *reading, const struct tar_entry *entry,
		     const struct spot *spot, struct error *err)
{
	mode_t kind = entry->type == TAR_FIFO        ? S_IFIFO
		      : entry->type == TAR_CHARACTER ? S_IFCHR
						     : S_IFBLK;
	if (entry->type != TAR_FIFO && !reading->place->keep_special)
		return error_set(err, EPERM, "\"%.200s\" is a device: only --archive copies those",
				 spot->path);
	if (kind == S_IFCHR && entry->major == 0 && entry->minor == 0)
		return error_set(err, EINVAL,
				 "\"%.200s\" is the device 0:0, a whiteout of overlayfs",
				 spot->path);
	if (mknodat(spot->fd, spot->name, kind | 0600, makedev(entry->major, entry->minor)) < 0)
		return cannot(spot->path, errno, err);
	return dress(reading->place, entry, spot, err);
}

static int make_directory(struct reading *reading, const struct tar_entry *entry,
			  const struct spot *spot, bool there, struct error *err)
{
	if (!there && mkdirat(spot->fd, spot->name, 0700) < 0)
		return cannot(spot->path, errno, err);
	struct path_item *item = path_set_find(&reading->folders, spot->path);
	if (!item)
		item = path_set_put(&reading->folders, spot->path);
	if (!item)
		return error_set(err, ENOMEM, "no memory for a path");
	item->mtime_s = entry->mtime_s;
	item->mtime_ns = entry->mtime_ns;
	return dress(reading->place, entry, spot, err);
}

static int make_symlink(struct reading *reading, const struct tar_entry *entry,
			const struct spot *spot, struct error *err)
{
	if (symlinkat(entry->link, spot->fd, spot->name) < 0)
		return cannot(spot->path, errno, err);
	return dress(reading->place, entry, spot, err);
}

/* --- what is in the way -------------------------------------------------------------- */

enum way { WAY_FREE, WAY_MERGE, WAY_LINKED, WAY_BUSY };

/* An archive names /lib/x where /lib is a link to usr/lib: the link stays. */
static bool leads_to_directory(struct reading *reading, const struct spot *spot)
{
	struct error ignored;
	auto_fd fd = -1;
	return reading->place->links && open_folder(reading, spot->path, &fd, &ignored) == 0;
}

static int clear_way(struct reading *reading, const struct tar_entry *entry,
		     const struct spot *spot, enum way *ret_way, struct error *err)
{
	struct stat st;
	bool folder = entry->type == TAR_DIRECTORY;
	*ret_way = WAY_FREE;
	if (fstatat(spot->fd, spot->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : cannot(spot->path, errno, err);
	if (folder && S_ISDIR(st.st_mode)) {
		*ret_way = WAY_MERGE;
		return 0;
	}
	if (folder && S_ISLNK(st.st_mode) && leads_to_directory(reading, spot)) {
		*ret_way = WAY_LINKED;
		return 0;
	}
	if (folder || S_ISDIR(st.st_mode))
		return error_set(
			err, EEXIST, "\"%.200s\": there is a %s, which no %s can take the place of",
			spot->path, folder ? "file" : "directory", folder ? "directory" : "file");
	if (unlinkat(spot->fd, spot->name, 0) == 0)
		return 0;
	if (errno != EBUSY || entry->type != TAR_FILE)
		return cannot(spot->path, errno, err);
	*ret_way = WAY_BUSY;
	return 0;
}

static int make(struct reading *reading, const struct tar_entry *entry, const struct spot *spot,
		struct error *err)
{
	enum way way;
	int r = clear_way(reading, entry, spot, &way, err);
	if (r < 0 || way == WAY_LINKED)
		return r;
	switch (entry->type) {
	case TAR_FILE:
		return make_file(reading, entry, spot, way == WAY_BUSY, err);
	case TAR_HARDLINK:
		return make_hardlink(reading, entry, spot, err);
	case TAR_SYMLINK:
		return make_symlink(reading, entry, spot, err);
	case TAR_DIRECTORY:
		return make_directory(reading, entry, spot, way == WAY_MERGE, err);
	default:
		return make_node(reading, entry, spot, err);
	}
}

static int take_entry(struct reading *reading, const struct tar_entry *entry, struct error *err)
{
	auto_free char *path = NULL;
	auto_fd fd = -1;
	size_t parent_size;
	int r = layer_path_clean(entry->path, &path, err);
	if (r < 0 || !*path)
		return r; /* "./": the folder itself, which stays as it is */
	struct spot spot = { .path = path, .name = layer_path_name(path, &parent_size) };
	r = reach(reading, path, parent_size, &fd, err);
	spot.fd = fd;
	return r < 0 ? r : make(reading, entry, &spot, err);
}

/* After all is in them: making an entry changes its directory's time. */
static int set_times(struct reading *reading, struct error *err)
{
	for (size_t i = reading->folders.count; i-- > 0;) {
		const struct path_item *item = &reading->folders.items[i];
		struct timespec times[2] = { { .tv_nsec = UTIME_NOW },
					     { .tv_sec = item->mtime_s,
					       .tv_nsec = item->mtime_ns } };
		auto_fd fd = -1;
		int r = open_folder(reading, item->path, &fd, err);
		if (r < 0 || futimens(fd, times) < 0)
			return cannot(item->path, r < 0 ? -r : errno, err);
	}
	return 0;
}

/* --- the stream ------------------------------------------------------------------------ */

struct feed {
	int fd;
	uint8_t head[8]; /* read to tell the compression */
	size_t head_size, head_done;
	struct inflate *inflate;
	uint8_t *buffer;
};

static ptrdiff_t read_stream(void *context, uint8_t *buffer, size_t size, struct error *err)
{
	struct feed *feed = context;
	size_t left = feed->head_size - feed->head_done;
	if (left) {
		size = size < left ? size : left;
		memcpy(buffer, feed->head + feed->head_done, size);
		feed->head_done += size;
		return (ptrdiff_t)size;
	}
	for (;;) {
		ssize_t n = read(feed->fd, buffer, size);
		if (n >= 0)
			return n;
		if (errno != EINTR)
			return error_set_errno(err, errno, "read the archive");
	}
}

static int read_head(struct feed *feed, struct error *err)
{
	while (feed->head_size < sizeof feed->head) {
		ssize_t n = read(feed->fd, feed->head + feed->head_size,
				 sizeof feed->head - feed->head_size);
		if (n < 0 && errno != EINTR)
			return error_set_errno(err, errno, "read the archive");
		if (n == 0)
			return 0;
		feed->head_size += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

static int next_chunk(void *context, const uint8_t **ret_data, size_t *ret_size, struct error *err)
{
	struct feed *feed = context;
	ptrdiff_t n = inflate_read(feed->inflate, feed->buffer, CHUNK_SIZE, err);
	if (n <= 0)
		return (int)n;
	*ret_data = feed->buffer;
	*ret_size = (size_t)n;
	return 1;
}

static int take_entries(struct reading *reading, struct error *err)
{
	const struct tar_entry *entry;
	int r;
	while ((r = tar_next(reading->tar, &entry, err)) == 1) {
		r = take_entry(reading, entry, err);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : set_times(reading, err);
}

int image_archive_read(const struct image_archive_place *place, int fd, struct error *err)
{
	struct reading reading = { .place = place, .folder_fd = -1 };
	auto_free uint8_t *buffer = malloc(CHUNK_SIZE);
	struct feed feed = { .fd = fd, .buffer = buffer };
	struct tar_source source = { next_chunk, NULL, &feed };
	AUTO(inflate) inflate = NULL;
	AUTO(tar) tar = NULL;
	auto_fd folder_fd = -1;
	if (!buffer)
		return error_set(err, ENOMEM, "no memory for an archive");
	int r = file_open_in_root(place->root_fd, place->folder, O_RDONLY | O_DIRECTORY, 0,
				  &folder_fd, err);
	if (r == 0)
		r = read_head(&feed, err);
	if (r == 0)
		r = inflate_create(compression_sniff(feed.head, feed.head_size), read_stream, &feed,
				   &inflate, err);
	feed.inflate = inflate;
	if (r == 0)
		r = tar_create(&source, &tar, err);
	reading.folder_fd = folder_fd;
	reading.tar = tar;
	if (r == 0)
		r = take_entries(&reading, err);
	path_set_release(&reading.folders);
	return r;
}
