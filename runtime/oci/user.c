/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Users of an image: names are looked up in its own /etc/passwd and /etc/group,
 * which are the image's word and may be anything: links, devices, gigabytes.
 * Lines that do not parse are passed over, as the C library does.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "runtime/oci.h"

#define DATABASE_SIZE_MAX (1u << 20) /* bytes; a thousand users take 64 KiB */
#define GROUPS_MAX 1024
#define FIELDS_MAX 7
#define ID_MAX (UINT32_MAX - 1) /* the last one means "unchanged" to the kernel */

/* One line, cut at its colons. */
struct line {
	char *fields[FIELDS_MAX];
	size_t count;
};
struct lookup {
	const char *user, *group; /* as asked; group NULL: the user's own */
	char *user_name;          /* found: the name, for memberships; points into passwd */
	uint32_t uid, gid;
	char *home; /* points into passwd */
	bool user_found, group_found;
	uint32_t *groups;
	size_t group_count;
};

/* A missing database is an empty one. */
static int read_database(int root_fd, const char *path, char **ret_text, struct error *err)
{
	auto_fd fd = -1;
	size_t size;
	struct stat status;
	int r = file_open_in_root(root_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0,
				  &fd, err);
	if (r == -ENOENT || r == -ENOTDIR) {
		error_clear(err);
		return text_copy("", ret_text, err);
	}
	if (r < 0)
		return r;
	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
		return error_set(err, EINVAL, "%s of the image is no regular file", path);
	return file_read_fd(fd, path, DATABASE_SIZE_MAX, ret_text, &size, err);
}

/* Cuts the next line out of *rest. */
static bool next_line(char **rest, struct line *ret)
{
	char *at = *rest;
	if (!at || !*at)
		return false;
	size_t length = strcspn(at, "\n");
	*rest = at[length] ? at + length + 1 : NULL;
	at[length] = '\0';
	ret->count = 0;
	while (at && ret->count < FIELDS_MAX) {
		ret->fields[ret->count++] = at;
		at = strchr(at, ':');
		if (at)
			*at++ = '\0';
	}
	return true;
}

static bool parse_id(const char *text, uint32_t *ret)
{
	uint64_t number;
	if (text_to_unsigned(text, 0, ID_MAX, &number) < 0)
		return false;
	*ret = (uint32_t)number;
	return true;
}

/* name:password:uid:gid:comment:home:shell */
static void search_passwd(char *text, struct lookup *lookup)
{
	struct line line;
	uint32_t wanted = 0;
	bool by_number = parse_id(lookup->user, &wanted);
	while (!lookup->user_found && next_line(&text, &line)) {
		uint32_t uid, gid;
		if (line.count < 6 || !parse_id(line.fields[2], &uid) ||
		    !parse_id(line.fields[3], &gid))
			continue;
		if (!text_equal(line.fields[0], lookup->user) && !(by_number && uid == wanted))
			continue;
		lookup->user_found = true;
		lookup->user_name = line.fields[0];
		lookup->uid = uid;
		lookup->gid = gid;
		lookup->home = line.fields[5];
	}
	if (!lookup->user_found && by_number) {
		lookup->user_found = true;
		lookup->uid = wanted;
	}
}

static bool has_member(char *members, const char *name)
{
	char *save = NULL;
	for (char *word = strtok_r(members, ",", &save); word; word = strtok_r(NULL, ",", &save))
		if (text_equal(word, name))
			return true;
	return false;
}

static int add_group(struct lookup *lookup, uint32_t gid, struct error *err)
{
	if (lookup->group_count == GROUPS_MAX)
		return error_set(err, E2BIG, "user %s is in over %d groups", lookup->user,
				 GROUPS_MAX);
	uint32_t *groups = realloc(lookup->groups, (lookup->group_count + 1) * sizeof *groups);
	if (!groups)
		return error_set(err, ENOMEM, "no memory for groups");
	lookup->groups = groups;
	groups[lookup->group_count++] = gid;
	return 0;
}

/* name:password:gid:member,member */
static int search_group(char *text, struct lookup *lookup, struct error *err)
{
	struct line line;
	uint32_t wanted = 0, gid;
	bool by_number = lookup->group && parse_id(lookup->group, &wanted);
	int r = 0;
	while (r == 0 && next_line(&text, &line)) {
		if (line.count < 3 || !parse_id(line.fields[2], &gid))
			continue;
		if (lookup->group && !lookup->group_found &&
		    text_equal(line.fields[0], lookup->group)) {
			lookup->group_found = true;
			lookup->gid = gid;
		}
		if (!lookup->group && lookup->user_name && line.count > 3 &&
		    has_member(line.fields[3], lookup->user_name))
			r = add_group(lookup, gid, err);
	}
	if (lookup->group && !lookup->group_found && by_number) {
		lookup->group_found = true;
		lookup->gid = wanted;
	}
	return r;
}

static int find(int root_fd, struct lookup *lookup, char **ret_home, struct error *err)
{
	auto_free char *passwd = NULL, *group = NULL;
	int r = read_database(root_fd, "/etc/passwd", &passwd, err);
	if (r < 0)
		return r;
	search_passwd(passwd, lookup);
	if (!lookup->user_found)
		return error_set(err, ENOENT,
				 "user \"%s\": no such user in the image's /etc/passwd",
				 lookup->user);
	r = read_database(root_fd, "/etc/group", &group, err);
	if (r == 0)
		r = search_group(group, lookup, err);
	if (r < 0)
		return r;
	if (lookup->group && !lookup->group_found)
		return error_set(err, ENOENT,
				 "group \"%s\": no such group in the image's /etc/group",
				 lookup->group);
	return text_copy(lookup->home && *lookup->home ? lookup->home : "/", ret_home, err);
}

int oci_user_resolve(int root_fd, const char *user, struct oci_process *process, char **ret_home,
		     struct error *err)
{
	auto_free char *name = NULL;
	int r = text_copy(user && *user ? user : "0", &name, err);
	if (r < 0)
		return r;
	struct lookup lookup = { .user = name };
	char *colon = strchr(name, ':');
	if (colon) {
		*colon = '\0';
		lookup.group = colon[1] ? colon + 1 : NULL;
	}
	if (!*name)
		lookup.user = "0";
	auto_free char *home = NULL;
	r = find(root_fd, &lookup, &home, err);
	if (r < 0) {
		free(lookup.groups);
		return r;
	}
	free(process->groups);
	process->uid = lookup.uid;
	process->gid = lookup.gid;
	process->groups = lookup.groups;
	process->group_count = lookup.group_count;
	if (ret_home)
		*ret_home = TAKE(home);
	return 0;
}
