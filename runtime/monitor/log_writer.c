/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/loop.h"
#include "base/text.h"
#include "runtime/log_file.h"

#define PATH_SIZE 1024
#define BATCH_SIZE 65536 /* bytes that are written at once */

struct line {
	size_t size;
	char data[LOG_LINE_MAX];
};

struct log_writer {
	char dir[PATH_SIZE];
	struct log_limits limits;
	int fd;
	uint64_t size_bytes; /* of the file */
	struct text batch;   /* records of one call */
	struct line lines[LOG_STREAM_COUNT];
};

static const char *const stream_names[] = { "stdout", "stderr" };

/* The file's name, or that of an older one. */
static void log_path(const char *dir, unsigned age, char *path)
{
	if (age)
		snprintf(path, PATH_SIZE + 16, "%s/log.%u", dir, age);
	else
		snprintf(path, PATH_SIZE + 16, "%s/log", dir);
}

/* Bytes of a valid UTF-8 sequence at text; 0 if it is none. */
static size_t utf8_length(const unsigned char *text, size_t size)
{
	size_t length = text[0] < 0x80   ? 1
			: text[0] < 0xc2 ? 0
			: text[0] < 0xe0 ? 2
			: text[0] < 0xf0 ? 3
			: text[0] < 0xf5 ? 4
					 : 0;
	if (length > size)
		return 0;
	for (size_t i = 1; i < length; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	if (length == 3 &&
	    ((text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xed && text[1] > 0x9f)))
		return 0;
	if (length == 4 &&
	    ((text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] > 0x8f)))
		return 0;
	return length;
}

static void append_escape(struct text *out, unsigned char byte)
{
	switch (byte) {
	case '\n':
		text_append_bytes(out, "\\n", 2);
		break;
	case '\r':
		text_append_bytes(out, "\\r", 2);
		break;
	case '\t':
		text_append_bytes(out, "\\t", 2);
		break;
	case '"':
	case '\\':
		text_append_bytes(out, "\\", 1);
		text_append_bytes(out, &byte, 1);
		break;
	default:
		text_append(out, "\\u%04x", byte);
	}
}

static bool is_plain(unsigned char byte)
{
	return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

static void append_escaped(struct text *out, const char *data, size_t size)
{
	const unsigned char *at = (const unsigned char *)data, *end = at + size;
	while (at < end) {
		const unsigned char *plain = at;
		while (at < end && is_plain(*at))
			at++;
		text_append_bytes(out, plain, (size_t)(at - plain));
		if (at == end)
			return;
		size_t length = utf8_length(at, (size_t)(end - at));
		if (length == 0 || *at == 0) { /* readers of JSON take no NUL */
			text_append_bytes(out, "\xef\xbf\xbd", 3);
			length = 1;
		} else if (length == 1) {
			append_escape(out, *at);
		} else {
			text_append_bytes(out, at, length);
		}
		at += length;
	}
}

static void append_record(struct log_writer *writer, enum log_stream stream, const char *time,
			  const char *data, size_t size)
{
	struct text *out = &writer->batch;
	text_append_bytes(out, "{\"log\":\"", 8);
	append_escaped(out, data, size);
	text_append(out, "\",\"stream\":\"%s\",\"time\":\"%s\"}\n", stream_names[stream], time);
}

/* A record that ends without its newline was cut by a crash. */
static int cut_half_record(int fd, uint64_t *ret_size)
{
	char tail[4096];
	off_t size = lseek(fd, 0, SEEK_END);
	while (size > 0) {
		off_t start = size > (off_t)sizeof tail ? size - (off_t)sizeof tail : 0;
		ssize_t got = pread(fd, tail, (size_t)(size - start), start);
		if (got <= 0)
			break;
		const char *newline = memrchr(tail, '\n', (size_t)got);
		if (newline) {
			size = start + (newline - tail) + 1;
			break;
		}
		size = start;
	}
	*ret_size = (uint64_t)(size > 0 ? size : 0);
	return ftruncate(fd, size > 0 ? size : 0);
}

static int open_file(struct log_writer *writer, int flags)
{
	char path[PATH_SIZE + 16];
	log_path(writer->dir, 0, path);
	int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | flags, 0640);
	if (fd < 0)
		return -errno;
	if (writer->fd >= 0)
		close(writer->fd);
	writer->fd = fd;
	return cut_half_record(fd, &writer->size_bytes);
}

