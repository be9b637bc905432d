/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "layout.h"

#include <bpf/btf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

/* A structure as text: "a4 b8 c2" are members by name and bytes; "x4[3]" is an array. */
static uint32_t add_struct(struct btf *btf, const char *name, const char *text)
{
	uint32_t integers[9] = { 0 }, arrays[8], offset = 0, size = 0, count = 0;
	char copy[128], *save = NULL;
	struct member {
		char name[2];
		unsigned bytes, times;
	} members[8];
	snprintf(copy, sizeof copy, "%s", text);
	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		struct member *member = &members[count++];
		member->times = 1;
		assert_true(sscanf(word, "%1s%u[%u]", member->name, &member->bytes,
				   &member->times) >= 2);
		size += member->bytes * member->times;
	}
	for (uint32_t i = 0; i < count; i++) {
		char type[8];
		snprintf(type, sizeof type, "u%u", members[i].bytes);
		if (!integers[members[i].bytes])
			integers[members[i].bytes] =
				(uint32_t)btf__add_int(btf, type, members[i].bytes, 0);
		arrays[i] = integers[members[i].bytes];
		if (members[i].times > 1)
			arrays[i] = (uint32_t)btf__add_array(btf, (int)integers[members[i].bytes],
							     (int)integers[members[i].bytes],
							     members[i].times);
	}
	uint32_t id = (uint32_t)btf__add_struct(btf, name, size);
	for (uint32_t i = 0; i < count; i++) {
		assert_int_equal(
			btf__add_field(btf, members[i].name, (int)arrays[i], offset * 8, 0), 0);
		offset += members[i].bytes * members[i].times;
	}
	return id;
}

static void members_are_carried_over_by_name(void **state)
{
	static const struct {
		const char *from, *to;
		bool equal;
		const char *bytes; /* of 1, 2, 3 … converted; NULL: equal */
	} rows[] = {
		{ "a4 b4", "a4 b4", true, NULL },
		{ "a4 b4", "b4 a4", false, "\5\6\7\10\1\2\3\4" },
		{ "a4 b4", "n8 a4 b4", false, "\0\0\0\0\0\0\0\0\1\2\3\4\5\6\7\10" },
		{ "a4 b4", "b4", false, "\5\6\7\10" },
		{ "a4 b4", "a4 c4", false, "\1\2\3\4\0\0\0\0" },
		{ "a2 b2", "a4 b4", false, "\1\2\0\0\3\4\0\0" },
		{ "a1[4] b4", "a1[4] b4", true, NULL },
		{ "a1[4] b4", "b4 a1[6]", false, "\5\6\7\10\1\2\3\4\0\0" },
		{ "a1[6] b2", "a1[4] b2", false, "\1\2\3\4\7\10" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct btf *old = btf__new_empty(), *new = btf__new_empty();
		struct layout from = { .btf = old, .type = add_struct(old, "s", rows[i].from) };
		struct layout to = { .btf = new, .type = add_struct(new, "s", rows[i].to) };
		struct layout_change change;
		struct error err = { 0 };
		uint8_t before[64], after[64];
		from.size = (uint32_t)btf__resolve_size(old, from.type);
		to.size = (uint32_t)btf__resolve_size(new, to.type);
		for (uint8_t k = 0; k < sizeof before; k++)
			before[k] = (uint8_t)(k + 1);
		assert_int_equal(layout_compare(&from, &to, &change, &err), 0);
		layout_convert(&change, before, after);
		if (layout_equal(&from, &to) != rows[i].equal ||
		    memcmp(after, rows[i].bytes ? (const void *)rows[i].bytes : before, to.size) !=
			    0)
			fail_msg("row %zu: %s to %s", i, rows[i].from, rows[i].to);
		btf__free(old);
		btf__free(new);
	}
}

static void without_types_the_size_decides(void **state)
{
	struct layout four = { .size = 4 }, eight = { .size = 8 };
	struct layout_change change;
	struct error err = { 0 };
	uint8_t before[4] = { 1, 2, 3, 4 }, after[8], wanted[8] = { 1, 2, 3, 4 };
	(void)state;
	assert_true(layout_equal(&four, &four));
	assert_false(layout_equal(&four, &eight));
	assert_int_equal(layout_compare(&four, &eight, &change, &err), 0);
	layout_convert(&change, before, after);
	assert_memory_equal(after, wanted, sizeof after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_are_carried_over_by_name),
		cmocka_unit_test(without_types_the_size_decides),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
