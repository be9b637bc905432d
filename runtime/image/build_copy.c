/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * COPY and ADD: which files a step names, and their way into the image's tree.
 */
#include "build_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "build_extract.h"
#include "build_walk.h"
#include "path.h"
#include "tree.h"

static int not_there(const struct copy_request *request, const char *source, struct error *err)
{
	return error_set(err, ENOENT, "\"%.200s\" is not in %s", source, request->from_name);
}

struct search {
	const struct copy_request *request;
	const char *pattern;
	struct words *found;
};

static int match_path(const struct walk_item *item, void *context, struct error *err)
{
	struct search *search = context;
	if (!pattern_match(search->pattern, item->path))
		return 0;
	int r = words_append(search->found, item->path, err);
	return r < 0 ? r : WALK_SKIP;
}

/* "/a//b", "./a" and "a" all mean the context's a. */
static int clean_source(const char *source, char **ret, struct error *err)
{
	source += strspn(source, "/");
	if (!*source)
		return text_copy("", ret, err);
	return layer_path_clean(source, ret, err);
}

/* A source by its name. An ignored directory counts if a pattern lets something in again. */
static bool is_there(const struct copy_request *request, const char *path)
{
	struct stat st;
	struct error missing;
	auto_fd fd = -1;
	if (file_open_in_root(request->from_fd, *path ? path : "/", O_PATH | O_NOFOLLOW, 0, &fd,
			      &missing) < 0)
		return false;
	if (!request->ignore || !*path || !ignore_matches(request->ignore, path))
		return true;
	return ignore_has_exceptions(request->ignore) && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
}

int copy_resolve(const struct copy_request *request, struct words *ret_paths, struct error *err)
{
	for (size_t i = 0; i < request->sources.count; i++) {
		const char *source = request->sources.items[i];
		size_t before = ret_paths->count;
		auto_free char *clean = NULL;
		int r = clean_source(source, &clean, err);
		if (r < 0)
			return r;
		if (pattern_has_wildcards(clean)) {
			struct search search = { request, clean, ret_paths };
			r = walk_tree(request->from_fd, "", request->ignore, match_path, &search,
				      err);
		} else if (is_there(request, clean)) {
			r = words_append(ret_paths, clean, err);
		}
		if (r < 0)
			return r;
		if (ret_paths->count == before)
			return not_there(request, source, err);
	}
	return 0;
}

