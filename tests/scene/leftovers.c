/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is there, as lines: for the comparison of before and after, and for
 * the end of a scene, which must have none but its own.
 */
#include "private.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/process.h"
#include "netlink.h"

#define PROC_FILE_MAX (4u << 20)
#define TREE_PATH_MAX 2048

static void add_line(struct words *lines, const char *kind, const char *place, const char *what)
{
	struct error err;
	MUST(words_append_format(lines, &err, "%s %s%s%s", kind, place, what[0] ? " " : "", what),
	     err);
}

static char *read_all(const char *path)
{
	char *text;
	size_t size;
	struct error err;
	MUST(file_read(path, PROC_FILE_MAX, &text, &size, &err), err);
	return text;
}

char *scene_list_devices(void)
{
	auto_free char *text = read_all("/proc/thread-self/net/dev");
	auto_text names = { 0 };
	char *rest = text, *line, *ret;
	struct error err;
	while ((line = strsep(&rest, "\n"))) {
		char *colon = strchr(line, ':');
		if (colon)
			text_append(&names, "%.*s\n", (int)(colon - line) - (int)strspn(line, " "),
				    line + strspn(line, " "));
	}
	MUST(text_take(&names, &ret, &err), err);
	return ret;
}

static bool has_line(const char *lines, const char *line)
{
	size_t size = strlen(line);
	for (const char *at = lines; (at = strstr(at, line)); at += size)
		if ((at == lines || at[-1] == '\n') && at[size] == '\n')
			return true;
	return false;
}

/* A visit to one namespace of the scene. */
struct visit {
	const struct scene *scene;
	const struct scene_netns *netns;
	struct words *lines;
};

static bool is_cable(const struct visit *visit, const char *device)
{
	for (size_t i = 0; i < visit->scene->cable_count; i++)
		if (text_equal(visit->scene->cables[i].host, visit->netns->name) &&
		    text_equal(visit->scene->cables[i].device, device))
			return true;
	return false;
}

static void add_qdisc(const char *device, const char *kind, void *context)
{
	struct visit *visit = context;
	char place[2 * SCENE_NAME_MAX];
	snprintf(place, sizeof place, "%s/%s", visit->netns->name, device);
	add_line(visit->lines, "queue", place, kind);
}

/* Routes that no cable brought: by device, since that is who adds them. */
static void list_routes(struct visit *visit)
{
	auto_free char *text = read_all("/proc/thread-self/net/route");
	char *rest = text, *line;
	strsep(&rest, "\n"); /* titles */
	while ((line = strsep(&rest, "\n"))) {
		char device[SCENE_NAME_MAX], destination[16], gateway[16], shown[64];
		if (sscanf(line, "%31s %15s %15s", device, destination, gateway) != 3 ||
		    is_cable(visit, device))
			continue;
		snprintf(shown, sizeof shown, "%s via %s", destination, gateway);
		add_line(visit->lines, "route", device, shown);
	}
}

static int list_network(void *context, struct error *err)
{
	struct visit *visit = context;
	auto_free char *devices = scene_list_devices();
	char *rest = devices, *device;
	while ((device = strsep(&rest, "\n")))
		if (device[0] && !has_line(visit->netns->devices, device) &&
		    !is_cable(visit, device))
			add_line(visit->lines, "link", visit->netns->name, device);
	list_routes(visit);
	return netlink_each_qdisc(add_qdisc, visit, err);
}

static void list_networks(struct scene *scene, struct words *lines)
{
	struct error err;
	for (size_t i = 0; i < scene->host_count; i++) {
		struct visit visit = { scene, &scene->hosts[i], lines };
		MUST(netns_run(scene->hosts[i].fd, list_network, &visit, &err), err);
	}
}

/* Files below a folder; empty folders are not counted where `folders` is false. */
static void list_tree(const char *kind, const char *path, bool folders, struct words *lines)
{
	auto_dir folder = opendir(path);
	const struct dirent *entry;
	while (folder && (entry = readdir(folder))) {
		char below[TREE_PATH_MAX];
		struct stat info;
		if (text_equal(entry->d_name, ".") || text_equal(entry->d_name, ".."))
			continue;
		int size = snprintf(below, sizeof below, "%s/%s", path, entry->d_name);
		if (size >= (int)sizeof below || lstat(below, &info) < 0)
			continue;
		/* The kernel puts two iterators of its own into each bpffs. */
		if (text_ends_with(entry->d_name, "s.debug"))
			continue;
		if (!S_ISDIR(info.st_mode) || folders)
			add_line(lines, kind, below, "");
		if (S_ISDIR(info.st_mode))
			list_tree(kind, below, folders, lines);
	}
}

/* Mounts in the scene's folder, but those that the scene made there. */
static void list_mounts(const struct scene *scene, struct words *lines)
{
	auto_free char *text = read_all("/proc/self/mountinfo");
	char own[SCENE_PATH_MAX + 16];
	char *rest = text, *line;
	snprintf(own, sizeof own, "%s/netns/", scene->isolation.folder);
	while ((line = strsep(&rest, "\n"))) {
		char place[TREE_PATH_MAX];
		if (sscanf(line, "%*s %*s %*s %*s %2047s", place) != 1 ||
		    !text_starts_with(place, scene->isolation.folder) ||
		    text_equal(place, scene->isolation.folder) || text_starts_with(place, own))
			continue;
		add_line(lines, "mount", place, "");
	}
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void scene_list_all(struct scene *scene, struct words *lines)
{
	list_networks(scene, lines);
	list_mounts(scene, lines);
	list_tree("pin", "/sys/fs/bpf", true, lines);
	list_tree("file", scene->instance.root, false, lines);
	isolation_list_processes(&scene->isolation, lines);
	if (lines->count > 0)
		qsort(lines->items, lines->count, sizeof *lines->items, compare_lines);
}

char *scene_snapshot(struct scene *scene)
{
	auto_words lines = { 0 };
	auto_text text = { 0 };
	struct error err;
	char *ret;
	scene_list_all(scene, &lines);
	for (size_t i = 0; i < lines.count; i++)
		text_append(&text, "%s\n", lines.items[i]);
	MUST(text_take(&text, &ret, &err), err);
	return ret;
}

/* Lines of `lines` that are not in `other`. */
static void append_missing(const char *sign, const char *lines, const char *other,
			   struct text *differences)
{
	auto_free char *copy = strdup(lines);
	char *rest = copy, *line;
	while ((line = strsep(&rest, "\n")))
		if (line[0] && !has_line(other, line))
			text_append(differences, "%s %s\n", sign, line);
}

void scene_assert_unchanged(struct scene *scene, const char *before)
{
	auto_free char *after = scene_snapshot(scene);
	auto_text differences = { 0 };
	append_missing("gone:", before, after, &differences);
	append_missing("left:", after, before, &differences);
	if (differences.size > 0)
		fail_msg("the machine is not as before:\n%s", differences.data);
}
