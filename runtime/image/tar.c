/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The flow of a tar archive: blocks from the source, extension headers
 * gathered for the entry that they belong to, the entry's data lent in place.
 */
#include "tar.h"

#include <errno.h>
#include <string.h>

#include "tar_internal.h"

struct tar {
	struct tar_source source;
	const uint8_t *data; /* what the source lent and is not yet used */
	size_t size;
	uint64_t position; /* in the archive */
	struct tar_entry entry;
	uint64_t data_left;    /* of the entry, without padding */
	uint32_t padding_left; /* behind the data */
	size_t part;           /* of a sparse file: where we are */
	uint64_t part_done;
	bool ended;
};

static int ends_early(struct error *err)
{
	return error_set(err, EBADMSG, "the tar archive ends early");
}

/* Makes sure that something is lent. 1, 0 at the end. */
static int fill(struct tar *tar, struct error *err)
{
	if (tar->size > 0)
		return 1;
	return tar->source.next(tar->source.context, &tar->data, &tar->size, err);
}

static void advance(struct tar *tar, size_t size)
{
	tar->data += size;
	tar->size -= size;
	tar->position += size;
}

/* Lends one block. 1, 0 at the end, -EBADMSG if less than a block is left. */
static int next_block(struct tar *tar, const uint8_t **ret_block, struct error *err)
{
	int r = fill(tar, err);
	if (r <= 0)
		return r;
	if (tar->size < TAR_BLOCK)
		return ends_early(err);
	*ret_block = tar->data;
	advance(tar, TAR_BLOCK);
	return 1;
}

/* Leaves out `size` bytes that must be there. */
static int skip(struct tar *tar, uint64_t size, struct error *err)
{
	while (size > 0) {
		if (tar->size == 0 && tar->source.skip && size > TAR_BLOCK) {
			uint64_t whole = size / TAR_BLOCK * TAR_BLOCK;
			int r = tar->source.skip(tar->source.context, whole, err);
			if (r < 0)
				return r;
			tar->position += whole;
			size -= whole;
			continue;
		}
		int r = fill(tar, err);
		if (r <= 0)
			return r < 0 ? r : ends_early(err);
		size_t step = tar->size < size ? tar->size : (size_t)size;
		advance(tar, step);
		size -= step;
	}
	return 0;
}

static uint32_t padding_of(uint64_t size)
{
	return (uint32_t)(-size % TAR_BLOCK);
}

/* The whole body of an extension header, with a NUL behind it. */
static int read_body(struct tar *tar, uint64_t size, char **ret_data, struct error *err)
{
	if (size > TAR_EXTENSION_MAX)
		return error_set(err, EBADMSG, "an extension header of the tar is over %u bytes",
				 TAR_EXTENSION_MAX);
	auto_free char *body = calloc(1, size + 1);
	if (!body)
		return error_set(err, ENOMEM, "no memory for a tar header");
	for (size_t done = 0; done < size;) {
		int r = fill(tar, err);
		if (r <= 0)
			return r < 0 ? r : ends_early(err);
		size_t step = tar->size < size - done ? tar->size : size - done;
		memcpy(body + done, tar->data, step);
		advance(tar, step);
		done += step;
	}
	*ret_data = TAKE(body);
	return skip(tar, padding_of(size), err);
}

static int take_long_name(char *body, uint64_t size, char **ret_name, struct error *err)
{
	if (size == 0 || strlen(body) + 1 < size)
		return error_set(err, EBADMSG, "a GNU long name is empty or holds a NUL byte");
	free(*ret_name);
	*ret_name = strdup(body);
	return *ret_name ? 0 : error_set(err, ENOMEM, "no memory for a name");
}