static int hash_content(int fd, const char *path, struct hash *hash, struct error *err)
{
	uint8_t buffer[16384];
	for (;;) {
		ssize_t n = read(fd, buffer, sizeof buffer);
		if (n == 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return error_set_errno(err, errno, "read \"%.200s\"", path);
		if (n > 0)
			hash_update(hash, buffer, (size_t)n);
	}
}

static int hash_item(const struct walk_item *item, void *context, struct error *err)
{
	struct hash *hash = context;
	char line[PATH_MAX + 64], target[PATH_MAX] = "";
	int size =
		snprintf(line, sizeof line, "%o %lld %s", item->st.st_mode,
			 S_ISREG(item->st.st_mode) ? (long long)item->st.st_size : 0, item->path);
	hash_update(hash, line, (size_t)size + 1);
	if (S_ISLNK(item->st.st_mode)) {
		ssize_t n = readlinkat(item->folder_fd, item->name, target, sizeof target - 1);
		if (n > 0)
			hash_update(hash, target, (size_t)n);
	}
	if (!S_ISREG(item->st.st_mode))
		return 0;
	auto_fd fd = openat(item->folder_fd, item->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_set_errno(err, errno, "open \"%.200s\"", item->path);
	return hash_content(fd, item->path, hash, err);
}

/* A source given by name may be a link inside the context: its target is meant. */
static int open_source(const struct copy_request *request, const char *path, int *ret_fd,
		       struct stat *ret_st, struct error *err)
{
	int r = file_open_in_root(request->from_fd, *path ? path : "/", O_RDONLY | O_NONBLOCK, 0,
				  ret_fd, err);
	if (r < 0)
		return error_wrap(err, "\"%.200s\"", path);
	if (fstat(*ret_fd, ret_st) < 0)
		return error_set_errno(err, errno, "\"%.200s\"", path);
	if (!S_ISREG(ret_st->st_mode) && !S_ISDIR(ret_st->st_mode))
		return error_set(err, EINVAL, "\"%.200s\" is no file or directory", path);
	return 0;
}

int copy_digest(const struct copy_request *request, const struct words *paths,
		struct digest *ret_digest, struct error *err)
{
	AUTO(hash) hash = NULL;
	int r = hash_create(&hash, err);
	for (size_t i = 0; r == 0 && i < paths->count; i++) {
		struct stat st;
		auto_fd fd = -1;
		r = open_source(request, paths->items[i], &fd, &st, err);
		if (r < 0)
			return r;
		char line[32];
		int size = snprintf(line, sizeof line, "%o", st.st_mode);
		hash_update(hash, line, (size_t)size + 1);
		hash_update(hash, paths->items[i], strlen(paths->items[i]) + 1);
		if (S_ISDIR(st.st_mode))
			r = walk_tree(request->from_fd, paths->items[i], request->ignore, hash_item,
				      hash, err);
		else
			r = hash_content(fd, paths->items[i], hash, err);
	}
	if (r == 0)
		*ret_digest = hash_finish(hash);
	return r;
}

/* Owner, mode and time of something just made. */
static int finish_object(const struct copy_request *request, const struct stat *st, int folder_fd,
			 const char *name, struct error *err)
{
	uint32_t uid = request->set_owner ? request->uid : request->keep_owner ? st->st_uid : 0;
	uint32_t gid = request->set_owner ? request->gid : request->keep_owner ? st->st_gid : 0;
	struct timespec times[2] = { st->st_mtim, st->st_mtim };
	if (fchownat(folder_fd, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
		return error_set_errno(err, errno, "owner of \"%.200s\"", name);
	mode_t mode = request->set_mode ? request->mode : st->st_mode & 07777;
	if (!S_ISLNK(st->st_mode) && fchmodat(folder_fd, name, mode, 0) < 0)
		return error_set_errno(err, errno, "mode of \"%.200s\"", name);
	if (utimensat(folder_fd, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return error_set_errno(err, errno, "time of \"%.200s\"", name);
	return 0;
}

/* What is in the way goes, but not a directory. */
static int clear_place(int folder_fd, const char *name, struct error *err)
{
	struct stat st;
	if (fstatat(folder_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : error_set_errno(err, errno, "\"%.200s\"", name);
	if (S_ISDIR(st.st_mode))
		return error_set(err, EISDIR, "\"%.200s\" is a directory in the image", name);
	if (unlinkat(folder_fd, name, 0) < 0)
		return error_set_errno(err, errno, "replace \"%.200s\"", name);
	return 0;
}

static int copy_file(const struct copy_request *request, int in, const struct stat *st,
		     int folder_fd, const char *name, struct error *err)
{
	int r = clear_place(folder_fd, name, err);
	if (r < 0)
		return r;
	auto_fd out =
		openat(folder_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out < 0)
		return error_set_errno(err, errno, "make \"%.200s\"", name);
	r = tree_copy_bytes(in, out);
	if (r < 0)
		return error_set_errno(err, -r, "copy \"%.200s\"", name);
	return finish_object(request, st, folder_fd, name, err);
}

static int copy_link(const struct copy_request *request, const struct walk_item *item,
		     int folder_fd, struct error *err)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(item->folder_fd, item->name, target, sizeof target - 1);
	int r = n < 0 ? error_set_errno(err, errno, "\"%.200s\"", item->path)
		      : clear_place(folder_fd, item->name, err);
	if (r < 0)
		return r;
	target[n] = 0;
	if (symlinkat(target, folder_fd, item->name) < 0)
		return error_set_errno(err, errno, "make \"%.200s\"", item->name);
	return finish_object(request, &item->st, folder_fd, item->name, err);
}

/* Where the tree that is being copied lands. */
struct landing {
	const struct copy_request *request;
	int root_fd;
	const char *source, *destination;
};

static int open_landing(struct landing *landing, const char *path, char ret[PATH_MAX], int *ret_fd,
			struct error *err)
{
	size_t skip = strlen(landing->source), parent_size;
	const char *below = path + skip + (path[skip] == '/');
	layer_path_name(below, &parent_size);
	snprintf(ret, PATH_MAX, "%s/%s", landing->destination, below);
	auto_free char *parent = NULL;
	int r = text_format(&parent, err, "%s/%.*s", landing->destination, (int)parent_size, below);
	return r < 0 ? r : root_make_directory(landing->root_fd, parent, ret_fd, &(bool){ 0 }, err);
}

static int copy_directory(struct landing *landing, const struct walk_item *item, int folder_fd,
			  struct error *err)
{
	struct stat st;
	if (fstatat(folder_fd, item->name, &st, 0) == 0 && S_ISDIR(st.st_mode))
		return 0; /* one that is there stays as it is */
	int r = clear_place(folder_fd, item->name, err);
	if (r < 0)
		return r;
	if (mkdirat(folder_fd, item->name, 0755) < 0)
		return error_set_errno(err, errno, "make \"%.200s\"", item->name);
	return finish_object(landing->request, &item->st, folder_fd, item->name, err);
}

static int copy_item(const struct walk_item *item, void *context, struct error *err)
{
	struct landing *landing = context;
	char place[PATH_MAX];
	auto_fd folder = -1;
	int r = open_landing(landing, item->path, place, &folder, err);
	if (r < 0)
		return r;
	if (S_ISDIR(item->st.st_mode))
		return copy_directory(landing, item, folder, err);
	if (S_ISLNK(item->st.st_mode))
		return copy_link(landing->request, item, folder, err);
	if (!S_ISREG(item->st.st_mode)) {
		r = clear_place(folder, item->name, err);
		if (r == 0 && mknodat(folder, item->name, item->st.st_mode, item->st.st_rdev) < 0)
			r = error_set_errno(err, errno, "make \"%.200s\"", item->name);
		return r < 0 ? r
			     : finish_object(landing->request, &item->st, folder, item->name, err);
	}
	auto_fd in = openat(item->folder_fd, item->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (in < 0)
		return error_set_errno(err, errno, "open \"%.200s\"", item->path);
	return copy_file(landing->request, in, &item->st, folder, item->name, err);
}

int copy_tree(const struct copy_request *request, int from_fd, const char *source, int root_fd,
	      struct error *err)
{
	struct landing landing = { .request = request,
				   .root_fd = root_fd,
				   .source = source,
				   .destination = request->destination };
	auto_fd made = -1;
	int r = root_make_directory(root_fd, request->destination, &made, &(bool){ 0 }, err);
	return r < 0 ? r : walk_tree(from_fd, source, request->ignore, copy_item, &landing, err);
}

/* One file: to the destination itself, or into it if that is a directory. */
static int copy_one(const struct copy_request *request, const char *path, int in,
		    const struct stat *st, int root_fd, struct error *err)
{
	size_t parent_size;
	struct error missing;
	auto_fd folder = -1;
	const char *destination = request->destination;
	const char *name = layer_path_name(path, &parent_size);
	bool into = text_ends_with(destination, "/") ||
		    file_open_in_root(root_fd, destination, O_RDONLY | O_DIRECTORY, 0, &folder,
				      &missing) == 0;
	cleanup_fd(&folder);
	folder = -1;
	auto_free char *parent = NULL;
	if (!into)
		name = layer_path_name(destination, &parent_size);
	parent = into ? strdup(destination) : strndup(destination, parent_size);
	if (!parent)
		return error_set(err, ENOMEM, "no memory for a path");
	int r = root_make_directory(root_fd, parent, &folder, &(bool){ 0 }, err);
	return r < 0 ? r : copy_file(request, in, st, folder, name, err);
}

int copy_run(const struct copy_request *request, const struct words *paths, int root_fd,
	     struct error *err)
{
	if (paths->count > 1 && !text_ends_with(request->destination, "/"))
		return error_set(err, EINVAL,
				 "%zu sources need a directory as destination: \"%s/\"",
				 paths->count, request->destination);
	int r = 0;
	for (size_t i = 0; r == 0 && i < paths->count; i++) {
		const char *path = paths->items[i];
		struct stat st;
		auto_fd fd = -1;
		r = open_source(request, path, &fd, &st, err);
		if (r < 0)
			return r;
		if (S_ISDIR(st.st_mode))
			r = copy_tree(request, request->from_fd, path, root_fd, err);
		else if (request->extract)
			r = extract_if_archive(request, fd, path, (uint64_t)st.st_size, root_fd,
					       err);
		if (r == 0 && S_ISREG(st.st_mode))
			r = copy_one(request, path, fd, &st, root_fd, err);
		r = r < 0 ? r : 0; /* 1: it was an archive */
	}
	return r;
}
