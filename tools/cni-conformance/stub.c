/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plugins of our own: the witness's program under another name notes what it
 * is told and answers by its orders, which are files. They stand for the
 * neighbours of the plugin under test: its IPAM, or a member of its list.
 */
#include "conformance.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/file.h"

#define INPUT_MAX (1u << 20)

static char *order(const char *name, const char *what)
{
	char path[PATH_MAX_BYTES];
	char *text = NULL;
	size_t size;
	struct error err;
	snprintf(path, sizeof path, STUB_ORDERS "/%s.%s", name, what);
	return file_read(path, INPUT_MAX, &text, &size, &err) < 0 ? NULL : text;
}

static void note(const char *name, const char *command, const char *what, const char *text)
{
	char path[PATH_MAX_BYTES];
	snprintf(path, sizeof path, STUB_ORDERS "/%s.%s.%s", name, command, what);
	file_put(path, text);
}

static void note_count(const char *name, const char *command)
{
	char path[PATH_MAX_BYTES];
	snprintf(path, sizeof path, STUB_ORDERS "/%s.%s.count", name, command);
	auto_fd fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd >= 0)
		fd_write_all(fd, "x", 1);
}

/* What the container's namespace holds while the stub runs. */
static void note_links(const char *name, const char *command)
{
	const char *netns = getenv("CNI_NETNS");
	auto_words lines = { 0 };
	auto_text text = { 0 };
	if (!netns || !text_starts_with(netns, "/run/netns/"))
		return;
	net_list(netns + strlen("/run/netns/"), &lines);
	for (size_t i = 0; i < lines.count; i++)
		text_append(&text, "%s\n", lines.items[i]);
	note(name, command, "links", text.data ? text.data : "");
}

static void note_call(const char *name, const char *command, const char *input)
{
	auto_text environment = { 0 };
	for (char **item = environ; *item; item++)
		if (text_starts_with(*item, "CNI_"))
			text_append(&environment, "%s\n", *item);
	note(name, command, "stdin", input);
	note(name, command, "env", environment.data ? environment.data : "");
	note_links(name, command);
	note_count(name, command);
}

/* What it hands on in a list: the previous result, as it came. */
static void print_previous(const char *input)
{
	auto_json json = NULL;
	auto_free char *text = NULL;
	struct error err;
	if (json_parse("stdin", input, strlen(input), &json, &err) < 0)
		return;
	struct json_at root = json_root(json, "stdin"), previous = json_member(&root, "prevResult");
	if (previous.value && json_format(previous.value, JSON_COMPACT, &text, &err) == 0)
		printf("%s\n", text);
}

static void print_answer(const char *name, const char *command, const char *input)
{
	char what[64];
	snprintf(what, sizeof what, "%s.output", command);
	auto_free char *own = order(name, what), *common = order(name, "output");
	if (own)
		printf("%s", own);
	else if (text_equal(command, "VERSION"))
		printf("{\"cniVersion\":\"1.1.0\",\"supportedVersions\":[\"0.1.0\",\"0.2.0\","
		       "\"0.3.0\",\"0.3.1\",\"0.4.0\",\"1.0.0\",\"1.1.0\"]}");
	else if (text_equal(command, "ADD") && common)
		printf("%s", common);
	else if (text_equal(command, "ADD"))
		print_previous(input);
}

int stub_main(const char *name)
{
	const char *command = getenv("CNI_COMMAND");
	auto_free char *input = NULL;
	size_t size;
	struct error err;
	char what[64];
	if (!command || file_read_fd(0, "stdin", INPUT_MAX, &input, &size, &err) < 0)
		return 1;
	note_call(name, command, input);
	snprintf(what, sizeof what, "%s.sleep", command);
	auto_free char *sleeps = order(name, what);
	if (sleeps)
		nanosleep(&(struct timespec){ .tv_sec = 3600 }, NULL);
	fprintf(stderr, "stub %s was here\n", name);
	print_answer(name, command, input);
	fflush(stdout);
	snprintf(what, sizeof what, "%s.exit", command);
	auto_free char *exit_text = order(name, what);
	uint64_t status = 0;
	if (exit_text && text_to_unsigned(exit_text, 0, 255, &status) < 0)
		status = 1;
	return (int)status;
}

void stub_make(struct world *world, const char *name, const char *answer)
{
	char path[PATH_MAX_BYTES];
	snprintf(path, sizeof path, STUB_FOLDER "/%s", name);
	if (symlink(world->settings->program, path) < 0 && access(path, X_OK) < 0) {
		show(world, "%s", path);
		claim(world, false, "the witness can make a stub");
	}
	if (answer)
		stub_order(name, "output", answer);
}

void stub_order(const char *name, const char *what, const char *text)
{
	char path[PATH_MAX_BYTES];
	auto_free char *copy = strdup(text);
	for (char *c = copy; *c; c++)
		if (*c == '\'')
			*c = '"';
	snprintf(path, sizeof path, STUB_ORDERS "/%s.%s", name, what);
	file_put(path, copy);
}

char *stub_note(const char *name, const char *command, const char *what)
{
	char noted[64];
	snprintf(noted, sizeof noted, "%s.%s", command, what);
	return order(name, noted);
}

int stub_count(const char *name, const char *command)
{
	auto_free char *count = stub_note(name, command, "count");
	return count ? (int)strlen(count) : 0;
}
