/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Docker's second names of verbs: `container ls` is `ps`, `image rm` is `rmi`.
 * They have no row, page or help of their own.
 */
#include <stddef.h>

struct verb_alias {
	const char *name, *verb; /* "container ls", "ps" */
};
extern const struct verb_alias verb_aliases[];
extern const size_t verb_alias_count;
