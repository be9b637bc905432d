/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an image is loaded from: a tar file, a directory, or standard input.
 */
#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "path.h"
#include "tar.h"
#include "tree.h"

#define WINDOW_SIZE (64u << 10) /* bytes of a tar read at once while indexing */
#define LINKS_MAX 8             /* a link in a docker-archive may lead to another */

/* A member of a tar. */
struct entry {
	uint64_t offset, size;
	char *link; /* a symbolic link: where to, as it stands */
	bool file;
};
struct source {
	int fd; /* the tar, or the directory */
	bool directory;
	uint64_t size;         /* of the tar */
	struct path_set names; /* index: the same as in entries */
	struct entry *entries;
	size_t capacity;
	int *member_fds; /* opened in a directory */
	size_t member_count;
	uint64_t window_position;
	uint8_t window[WINDOW_SIZE];
};

static int window_next(void *context, const uint8_t **ret_data, size_t *ret_size, struct error *err)
{
	struct source *source = context;
	ssize_t n = pread(source->fd, source->window, WINDOW_SIZE, (off_t)source->window_position);
	if (n < 0)
		return error_set_errno(err, errno, "read");
	source->window_position += (uint64_t)n;
	*ret_data = source->window;
	*ret_size = (size_t)n;
	return n > 0;
}

static int window_skip(void *context, uint64_t size, struct error *err)
{
	struct source *source = context;
	if (size > source->size - source->window_position)
		return error_set(err, EBADMSG, "the tar archive ends early");
	source->window_position += size;
	return 0;
}

static int add_entry(struct source *source, const struct tar_entry *from, const char *path,
		     struct error *err)
{
	if (path_set_find(&source->names, path)) {
		if (from->type == TAR_DIRECTORY)
			return 0;
		return error_set(err, EINVAL, "the archive holds \"%.200s\" twice", path);
	}
	if (source->names.count == SOURCE_MEMBERS_MAX)
		return error_set(err, EFBIG, "the archive has over %u members", SOURCE_MEMBERS_MAX);
	if (source->names.count == source->capacity) {
		size_t capacity = source->capacity ? 2 * source->capacity : 32;
		struct entry *more = reallocarray(source->entries, capacity, sizeof *more);
		if (!more)
			return error_set(err, ENOMEM, "no memory for the archive's members");
		source->entries = more;
		source->capacity = capacity;
	}
	struct entry *entry = &source->entries[source->names.count];
	*entry = (struct entry){ .offset = from->data_offset,
				 .size = from->stored_size,
				 .file = from->type == TAR_FILE };
	if (!path_set_put(&source->names, path))
		return error_set(err, ENOMEM, "no memory for the archive's members");
	if (from->type == TAR_SYMLINK)
		return text_copy(from->link, &entry->link, err);
	return 0;
}

static int index_entry(struct source *source, const struct tar_entry *entry, struct error *err)
{
	auto_free char *path = NULL;
	int r = layer_path_clean(entry->path, &path, err);
	if (r < 0)
		return r;
	if (entry->type != TAR_FILE && entry->type != TAR_DIRECTORY && entry->type != TAR_SYMLINK)
		return error_set(err, EINVAL,
				 "the archive's member \"%.200s\" is no file, directory or "
				 "symbolic link",
				 path);
	if (entry->parts)
		return error_set(err, EINVAL, "the archive's member \"%.200s\" is sparse", path);
	return add_entry(source, entry, path, err);
}

/* A member below a link or a file: one reader would see it, another not. */
static int check_parents(const struct source *source, const char *path, struct error *err)
{
	char parent[TAR_PATH_MAX + 1];
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(parent, sizeof parent, "%.*s", (int)(slash - path), path);
		const struct path_item *item = path_set_find(&source->names, parent);
		if (!item)
			continue;
		const struct entry *entry = &source->entries[item - source->names.items];
		if (entry->file || entry->link)
			return error_set(err, EINVAL,
					 "the archive's member \"%.200s\" lies below a %s", path,
					 entry->link ? "symbolic link" : "file");
	}
	return 0;
}

