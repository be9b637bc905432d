/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `cp`: two sides, each a root and a path in it. What one side has goes as a tar
 * archive through a pipe to the other; with "-" the pipe is the user's. The
 * host's side is the same with / as its root.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "events.h"
#include "view.h"

#define LINKS_MAX 40 /* as the kernel follows */

struct side {
	struct view view;
	const char *label; /* as the user wrote it */
	char *path;        /* absolute, without "." and ".."; no '/' at its end but in "/" */
	bool wants_folder; /* written with '/' at its end */
	bool content;      /* written with "/." at its end, or the root: what is in it */
	bool host;
};

static void side_release(struct side *side)
{
	view_release(&side->view);
	free(side->path);
}
#define auto_side __attribute__((cleanup(side_release))) struct side

static int missing(const struct side *side, int code, struct error *err)
{
	return error_set_errno(err, code, "%s", side->label);
}

/* As path.Clean does: by the letters alone. */
static int clean(const char *base, const char *path, char **ret_path, struct error *err)
{
	auto_free char *whole = NULL;
	int r = text_format(&whole, err, "%s/%s", *path == '/' ? "" : base, path);
	if (r < 0)
		return r;
	if (strlen(whole) >= PATH_MAX)
		return error_set(err, ENAMETOOLONG, "a path is over %d bytes long", PATH_MAX - 1);
	auto_free char *out = malloc(strlen(whole) + 2);
	if (!out)
		return error_set(err, ENOMEM, "no memory for a path");
	char *end = out;
	for (const char *part = whole; *part;) {
		part += strspn(part, "/");
		size_t size = strcspn(part, "/");
		if (size == 2 && strncmp(part, "..", 2) == 0) {
			while (end > out && *--end != '/')
				;
		} else if (size && !(size == 1 && *part == '.')) {
			*end++ = '/';
			memcpy(end, part, size);
			end += size;
		}
		part += size;
	}
	if (end == out)
		*end++ = '/';
	*end = 0;
	*ret_path = TAKE(out);
	return 0;
}

static int side_open(struct engine *engine, const struct container_copy_end *end, struct side *side,
		     struct error *err)
{
	char folder[PATH_MAX] = "/";
	int r = 0;
	side->label = end->path;
	side->host = !end->container;
	if (!*end->path)
		return error_set(err, EINVAL, "a path is empty");
	if (side->host && !getcwd(folder, sizeof folder))
		return error_set_errno(err, errno, "the current directory");
	r = clean(folder, end->path, &side->path, err);
	side->content = text_ends_with(end->path, "/.") || text_equal(end->path, ".");
	side->wants_folder = side->content || text_ends_with(end->path, "/");
	if (r == 0 && text_equal(side->path, "/"))
		side->content = true;
	if (r == 0 && !side->host)
		return view_open(engine, end->container, &side->view, err);
	side->view.root_fd = r < 0 ? -1 : open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return r < 0 ? r : side->view.root_fd < 0 ? missing(side, errno, err) : 0;
}

/* Directory and last name of an absolute path; both parts are the caller's. */
static int split(const char *path, char **ret_folder, char **ret_name, struct error *err)
{
	const char *slash = strrchr(path, '/');
	int r = text_format(ret_folder, err, "%.*s", slash == path ? 1 : (int)(slash - path), path);
	return r < 0 ? r : text_copy(slash + 1, ret_name, err);
}

/* --- the source -------------------------------------------------------------------------- */

