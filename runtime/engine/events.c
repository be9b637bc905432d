/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log of events: every verb appends a line of JSON to
 * ROOT/run/wherry/events/log. At a size it becomes log.1, in whose place the
 * older one goes. Who follows waits for inotify.
 */
#include "events.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/loop.h"

#define LOG_SIZE_MAX (1 << 20) /* bytes of one of the two files */
#define LINE_SIZE_MAX (1u << 16)
#define LOCK_MS 1000

static struct path events_path(const struct engine *engine, const char *name)
{
	struct path path;
	snprintf(path.text, sizeof path.text, "%s/events%s%s", engine->instance.run,
		 *name ? "/" : "", name);
	return path;
}

/* --- writing ------------------------------------------------------------------------------ */

static void put_attributes(const struct engine_event *event, struct json_t *actor)
{
	struct json_t *attributes = json_new_object();
	for (size_t i = 0; i < event->attributes.count; i++) {
		const char *text = event->attributes.items[i];
		size_t size = strcspn(text, "=");
		auto_free char *key = strndup(text, size);
		if (key)
			json_put_string(attributes, key, text[size] ? text + size + 1 : "");
	}
	json_put(actor, "Attributes", attributes);
}

static int format_event(const struct engine_event *event, char **ret_line, struct error *err)
{
	int64_t now_ns = clock_wall_ns();
	auto_json object = json_new_object();
	struct json_t *actor = json_new_object();
	if (text_equal(event->type, "container")) { /* as Docker still has it beside Actor */
		json_put_string(object, "status", event->action);
		json_put_string(object, "id", event->id);
		json_put_string(object, "from", event->image ? event->image : "");
	}
	json_put_string(object, "Type", event->type);
	json_put_string(object, "Action", event->action);
	json_put_string(actor, "ID", event->id);
	put_attributes(event, actor);
	json_put(object, "Actor", actor);
	json_put_string(object, "scope", "local");
	json_put_integer(object, "time", now_ns / 1000000000);
	json_put_integer(object, "timeNano", now_ns);
	return json_format(object, JSON_COMPACT, ret_line, err);
}

