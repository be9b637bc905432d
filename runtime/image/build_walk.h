/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Walks a tree in order of names, parents first, links not followed. */
#include <sys/stat.h>

#include "base/error.h"
#include "ignore.h"

struct walk_item {
	const char *path; /* from the root of the walk's descriptor */
	const char *name;
	int folder_fd; /* where name is */
	struct stat st;
};
#define WALK_SKIP 1 /* from visit: do not go below */
typedef int walk_visit(const struct walk_item *item, void *context, struct error *err);
/** All below path ("": the root itself), not path; what ignore (may be NULL) names is left out. */
int walk_tree(int root_fd, const char *path, const struct ignore *ignore, walk_visit *visit,
	      void *context, struct error *err);