static void rotate(struct log_writer *writer)
{
	char from[PATH_SIZE + 16], to[PATH_SIZE + 16];
	if (writer->limits.files < 2) {
		if (ftruncate(writer->fd, 0) == 0)
			writer->size_bytes = 0;
		return;
	}
	for (unsigned age = writer->limits.files - 1; age > 0; age--) {
		log_path(writer->dir, age - 1, from);
		log_path(writer->dir, age, to);
		(void)rename(from, to);
	}
	(void)open_file(writer, 0);
}

static void write_batch(struct log_writer *writer)
{
	struct text *batch = &writer->batch;
	if (!batch->failed && batch->size) {
		if (writer->size_bytes &&
		    writer->size_bytes + batch->size > writer->limits.file_size_bytes)
			rotate(writer);
		if (fd_write_all(writer->fd, batch->data, batch->size) == 0)
			writer->size_bytes += batch->size;
		else if (ftruncate(writer->fd, (off_t)writer->size_bytes) < 0)
			(void)cut_half_record(writer->fd, &writer->size_bytes);
	}
	batch->size = 0;
	batch->failed = false;
}

/* Records of short lines are many times their bytes: no batch is larger than a file may be. */
static void write_if_large(struct log_writer *writer)
{
	if (writer->batch.size >= BATCH_SIZE ||
	    writer->batch.size >= writer->limits.file_size_bytes / 2)
		write_batch(writer);
}

int log_writer_open(const char *dir, struct log_limits limits, struct log_writer **ret_writer,
		    struct error *err)
{
	AUTO(log_writer) writer = calloc(1, sizeof *writer);
	if (!writer)
		return error_set(err, ENOMEM, "no memory for a log");
	writer->fd = -1;
	writer->limits = limits;
	snprintf(writer->dir, sizeof writer->dir, "%s", dir);
	int r = open_file(writer, 0);
	if (r < 0)
		return error_set_errno(err, -r, "log of %s", dir);
	*ret_writer = TAKE(writer);
	return 0;
}

void log_writer_free(struct log_writer *writer)
{
	if (!writer)
		return;
	if (writer->fd >= 0) {
		log_writer_flush(writer);
		close(writer->fd);
	}
	text_free(&writer->batch);
	free(writer);
}

void log_writer_take(struct log_writer *writer, enum log_stream stream, const void *data,
		     size_t size)
{
	struct line *line = &writer->lines[stream];
	const char *at = data, *end = at + size;
	char time[TIME_TEXT_MAX];
	time_format(clock_wall_ns(), time);
	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t part = newline ? (size_t)(newline - at) + 1 : (size_t)(end - at);
		if (part > sizeof line->data - line->size) {
			part = sizeof line->data - line->size;
			newline = NULL;
		}
		if (newline && !line->size) {
			append_record(writer, stream, time, at, part);
			at += part;
			write_if_large(writer);
			continue;
		}
		memcpy(line->data + line->size, at, part);
		line->size += part;
		at += part;
		if (newline || line->size == sizeof line->data) {
			append_record(writer, stream, time, line->data, line->size);
			line->size = 0;
			write_if_large(writer);
		}
	}
	write_batch(writer);
}

void log_writer_flush(struct log_writer *writer)
{
	char time[TIME_TEXT_MAX];
	time_format(clock_wall_ns(), time);
	for (int stream = 0; stream < LOG_STREAM_COUNT; stream++) {
		struct line *line = &writer->lines[stream];
		if (line->size)
			append_record(writer, stream, time, line->data, line->size);
		line->size = 0;
	}
	write_batch(writer);
}
