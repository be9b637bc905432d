/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Target_make walks by itself only where something is missing: the walk keeps
 * a path that has no links so far, and words that are still to do.
 */
#include "target.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#define WALK_STEPS_MAX 512 /* path components, links unrolled */
#define WALK_LINKS_MAX 40  /* as the kernel's own limit */

struct walk {
	int root_fd;
	enum target_kind kind;
	char done[PATH_MAX]; /* no links in it; "" is the root */
	char rest[PATH_MAX]; /* still to do */
	unsigned int links;
};

int target_find(int root_fd, const char *path, int *ret_fd, struct error *err)
{
	int r = file_open_in_root(root_fd, path, O_PATH | O_CLOEXEC, 0, ret_fd, err);
	if (r == -ENOENT || r == -ENOTDIR) {
		error_clear(err);
		return 0;
	}
	return r < 0 ? r : 1;
}

/* Takes the first word of walk->rest off it. False: nothing is left. */
static bool next_word(struct walk *walk, char *ret_word, size_t size)
{
	char *start = walk->rest + strspn(walk->rest, "/");
	size_t length = strcspn(start, "/");
	if (length == 0)
		return false;
	snprintf(ret_word, size, "%.*s", (int)length, start);
	memmove(walk->rest, start + length, strlen(start + length) + 1);
	return true;
}

static bool is_last(const struct walk *walk)
{
	return walk->rest[strspn(walk->rest, "/")] == '\0';
}

static int follow_link(struct walk *walk, int parent_fd, const char *word, struct error *err)
{
	char link[PATH_MAX], joined[PATH_MAX];
	auto_fd probe = -1;
	/* The text of a magic link (/proc/PID/fd/3) is not where it leads: none is followed. */
	if (file_open_in_root(parent_fd, word, O_PATH | O_CLOEXEC, 0, &probe, err) == -ELOOP)
		return -ELOOP;
	error_clear(err);
	ssize_t size = readlinkat(parent_fd, word, link, sizeof link - 1);
	if (size < 0)
		return error_set_errno(err, errno, "reading the link %s", word);
	link[size] = '\0';
	if (++walk->links > WALK_LINKS_MAX)
		return error_set(err, ELOOP, "too many links");
	int length = snprintf(joined, sizeof joined, "%s/%s", link, walk->rest);
	if (length < 0 || (size_t)length >= sizeof joined)
		return error_set(err, ENAMETOOLONG, "path is too long");
	memcpy(walk->rest, joined, (size_t)length + 1);
	if (link[0] == '/')
		walk->done[0] = '\0';
	return 0;
}

static int make_word(const struct walk *walk, int parent_fd, const char *word, struct error *err)
{
	if (walk->kind == TARGET_FILE && is_last(walk)) {
		auto_fd fd =
			openat(parent_fd, word, O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
		if (fd < 0 && errno != EEXIST)
			return error_set_errno(err, errno, "making %s", word);
		return 0;
	}
	if (mkdirat(parent_fd, word, 0755) < 0 && errno != EEXIST)
		return error_set_errno(err, errno, "making %s", word);
	return 0;
}

static int walk_word(struct walk *walk, const char *word, struct error *err)
{
	if (text_equal(word, "."))
		return 0;
	if (text_equal(word, "..")) {
		char *slash = strrchr(walk->done, '/');
		if (slash)
			*slash = '\0';
		return 0;
	}
	auto_fd parent = -1;
	int r = file_open_in_root(walk->root_fd, *walk->done ? walk->done : "/",
				  O_PATH | O_DIRECTORY | O_CLOEXEC, 0, &parent, err);
	if (r < 0)
		return r;
	struct stat status;
	if (fstatat(parent, word, &status, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno != ENOENT)
			return error_set_errno(err, errno, "looking at %s", word);
		r = make_word(walk, parent, word, err);
		if (r < 0)
			return r;
	} else if (S_ISLNK(status.st_mode)) {
		return follow_link(walk, parent, word, err);
	}
	size_t length = strlen(walk->done);
	if (length + strlen(word) + 2 > sizeof walk->done)
		return error_set(err, ENAMETOOLONG, "path is too long");
	snprintf(walk->done + length, sizeof walk->done - length, "/%s", word);
	return 0;
}

int target_make(int root_fd, const char *path, enum target_kind kind, int *ret_fd,
		struct error *err)
{
	int r = target_find(root_fd, path, ret_fd, err);
	if (r != 0)
		return r < 0 ? error_wrap(err, "%s", path) : 0;
	struct walk walk = { .root_fd = root_fd, .kind = kind };
	if (strlen(path) >= sizeof walk.rest)
		return error_set(err, ENAMETOOLONG, "%s: path is too long", path);
	snprintf(walk.rest, sizeof walk.rest, "%s", path);
	char word[NAME_MAX + 1];
	for (unsigned int i = 0; next_word(&walk, word, sizeof word); i++) {
		if (i == WALK_STEPS_MAX)
			return error_set(err, ELOOP, "%s: too many steps", path);
		r = walk_word(&walk, word, err);
		if (r < 0)
			return error_wrap(err, "%s", path);
	}
	r = file_open_in_root(root_fd, *walk.done ? walk.done : "/", O_PATH | O_CLOEXEC, 0, ret_fd,
			      err);
	return r < 0 ? error_wrap(err, "%s", path) : 0;
}