static int index_tar(struct source *source, struct error *err)
{
	struct tar_source window = { window_next, window_skip, source };
	AUTO(tar) tar = NULL;
	int r = tar_create(&window, &tar, err);
	const struct tar_entry *entry;
	while (r >= 0 && (r = tar_next(tar, &entry, err)) == 1)
		r = index_entry(source, entry, err);
	if (r < 0)
		return r;
	if (source->names.count == 0)
		return error_set(err, EINVAL, "the archive is empty");
	for (size_t i = 0; r == 0 && i < source->names.count; i++)
		r = check_parents(source, source->names.items[i].path, err);
	return r;
}

/* For file systems without O_TMPFILE. */
static int open_nameless(const char *folder)
{
	char path[PATH_MAX];
	snprintf(path, sizeof path, "%s/XXXXXX", folder);
	int fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	return fd;
}

/* Standard input cannot be read twice, so it goes to a file without a name first. */
static int spool(const char *spool_dir, int *ret_fd, struct error *err)
{
	auto_fd fd = open(spool_dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0 && errno == EOPNOTSUPP)
		fd = open_nameless(spool_dir);
	if (fd < 0)
		return error_set_errno(err, errno, "temporary file in %s", spool_dir);
	auto_free char *buffer = malloc(WINDOW_SIZE);
	if (!buffer)
		return error_set(err, ENOMEM, "no memory to read");
	for (;;) {
		ssize_t n = read(STDIN_FILENO, buffer, WINDOW_SIZE);
		if (n == 0)
			break;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set_errno(err, errno, "read");
		int r = fd_write_all(fd, buffer, (size_t)n);
		if (r < 0)
			return error_set_errno(err, -r, "write to %s", spool_dir);
	}
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int open_input(struct source *source, const char *path, const char *spool_dir,
		      struct error *err)
{
	struct stat st;
	int r = 0;
	if (text_equal(path, "-"))
		r = spool(spool_dir, &source->fd, err);
	else if ((source->fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)) < 0)
		r = error_set(err, errno, "%s", strerror(errno));
	if (r < 0)
		return r;
	if (fstat(source->fd, &st) < 0)
		return error_set_errno(err, errno, "stat");
	source->directory = S_ISDIR(st.st_mode);
	if (!source->directory && !S_ISREG(st.st_mode))
		return error_set(err, EINVAL,
				 "not a file or directory (\"-\" reads standard input)");
	source->size = (uint64_t)st.st_size;
	return 0;
}

int source_open(const char *path, const char *spool_dir, struct source **ret_source,
		struct error *err)
{
	AUTO(source) source = malloc(sizeof *source);
	if (!source)
		return error_set(err, ENOMEM, "no memory to read an image");
	memset(source, 0, offsetof(struct source, window));
	source->fd = -1;
	int r = open_input(source, path, spool_dir, err);
	if (r == 0 && !source->directory)
		r = index_tar(source, err);
	if (r < 0)
		return r;
	*ret_source = TAKE(source);
	return 0;
}

void source_free(struct source *source)
{
	if (!source)
		return;
	for (size_t i = 0; i < source->names.count; i++)
		free(source->entries[i].link);
	for (size_t i = 0; i < source->member_count; i++)
		close(source->member_fds[i]);
	path_set_release(&source->names);
	free(source->entries);
	free(source->member_fds);
	cleanup_fd(&source->fd);
	free(source);
}

