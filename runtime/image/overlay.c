/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An overlay mount for one build step. A thread of its own enters a mount
 * namespace of its own, mounts, opens the root, and ends: the descriptor keeps
 * the mount alive, and nobody else ever sees it. Lower layers are named
 * relative to their folder, since a mount's options must fit one page.
 */
#include "overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"

#define INSTANCE_PATH_ROOM 1024 /* bytes: a path of the work folder */
#define OPTIONS_MAX 4095        /* a page without the NUL */

struct request {
	const struct words *lower;
	const char *upper, *work;
	const struct overlay_mounts *mounts; /* NULL: none */
	int fd, namespace_fd;
	struct error *err;
};

/* Options that keep the upper directory plain, so that it can become a layer. */
static int format_options(const struct request *request, const char *folder, struct text *out)
{
	size_t skip = strlen(folder);
	text_append(out, "lowerdir=");
	for (size_t i = 0; i < request->lower->count; i++) {
		const char *path = request->lower->items[i];
		bool inside = skip > 0 && strncmp(path, folder, skip) == 0 && path[skip] == '/';
		text_append(out, "%s%s", i ? ":" : "", inside ? path + skip + 1 : path);
	}
	if (request->lower->count == 0)
		text_append(out, "%s/lower", request->work);
	text_append(out, ",upperdir=%s,workdir=%s/work,redirect_dir=off,metacopy=off,index=off",
		    request->upper, request->work);
	if (out->failed)
		return -ENOMEM;
	return out->size > OPTIONS_MAX ? -E2BIG : 0;
}

/* All but the last component of path as directories, and the last one too. */
static int make_place(int root_fd, const char *path, struct error *err)
{
	char partial[INSTANCE_PATH_ROOM];
	auto_fd fd = -1;
	int r = 0;
	for (const char *end = path; r == 0 && *end;) {
		end += strspn(end, "/");
		auto_free char *name = strndup(end, strcspn(end, "/"));
		snprintf(partial, sizeof partial, "/%.*s", (int)(end - path), path);
		cleanup_fd(&fd);
		fd = -1;
		r = file_open_in_root(root_fd, partial, O_PATH | O_DIRECTORY, 0, &fd, err);
		if (r == 0 && name && *name && mkdirat(fd, name, 0755) < 0 && errno != EEXIST)
			r = error_set_errno(err, errno, "make %s", path);
		end += strcspn(end, "/");
	}
	return r;
}

static int bind_one(int root_fd, const struct image_bind *bind, struct error *err)
{
	char place[64];
	struct stat st;
	struct error ignored;
	auto_fd fd = -1;
	if (stat(bind->source, &st) < 0)
		return 0;
	if (S_ISDIR(st.st_mode))
		(void)make_place(root_fd, bind->destination, &ignored);
	if (file_open_in_root(root_fd, bind->destination, O_PATH, 0, &fd, &ignored) < 0)
		return 0;
	snprintf(place, sizeof place, "/proc/self/fd/%d", fd);
	if (mount(bind->source, place, NULL, MS_BIND | MS_REC, NULL) < 0)
		return error_set_errno(err, errno, "mount %s at %s", bind->source,
				       bind->destination);
	cleanup_fd(&fd);
	fd = -1;
	/* Again: the descriptor of before is below the mount. */
	int r = file_open_in_root(root_fd, bind->destination, O_PATH, 0, &fd, err);
	snprintf(place, sizeof place, "/proc/self/fd/%d", fd);
	if (r == 0 && bind->read_only &&
	    mount(NULL, place, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) < 0)
		return error_set_errno(err, errno, "mount %s read-only", bind->destination);
	return r;
}

static int add_mounts(struct request *request, const char *point)
{
	const struct overlay_mounts *mounts = request->mounts;
	int r = 0;
	for (size_t i = 0; r == 0 && i < mounts->bind_count; i++)
		r = bind_one(request->fd, &mounts->binds[i], request->err);
	if (r == 0 && mounts->read_only &&
	    mount(NULL, point, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) < 0)
		r = error_set_errno(request->err, errno, "mount %s read-only", point);
	request->namespace_fd = open("/proc/thread-self/ns/mnt", O_RDONLY | O_CLOEXEC);
	if (r == 0 && request->namespace_fd < 0)
		r = error_set_errno(request->err, errno, "hold a mount namespace");
	if (r < 0) {
		cleanup_fd(&request->fd);
		request->fd = -1;
	}
	return r;
}

static int mount_and_open(struct request *request, const char *folder, const char *options)
{
	char point[INSTANCE_PATH_ROOM];
	snprintf(point, sizeof point, "%s/mount", request->work);
	if (unshare(CLONE_FS | CLONE_NEWNS) < 0)
		return error_set_errno(request->err, errno, "a mount namespace for the build");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return error_set_errno(request->err, errno, "private mounts for the build");
	if (*folder && chdir(folder) < 0)
		return error_set_errno(request->err, errno, "enter %s", folder);
	if (mount("overlay", point, "overlay", 0, options) < 0)
		return error_set_errno(request->err, errno, "mount an overlay of %zu layers",
				       request->lower->count);
	request->fd = open(point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (request->fd < 0)
		return error_set_errno(request->err, errno, "open %s", point);
	return request->mounts ? add_mounts(request, point) : 0;
}

static void *work(void *context)
{
	struct request *request = context;
	auto_text options = { 0 };
	auto_free char *folder = NULL;
	if (request->lower->count > 0) {
		folder = strdup(request->lower->items[request->lower->count - 1]);
		if (folder && strrchr(folder, '/'))
			*strrchr(folder, '/') = 0;
	}
	int r = format_options(request, folder ? folder : "", &options);
	if (r < 0)
		error_set(request->err, -r, "the options of an overlay of %zu layers are too long",
			  request->lower->count);
	else
		mount_and_open(request, folder ? folder : "", options.data);
	return NULL;
}

static int make(const char *folder, const char *name, struct error *err)
{
	char path[INSTANCE_PATH_ROOM];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return error_set_errno(err, errno, "make %s", path);
	return 0;
}

int overlay_open_with(const struct words *lower_paths, const char *upper, const char *work_path,
		      const struct overlay_mounts *mounts, int ret_fds[2], struct error *err)
{
	pthread_t thread;
	struct request request = { lower_paths, upper, work_path, mounts, -1, -1, err };
	int r = make(work_path, "mount", err);
	if (r == 0)
		r = make(work_path, "work", err);
	if (r == 0)
		r = make(work_path, "lower", err);
	if (r < 0)
		return r;
	err->code = 0;
	r = pthread_create(&thread, NULL, work, &request);
	if (r != 0)
		return error_set_errno(err, r, "start a thread");
	pthread_join(thread, NULL);
	if (request.fd < 0)
		return -err->code;
	ret_fds[0] = request.fd;
	ret_fds[1] = request.namespace_fd;
	return 0;
}

int overlay_open(const struct words *lower_paths, const char *upper, const char *work_path,
		 int *ret_fd, struct error *err)
{
	int fds[2];
	int r = overlay_open_with(lower_paths, upper, work_path, NULL, fds, err);
	if (r == 0)
		*ret_fd = fds[0];
	return r;
}
