/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `wherry stats`: what containers use up, now or as it goes on. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "observe_live.h"
#include "output.h"
#include "runtime/engine.h"
#include "verbs.h"

#define INTERVAL_MS 1000
#define ONCE_MS 500 /* between the two looks of --no-stream */

struct stats_options {
	bool all, once, whole;
	const char *format, *output;
};
#define STATS(member) offsetof(struct stats_options, member)
static const struct option_spec stats_rows[] = {
	{ "all", 'a', OPTION_FLAG, STATS(all), NULL, "Those that do not run too" },
	{ "no-stream", 0, OPTION_FLAG, STATS(once), NULL, "Once, not on and on" },
	{ "no-trunc", 0, OPTION_FLAG, STATS(whole), NULL, "Whole ids" },
	{ "format", 0, OPTION_TEXT, STATS(format), "TEMPLATE",
	  "Such as {{.Name}} {{.CPUPerc}}; table …; json" },
	{ "output", 'o', OPTION_TEXT, STATS(output), "FORMAT", "table or json" },
};

struct stats {
	struct engine *engine;
	const struct stats_options *options;
	const struct words *words;
	struct container_usage *before; /* of the last look */
	size_t before_count;
	bool told;
};

/* The ids that are to be shown: those named, or all. */
static int take_ids(struct stats *stats, struct words *ret_ids, struct error *err)
{
	struct container_filter filter = { .all = stats->options->all };
	auto_json rows = NULL;
	if (stats->words->count)
		return words_copy(stats->words, ret_ids, err);
	int r = containers_list(stats->engine, &filter, &rows, err);
	struct json_at root = json_root(rows, "containers");
	for (size_t i = 0; r == 0 && i < json_count(&root); i++) {
		struct json_at row = json_element(&root, i);
		const char *id = NULL;
		r = json_get_string(&row, "FullID", JSON_REQUIRED, &id, err);
		if (r == 0)
			r = words_append(ret_ids, id, err);
	}
	return r;
}

static const struct container_usage *find_before(const struct stats *stats, const char *id)
{
	for (size_t i = 0; i < stats->before_count; i++)
		if (text_equal(stats->before[i].id, id))
			return &stats->before[i];
	return NULL;
}

/* Docker's "1.5MiB". */
static void memory_size(uint64_t bytes, char *ret_text, size_t size)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	double value = (double)bytes;
	size_t unit = 0;
	for (; value >= 1024 && unit + 1 < ARRAY_SIZE(units); unit++)
		value /= 1024;
	snprintf(ret_text, size, "%.4g%s", value, units[unit]);
}

static void put_pair(struct json_t *row, const char *key, uint64_t first, uint64_t second,
		     void (*format)(uint64_t bytes, char *ret_text, size_t size))
{
	char a[32], b[32], text[72];
	format(first, a, sizeof a);
	format(second, b, sizeof b);
	snprintf(text, sizeof text, "%s / %s", a, b);
	json_put_string(row, key, text);
}

static double cpu_percent(const struct container_usage *before, const struct container_usage *now)
{
	if (!before || now->at_ms <= before->at_ms || now->cpu_ns < before->cpu_ns)
		return 0;
	return (double)(now->cpu_ns - before->cpu_ns) /
	       ((double)(now->at_ms - before->at_ms) * 1e4);
}

