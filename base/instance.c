/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From one root to all paths. The root is resolved before it is hashed: two
 * spellings of one folder must be one instance.
 */
#include "base/instance.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

/* FNV-1a, 32 bits. */
static uint32_t hash_text(const char *text)
{
	uint32_t hash = 2166136261u;
	for (; *text; text++)
		hash = (hash ^ (uint8_t)*text) * 16777619u;
	return hash;
}

static bool has_parent_step(const char *path)
{
	for (const char *at = path; (at = strstr(at, "..")); at += 2)
		if ((at == path || at[-1] == '/') && (at[2] == '/' || at[2] == '\0'))
			return true;
	return false;
}

/* Appends the steps of `rest`, without empty ones and ".". */
static void append_steps(struct text *path, const char *rest)
{
	while (*rest) {
		size_t size = strcspn(rest, "/");
		if (size > 0 && !(size == 1 && rest[0] == '.'))
			text_append(path, "/%.*s", (int)size, rest);
		rest += size;
		rest += *rest == '/';
	}
}

/* Resolves what exists of root; what does not exist yet is taken as it is written. */
static int resolve_root(const char *root, struct text *ret, struct error *err)
{
	auto_free char *existing = NULL;
	int r = root[0] == '/' ? text_copy(root, &existing, err)
			       : text_format(&existing, err, "./%s", root);
	if (r < 0)
		return r;
	size_t size = strlen(existing);
	auto_free char *resolved = NULL;
	while (!(resolved = realpath(existing, NULL))) {
		if (errno != ENOENT)
			return error_set_errno(err, errno, "root \"%s\"", root);
		while (size > 0 && existing[size - 1] == '/')
			existing[--size] = '\0';
		while (size > 0 && existing[size - 1] != '/')
			existing[--size] = '\0';
		if (size == 0)
			return error_set(err, ENOENT, "root \"%s\": no such folder", root);
	}
	const char *rest = root + (root[0] == '/' ? size : size - strlen("./"));
	if (has_parent_step(rest))
		return error_set(err, EINVAL, "root \"%s\": \"..\" behind a folder that is missing",
				 root);
	append_steps(ret, resolved);
	append_steps(ret, rest);
	return 0;
}

static int fill_paths(const char *root, const char *bpffs, struct instance *ret, struct error *err)
{
	struct instance instance = { 0 };
	if (root[0])
		snprintf(instance.tag, sizeof instance.tag, "%08" PRIx32, hash_text(root));
	const struct {
		char *out;
		const char *base, *below, *tag;
	} rows[] = {
		{ instance.root, root, "", "" },
		{ instance.run, root, "/run/wherry", "" },
		{ instance.lib, root, "/var/lib/wherry", "" },
		{ instance.config, root, "/etc/wherry", "" },
		{ instance.bpf, bpffs, root[0] ? "/wherry-" : "/wherry", instance.tag },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int size = snprintf(rows[i].out, INSTANCE_PATH_MAX, "%s%s%s", rows[i].base,
				    rows[i].below, rows[i].tag);
		if (size >= INSTANCE_PATH_MAX)
			return error_set(err, ENAMETOOLONG,
					 "path %s%s is longer than %d bytes: choose a shorter root",
					 rows[i].base, rows[i].below, INSTANCE_PATH_MAX - 1);
	}
	*ret = instance;
	return 0;
}

int instance_init(const char *root, struct instance *ret, struct error *err)
{
	if (!root)
		root = getenv("WHERRY_ROOT");
	if (!root || !root[0])
		root = "/";
	const char *bpffs = getenv("WHERRY_BPFFS");
	if (!bpffs || !bpffs[0])
		bpffs = "/sys/fs/bpf";
	auto_text resolved = { 0 };
	int r = resolve_root(root, &resolved, err);
	if (r < 0)
		return r;
	auto_free char *path = NULL;
	r = text_take(&resolved, &path, err); /* "" for "/" */
	if (r < 0)
		return r;
	return fill_paths(path, bpffs, ret, err);
}
