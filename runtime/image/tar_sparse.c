/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sparse files in tar: three ways to write down which parts of a file have
 * data. All become the same list, which is checked against the file's size.
 */
#include <errno.h>
#include <string.h>

#include "tar_internal.h"

enum {
	OLD_MAP = 386,
	OLD_MAP_COUNT = 4,
	OLD_MORE = 482,
	OLD_REAL_SIZE = 483,
	NEXT_MAP_COUNT = 21,
	NEXT_MORE = 504,
	PART_SIZE = 24,
};

static int bad_map(struct error *err)
{
	return error_set(err, EBADMSG, "the map of a sparse file is damaged");
}

static int add_part(struct tar_entry *entry, uint64_t offset, uint64_t size, struct error *err)
{
	if (entry->part_count == TAR_SPARSE_MAX)
		return error_set(err, EBADMSG, "a sparse file has over %u parts", TAR_SPARSE_MAX);
	if ((entry->part_count & (entry->part_count - 1)) == 0) {
		size_t room = entry->part_count ? 2 * entry->part_count : 1;
		struct tar_part *more = reallocarray(entry->parts, room, sizeof *more);
		if (!more)
			return error_set(err, ENOMEM, "no memory for the map of a sparse file");
		entry->parts = more;
	}
	entry->parts[entry->part_count++] = (struct tar_part){ offset, size };
	return 0;
}

static int add_old_parts(const uint8_t *map, size_t count, struct tar_entry *entry,
			 struct error *err)
{
	for (size_t i = 0; i < count; i++, map += PART_SIZE) {
		int64_t offset, size;
		if (map[0] == 0 && map[12] == 0)
			break;
		if (tar_number(map, 12, &offset) < 0 || tar_number(map + 12, 12, &size) < 0 ||
		    offset < 0 || size < 0)
			return bad_map(err);
		int r = add_part(entry, (uint64_t)offset, (uint64_t)size, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int tar_sparse_old(const uint8_t block[TAR_BLOCK], struct tar_entry *entry, bool *ret_more,
		   struct error *err)
{
	int64_t real_size;
	if (tar_number(block + OLD_REAL_SIZE, 12, &real_size) < 0 || real_size < 0)
		return bad_map(err);
	entry->size = (uint64_t)real_size;
	*ret_more = block[OLD_MORE] != 0;
	return add_old_parts(block + OLD_MAP, OLD_MAP_COUNT, entry, err);
}

int tar_sparse_old_more(const uint8_t block[TAR_BLOCK], struct tar_entry *entry, bool *ret_more,
			struct error *err)
{
	*ret_more = block[NEXT_MORE] != 0;
	return add_old_parts(block, NEXT_MAP_COUNT, entry, err);
}

int tar_sparse_map(const char *map, struct tar_entry *entry, struct error *err)
{
	auto_words numbers = { 0 };
	int r = words_split(map, ',', &numbers, err);
	if (r == 0 && numbers.count % 2 != 0)
		return bad_map(err);
	for (size_t i = 0; r == 0 && i < numbers.count; i += 2) {
		uint64_t offset, size;
		if (text_to_unsigned(numbers.items[i], 0, INT64_MAX, &offset) < 0 ||
		    text_to_unsigned(numbers.items[i + 1], 0, INT64_MAX, &size) < 0)
			return bad_map(err);
		r = add_part(entry, offset, size, err);
	}
	return r;
}

/* One decimal line. 1: read, 0: the text ends before the line does. */
static int read_line(const char **text, const char *end, uint64_t *ret, struct error *err)
{
	const char *newline = memchr(*text, '\n', (size_t)(end - *text));
	if (!newline)
		return end - *text > 20 ? bad_map(err) : 0;
	char digits[24];
	if (newline - *text >= (ptrdiff_t)sizeof digits)
		return bad_map(err);
	memcpy(digits, *text, (size_t)(newline - *text));
	digits[newline - *text] = 0;
	*text = newline + 1;
	return text_to_unsigned(digits, 0, INT64_MAX, ret) < 0 ? bad_map(err) : 1;
}

int tar_sparse_lines(const char *text, size_t size, struct tar_entry *entry, struct error *err)
{
	const char *end = text + size;
	uint64_t count, offset, length;
	free(entry->parts);
	entry->parts = NULL;
	entry->part_count = 0;
	int r = read_line(&text, end, &count, err);
	if (r == 1 && count > TAR_SPARSE_MAX)
		return bad_map(err);
	for (uint64_t i = 0; r == 1 && i < count; i++) {
		r = read_line(&text, end, &offset, err);
		if (r == 1)
			r = read_line(&text, end, &length, err);
		if (r == 1 && add_part(entry, offset, length, err) < 0)
			return -err->code;
	}
	return r;
}

int tar_sparse_check(const struct tar_entry *entry, struct error *err)
{
	uint64_t end = 0, sum = 0;
	for (size_t i = 0; i < entry->part_count; i++) {
		const struct tar_part *part = &entry->parts[i];
		if (part->offset < end || part->size > entry->size ||
		    part->offset > entry->size - part->size)
			return error_set(err, EBADMSG,
					 "the map of a sparse file overlaps or exceeds the file");
		end = part->offset + part->size;
		sum += part->size;
	}
	if (sum != entry->stored_size)
		return error_set(err, EBADMSG,
				 "the map of a sparse file disagrees with its stored size");
	return 0;
}