static int append_line(struct engine *engine, const char *line, struct error *err)
{
	auto_fd lock_fd = -1, fd = -1;
	struct stat st;
	auto_text text = { 0 };
	struct path log = events_path(engine, "log"), old = events_path(engine, "log.1");
	int r = directory_make(events_path(engine, "").text, 0755, err);
	if (r == 0)
		r = lock_take(events_path(engine, "lock").text, LOCK_MS, &lock_fd, err);
	if (r < 0)
		return r;
	if (stat(log.text, &st) == 0 && st.st_size > LOG_SIZE_MAX)
		(void)rename(log.text, old.text);
	fd = open(log.text, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_set_errno(err, errno, "%s", log.text);
	/* A full disk may have left half a line. */
	text_append(&text, "%s\n", line);
	r = text.failed ? -ENOMEM : fd_write_all(fd, text.data, text.size);
	if (r < 0 && fstat(fd, &st) == 0)
		(void)fd_write_all(fd, "\n", 1);
	return r < 0 ? error_set_errno(err, -r, "%s", log.text) : 0;
}

void engine_event(struct engine *engine, const struct engine_event *event)
{
	auto_free char *line = NULL;
	struct error err;
	int r = format_event(event, &line, &err);
	if (r == 0 && strlen(line) < LINE_SIZE_MAX)
		r = append_line(engine, line, &err);
	if (r < 0)
		engine_warn(engine, "an event was not written down: %s", err.text);
}

void event_container(struct engine *engine, const struct container *container, const char *action,
		     const char *key, const char *value)
{
	struct engine_event event = { .type = "container",
				      .action = action,
				      .id = container->id,
				      .image = container->image };
	struct error ignored;
	(void)container_words(container, "labels", &event.attributes, &ignored);
	if (key)
		(void)words_append_format(&event.attributes, &ignored, "%s=%s", key, value);
	(void)words_append_format(&event.attributes, &ignored, "image=%s", container->image);
	(void)words_append_format(&event.attributes, &ignored, "name=%s", container->name);
	engine_event(engine, &event);
	words_free(&event.attributes);
}

void event_network(struct engine *engine, const char *id, const char *name, const char *action,
		   const char *container_id)
{
	struct engine_event event = { .type = "network", .action = action, .id = id };
	struct error ignored;
	if (container_id)
		(void)words_append_format(&event.attributes, &ignored, "container=%s",
					  container_id);
	(void)words_append_format(&event.attributes, &ignored, "name=%s", name);
	(void)words_append(&event.attributes, "type=bridge", &ignored);
	engine_event(engine, &event);
	words_free(&event.attributes);
}

void event_volume(struct engine *engine, const char *name, const char *action)
{
	struct engine_event event = { .type = "volume", .action = action, .id = name };
	struct error ignored;
	(void)words_append(&event.attributes, "driver=local", &ignored);
	engine_event(engine, &event);
	words_free(&event.attributes);
}

/* --- reading -------------------------------------------------------------------------------- */

struct event_reader {
	struct path log, old;
	int inotify_fd;
	FILE *file; /* the one being read; NULL: none yet */
	char *line;
	size_t capacity, used; /* used: bytes of a line that has no end yet */
};

void event_reader_free(struct event_reader *reader)
{
	if (!reader)
		return;
	cleanup_fd(&reader->inotify_fd);
	cleanup_file(&reader->file);
	free(reader->line);
	free(reader);
}

int event_reader_open(struct engine *engine, enum event_begin begin,
		      struct event_reader **ret_reader, struct error *err)
{
	struct path folder = events_path(engine, "");
	int r = directory_make(folder.text, 0755, err);
	AUTO(event_reader) reader = r < 0 ? NULL : calloc(1, sizeof *reader);
	if (!reader)
		return r < 0 ? r : error_set(err, ENOMEM, "no memory for events");
	reader->log = events_path(engine, "log");
	reader->old = events_path(engine, "log.1");
	reader->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (reader->inotify_fd < 0 || inotify_add_watch(reader->inotify_fd, folder.text,
							IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0)
		return error_set_errno(err, errno, "watch %s", folder.text);
	if (begin == EVENTS_ALL) {
		reader->file = fopen(reader->old.text, "re");
	} else {
		reader->file = fopen(reader->log.text, "re");
		if (reader->file)
			(void)fseek(reader->file, 0, SEEK_END);
	}
	*ret_reader = TAKE(reader);
	return 0;
}

/* The file that is read has become log.1, or was that all the time: there is a newer one. */
static bool take_newer(struct event_reader *reader)
{
	struct stat ours, theirs;
	if (stat(reader->log.text, &theirs) < 0)
		return false;
	if (reader->file && fstat(fileno(reader->file), &ours) == 0 &&
	    ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev)
		return false;
	FILE *file = fopen(reader->log.text, "re");
	if (!file)
		return false;
	cleanup_file(&reader->file);
	reader->file = file;
	return true;
}

/* A whole line, 1; or 0: there is none now. */
static int read_line(struct event_reader *reader, struct error *err)
{
	if (!reader->line) {
		reader->capacity = LINE_SIZE_MAX;
		reader->line = malloc(reader->capacity);
		if (!reader->line)
			return error_set(err, ENOMEM, "no memory for an event");
	}
	clearerr(reader->file);
	for (int c; (c = getc(reader->file)) != EOF;) {
		if (c == '\n') {
			reader->line[reader->used] = 0;
			reader->used = 0;
			return 1;
		}
		if (reader->used + 1 < reader->capacity)
			reader->line[reader->used++] = (char)c;
	}
	return 0;
}

int event_reader_next(struct event_reader *reader, struct json_t **ret_event, struct error *err)
{
	for (;;) {
		struct error ignored;
		int r = reader->file ? read_line(reader, err) : 0;
		if (r < 0)
			return r;
		if (r == 1 && json_parse("event", reader->line, strlen(reader->line), ret_event,
					 &ignored) == 0)
			return 1; /* else a line that a full disk has cut */
		if (r == 0 && !take_newer(reader))
			return 0;
		if (r == 0)
			reader->used = 0;
	}
}

int event_reader_fd(const struct event_reader *reader)
{
	return reader->inotify_fd;
}

void event_reader_clear(struct event_reader *reader)
{
	char buffer[4096];
	struct pollfd fd = { .fd = reader->inotify_fd, .events = POLLIN };
	if (poll(&fd, 1, 0) > 0)
		(void)!read(reader->inotify_fd, buffer, sizeof buffer);
}