/* Is this header about the next one? 1: yes, and taken in; 0: no. */
static int take_extension(struct tar *tar, const struct tar_header *header,
			  struct tar_extension *extension, struct error *err)
{
	if (!strchr("xgLK", header->type) || header->type == 0)
		return 0;
	auto_free char *body = NULL;
	uint64_t size = header->entry.stored_size;
	int r = read_body(tar, size, &body, err);
	if (r < 0)
		return r;
	if (header->type == 'x')
		r = tar_pax_parse(body, size, extension, err);
	else if (header->type == 'g')
		r = tar_pax_check_global(body, size, err);
	else
		r = take_long_name(body, size,
				   header->type == 'L' ? &extension->path : &extension->link, err);
	if (header->type != 'g')
		extension->any = true;
	return r < 0 ? r : 1;
}

static int set_type(struct tar_entry *entry, char type, struct error *err)
{
	static const struct {
		char flag;
		enum tar_type type;
	} rows[] = {
		{ '0', TAR_FILE },      { 0, TAR_FILE },           { '7', TAR_FILE },
		{ 'S', TAR_FILE },      { '1', TAR_HARDLINK },     { '2', TAR_SYMLINK },
		{ '3', TAR_CHARACTER }, { '4', TAR_BLOCK_DEVICE }, { '5', TAR_DIRECTORY },
		{ '6', TAR_FIFO },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].flag != type)
			continue;
		entry->type = rows[i].type;
		/* V7 had no type for directories. */
		if (type == 0 && text_ends_with(entry->path, "/"))
			entry->type = TAR_DIRECTORY;
		if (entry->type != TAR_FILE)
			entry->size = entry->stored_size = 0;
		return 0;
	}
	return error_set(err, EBADMSG, "a tar entry has the unknown type '%c'", type);
}

/* pax 1.0: the map is in front of the data. */
static int read_sparse_lines(struct tar *tar, struct tar_entry *entry, struct error *err)
{
	auto_text map = { 0 };
	int r = 0;
	while (r == 0) {
		const uint8_t *block;
		if (entry->stored_size < TAR_BLOCK || map.size > TAR_EXTENSION_MAX)
			return error_set(err, EBADMSG, "the map of a sparse file is damaged");
		r = next_block(tar, &block, err);
		if (r <= 0)
			return r < 0 ? r : ends_early(err);
		text_append_bytes(&map, block, TAR_BLOCK);
		if (map.failed)
			return error_set(err, ENOMEM, "no memory for the map of a sparse file");
		entry->stored_size -= TAR_BLOCK;
		r = tar_sparse_lines(map.data, map.size, entry, err);
	}
	return r < 0 ? r : 0;
}

static int read_sparse_old(struct tar *tar, const uint8_t *block, struct tar_entry *entry,
			   struct error *err)
{
	bool more = false;
	int r = tar_sparse_old(block, entry, &more, err);
	while (r == 0 && more) {
		r = next_block(tar, &block, err);
		if (r <= 0)
			return r < 0 ? r : ends_early(err);
		r = tar_sparse_old_more(block, entry, &more, err);
	}
	return r;
}

/* What is left to know once header and extensions are there. */
static int complete_entry(struct tar *tar, const uint8_t *block, char type,
			  struct tar_extension *extension, struct error *err)
{
	struct tar_entry *entry = &tar->entry;
	bool lines = extension->sparse_1_0, map = extension->sparse_map != NULL;
	tar_extension_apply(extension, entry);
	int r = set_type(entry, type, err);
	if (r == 0 && (lines || map) && entry->type != TAR_FILE)
		return error_set(err, EBADMSG, "a tar entry is sparse and no file");
	if (r == 0 && type == 'S')
		r = read_sparse_old(tar, block, entry, err);
	else if (r == 0 && lines)
		r = read_sparse_lines(tar, entry, err);
	else if (r == 0 && map)
		r = tar_sparse_map(extension->sparse_map, entry, err);
	if (r == 0 && entry->parts)
		r = tar_sparse_check(entry, err);
	if (r == 0 && !entry->parts && entry->size != entry->stored_size)
		return error_set(err, EBADMSG, "a tar entry's real size disagrees with its data");
	return r;
}

