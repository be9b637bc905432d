/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Docker's forms of -v: /HOST:/CONTAINER[:ro], NAME:/CONTAINER[:ro], and
 * /CONTAINER alone, which is a volume without a name. Volumes are directories
 * in ROOT/var/lib/wherry/volumes/NAME/_data.
 */
#include <stdbool.h>

#include "base/error.h"
#include "base/instance.h"
#include "base/text.h"

#define VOLUME_NAME_MAX 128

enum volume_kind { VOLUME_BIND, VOLUME_NAMED, VOLUME_ANONYMOUS };
struct volume {
	enum volume_kind kind;
	char name[VOLUME_NAME_MAX];           /* of a volume */
	char source[INSTANCE_PATH_MAX + 256]; /* on the host */
	char destination[1024];
	bool read_only, no_copy;
};

/** Gate: reads one -v; names no directory that it does not need. */
int volume_parse(const struct instance *instance, const char *text, struct volume *ret_volume,
		 struct error *err);
/* What one --mount means: a volume, or a tmpfs with mount's options. */
struct volume_mount {
	bool is_tmpfs;
	struct volume volume; /* of a tmpfs only destination */
	char options[128];
};
/** Gate: reads one --mount. */
int volume_mount_parse(const struct instance *instance, const char *text,
		       struct volume_mount *ret_mount, struct error *err);
/** Makes the directory of the volume, or of a bind whose source is not there, as Docker does. */
int volume_make(const struct volume *volume, struct error *err);
/**
 * Fills a volume that is empty with what the image has at its place. A volume that a crash left
 * half filled is filled anew. scratch: a directory that does not exist; nothing stays of it.
 */
int volume_fill(const struct instance *instance, const struct volume *volume,
		const struct words *layer_paths, const char *scratch, struct error *err);
/** Removes a volume and all that is in it. */
int volume_remove(const struct instance *instance, const char *name, struct error *err);
