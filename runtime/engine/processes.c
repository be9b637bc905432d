/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The processes of a container, with the columns of `ps -ef`: `top`. */
#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <time.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/file.h"
#include "base/loop.h"
#include "cleanup.h"
#include "saved.h"

#define PROC_FILE_MAX (1u << 20)
#define STAT_FIELDS 23 /* of /proc/PID/stat that are looked at, from 1 */
#define MAJOR_TTY 4
#define MAJOR_PTS 136

int container_pids(struct engine *engine, const char *reference, pid_t **ret_pids,
		   size_t *ret_count, struct error *err)
{
	AUTO(container) container = NULL;
	struct container_now now;
	auto_saved saved = { 0 };
	int r = container_find_now(engine, reference, &container, &now, err);
	if (r == 0 && now.status != CONTAINER_RUNNING)
		r = error_set(err, EINVAL, "container %s does not run", container->name);
	if (r == 0)
		r = saved_load(engine, container->id, &saved, err);
	return r < 0 ? r : oci_pids(&saved.spec, ret_pids, ret_count, err);
}

static char *read_proc(pid_t pid, const char *name, size_t *ret_size)
{
	char path[64], *text = NULL;
	struct error ignored;
	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
	return file_read(path, PROC_FILE_MAX, &text, ret_size, &ignored) < 0 ? NULL : text;
}

/* Fields 3 and on of /proc/PID/stat, by their numbers of proc(5); the name may hold anything. */
static bool read_stat(pid_t pid, long long fields[STAT_FIELDS], char **ret_name)
{
	size_t size;
	auto_free char *text = read_proc(pid, "stat", &size);
	char *open = text ? strchr(text, '(') : NULL, *at = text ? strrchr(text, ')') : NULL;
	if (!open || !at)
		return false;
	*ret_name = strndup(open + 1, (size_t)(at - open - 1));
	for (int field = 3; field < STAT_FIELDS && (at = strchr(at + 1, ' ')); field++)
		fields[field] = strtoll(at + 1, NULL, 10);
	return *ret_name != NULL;
}

static int64_t boot_time_s(void)
{
	struct timespec boot, wall;
	clock_gettime(CLOCK_BOOTTIME, &boot);
	clock_gettime(CLOCK_REALTIME, &wall);
	return wall.tv_sec - boot.tv_sec;
}

/* "14:05" of today, else "Nov24". */
static void put_start(struct json_t *row, int64_t start_s)
{
	char text[16];
	struct tm tm;
	time_t start = start_s, now = time(NULL);
	localtime_r(&start, &tm);
	(void)strftime(text, sizeof text, now - start < 86400 ? "%H:%M" : "%b%d", &tm);
	json_put_string(row, "STIME", text);
}

static void put_terminal(struct json_t *row, long long device)
{
	char text[32] = "?";
	if (device && major((dev_t)device) >= MAJOR_PTS)
		snprintf(text, sizeof text, "pts/%u", minor((dev_t)device));
	else if (device && major((dev_t)device) == MAJOR_TTY)
		snprintf(text, sizeof text, "tty%u", minor((dev_t)device));
	json_put_string(row, "TTY", text);
}

static void put_user(struct json_t *row, pid_t pid)
{
	char path[64], text[64];
	struct stat st = { 0 };
	snprintf(path, sizeof path, "/proc/%d", (int)pid);
	(void)stat(path, &st);
	const struct passwd *user = getpwuid(st.st_uid);
	snprintf(text, sizeof text, "%u", (unsigned)st.st_uid);
	json_put_string(row, "UID", user ? user->pw_name : text);
}

static void put_command(struct json_t *row, pid_t pid, const char *name)
{
	size_t size = 0;
	auto_free char *command = read_proc(pid, "cmdline", &size);
	auto_text text = { 0 };
	for (size_t i = 0; command && i + 1 < size; i++)
		if (!command[i])
			command[i] = ' ';
	if (!command || !size)
		text_append(&text, "[%s]", name);
	json_put_string(row, "CMD", text.data ? text.data : command);
}

static void append_process(pid_t pid, int64_t boot_s, struct json_t *rows)
{
	long long fields[STAT_FIELDS] = { 0 };
	auto_free char *name = NULL;
	char text[32];
	long hz = sysconf(_SC_CLK_TCK);
	if (!read_stat(pid, fields, &name))
		return;
	struct json_t *row = json_new_object();
	int64_t start_s = boot_s + fields[22] / hz, used_s = (fields[14] + fields[15]) / hz;
	int64_t age_s = clock_wall_ns() / 1000000000 - start_s;
	put_user(row, pid);
	snprintf(text, sizeof text, "%d", (int)pid);
	json_put_string(row, "PID", text);
	snprintf(text, sizeof text, "%lld", fields[4]);
	json_put_string(row, "PPID", text);
	snprintf(text, sizeof text, "%lld", (long long)(age_s > 0 ? used_s * 100 / age_s : 0));
	json_put_string(row, "C", text);
	put_start(row, start_s);
	put_terminal(row, fields[7]);
	snprintf(text, sizeof text, "%02lld:%02lld:%02lld", (long long)used_s / 3600,
		 (long long)used_s / 60 % 60, (long long)used_s % 60);
	json_put_string(row, "TIME", text);
	put_command(row, pid, name);
	json_append(rows, row);
}

int container_top(struct engine *engine, const char *reference, struct json_t **ret_rows,
		  struct error *err)
{
	auto_free pid_t *pids = NULL;
	size_t count;
	int r = container_pids(engine, reference, &pids, &count, err);
	if (r < 0)
		return r;
	struct json_t *rows = json_new_array();
	int64_t boot_s = boot_time_s();
	for (size_t i = 0; i < count; i++)
		append_process(pids[i], boot_s, rows);
	*ret_rows = rows;
	return 0;
}
