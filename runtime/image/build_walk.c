/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Walks a tree in order of names, parents first, links not followed. */
#include "build_walk.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#define WALK_DEPTH_MAX 256

struct walk {
	const struct ignore *ignore;
	walk_visit *visit;
	void *context;
	int depth;
};

static int walk_folder(struct walk *walk, int fd, const char *path, struct error *err);

static int go_below(struct walk *walk, const struct walk_item *item, struct error *err)
{
	auto_fd fd = openat(item->folder_fd, item->name,
			    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_set_errno(err, errno, "open \"%.200s\"", item->path);
	if (++walk->depth > WALK_DEPTH_MAX)
		return error_set(err, ELOOP, "\"%.100s...\" is over %d directories deep",
				 item->path, WALK_DEPTH_MAX);
	int r = walk_folder(walk, fd, item->path, err);
	walk->depth--;
	return r;
}

static int visit_name(struct walk *walk, int fd, const char *folder, const char *name,
		      struct error *err)
{
	auto_free char *path = NULL;
	int r = text_format(&path, err, "%s%s%s", folder, *folder ? "/" : "", name);
	if (r < 0)
		return r;
	struct walk_item item = { .path = path, .name = name, .folder_fd = fd };
	if (fstatat(fd, name, &item.st, AT_SYMLINK_NOFOLLOW) < 0)
		return error_set_errno(err, errno, "\"%.200s\"", path);
	bool ignored = walk->ignore && ignore_matches(walk->ignore, path);
	if (!ignored)
		r = walk->visit(&item, walk->context, err);
	else if (!ignore_has_exceptions(walk->ignore))
		return 0;
	if (r < 0 || r == WALK_SKIP || !S_ISDIR(item.st.st_mode))
		return r < 0 ? r : 0;
	return go_below(walk, &item, err);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int walk_folder(struct walk *walk, int fd, const char *path, struct error *err)
{
	auto_words names = { 0 };
	auto_dir dir = fdopendir(dup(fd));
	if (!dir)
		return error_set_errno(err, errno, "read \"%.200s\"", path);
	int r = 0;
	for (struct dirent *entry; r == 0 && (entry = readdir(dir));)
		if (!text_equal(entry->d_name, ".") && !text_equal(entry->d_name, ".."))
			r = words_append(&names, entry->d_name, err);
	if (names.count > 1)
		qsort(names.items, names.count, sizeof *names.items, compare_names);
	for (size_t i = 0; r == 0 && i < names.count; i++)
		r = visit_name(walk, fd, path, names.items[i], err);
	return r;
}

int walk_tree(int root_fd, const char *path, const struct ignore *ignore, walk_visit *visit,
	      void *context, struct error *err)
{
	struct walk walk = { .ignore = ignore, .visit = visit, .context = context };
	auto_fd fd = -1;
	int r = file_open_in_root(root_fd, *path ? path : "/", O_RDONLY | O_DIRECTORY, 0, &fd, err);
	return r < 0 ? r : walk_folder(&walk, fd, path, err);
}
