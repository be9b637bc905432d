/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A container's files with what is mounted in them, whether it runs or not: of
 * a running one by its first process, of another by a mount of its own that
 * nobody else sees.
 */
#include "record.h"

struct view {
	int root_fd, namespace_fd;
	int lock_fd;         /* a container that does not run stays so meanwhile */
	struct path scratch; /* "" if there is none */
};
#define VIEW_NONE                                                \
	{                                                        \
		.root_fd = -1, .namespace_fd = -1, .lock_fd = -1 \
	}
/** The caller releases, also on failure. */
int view_open(struct engine *engine, const char *reference, struct view *view, struct error *err);
void view_release(struct view *view);
#define auto_view __attribute__((cleanup(view_release))) struct view
