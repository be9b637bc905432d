/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "layout.h"

#include <bpf/btf.h>
#include <errno.h>
#include <string.h>

#define DEPTH_MAX 16 /* members within members */

static const struct btf_type *type_of(const struct layout *layout, uint32_t *ret_id)
{
	uint32_t id = layout->type;
	const struct btf_type *type = btf__type_by_id(layout->btf, id);
	while (type && (btf_is_mod(type) || btf_is_typedef(type))) {
		id = type->type;
		type = btf__type_by_id(layout->btf, id);
	}
	*ret_id = id;
	return type;
}

static bool is_plain(const struct btf_type *type)
{
	return btf_is_int(type) || btf_is_any_enum(type) || btf_is_ptr(type);
}

static struct layout inner(const struct layout *outer, uint32_t type)
{
	ssize_t size = btf__resolve_size(outer->btf, type);
	return (struct layout){ .btf = outer->btf,
				.type = type,
				.size = size < 0 ? 0 : (uint32_t)size };
}

static bool types_equal(const struct layout *a, const struct layout *b, int depth);

static bool members_equal(const struct layout *a, const struct btf_type *x, const struct layout *b,
			  const struct btf_type *y, int depth)
{
	if (btf_vlen(x) != btf_vlen(y))
		return false;
	for (unsigned i = 0; i < btf_vlen(x); i++) {
		const struct btf_member *m = btf_members(x) + i, *n = btf_members(y) + i;
		struct layout from = inner(a, m->type), to = inner(b, n->type);
		if (btf_member_bit_offset(x, i) != btf_member_bit_offset(y, i) ||
		    strcmp(btf__name_by_offset(a->btf, m->name_off),
			   btf__name_by_offset(b->btf, n->name_off)) != 0 ||
		    !types_equal(&from, &to, depth + 1))
			return false;
	}
	return true;
}

static bool types_equal(const struct layout *a, const struct layout *b, int depth)
{
	uint32_t ignored;
	const struct btf_type *x = type_of(a, &ignored), *y = type_of(b, &ignored);
	if (!x || !y || a->size != b->size || depth > DEPTH_MAX)
		return false;
	if (is_plain(x) && is_plain(y))
		return true;
	if (btf_kind(x) != btf_kind(y))
		return false;
	if (btf_is_array(x)) {
		struct layout from = inner(a, btf_array(x)->type),
			      to = inner(b, btf_array(y)->type);
		return types_equal(&from, &to, depth + 1);
	}
	return btf_is_composite(x) && members_equal(a, x, b, y, depth);
}

bool layout_equal(const struct layout *a, const struct layout *b)
{
	if (a->size != b->size)
		return false;
	return !a->btf || !b->btf || !a->type || !b->type || types_equal(a, b, 0);
}

/* Where a pair of members begins in both. */
struct place {
	uint32_t from, to;
	int depth;
};

static int add_move(struct layout_change *change, struct place place, uint32_t size,
		    struct error *err)
{
	if (change->count == LAYOUT_MOVES_MAX)
		return error_set(err, E2BIG, "a map's entries have more than %d members",
				 LAYOUT_MOVES_MAX);
	change->moves[change->count].from = place.from;
	change->moves[change->count].to = place.to;
	change->moves[change->count++].size = size;
	return 0;
}

static const struct btf_member *find_member(const struct layout *layout,
					    const struct btf_type *type, const char *name,
					    unsigned turn)
{
	/* Members without a name (unions) are found by their turn. */
	if (!name[0])
		return turn < btf_vlen(type) &&
				       !btf__name_by_offset(layout->btf,
							    btf_members(type)[turn].name_off)[0]
			       ? btf_members(type) + turn
			       : NULL;
	for (unsigned i = 0; i < btf_vlen(type); i++)
		if (strcmp(btf__name_by_offset(layout->btf, btf_members(type)[i].name_off), name) ==
		    0)
			return btf_members(type) + i;
	return NULL;
}

static int compare(const struct layout *from, const struct layout *to, struct place place,
		   struct layout_change *change, struct error *err);

static int compare_members(const struct layout *from, const struct layout *to, struct place place,
			   struct layout_change *change, struct error *err)
{
	uint32_t ignored;
	const struct btf_type *x = type_of(from, &ignored), *y = type_of(to, &ignored);
	for (unsigned i = 0; i < btf_vlen(y); i++) {
		const struct btf_member *n = btf_members(y) + i;
		const struct btf_member *m =
			find_member(from, x, btf__name_by_offset(to->btf, n->name_off), i);
		if (!m)
			continue;
		struct layout a = inner(from, m->type), b = inner(to, n->type);
		struct place next = { place.from + m->offset / 8, place.to + n->offset / 8,
				      place.depth + 1 };
		int r = compare(&a, &b, next, change, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int compare(const struct layout *from, const struct layout *to, struct place place,
		   struct layout_change *change, struct error *err)
{
	uint32_t ignored;
	const struct btf_type *x = type_of(from, &ignored), *y = type_of(to, &ignored);
	uint32_t size = from->size < to->size ? from->size : to->size;
	if (!x || !y || place.depth > DEPTH_MAX)
		return 0;
	if (types_equal(from, to, place.depth) || (is_plain(x) && is_plain(y)) ||
	    (btf_is_array(x) && btf_is_array(y)))
		return add_move(change, place, size, err);
	if (!btf_is_composite(x) || btf_kind(x) != btf_kind(y))
		return 0;
	return compare_members(from, to, place, change, err);
}

int layout_compare(const struct layout *from, const struct layout *to,
		   struct layout_change *ret_change, struct error *err)
{
	*ret_change = (struct layout_change){ .size = to->size };
	if (from->btf && to->btf && from->type && to->type)
		return compare(from, to, (struct place){ 0 }, ret_change, err);
	return add_move(ret_change, (struct place){ 0 },
			from->size < to->size ? from->size : to->size, err);
}

void layout_convert(const struct layout_change *change, const void *from, void *to)
{
	memset(to, 0, change->size);
	for (size_t i = 0; i < change->count; i++)
		memcpy((char *)to + change->moves[i].to, (const char *)from + change->moves[i].from,
		       change->moves[i].size);
}
