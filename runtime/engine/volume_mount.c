/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --mount: the long form of -v and --tmpfs, "type=volume,src=data,dst=/data,readonly". */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "volume.h"

struct parts {
	const char *type, *source, *target, *size, *mode;
	bool read_only, no_copy;
};

static int refuse(const char *text, const char *why, struct error *err)
{
	return error_set(err, EINVAL,
			 "--mount %s: %s; the form is "
			 "type=volume|bind|tmpfs,source=…,target=/PATH[,readonly]",
			 text, why);
}

static int take_part(const char *text, char *word, struct parts *parts, struct error *err)
{
	static const struct {
		const char *key;
		size_t offset;
	} rows[] = {
		{ "type", offsetof(struct parts, type) },
		{ "source", offsetof(struct parts, source) },
		{ "src", offsetof(struct parts, source) },
		{ "target", offsetof(struct parts, target) },
		{ "destination", offsetof(struct parts, target) },
		{ "dst", offsetof(struct parts, target) },
		{ "tmpfs-size", offsetof(struct parts, size) },
		{ "tmpfs-mode", offsetof(struct parts, mode) },
	};
	char *value = strchr(word, '=');
	bool on = !value || text_equal(value + 1, "true") || text_equal(value + 1, "1");
	if (value)
		*value++ = 0;
	if (text_equal(word, "readonly") || text_equal(word, "ro")) {
		parts->read_only = on;
		return 0;
	}
	if (text_equal(word, "volume-nocopy")) {
		parts->no_copy = on;
		return 0;
	}
	if (text_equal(word, "consistency"))
		return 0; /* means something on macOS only */
	for (size_t i = 0; value && i < ARRAY_SIZE(rows); i++)
		if (text_equal(rows[i].key, word)) {
			*(const char **)(void *)((char *)parts + rows[i].offset) = value;
			return 0;
		}
	return refuse(text, "a key is not understood", err);
}

static int make_tmpfs(const char *text, const struct parts *parts, struct volume_mount *ret,
		      struct error *err)
{
	uint64_t size;
	if (parts->source)
		return refuse(text, "a tmpfs has no source", err);
	if (parts->size && text_to_size_bytes(parts->size, &size) < 0)
		return refuse(text, "tmpfs-size is no size", err);
	if (parts->mode && strspn(parts->mode, "01234567") != strlen(parts->mode))
		return refuse(text, "tmpfs-mode is no octal number", err);
	snprintf(ret->options, sizeof ret->options, "nosuid,nodev,noexec%s%.20s%s%.20s%s",
		 parts->size ? ",size=" : "", parts->size ? parts->size : "",
		 parts->mode ? ",mode=" : "", parts->mode ? parts->mode : "",
		 parts->read_only ? ",ro" : "");
	snprintf(ret->volume.destination, sizeof ret->volume.destination, "%s", parts->target);
	ret->is_tmpfs = true;
	return 0;
}

/* What -v would have been. */
static int make_volume(const struct instance *instance, const char *text, const struct parts *parts,
		       struct volume *ret_volume, struct error *err)
{
	auto_free char *form = NULL, *whole = NULL;
	bool bind = parts->type && text_equal(parts->type, "bind");
	const char *source = parts->source;
	if (bind && (!source || !*source))
		return refuse(text, "a bind needs a source", err);
	if (bind) {
		whole = realpath(source, NULL);
		if (!whole)
			return error_set_errno(err, errno, "--mount %s: source", text);
		source = whole;
	} else if (source && *source == '/') {
		return refuse(text, "a volume's source is its name", err);
	}
	if ((source && strchr(source, ':')) || strchr(parts->target, ':'))
		return refuse(text, "a path has a colon", err);
	int r = source ? text_format(&form, err, "%s:%s:rw%s%s", source, parts->target,
				     parts->read_only ? ",ro" : "", parts->no_copy ? ",nocopy" : "")
		       : text_copy(parts->target, &form, err);
	if (r == 0)
		r = volume_parse(instance, form, ret_volume, err);
	if (r == 0 && !source) {
		ret_volume->read_only = parts->read_only;
		ret_volume->no_copy = parts->no_copy;
	}
	return r;
}

int volume_mount_parse(const struct instance *instance, const char *text,
		       struct volume_mount *ret_mount, struct error *err)
{
	auto_words words = { 0 };
	struct parts parts = { 0 };
	*ret_mount = (struct volume_mount){ 0 };
	int r = words_split(text, ',', &words, err);
	for (size_t i = 0; r == 0 && i < words.count; i++)
		r = take_part(text, words.items[i], &parts, err);
	if (r < 0)
		return r;
	if (!parts.target || *parts.target != '/')
		return refuse(text, "the target is not absolute", err);
	if (parts.type && text_equal(parts.type, "tmpfs"))
		return make_tmpfs(text, &parts, ret_mount, err);
	if (parts.type && !text_equal(parts.type, "bind") && !text_equal(parts.type, "volume"))
		return refuse(text, "the type is none of volume, bind, tmpfs", err);
	return make_volume(instance, text, &parts, &ret_mount->volume, err);
}
