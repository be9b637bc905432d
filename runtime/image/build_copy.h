/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * COPY and ADD: which files a step names, what they contain (for the cache),
 * and their way into the image's tree. Links in the context cannot lead out of
 * it, links in the image are followed inside the image only.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "digest.h"
#include "ignore.h"

struct copy_request {
	int from_fd;                 /* the build context, or another stage's root */
	const struct ignore *ignore; /* NULL: nothing is ignored */
	const char *from_name;       /* for errors: "the build context" */
	struct words sources;        /* patterns */
	const char *destination;     /* absolute; a final '/' means directory */
	bool set_owner;              /* --chown; else 0:0, or as they are between stages */
	bool keep_owner;
	uint32_t uid, gid;
	bool set_mode;
	uint32_t mode;
	bool extract;        /* ADD: archives are unpacked */
	const char *scratch; /* ADD: a folder for that */
};
/** The paths that the patterns name, in order. -ENOENT: one names nothing. */
int copy_resolve(const struct copy_request *request, struct words *ret_paths, struct error *err);
/** Names, kinds, modes and contents of all that is below the paths. */
int copy_digest(const struct copy_request *request, const struct words *paths,
		struct digest *ret_digest, struct error *err);
/** Copies into the tree at root_fd. */
int copy_run(const struct copy_request *request, const struct words *paths, int root_fd,
	     struct error *err);

/** mkdir -p inside the root, links resolved in it. *ret_made: something was missing. */
int root_make_directory(int root_fd, const char *path, int *ret_fd, bool *ret_made,
			struct error *err);
/** "user[:group]" by number or by the root's /etc/passwd and /etc/group. */
int root_find_owner(int root_fd, const char *text, uint32_t *ret_uid, uint32_t *ret_gid,
		    struct error *err);
