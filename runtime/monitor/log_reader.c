/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "runtime/log_file.h"

#define PATH_SIZE 1024
#define RECORD_SIZE_MAX (LOG_LINE_MAX * 6 + 256) /* all of it escaped as \uXXXX */
#define CHUNK 65536

struct log_reader {
	char dir[PATH_SIZE];
	struct log_query query;
	int fd; /* file that is read; -1: none yet */
	int inotify_fd;
	char *buffer; /* bytes read and not handed out */
	size_t start, end, capacity;
	struct json_t *document; /* of the record that is lent */
	int64_t skip;            /* records before the tail */
};

static void log_path(const char *dir, unsigned age, char *path)
{
	if (age)
		snprintf(path, PATH_SIZE + 16, "%s/log.%u", dir, age);
	else
		snprintf(path, PATH_SIZE + 16, "%s/log", dir);
}

static int open_age(const struct log_reader *reader, unsigned age)
{
	char path[PATH_SIZE + 16];
	log_path(reader->dir, age, path);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* The oldest file there is; -1: none at all. */
static int find_oldest(const struct log_reader *reader)
{
	struct stat st;
	char path[PATH_SIZE + 16];
	int oldest = -1;
	for (unsigned age = 0; age < LOG_FILES_MAX; age++) {
		log_path(reader->dir, age, path);
		if (stat(path, &st) == 0)
			oldest = (int)age;
		else if (age)
			break;
	}
	return oldest;
}

/* The age that the file we read has by now; -1: rotated away. */
static int current_age(const struct log_reader *reader)
{
	struct stat own, st;
	char path[PATH_SIZE + 16];
	if (fstat(reader->fd, &own) < 0)
		return -1;
	for (unsigned age = 0; age < LOG_FILES_MAX; age++) {
		log_path(reader->dir, age, path);
		if (stat(path, &st) == 0 && st.st_ino == own.st_ino && st.st_dev == own.st_dev)
			return (int)age;
	}
	return -1;
}

/* Goes on with the file written after the one that is read. 1: there is one. */
static int next_file(struct log_reader *reader)
{
	int age = reader->fd < 0 ? find_oldest(reader) + 1 : current_age(reader);
	if (age < 0)
		age = find_oldest(reader) + 1;
	if (age == 0)
		return 0;
	int fd = open_age(reader, (unsigned)age - 1);
	if (fd < 0)
		return 0;
	if (reader->fd >= 0)
		close(reader->fd);
	reader->fd = fd;
	return 1;
}

static int fill(struct log_reader *reader)
{
	if (reader->start) {
		memmove(reader->buffer, reader->buffer + reader->start,
			reader->end - reader->start);
		reader->end -= reader->start;
		reader->start = 0;
	}
	if (reader->capacity - reader->end < CHUNK) {
		char *bigger = realloc(reader->buffer, reader->capacity + CHUNK);
		if (!bigger)
			return -ENOMEM;
		reader->buffer = bigger;
		reader->capacity += CHUNK;
	}
	if (reader->fd < 0)
		return 0;
	ssize_t got =
		read(reader->fd, reader->buffer + reader->end, reader->capacity - reader->end);
	if (got < 0)
		return -errno;
	reader->end += (size_t)got;
	return got > 0;
}

/* A whole line of the files. 1, or 0: none now. */
static int next_line(struct log_reader *reader, char **ret_line, size_t *ret_size,
		     struct error *err)
{
	for (;;) {
		char *begin = reader->buffer + reader->start;
		size_t left = reader->end - reader->start;
		char *newline = left ? memchr(begin, '\n', left) : NULL;
		if (newline) {
			*ret_line = begin;
			*ret_size = (size_t)(newline - begin);
			reader->start += *ret_size + 1;
			return 1;
		}
		if (left > RECORD_SIZE_MAX)
			return error_set(err, EBADMSG, "%s/log: a record is over %d bytes",
					 reader->dir, RECORD_SIZE_MAX);
		/* The name is asked before the end of the file is: a rotation between loses
		 * nothing. */
		bool rotated = reader->fd < 0 || current_age(reader) != 0;
		int r = fill(reader);
		if (r == 0 && rotated)
			r = next_file(reader);
		if (r < 0)
			return error_set_errno(err, -r, "%s/log", reader->dir);
		if (r == 0)
			return 0;
	}
}

/* "2026-01-02T03:04:05.123456789Z" in nanoseconds; 0 if it is no such time. */
static int64_t parse_time(const char *text)
{
	struct tm tm = { 0 };
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	if (!rest)
		return 0;
	int64_t ns = 0, unit = 100000000;
	if (*rest == '.')
		for (rest++; *rest >= '0' && *rest <= '9'; rest++, unit /= 10)
			ns += (*rest - '0') * unit;
	return (int64_t)timegm(&tm) * 1000000000 + ns;
}

/* Gate: a line of the file. A line that is no record is an error with its text. */
static int parse_record(struct log_reader *reader, const char *line, size_t size,
			struct log_record *ret, struct error *err)
{
	const char *text = NULL, *stream = NULL, *time = NULL;
	json_free(TAKE(reader->document));
	int r = json_parse(reader->dir, line, size, &reader->document, err);
	if (r < 0)
		return r;
	struct json_at root = json_root(reader->document, reader->dir);
	r = json_get_string(&root, "log", JSON_REQUIRED, &text, err);
	if (r == 0)
		r = json_get_string(&root, "stream", JSON_REQUIRED, &stream, err);
	if (r == 0)
		r = json_get_string(&root, "time", JSON_REQUIRED, &time, err);
	if (r < 0)
		return r;
	*ret = (struct log_record){
		.stream = strcmp(stream, "stderr") == 0 ? LOG_STDERR : LOG_STDOUT,
		.time_ns = parse_time(time),
		.time = time,
		.text = text,
		.size = strlen(text),
	};
	return 1;
}

static int count_records(struct log_reader *reader, int64_t *ret_count, struct error *err)
{
	char *line;
	size_t size;
	int r;
	*ret_count = 0;
	while ((r = next_line(reader, &line, &size, err)) == 1)
		++*ret_count;
	return r;
}

static void rewind_reader(struct log_reader *reader)
{
	if (reader->fd >= 0)
		close(reader->fd);
	reader->fd = -1;
	reader->start = reader->end = 0;
	(void)next_file(reader);
}

int log_reader_open(const char *dir, const struct log_query *query, struct log_reader **ret_reader,
		    struct error *err)
{
	AUTO(log_reader) reader = calloc(1, sizeof *reader);
	if (!reader)
		return error_set(err, ENOMEM, "no memory for a log");
	reader->fd = -1;
	reader->query = *query;
	snprintf(reader->dir, sizeof reader->dir, "%s", dir);
	reader->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (reader->inotify_fd < 0 ||
	    inotify_add_watch(reader->inotify_fd, dir, IN_MODIFY | IN_MOVE | IN_CREATE) < 0)
		return error_set_errno(err, errno, "log of %s", dir);
	rewind_reader(reader);
	if (query->tail >= 0) {
		int64_t count;
		int r = count_records(reader, &count, err);
		if (r < 0)
			return r;
		reader->skip = count > query->tail ? count - query->tail : 0;
		rewind_reader(reader);
	}
	*ret_reader = TAKE(reader);
	return 0;
}

void log_reader_free(struct log_reader *reader)
{
	if (!reader)
		return;
	if (reader->fd >= 0)
		close(reader->fd);
	if (reader->inotify_fd >= 0)
		close(reader->inotify_fd);
	json_free(reader->document);
	free(reader->buffer);
	free(reader);
}

int log_reader_next(struct log_reader *reader, struct log_record *ret_record, struct error *err)
{
	for (;;) {
		char *line;
		size_t size;
		int r = next_line(reader, &line, &size, err);
		if (r <= 0)
			return r;
		if (reader->skip > 0) {
			reader->skip--;
			continue;
		}
		r = parse_record(reader, line, size, ret_record, err);
		if (r < 0)
			return r;
		if (reader->query.since_ns && ret_record->time_ns < reader->query.since_ns)
			continue;
		if (reader->query.until_ns && ret_record->time_ns > reader->query.until_ns)
			continue;
		return 1;
	}
}

int log_reader_fd(const struct log_reader *reader)
{
	return reader->inotify_fd;
}

int log_reader_wait(struct log_reader *reader, int other_fd, int timeout_ms)
{
	char events[4096];
	struct pollfd fds[2] = { { .fd = reader->inotify_fd, .events = POLLIN },
				 { .fd = other_fd, .events = POLLIN } };
	(void)poll(fds, 2, timeout_ms);
	while (read(reader->inotify_fd, events, sizeof events) > 0)
		continue;
	return fds[1].revents != 0;
}