static int open_top(const struct side *side, bool follow, int *ret_fd, struct stat *ret_stat,
		    struct error *err)
{
	auto_free char *folder = NULL, *name = NULL;
	auto_fd folder_fd = -1;
	struct error detail;
	int root_fd = side->view.root_fd, r;
	if (follow || side->wants_folder || text_equal(side->path, "/")) {
		r = file_open_in_root(root_fd, side->path, O_PATH, 0, ret_fd, &detail);
	} else {
		r = split(side->path, &folder, &name, err);
		if (r < 0)
			return r;
		r = file_open_in_root(root_fd, folder, O_PATH | O_DIRECTORY, 0, &folder_fd,
				      &detail);
		if (r == 0) {
			*ret_fd = openat(folder_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
			r = *ret_fd < 0 ? -errno : 0;
		}
	}
	if (r == 0 && fstat(*ret_fd, ret_stat) < 0)
		r = -errno;
	if (r == 0 && side->wants_folder && !S_ISDIR(ret_stat->st_mode))
		r = -ENOTDIR;
	return r < 0 ? missing(side, -r, err) : 0;
}

/* --- the destination ------------------------------------------------------------------------ */

/* Follows the links at the end of side->path, inside its root, also to where nothing is yet. */
static int follow_links(struct side *side, struct error *err)
{
	for (int i = 0; i < LINKS_MAX && !text_equal(side->path, "/"); i++) {
		auto_free char *folder = NULL, *name = NULL, *next = NULL;
		auto_fd fd = -1;
		char target[PATH_MAX];
		struct error ignored;
		int r = split(side->path, &folder, &name, err);
		if (r < 0)
			return r;
		if (file_open_in_root(side->view.root_fd, folder, O_PATH | O_DIRECTORY, 0, &fd,
				      &ignored) < 0)
			return 0; /* told by who looks at the folder */
		ssize_t n = readlinkat(fd, name, target, sizeof target - 1);
		if (n < 0)
			return 0;
		target[n] = 0;
		r = text_format(&next, err, "%s%s%s", *target == '/' ? "" : folder,
				*target == '/' ? "" : "/", target);
		if (r < 0)
			return r;
		/* Not cleaned: ".." is to be resolved behind links. */
		free(side->path);
		side->path = TAKE(next);
		while (side->path[1] && text_ends_with(side->path, "/"))
			side->path[strlen(side->path) - 1] = 0;
	}
	return 0;
}

struct target {
	char *folder, *name; /* name "": the content of the source goes into folder */
};
static void target_release(struct target *target)
{
	free(target->folder);
	free(target->name);
}

static int source_name(const struct side *from, char **ret_name, struct error *err)
{
	return text_copy(from->content ? "" : strrchr(from->path, '/') + 1, ret_name, err);
}

/* Docker's rules of what becomes of DEST, by what is there. */
static int aim(const struct side *from, bool is_folder, struct side *to, struct target *target,
	       struct error *err)
{
	struct stat st = { 0 };
	struct error detail;
	auto_fd fd = -1, folder_fd = -1;
	int r = follow_links(to, err);
	if (r < 0)
		return r;
	r = file_open_in_root(to->view.root_fd, to->path, O_PATH, 0, &fd, &detail);
	if (r < 0 && r != -ENOENT)
		return missing(to, -r, err);
	bool there = r == 0 && fstat(fd, &st) == 0;
	if (there && S_ISDIR(st.st_mode)) {
		r = text_copy(to->path, &target->folder, err);
		return r < 0 ? r : source_name(from, &target->name, err);
	}
	if (there && (is_folder || to->wants_folder))
		return error_set(err, ENOTDIR, "%s: is a file, not a directory", to->label);
	if (to->wants_folder && !is_folder)
		return error_set(err, ENOENT, "%s: there is no such directory", to->label);
	r = split(to->path, &target->folder, &target->name, err);
	if (r < 0)
		return r;
	r = file_open_in_root(to->view.root_fd, target->folder, O_PATH | O_DIRECTORY, 0, &folder_fd,
			      &detail);
	return r < 0 ? missing(to, -r, err) : 0;
}

/* --- carrying ---------------------------------------------------------------------------- */

struct writing {
	int top_fd, fd;
	const char *name;
	int result;
	struct error err;
};

static void *write_archive(void *context)
{
	struct writing *writing = context;
	writing->result =
		image_archive_write(writing->top_fd, writing->name, writing->fd, &writing->err);
	cleanup_fd(&writing->fd);
	return NULL;
}

static int carry(int top_fd, const char *name, const struct image_archive_place *place,
		 struct error *err)
{
	pthread_t thread;
	int fds[2];
	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_set_errno(err, errno, "a pipe");
	struct writing writing = { .top_fd = top_fd, .fd = fds[1], .name = name };
	int r = pthread_create(&thread, NULL, write_archive, &writing);
	if (r != 0) {
		close(fds[0]);
		close(fds[1]);
		return error_set_errno(err, r, "start a thread");
	}
	r = image_archive_read(place, fds[0], err);
	close(fds[0]);
	pthread_join(thread, NULL);
	/* A source that cannot be read on is the cause of an archive that ends early. */
	if (writing.result < 0 && writing.result != -EPIPE) {
		*err = writing.err;
		return writing.result;
	}
	return r;
}

static struct image_archive_place place_of(const struct side *to, const char *folder,
					   const struct container_copy_options *options)
{
	struct image_archive_place place = { .root_fd = to->view.root_fd,
					     .folder = folder,
					     .keep_owner = options->archive,
					     .keep_special = options->archive || !to->host };
	if (to->host) {
		place.uid = geteuid();
		place.gid = getegid();
	}
	return place;
}

static int copy_from_stream(struct side *to, int fd, const struct container_copy_options *options,
			    struct error *err)
{
	struct image_archive_place place = place_of(to, to->path, options);
	auto_fd folder_fd = -1;
	struct error detail;
	int r = file_open_in_root(to->view.root_fd, to->path, O_PATH | O_DIRECTORY, 0, &folder_fd,
				  &detail);
	place.links = true;
	place.keep_owner = true;
	return r < 0 ? missing(to, -r, err) : image_archive_read(&place, fd, err);
}

static int copy_sides(struct side *from, struct side *to,
		      const struct container_copy_options *options, struct error *err)
{
	__attribute__((cleanup(target_release))) struct target target = { 0 };
	auto_fd top_fd = -1;
	struct stat st;
	int r = open_top(from, options->follow, &top_fd, &st, err);
	if (r == 0)
		r = aim(from, S_ISDIR(st.st_mode), to, &target, err);
	if (r < 0)
		return r;
	struct image_archive_place place = place_of(to, target.folder, options);
	return carry(top_fd, target.name, &place, err);
}

static void tell_copy(struct engine *engine, const struct container_copy_end *end,
		      const char *action)
{
	AUTO(container) container = NULL;
	struct error ignored;
	if (end->container && container_find(engine, end->container, &container, &ignored) == 0)
		event_container(engine, container, action, "path", end->path);
}

int container_copy(struct engine *engine, const struct container_copy_end *from,
		   const struct container_copy_end *to,
		   const struct container_copy_options *options, struct error *err)
{
	auto_side source = { .view = VIEW_NONE }, target = { .view = VIEW_NONE };
	bool reads = !from->container && text_equal(from->path, "-");
	bool writes = !to->container && text_equal(to->path, "-");
	auto_fd top_fd = -1;
	auto_free char *name = NULL;
	struct stat st;
	int r = reads ? 0 : side_open(engine, from, &source, err);
	if (r == 0 && !writes)
		r = side_open(engine, to, &target, err);
	if (r < 0)
		return r;
	if (reads) {
		r = copy_from_stream(&target, STDIN_FILENO, options, err);
	} else if (!writes) {
		r = copy_sides(&source, &target, options, err);
	} else {
		r = open_top(&source, options->follow, &top_fd, &st, err);
		if (r == 0)
			r = source_name(&source, &name, err);
		if (r == 0)
			r = image_archive_write(top_fd, name, STDOUT_FILENO, err);
	}
	if (r < 0)
		return r;
	tell_copy(engine, from, "archive-path");
	tell_copy(engine, to, "extract-to-dir");
	return 0;
}
