/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "top.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/process.h"
#include "output.h"
#include "runtime/engine.h"

#define PS_OUTPUT_MAX (8u << 20)
#define PS_TIMEOUT_MS 30000

static int print_own(struct engine *engine, const char *reference, struct error *err)
{
	static const struct output_column columns[] = {
		{ "UID", "UID" },     { "PID", "PID" }, { "PPID", "PPID" }, { "C", "C" },
		{ "STIME", "STIME" }, { "TTY", "TTY" }, { "TIME", "TIME" }, { "CMD", "CMD" },
	};
	struct output output = { .columns = columns, .column_count = ARRAY_SIZE(columns) };
	auto_json rows = NULL;
	int r = container_top(engine, reference, &rows, err);
	return r < 0 ? r : output_rows(&output, rows, stdout, err);
}

static int run_ps(const struct words *words, char **ret_output, struct error *err)
{
	static const char *const places[] = { "/bin/ps", "/usr/bin/ps" };
	auto_words argv = { 0 };
	size_t size;
	int status, r = words_append(&argv, "ps", err);
	const char *path = path_exists(places[0]) ? places[0] : places[1];
	if (!path_exists(path))
		return error_set(err, ENOENT, "options for ps need the host's ps (package procps)");
	for (size_t i = 1; r == 0 && i < words->count; i++)
		r = words_append(&argv, words->items[i], err);
	struct process_spec spec = {
		.path = path, .argv = argv.items, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1
	};
	if (r == 0)
		r = process_run(&spec, "", 0, PS_OUTPUT_MAX, PS_TIMEOUT_MS, ret_output, &size,
				&status, err);
	if (r == 0 && status != 0)
		return error_set(err, EINVAL, "ps does not take these options: status %d", status);
	return r;
}

/* Which word of the title line is PID; -1: none. */
static int pid_column(const char *title)
{
	int column = 0;
	for (const char *at = title; *(at += strspn(at, " ")); column++) {
		size_t size = strcspn(at, " ");
		if (size == 3 && strncmp(at, "PID", 3) == 0)
			return column;
		at += size;
	}
	return -1;
}

static bool is_one_of(const char *line, int column, const pid_t *pids, size_t count)
{
	line += strspn(line, " ");
	for (int i = 0; i < column; i++) {
		line += strcspn(line, " ");
		line += strspn(line, " ");
	}
	long pid = strtol(line, NULL, 10);
	for (size_t i = 0; i < count; i++)
		if (pids[i] == pid)
			return true;
	return false;
}

int top_processes(struct cli *cli, const struct words *words, struct error *err)
{
	struct engine *engine;
	auto_free pid_t *pids = NULL;
	auto_free char *output = NULL;
	size_t count;
	char *save = NULL;
	int r = cli_engine(cli, &engine, err);
	if (r == 0 && words->count == 1)
		return print_own(engine, words->items[0], err);
	if (r == 0)
		r = container_pids(engine, words->items[0], &pids, &count, err);
	if (r == 0)
		r = run_ps(words, &output, err);
	if (r < 0)
		return r;
	char *line = strtok_r(output, "\n", &save);
	int column = line ? pid_column(line) : -1;
	if (column < 0)
		return error_set(err, EINVAL,
				 "ps: the column PID is needed to know whose a "
				 "process is");
	printf("%s\n", line);
	while ((line = strtok_r(NULL, "\n", &save)))
		if (is_one_of(line, column, pids, count))
			printf("%s\n", line);
	return 0;
}
