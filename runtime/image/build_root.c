/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The image's side of a build step: directories and owners inside its root.
 * The image is as hostile as any: nothing here follows a link out of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "build_copy.h"
#include "path.h"

#define ACCOUNTS_SIZE_MAX (1u << 20) /* bytes of /etc/passwd or /etc/group */

static int open_directory(int root_fd, const char *path, int *ret_fd, struct error *err)
{
	return file_open_in_root(root_fd, *path ? path : "/", O_RDONLY | O_DIRECTORY, 0, ret_fd,
				 err);
}

/* One level; its parent is there. */
static int make_level(int root_fd, const char *path, int *ret_fd, bool *ret_made, struct error *err)
{
	struct error missing;
	size_t parent_size;
	if (open_directory(root_fd, path, ret_fd, &missing) == 0)
		return 0;
	if (missing.code != ENOENT)
		return error_set(err, missing.code, "\"%.200s\" in the image is no directory",
				 path);
	const char *name = layer_path_name(path, &parent_size);
	auto_free char *parent = strndup(path, parent_size);
	auto_fd fd = -1;
	if (!parent)
		return error_set(err, ENOMEM, "no memory for a path");
	int r = open_directory(root_fd, parent, &fd, err);
	if (r < 0)
		return r;
	if (mkdirat(fd, name, 0755) < 0 || fchmodat(fd, name, 0755, 0) < 0)
		return error_set_errno(err, errno, "make \"%.200s\" in the image", path);
	*ret_made = true;
	return open_directory(root_fd, path, ret_fd, err);
}

int root_make_directory(int root_fd, const char *path, int *ret_fd, bool *ret_made,
			struct error *err)
{
	auto_fd fd = -1;
	char prefix[PATH_MAX];
	if (strlen(path) >= sizeof prefix)
		return error_set(err, ENAMETOOLONG, "path \"%.100s...\" is too long", path);
	int r = open_directory(root_fd, "", &fd, err);
	for (const char *end = path; r == 0 && *(end += strspn(end, "/"));) {
		end = strchrnul(end, '/');
		snprintf(prefix, sizeof prefix, "%.*s", (int)(end - path), path);
		cleanup_fd(&fd);
		fd = -1;
		r = make_level(root_fd, prefix, &fd, ret_made, err);
	}
	if (r == 0)
		*ret_fd = TAKE_FD(fd);
	return r;
}

/* Field `column` (2: id, 3: a user's group) of the line that begins with "name:". */
static int find_account(int root_fd, const char *file, const char *name, size_t column,
			uint32_t *ret, struct error *err)
{
	auto_fd fd = -1;
	auto_free char *data = NULL;
	auto_words lines = { 0 };
	size_t size;
	uint64_t number;
	int r = file_open_in_root(root_fd, file, O_RDONLY | O_NONBLOCK, 0, &fd, err);
	if (r == 0)
		r = file_read_fd(fd, file, ACCOUNTS_SIZE_MAX, &data, &size, err);
	if (r == 0)
		r = words_split(data, '\n', &lines, err);
	if (r < 0)
		return error_wrap(err, "look up \"%.60s\"", name);
	for (size_t i = 0; i < lines.count; i++) {
		auto_words fields = { 0 };
		if (words_split(lines.items[i], ':', &fields, err) < 0)
			return -err->code;
		if (fields.count > column && text_equal(fields.items[0], name) &&
		    text_to_unsigned(fields.items[column], 0, UINT32_MAX - 1, &number) == 0) {
			*ret = (uint32_t)number;
			return 0;
		}
	}
	return error_set(err, ENOENT, "\"%.60s\" is not in the image's %s", name, file);
}

static int find_number(const char *text, uint32_t *ret)
{
	uint64_t number;
	if (text_to_unsigned(text, 0, UINT32_MAX - 1, &number) < 0)
		return -EINVAL;
	*ret = (uint32_t)number;
	return 0;
}

int root_find_owner(int root_fd, const char *text, uint32_t *ret_uid, uint32_t *ret_gid,
		    struct error *err)
{
	auto_free char *user = strdup(text);
	char *group = user ? strchr(user, ':') : NULL;
	if (!user)
		return error_set(err, ENOMEM, "no memory for a user");
	if (group)
		*group++ = 0;
	int r = 0;
	bool by_number = find_number(user, ret_uid) == 0;
	if (!by_number)
		r = find_account(root_fd, "/etc/passwd", user, 2, ret_uid, err);
	if (r < 0)
		return r;
	if (group)
		return find_number(group, ret_gid) == 0
			       ? 0
			       : find_account(root_fd, "/etc/group", group, 2, ret_gid, err);
	/* Docker: a user without a group gets the group of the same number. */
	*ret_gid = *ret_uid;
	return by_number ? 0 : find_account(root_fd, "/etc/passwd", user, 3, ret_gid, err);
}