/* Files of a layout directory: opened without following links, kept until the end. */
static int find_in_directory(struct source *source, const char *path, struct member *ret_member,
			     struct error *err)
{
	struct stat st;
	auto_fd fd = tree_open(source->fd, path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return error_set_errno(err, -fd, "\"%.200s\"", path);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return error_set(err, EINVAL, "\"%.200s\" is no plain file", path);
	int *more = reallocarray(source->member_fds, source->member_count + 1, sizeof *more);
	if (!more)
		return error_set(err, ENOMEM, "no memory for a file");
	source->member_fds = more;
	more[source->member_count++] = fd;
	*ret_member = (struct member){ TAKE_FD(fd), 0, (uint64_t)st.st_size };
	return 1;
}

/* "a/b" with the link target "../c" is "c"; NULL if that leads outside. */
static char *join_link(const char *path, const char *link)
{
	size_t parent_size;
	layer_path_name(path, &parent_size);
	while (text_starts_with(link, "../")) {
		if (parent_size == 0)
			return NULL;
		while (parent_size > 0 && path[parent_size - 1] != '/')
			parent_size--;
		parent_size -= parent_size > 0;
		link += 3;
	}
	char *joined;
	if (asprintf(&joined, "%.*s%s%s", (int)parent_size, path, parent_size ? "/" : "", link) < 0)
		return NULL;
	return joined;
}

/* docker save writes a layer that two images share as a link to the first one's. */
static int find_in_tar(struct source *source, const char *path, struct member *ret_member,
		       struct error *err)
{
	auto_free char *at = strdup(path);
	for (int links = 0; at && links < LINKS_MAX; links++) {
		const struct path_item *item = path_set_find(&source->names, at);
		if (!item)
			return links == 0 ? 0
					  : error_set(err, EINVAL,
						      "member \"%.200s\" is a link that leads to "
						      "no member",
						      path);
		const struct entry *entry = &source->entries[item - source->names.items];
		if (entry->file) {
			*ret_member = (struct member){ source->fd, entry->offset, entry->size };
			return 1;
		}
		if (!entry->link)
			return error_set(err, EINVAL, "member \"%.200s\" is a directory", path);
		auto_free char *joined = *entry->link == '/' ? NULL : join_link(at, entry->link);
		auto_free char *clean = NULL;
		if (!joined || layer_path_clean(joined, &clean, err) < 0)
			return error_set(err, EINVAL,
					 "member \"%.200s\" is a link that leads outside", path);
		free(at);
		at = TAKE(clean);
	}
	return error_set(err, EINVAL, "member \"%.200s\" is a link that leads to itself", path);
}

int source_find(struct source *source, const char *name, struct member *ret_member,
		struct error *err)
{
	auto_free char *path = NULL;
	int r = layer_path_clean(name, &path, err);
	if (r < 0)
		return r;
	return source->directory ? find_in_directory(source, path, ret_member, err)
				 : find_in_tar(source, path, ret_member, err);
}

int source_read(struct source *source, const char *name, size_t size_max, char **ret_data,
		size_t *ret_size, struct error *err)
{
	struct member_reader reader = { 0 };
	int r = source_find(source, name, &reader.member, err);
	if (r <= 0)
		return r;
	uint64_t size = reader.member.size;
	if (size > size_max)
		return error_set(err, EFBIG, "\"%.200s\" is over %zu bytes", name, size_max);
	auto_free char *data = calloc(1, size + 1);
	if (!data)
		return error_set(err, ENOMEM, "no memory for \"%.200s\"", name);
	size_t done = 0;
	while (done < size) {
		ptrdiff_t n = member_read(&reader, (uint8_t *)data + done, size - done, err);
		if (n <= 0)
			return n < 0 ? (int)n
				     : error_set(err, EBADMSG, "\"%.200s\" became shorter", name);
		done += (size_t)n;
	}
	*ret_data = TAKE(data);
	*ret_size = size;
	return 1;
}

ptrdiff_t member_read(struct member_reader *reader, uint8_t *buffer, size_t size, struct error *err)
{
	uint64_t left = reader->member.size - reader->position;
	if (size > left)
		size = (size_t)left;
	ssize_t n;
	do
		n = pread(reader->member.fd, buffer, size,
			  (off_t)(reader->member.offset + reader->position));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_set_errno(err, errno, "read");
	reader->position += (uint64_t)n;
	return n;
}