static void put_row(const struct stats *stats, const char *named,
		    const struct container_usage *usage, struct json_t *rows)
{
	struct json_t *row = json_new_object();
	char text[32];
	bool whole = stats->options->whole;
	snprintf(text, sizeof text, "%.2f%%", cpu_percent(find_before(stats, usage->id), usage));
	json_put_string(row, "Container", named);
	auto_text id = { 0 };
	text_append(&id, "%.*s", whole ? CONTAINER_ID_SIZE : CONTAINER_ID_SHORT, usage->id);
	json_put_string(row, "ID", id.data);
	json_put_string(row, "Name", usage->name);
	json_put_string(row, "CPUPerc", text);
	put_pair(row, "MemUsage", usage->memory_bytes, usage->memory_limit_bytes, memory_size);
	snprintf(text, sizeof text, "%.2f%%",
		 usage->memory_limit_bytes
			 ? 100.0 * (double)usage->memory_bytes / (double)usage->memory_limit_bytes
			 : 0);
	json_put_string(row, "MemPerc", text);
	put_pair(row, "NetIO", usage->received_bytes, usage->sent_bytes, output_size);
	put_pair(row, "BlockIO", usage->read_bytes, usage->written_bytes, output_size);
	snprintf(text, sizeof text, "%llu", (unsigned long long)usage->pids);
	json_put_string(row, "PIDs", text);
	json_put_string(row, "FullID", usage->id);
	json_put_integer(row, "MemoryBytes", (int64_t)usage->memory_bytes);
	json_put_integer(row, "MemoryLimitBytes", (int64_t)usage->memory_limit_bytes);
	json_put_integer(row, "CPUNanoseconds", (int64_t)usage->cpu_ns);
	json_append(rows, row);
}

static void tell_lack(struct stats *stats, const struct container_usage *usage)
{
	if (!usage->lacks || stats->told)
		return;
	stats->told = true;
	fprintf(stderr,
		"wherry: stats: this host has no %s controller for containers: what their living "
		"processes have is summed up instead\n",
		usage->lacks);
}

/* Looks at all; the rows are the caller's, and the look is kept for the next. */
static int look(struct stats *stats, struct json_t *rows, struct error *err)
{
	auto_words ids = { 0 };
	int r = take_ids(stats, &ids, err);
	auto_free struct container_usage *now = r < 0 ? NULL : calloc(ids.count + 1, sizeof *now);
	size_t count = 0;
	if (r == 0 && !now)
		r = error_set(err, ENOMEM, "no memory for containers");
	for (size_t i = 0; r == 0 && i < ids.count; i++) {
		r = container_use(stats->engine, ids.items[i], &now[count], err);
		if (r == -ENOENT && !stats->words->count) { /* it went just now */
			r = 0;
			continue;
		}
		if (r == 0) {
			tell_lack(stats, &now[count]);
			put_row(stats, ids.items[i], &now[count++], rows);
		}
	}
	free(stats->before);
	stats->before = TAKE(now);
	stats->before_count = count;
	return r;
}

static int show(FILE *file, void *context, struct error *err)
{
	static const struct output_column columns[] = {
		{ "CONTAINER ID", "ID" },   { "NAME", "Name" },
		{ "CPU %", "CPUPerc" },     { "MEM USAGE / LIMIT", "MemUsage" },
		{ "MEM %", "MemPerc" },     { "NET I/O", "NetIO" },
		{ "BLOCK I/O", "BlockIO" }, { "PIDS", "PIDs" },
	};
	struct stats *stats = context;
	struct output output = { .columns = columns,
				 .column_count = ARRAY_SIZE(columns),
				 .format = stats->options->format,
				 .output = stats->options->output };
	auto_json rows = json_new_array();
	int r = look(stats, rows, err);
	return r < 0 ? r : output_rows(&output, rows, file, err);
}

static int run_stats(struct cli *cli, const void *data, const struct words *words,
		     struct error *err)
{
	struct stats stats = { .options = data, .words = words };
	auto_json first = json_new_array();
	int r = cli_engine(cli, &stats.engine, err);
	if (r == 0)
		r = look(&stats, first, err);
	if (r == 0)
		r = observe_pause(ONCE_MS, err);
	if (r == 0)
		r = stats.options->once ? show(stdout, &stats, err)
					: observe_live(INTERVAL_MS, show, &stats, stdout, err);
	free(stats.before);
	return r < 0 ? r : 0;
}

static const struct verb verbs[] = {
	{
		.spec = { .name = "stats",
			  .words = "[CONTAINER…]",
			  .summary = "Show what containers use of CPU, memory, network and disks",
			  .options = stats_rows,
			  .option_count = ARRAY_SIZE(stats_rows),
			  .words_max = -1 },
		.options_size = sizeof(struct stats_options),
		.run = run_stats,
	},
};

const struct verb_group verb_group_stats = { "What containers use", verbs, ARRAY_SIZE(verbs) };
