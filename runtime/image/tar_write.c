/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes tar archives: ustar headers, pax records where those are too small.
 */
#include "tar_write.h"

#include <errno.h>
#include <string.h>

#include "base/file.h"

#define BUFFER_SIZE (256u << 10)
#define NAME_SIZE 100
#define OCTAL_7 07777777u        /* largest number of an 8 byte field */
#define OCTAL_11 077777777777ull /* of a 12 byte field */

struct tar_writer {
	int fd;
	const char *prefix; /* NULL: none */
	struct hash *hash;
	uint64_t size;
	size_t used;
	uint8_t buffer[BUFFER_SIZE];
};

int tar_writer_create(int fd, struct tar_writer **ret_writer, struct error *err)
{
	AUTO(tar_writer) writer = malloc(sizeof *writer);
	if (!writer)
		return error_set(err, ENOMEM, "no memory to write a tar archive");
	writer->fd = fd;
	writer->prefix = NULL;
	writer->hash = NULL;
	writer->size = 0;
	writer->used = 0;
	int r = hash_create(&writer->hash, err);
	if (r == 0)
		*ret_writer = TAKE(writer);
	return r;
}

void tar_writer_free(struct tar_writer *writer)
{
	if (!writer)
		return;
	hash_free(writer->hash);
	free(writer);
}

static int flush(struct tar_writer *writer, struct error *err)
{
	hash_update(writer->hash, writer->buffer, writer->used);
	int r = fd_write_all(writer->fd, writer->buffer, writer->used);
	writer->used = 0;
	return r < 0 ? error_set_errno(err, -r, "write a layer") : 0;
}

