/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The log of a container: Docker's json-file format, a record a line, whole
 * records only. Beyond a size the file becomes log.1, log.1 becomes log.2, and
 * the last one goes. A line over LOG_LINE_MAX is several records, of which only
 * the last ends with a newline. Bytes that are no UTF-8 become U+FFFD.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

#define LOG_LINE_MAX 16384           /* bytes in one record, as Docker has it */
#define LOG_SIZE_DEFAULT (10u << 20) /* bytes of one file */
#define LOG_FILES_DEFAULT 3
#define LOG_FILES_MAX 100

enum log_stream { LOG_STDOUT, LOG_STDERR, LOG_STREAM_COUNT };

struct log_limits {
	uint64_t file_size_bytes;
	unsigned files;
};

struct log_writer;
/** Opens or makes DIR/log; a record that a crash left half is cut off. */
int log_writer_open(const char *dir, struct log_limits limits, struct log_writer **ret_writer,
		    struct error *err);
/** Ends open lines first. */
void log_writer_free(struct log_writer *writer);
DEFINE_FREEP(log_writer)
/**
 * Takes bytes of a stream; each full line is written at once. A full disk loses
 * whole records and never stops the container.
 */
void log_writer_take(struct log_writer *writer, enum log_stream stream, const void *data,
		     size_t size);
/** Writes what is left of lines without an end. */
void log_writer_flush(struct log_writer *writer);

struct log_record {
	enum log_stream stream;
	int64_t time_ns;
	const char *time; /* as in the file */
	const char *text; /* with its newline */
	size_t size;
};
struct log_query {
	int64_t since_ns, until_ns; /* 0: no limit */
	int64_t tail;               /* last records; -1: all */
};
struct log_reader;
int log_reader_open(const char *dir, const struct log_query *query, struct log_reader **ret_reader,
		    struct error *err);
void log_reader_free(struct log_reader *reader);
DEFINE_FREEP(log_reader)
/**
 * The next record, lent until the next call. 1, or 0 when there is none now:
 * after more has been written, call again. Follows rotation without loss.
 */
int log_reader_next(struct log_reader *reader, struct log_record *ret_record, struct error *err);
/** Readable when something in the log's directory has changed (inotify); -1 if not there. */
int log_reader_fd(const struct log_reader *reader);
/** Waits at most timeout_ms for a change, or until other_fd (-1: none) is readable: then returns 1.
 */
int log_reader_wait(struct log_reader *reader, int other_fd, int timeout_ms);
