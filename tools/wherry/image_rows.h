/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The rows of `images`, for those who filter them. */
#include "base/json.h"
#include "verbs.h"

/**
 * Keys ID, Repository, Tag, CreatedSince, CreatedAt, Size, SizeBytes, Digest, FullID, Labels,
 * Dangling; an image without a name has one row.
 */
int image_rows(struct cli *cli, struct json_t **ret_rows, struct error *err);
struct image_store;
/** The images of the instance, lent. */
int cli_images(struct cli *cli, struct image_store **ret_store, struct error *err);
/** Tells the log of events what became of an image; id: a name, or "sha256:…". */
void image_tell(struct engine *engine, const char *action, const char *id);
/** The same by a line of image_remove: "Untagged: …". */
void image_tell_removed(struct engine *engine, const char *line);