static void start_data(struct tar *tar)
{
	tar->data_left = tar->entry.stored_size;
	tar->padding_left = padding_of(tar->entry.stored_size);
	tar->entry.data_offset = tar->position;
	tar->part = 0;
	tar->part_done = 0;
}

/* Behind the first zero block nothing but zeros may come. */
static int read_trailer(struct tar *tar, struct error *err)
{
	static const uint8_t zeros[TAR_BLOCK];
	int r;
	while ((r = fill(tar, err)) == 1) {
		size_t step = tar->size < TAR_BLOCK ? tar->size : TAR_BLOCK;
		if (memcmp(tar->data, zeros, step) != 0)
			return error_set(err, EBADMSG, "garbage behind the end of the tar archive");
		advance(tar, step);
	}
	tar->ended = true;
	return r;
}

static int read_entry(struct tar *tar, struct tar_extension *extension, struct error *err)
{
	for (;;) {
		const uint8_t *block;
		uint8_t copy[TAR_BLOCK]; /* the lent one goes when more is read */
		struct tar_header header;
		int r = next_block(tar, &block, err);
		if (r < 0)
			return r;
		if (r > 0) {
			memcpy(copy, block, TAR_BLOCK);
			r = tar_header_parse(copy, &header, err);
			if (r < 0)
				return r;
		}
		if (r == 0 && extension->any)
			return error_set(err, EBADMSG, "a pax header at the end has no entry");
		if (r == 0)
			return read_trailer(tar, err);
		r = take_extension(tar, &header, extension, err);
		if (r == 0) {
			tar->entry = header.entry;
			r = complete_entry(tar, copy, header.type, extension, err);
			start_data(tar);
			return r < 0 ? r : 1;
		}
		tar_entry_release(&header.entry);
		if (r < 0)
			return r;
	}
}

int tar_create(const struct tar_source *source, struct tar **ret_tar, struct error *err)
{
	struct tar *tar = calloc(1, sizeof *tar);
	if (!tar)
		return error_set(err, ENOMEM, "no memory to read a tar archive");
	tar->source = *source;
	*ret_tar = tar;
	return 0;
}

void tar_free(struct tar *tar)
{
	if (!tar)
		return;
	tar_entry_release(&tar->entry);
	free(tar);
}

int tar_next(struct tar *tar, const struct tar_entry **ret_entry, struct error *err)
{
	if (tar->ended)
		return 0;
	int r = skip(tar, tar->data_left + tar->padding_left, err);
	if (r < 0)
		return r;
	tar->data_left = tar->padding_left = 0;
	tar_entry_release(&tar->entry);
	struct tar_extension extension = { 0 };
	r = read_entry(tar, &extension, err);
	tar_extension_release(&extension);
	*ret_entry = &tar->entry;
	return r;
}

/* Where the next bytes of a sparse file belong, and how many of them. */
static uint64_t sparse_place(struct tar *tar, uint64_t *ret_offset)
{
	const struct tar_entry *entry = &tar->entry;
	while (tar->part < entry->part_count && tar->part_done == entry->parts[tar->part].size) {
		tar->part++;
		tar->part_done = 0;
	}
	const struct tar_part *part = &entry->parts[tar->part];
	*ret_offset = part->offset + tar->part_done;
	return part->size - tar->part_done;
}

int tar_data(struct tar *tar, struct tar_piece *ret_piece, struct error *err)
{
	if (tar->data_left == 0)
		return 0;
	int r = fill(tar, err);
	if (r <= 0)
		return r < 0 ? r : ends_early(err);
	uint64_t most = tar->data_left, offset = tar->entry.stored_size - tar->data_left;
	if (tar->entry.parts)
		most = sparse_place(tar, &offset);
	size_t size = tar->size < most ? tar->size : (size_t)most;
	*ret_piece = (struct tar_piece){ offset, tar->data, size };
	advance(tar, size);
	tar->data_left -= size;
	tar->part_done += size;
	return 1;
}
