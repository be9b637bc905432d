/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words of mount(8) as flags, and the new mount calls of Linux 5.12.
 */
#include "mount.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>

#include "base/cleanup.h"

static const struct {
	const char *word;
	uint64_t set, clear;
} flag_words[] = {
	{ "defaults", 0, 0 },
	{ "ro", MOUNT_ATTR_RDONLY, 0 },
	{ "rw", 0, MOUNT_ATTR_RDONLY },
	{ "nosuid", MOUNT_ATTR_NOSUID, 0 },
	{ "suid", 0, MOUNT_ATTR_NOSUID },
	{ "nodev", MOUNT_ATTR_NODEV, 0 },
	{ "dev", 0, MOUNT_ATTR_NODEV },
	{ "noexec", MOUNT_ATTR_NOEXEC, 0 },
	{ "exec", 0, MOUNT_ATTR_NOEXEC },
	{ "noatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME },
	{ "relatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME },
	{ "strictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME },
	{ "atime", 0, 0 },
	{ "norelatime", 0, 0 },
	{ "nostrictatime", 0, 0 },
	{ "nodiratime", MOUNT_ATTR_NODIRATIME, 0 },
	{ "diratime", 0, MOUNT_ATTR_NODIRATIME },
	{ "nosymfollow", MOUNT_ATTR_NOSYMFOLLOW, 0 },
	{ "async", 0, 0 },
	{ "silent", 0, 0 },
	{ "loud", 0, 0 },
};

static const struct {
	const char *word;
	unsigned long propagation;
	bool recursive;
} propagation_words[] = {
	{ "private", MS_PRIVATE, false },       { "rprivate", MS_PRIVATE, true },
	{ "slave", MS_SLAVE, false },           { "rslave", MS_SLAVE, true },
	{ "shared", MS_SHARED, false },         { "rshared", MS_SHARED, true },
	{ "unbindable", MS_UNBINDABLE, false }, { "runbindable", MS_UNBINDABLE, true },
};

static bool parse_flag(const char *word, struct mount_options *options)
{
	for (size_t i = 0; i < ARRAY_SIZE(flag_words); i++) {
		bool same = text_equal(word, flag_words[i].word);
		/* "rro": the flag of "ro", for all mounts below as well. */
		bool recursive = word[0] == 'r' && text_equal(word + 1, flag_words[i].word);
		if (!same && !recursive)
			continue;
		options->set = (options->set & ~flag_words[i].clear) | flag_words[i].set;
		options->clear = (options->clear & ~flag_words[i].set) | flag_words[i].clear;
		if (recursive && !same)
			options->set_recursive |= flag_words[i].set;
		return true;
	}
	return false;
}

static bool parse_propagation(const char *word, struct mount_options *options)
{
	for (size_t i = 0; i < ARRAY_SIZE(propagation_words); i++) {
		if (!text_equal(word, propagation_words[i].word))
			continue;
		options->propagation = propagation_words[i].propagation;
		options->propagation_recursive = propagation_words[i].recursive;
		return true;
	}
	return false;
}

int mount_options_parse(const struct words *words, struct mount_options *ret, struct error *err)
{
	auto_mount_options options = { 0 };
	for (size_t i = 0; i < words->count; i++) {
		const char *word = words->items[i];
		if (text_equal(word, "bind") || text_equal(word, "rbind")) {
			options.bind = true;
			options.recursive = word[0] == 'r';
		} else if (!parse_propagation(word, &options) && !parse_flag(word, &options)) {
			int r = words_append(&options.data, word, err);
			if (r < 0)
				return r;
		}
	}
	*ret = options;
	options.data = (struct words){ 0 };
	return 0;
}

void mount_options_release(struct mount_options *options)
{
	words_free(&options->data);
}

/* What the kernel says about a failed fsconfig or fsmount, in its own words. */
static int context_error(int fs_fd, const char *type, const char *what, struct error *err)
{
	int code = errno;
	char text[256];
	ssize_t size = read(fs_fd, text, sizeof text - 1);
	if (size <= 2)
		return error_set_errno(err, code, "file system %s: %s", type, what);
	text[size] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return error_set(err, code, "file system %s: %s: %s", type, what, text + 2);
}

static int configure(int fs_fd, const char *type, const char *option, struct error *err)
{
	auto_free char *key = NULL;
	int r = text_copy(option, &key, err);
	if (r < 0)
		return r;
	char *value = strchr(key, '=');
	if (value)
		*value++ = '\0';
	if (fsconfig(fs_fd, value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, key, value, 0) < 0)
		return context_error(fs_fd, type, option, err);
	return 0;
}

static int set_attributes(int fd, const struct mount_options *options, struct error *err)
{
	struct mount_attr one = { .attr_set = options->set, .attr_clr = options->clear };
	if (!options->propagation_recursive)
		one.propagation = options->propagation;
	struct mount_attr all = { .attr_set = options->set_recursive };
	if (options->propagation_recursive)
		all.propagation = options->propagation;
	if ((one.attr_set || one.attr_clr || one.propagation) &&
	    mount_setattr(fd, "", AT_EMPTY_PATH, &one, sizeof one) < 0)
		return error_set_errno(err, errno, "flags of the mount");
	if ((all.attr_set || all.propagation) &&
	    mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &all, sizeof all) < 0)
		return error_set_errno(err, errno, "flags of the mounts below");
	return 0;
}

int mount_new(const char *type, const char *source, const struct mount_options *options,
	      int *ret_fd, struct error *err)
{
	auto_fd fs_fd = fsopen(type, FSOPEN_CLOEXEC);
	if (fs_fd < 0)
		return error_set_errno(err, errno, "file system %s", type);
	/* Not all file systems take a source, and none of those needs one. */
	if (source && *source)
		(void)!fsconfig(fs_fd, FSCONFIG_SET_STRING, "source", source, 0);
	for (size_t i = 0; i < options->data.count; i++) {
		int r = configure(fs_fd, type, options->data.items[i], err);
		if (r < 0)
			return r;
	}
	if (fsconfig(fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return context_error(fs_fd, type, "cannot be made", err);
	unsigned int attributes = (unsigned int)(options->set | options->set_recursive);
	auto_fd fd = fsmount(fs_fd, FSMOUNT_CLOEXEC, attributes);
	if (fd < 0)
		return context_error(fs_fd, type, "cannot be mounted", err);
	struct mount_options rest = { .propagation = options->propagation };
	int r = set_attributes(fd, &rest, err);
	if (r < 0)
		return r;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int mount_clone(int from_fd, const char *path, const struct mount_options *options, int *ret_fd,
		struct error *err)
{
	unsigned int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;
	if (options->recursive)
		flags |= AT_RECURSIVE;
	if (!*path)
		flags |= AT_EMPTY_PATH;
	auto_fd fd = open_tree(from_fd, path, flags);
	if (fd < 0)
		return error_set_errno(err, errno, "bind mount%s%s", *path ? " of " : "", path);
	int r = set_attributes(fd, options, err);
	if (r < 0)
		return r;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int mount_put(int mount_fd, int target_fd, const char *name, struct error *err)
{
	unsigned int flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
	if (move_mount(mount_fd, "", target_fd, "", flags) < 0)
		return error_set_errno(err, errno, "mounting on %s", name);
	return 0;
}

int mount_make_readonly(int fd, enum mount_depth depth, const char *name, struct error *err)
{
	struct mount_attr attributes = { .attr_set = MOUNT_ATTR_RDONLY };
	unsigned int flags = AT_EMPTY_PATH | (depth == MOUNT_ALL_BELOW ? AT_RECURSIVE : 0);
	if (mount_setattr(fd, "", flags, &attributes, sizeof attributes) < 0)
		return error_set_errno(err, errno, "making %s read-only", name);
	return 0;
}
