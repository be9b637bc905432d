/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * All entries of a hash map in batches: one system call for thousands, and no walk that begins
 * anew when the entry under it goes.
 */
#include "maps.h"

typedef int map_visitor(const void *key, const void *value, void *context, struct error *err);

/** Visits the entries of an open map of a plain hash kind; non-zero ends the walk. */
int map_fd_walk(int fd, map_visitor *visit, void *context, struct error *err);
/** The same by its id. */
int map_walk(struct maps *maps, enum map_id id, map_visitor *visit, void *context,
	     struct error *err);
