/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * How the entries of a map are laid out, as BTF tells, and how those of an older
 * layout become those of a newer one: member by member, by name. A member that is
 * new is zero, one that is gone is dropped, an integer may grow.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct btf;

/* One type: a map's key, or its value. */
struct layout {
	const struct btf *btf; /* lent; NULL: only the size is known */
	uint32_t type;
	uint32_t size; /* bytes */
};
/** True if bytes of one can be read as the other: same members at same places. */
bool layout_equal(const struct layout *a, const struct layout *b);

#define LAYOUT_MOVES_MAX 128
/* What is copied where. */
struct layout_change {
	struct {
		uint32_t from, to, size;
	} moves[LAYOUT_MOVES_MAX];
	size_t count;
	uint32_t size; /* of the result */
};
/** -E2BIG: more members than LAYOUT_MOVES_MAX. Without BTF the first bytes are kept. */
int layout_compare(const struct layout *from, const struct layout *to,
		   struct layout_change *ret_change, struct error *err);
/** Writes change->size bytes. */
void layout_convert(const struct layout_change *change, const void *from, void *to);