int tar_writer_data(struct tar_writer *writer, const void *data, size_t size, struct error *err)
{
	const uint8_t *at = data;
	writer->size += size;
	while (size > 0) {
		size_t room = BUFFER_SIZE - writer->used, step = size < room ? size : room;
		memcpy(writer->buffer + writer->used, at, step);
		writer->used += step;
		at += step;
		size -= step;
		int r = writer->used == BUFFER_SIZE ? flush(writer, err) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

int tar_writer_end_data(struct tar_writer *writer, struct error *err)
{
	static const uint8_t zeros[TAR_BLOCK];
	return tar_writer_data(writer, zeros, (size_t)(-writer->size % TAR_BLOCK), err);
}

static void add_record(struct text *out, const char *key, const void *value, size_t size)
{
	size_t rest = strlen(key) + size + 3, length = rest + 1; /* blank, '=', newline */
	for (;;) {
		size_t digits = (size_t)snprintf(NULL, 0, "%zu", length);
		if (digits + rest == length)
			break;
		length = digits + rest;
	}
	text_append(out, "%zu %s=", length, key);
	text_append_bytes(out, value, size);
	text_append(out, "\n");
}

static void add_number(struct text *out, const char *key, uint64_t number)
{
	char text[24];
	int size = snprintf(text, sizeof text, "%llu", (unsigned long long)number);
	add_record(out, key, text, (size_t)size);
}

static void add_records(struct text *out, const struct tar_entry *entry)
{
	char key[512];
	if (strlen(entry->path) > NAME_SIZE)
		add_record(out, "path", entry->path, strlen(entry->path));
	if (entry->link && strlen(entry->link) > NAME_SIZE)
		add_record(out, "linkpath", entry->link, strlen(entry->link));
	if (entry->uid > OCTAL_7)
		add_number(out, "uid", entry->uid);
	if (entry->gid > OCTAL_7)
		add_number(out, "gid", entry->gid);
	if (entry->type == TAR_FILE && entry->size > OCTAL_11)
		add_number(out, "size", entry->size);
	for (size_t i = 0; i < entry->xattr_count; i++) {
		snprintf(key, sizeof key, "SCHILY.xattr.%s", entry->xattrs[i].name);
		add_record(out, key, entry->xattrs[i].value, entry->xattrs[i].size);
	}
}

static void put_octal(uint8_t *field, size_t size, uint64_t number)
{
	char text[24];
	snprintf(text, sizeof text, "%0*llo", (int)size - 1, (unsigned long long)number);
	memcpy(field, text, size - 1); /* what is too large stands in a pax record */
}

static int put_header(struct tar_writer *writer, const struct tar_entry *entry, char type,
		      uint64_t size, struct error *err)
{
	uint8_t block[TAR_BLOCK] = { 0 };
	uint64_t sum = 0, mtime = entry->mtime_s > 0 ? (uint64_t)entry->mtime_s : 0;
	memcpy(block, entry->path, strnlen(entry->path, NAME_SIZE));
	put_octal(block + 100, 8, entry->mode);
	put_octal(block + 108, 8, entry->uid > OCTAL_7 ? 0 : entry->uid);
	put_octal(block + 116, 8, entry->gid > OCTAL_7 ? 0 : entry->gid);
	put_octal(block + 124, 12, size > OCTAL_11 ? 0 : size);
	put_octal(block + 136, 12, mtime > OCTAL_11 ? OCTAL_11 : mtime);
	memset(block + 148, ' ', 8);
	block[156] = (uint8_t)type;
	if (entry->link)
		memcpy(block + 157, entry->link, strnlen(entry->link, NAME_SIZE));
	memcpy(block + 257, "ustar\00000", 8);
	put_octal(block + 329, 8, entry->major);
	put_octal(block + 337, 8, entry->minor);
	for (size_t i = 0; i < TAR_BLOCK; i++)
		sum += block[i];
	put_octal(block + 148, 7, sum);
	block[154] = 0;
	return tar_writer_data(writer, block, TAR_BLOCK, err);
}

static int write_entry(struct tar_writer *writer, const struct tar_entry *entry, struct error *err)
{
	static const char types[] = {
		[TAR_FILE] = '0',      [TAR_HARDLINK] = '1',     [TAR_SYMLINK] = '2',
		[TAR_CHARACTER] = '3', [TAR_BLOCK_DEVICE] = '4', [TAR_DIRECTORY] = '5',
		[TAR_FIFO] = '6'
	};
	auto_text records = { 0 };
	add_records(&records, entry);
	if (records.failed)
		return error_set(err, ENOMEM, "no memory to write a tar archive");
	int r = 0;
	if (records.size > 0) {
		struct tar_entry header = { .path = (char[]){ "PaxHeaders/x" }, .mode = 0644 };
		r = put_header(writer, &header, 'x', records.size, err);
		if (r == 0)
			r = tar_writer_data(writer, records.data, records.size, err);
		if (r == 0)
			r = tar_writer_end_data(writer, err);
	}
	if (r < 0)
		return r;
	return put_header(writer, entry, types[entry->type],
			  entry->type == TAR_FILE ? entry->size : 0, err);
}

void tar_writer_set_prefix(struct tar_writer *writer, const char *prefix)
{
	writer->prefix = prefix;
}

static int prefixed(const char *prefix, const char *path, char **ret_path, struct error *err)
{
	return text_format(ret_path, err, "%s%s%s", prefix, *path ? "/" : "", path);
}

int tar_writer_entry(struct tar_writer *writer, const struct tar_entry *entry, struct error *err)
{
	auto_free char *path = NULL, *link = NULL;
	struct tar_entry named = *entry;
	if (!writer->prefix)
		return write_entry(writer, entry, err);
	int r = prefixed(writer->prefix, entry->path, &path, err);
	if (r == 0 && entry->type == TAR_HARDLINK)
		r = prefixed(writer->prefix, entry->link, &link, err);
	named.path = path;
	if (link)
		named.link = link;
	return r < 0 ? r : write_entry(writer, &named, err);
}

int tar_writer_finish(struct tar_writer *writer, struct digest *ret_digest, uint64_t *ret_size,
		      struct error *err)
{
	static const uint8_t zeros[2 * TAR_BLOCK];
	int r = tar_writer_data(writer, zeros, sizeof zeros, err);
	if (r == 0)
		r = flush(writer, err);
	if (r < 0)
		return r;
	*ret_digest = hash_finish(writer->hash);
	*ret_size = writer->size;
	return 0;
}
