/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/instance.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* FNV-1a: only to tell roots apart, never against an adversary. */
static uint32_t hash_of(const char *text)
{
	uint32_t hash = 2166136261u;
	for (; *text; text++)
		hash = (hash ^ (uint8_t)*text) * 16777619u;
	return hash;
}

static int set_root(const char *root, struct instance *instance, struct error *err)
{
	char resolved[PATH_MAX];
	if (!*root || text_equal(root, "/"))
		return 0;
	if (!realpath(root, resolved))
		return error_set_errno(err, errno, "root %s", root);
	if (text_equal(resolved, "/"))
		return 0;
	if (strlen(resolved) > INSTANCE_PATH_MAX / 2)
		return error_set(err, ENAMETOOLONG, "root %s: over %d bytes", root,
				 INSTANCE_PATH_MAX / 2);
	memcpy(instance->root, resolved, strlen(resolved) + 1);
	snprintf(instance->tag, sizeof instance->tag, "%08x", hash_of(resolved));
	return 0;
}

int instance_init(const char *root, struct instance *ret, struct error *err)
{
	struct instance instance = { 0 };
	const char *mount = getenv("WHERRY_BPFFS");
	char half[INSTANCE_PATH_MAX / 2 + 1]; /* so that what is built on it fits */
	if (!root)
		root = getenv("WHERRY_ROOT");
	int r = root ? set_root(root, &instance, err) : 0;
	if (r < 0)
		return r;
	snprintf(half, sizeof half, "%.256s", instance.root);
	snprintf(instance.run, sizeof instance.run, "%s/run/wherry", half);
	snprintf(instance.lib, sizeof instance.lib, "%s/var/lib/wherry", half);
	snprintf(instance.config, sizeof instance.config, "%s/etc/wherry", half);
	snprintf(instance.bpf, sizeof instance.bpf, "%.256s/wherry%s%s",
		 mount && *mount ? mount : "/sys/fs/bpf", *instance.tag ? "-" : "", instance.tag);
	*ret = instance;
	return 0;
}
