/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verbs on containers that are there: ps, logs, stop, kill, rm, wait, inspect, top. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/loop.h"
#include "each.h"
#include "image_files.h"
#include "observing_traffic.h"
#include "top.h"
#include "when.h"
#include "verbs.h"

struct ps_options {
	bool all, quiet, whole, latest, size;
	int64_t last;
	struct words filters;
	const char *format, *output;
};
#define PS(member) offsetof(struct ps_options, member)
static const struct option_spec ps_rows[] = {
	{ "all", 'a', OPTION_FLAG, PS(all), NULL, "Those that do not run too" },
	{ "quiet", 'q', OPTION_FLAG, PS(quiet), NULL, "Only ids" },
	{ "no-trunc", 0, OPTION_FLAG, PS(whole), NULL, "Whole ids and commands" },
	{ "filter", 'f', OPTION_LIST, PS(filters), "KEY=VALUE",
	  "Only those with name=, status=, id=, label=, network=, ancestor=, volume=, exited=, "
	  "health=, before=, since=" },
	{ "last", 'n', OPTION_NUMBER, PS(last), "NUMBER",
	  "The last ones made, also if they ended" },
	{ "latest", 'l', OPTION_FLAG, PS(latest), NULL, "The last one made, also if it ended" },
	{ "size", 's', OPTION_FLAG, PS(size), NULL, "What each has written, too" },
	{ "format", 0, OPTION_TEXT, PS(format), "TEMPLATE", "Such as {{.ID}} {{.Names}}; json" },
	{ "output", 'o', OPTION_TEXT, PS(output), "FORMAT", "table or json" },
};
static const struct output_column ps_columns[] = {
	{ "CONTAINER ID", "ID" },    { "IMAGE", "Image" },   { "COMMAND", "Command" },
	{ "CREATED", "RunningFor" }, { "STATUS", "Status" }, { "PORTS", "Ports" },
	{ "NAMES", "Names" },        { "SIZE", "Size" },
};

static const struct ps_options ps_defaults = { .last = -1 };

struct ps_query {
	struct container_filter filter;
	const struct ps_options *options;
};

/* The first rows only, and with sizes if they are asked for. */
static int finish_rows(struct engine *engine, const struct ps_options *options, int64_t last,
		       struct json_t **rows, struct error *err)
{
	struct json_at root = json_root(*rows, "containers");
	auto_json kept = json_new_array();
	(void)err;
	for (size_t i = 0; i < json_count(&root) && (last < 0 || i < (size_t)last); i++) {
		struct json_at row = json_element(&root, i);
		struct json_t *copy = json_clone(row.value);
		const char *id = NULL;
		uint64_t bytes = 0;
		char size[32];
		struct error ignored;
		if (options->size &&
		    json_get_string(&row, "FullID", JSON_REQUIRED, &id, &ignored) == 0 &&
		    container_disk_usage(engine, id, &bytes, &ignored) == 0) {
			output_size(bytes, size, sizeof size);
			json_put_string(copy, "Size", size);
		}
		json_append(kept, copy);
	}
	json_free(*rows);
	*rows = TAKE(kept);
	return 0;
}

static int list_containers(struct engine *engine, const void *data, struct json_t **ret_rows,
			   struct error *err)
{
	const struct ps_query *query = data;
	int64_t last = query->options->latest ? 1 : query->options->last;
	int r = containers_list(engine, &query->filter, ret_rows, err);
	if (r < 0 || (last < 0 && !query->options->size))
		return r;
	return finish_rows(engine, query->options, last, ret_rows, err);
}

static int run_ps(struct cli *cli, const void *data, const struct words *words, struct error *err)
{
	const struct ps_options *options = data;
	bool all = options->all || options->latest || options->last >= 0;
	struct ps_query query = { { .all = all, .filters = &options->filters }, options };
	struct output output = { ps_columns,      ARRAY_SIZE(ps_columns) - !options->size,
				 options->format, options->output,
				 options->quiet,  options->whole };
	(void)words;
	return list_all(cli, list_containers, &query, &output, err);
}

/* --- logs --------------------------------------------------------------------- */

struct logs_options {
	bool follow, times;
	const char *tail, *since, *until;
};
#define LOGS(member) offsetof(struct logs_options, member)
static const struct option_spec logs_rows[] = {
	{ "follow", 'f', OPTION_FLAG, LOGS(follow), NULL, "Go on until the container ends" },
	{ "tail", 'n', OPTION_TEXT, LOGS(tail), "NUMBER", "Only the last lines, or all" },
	{ "timestamps", 't', OPTION_FLAG, LOGS(times), NULL, "The time before each line" },
	{ "since", 0, OPTION_TEXT, LOGS(since), "TIME",
	  "Only what is younger: 10m, or a time such as 2026-01-31T12:00:00" },
	{ "until", 0, OPTION_TEXT, LOGS(until), "TIME", "Only what is older" },
};

static int read_query(const struct logs_options *options, struct log_query *ret, struct error *err)
{
	uint64_t tail;
	*ret = (struct log_query){ .tail = -1 };
	int r = when_read("--since", options->since, &ret->since_ns, err);
	if (r == 0)
		r = when_read("--until", options->until, &ret->until_ns, err);
	if (r < 0 || !options->tail || text_equal(options->tail, "all"))
		return r;
	if (text_to_unsigned(options->tail, 0, INT64_MAX, &tail) < 0)
		return error_set(err, EINVAL, "--tail %s: is neither a number nor all",
				 options->tail);
	ret->tail = (int64_t)tail;
	return 0;
}

static int print_records(struct log_reader *reader, bool times, struct error *err)
{
	struct log_record record;
	int r;
	while ((r = log_reader_next(reader, &record, err)) == 1) {
		FILE *file = record.stream == LOG_STDERR ? stderr : stdout;
		if (times)
			fprintf(file, "%s ", record.time);
		if (fwrite(record.text, 1, record.size, file) != record.size)
			return error_set_errno(err, errno, "standard output");
	}
	fflush(stdout);
	return r;
}

static int run_logs(struct cli *cli, const void *data, const struct words *words, struct error *err)
{
	const struct logs_options *options = data;
	struct engine *engine = NULL;
	struct log_query query;
	AUTO(log_reader) reader = NULL;
	bool running = false, ended = false;
	auto_fd end_fd = -1;
	int r = read_query(options, &query, err);
	if (r == 0)
		r = cli_engine(cli, &engine, err);
	if (r == 0)
		r = container_logs(engine, words->items[0], &query, &reader, &running, err);
	if (r == 0 && options->follow && running &&
	    container_end_fd(engine, words->items[0], &end_fd, err) < 0)
		running = false;
	while (r == 0) {
		r = print_records(reader, options->times, err);
		if (r < 0 || !options->follow || !running || ended)
			break;
		ended = log_reader_wait(reader, end_fd, -1) == 1;
	}
	return r;
}

/* --- one word a container --------------------------------------------------------- */

struct stop_options {
	int64_t timeout_s;
};
static const struct stop_options stop_defaults = { -1 };
static const struct option_spec stop_rows[] = {
	{ "time", 't', OPTION_NUMBER, offsetof(struct stop_options, timeout_s), "SECONDS",
	  "How long to wait before SIGKILL (default: the container's, else 10)" },
};
struct kill_options {
	const char *signal;
};
static const struct option_spec kill_rows[] = {
	{ "signal", 's', OPTION_TEXT, offsetof(struct kill_options, signal), "SIGNAL",
	  "Send this one (default: KILL)" },
};
struct rm_options {
	bool force, volumes;
};
static const struct option_spec rm_rows[] = {
	{ "force", 'f', OPTION_FLAG, offsetof(struct rm_options, force), NULL,
	  "Kill it first if it runs" },
	{ "volumes", 'v', OPTION_FLAG, offsetof(struct rm_options, volumes), NULL,
	  "Its volumes without a name too" },
};

static int stop_one(struct engine *engine, const char *reference, const void *data,
		    struct error *err)
{
	const struct stop_options *options = data;
	return container_stop(engine, reference, options->timeout_s, err);
}

static int run_stop(struct cli *cli, const void *data, const struct words *words, struct error *err)
{
	return do_each(cli, "stop", words, stop_one, data, err);
}

static int restart_one(struct engine *engine, const char *reference, const void *data,
		       struct error *err)
{
	struct container_attach attach = { 0 };
	int status;
	int r = stop_one(engine, reference, data, err);
	return r < 0 ? r : container_start(engine, reference, &attach, &status, err);
}

static int run_restart(struct cli *cli, const void *data, const struct words *words,
		       struct error *err)
{
	return do_each(cli, "restart", words, restart_one, data, err);
}

static int kill_one(struct engine *engine, const char *reference, const void *data,
		    struct error *err)
{
	const struct kill_options *options = data;
	return container_kill(engine, reference, options->signal, err);
}

static int run_kill(struct cli *cli, const void *data, const struct words *words, struct error *err)
{
	return do_each(cli, "kill", words, kill_one, data, err);
}

static int remove_one(struct engine *engine, const char *reference, const void *data,
		      struct error *err)
{
	const struct rm_options *options = data;
	int r = container_remove(engine, reference,
				 options->force ? CONTAINER_FORCE : CONTAINER_GENTLE,
				 options->volumes, err);
	/* As with files: what is not there needs no removing by force. */
	return r == -ENOENT && options->force ? 0 : r;
}

static int run_rm(struct cli *cli, const void *data, const struct words *words, struct error *err)
{
	return do_each(cli, "rm", words, remove_one, data, err);
}

static int run_wait(struct cli *cli, const void *data, const struct words *words, struct error *err)
{
	struct engine *engine;
	int status = 0, r = cli_engine(cli, &engine, err);
	(void)data;
	for (size_t i = 0; r == 0 && i < words->count; i++) {
		r = container_wait(engine, words->items[i], &status, err);
		if (r == 0)
			printf("%d\n", status);
	}
	return r;
}

static int run_rename(struct cli *cli, const void *data, const struct words *words,
		      struct error *err)
{
	struct engine *engine;
	int r = cli_engine(cli, &engine, err);
	(void)data;
	return r < 0 ? r : container_rename(engine, words->items[0], words->items[1], err);
}

/* --- inspect, top ------------------------------------------------------------------ */

struct inspect_options {
	const char *format, *type;
};
static const struct option_spec inspect_rows[] = {
	{ "format", 'f', OPTION_TEXT, offsetof(struct inspect_options, format), "TEMPLATE",
	  "Such as {{.State.Pid}}" },
	{ "type", 0, OPTION_TEXT, offsetof(struct inspect_options, type), "KIND",
	  "container, image, network or volume" },
};

static int inspect_one(struct engine *engine, const char *reference, const void *data,
		       struct json_t **ret_object, struct error *err)
{
	const struct inspect_options *options = data;
	const char *type = options->type;
	struct error ignored;
	if (type && text_equal(type, "network"))
		return engine_network_inspect(engine, reference, ret_object, err);
	if (type && text_equal(type, "volume"))
		return volume_inspect(engine, reference, ret_object, err);
	if (type && text_equal(type, "image"))
		return image_show(engine, reference, NULL, ret_object, err);
	if (type && !text_equal(type, "container"))
		return error_set(err, EINVAL,
				 "--type %s: is none of container, image, network, volume", type);
	int r = container_inspect(engine, reference, ret_object, err);
	if (r == -ENOENT && !type &&
	    (engine_network_inspect(engine, reference, ret_object, &ignored) == 0 ||
	     volume_inspect(engine, reference, ret_object, &ignored) == 0 ||
	     image_show(engine, reference, NULL, ret_object, &ignored) == 0))
		return 0;
	return r;
}

static int run_inspect(struct cli *cli, const void *data, const struct words *words,
		       struct error *err)
{
	const struct inspect_options *options = data;
	struct show show = { inspect_one, options, options->format };
	return show_each(cli, words, &show, err);
}

static int run_top(struct cli *cli, const void *data, const struct words *words, struct error *err)
{
	return words->count ? top_processes(cli, words, err) : top_rates(cli, data, err);
}

#define CONTAINER_VERB(verb_name, verb_summary, verb_rows, struct_options, function,      \
		       verb_defaults)                                                     \
	{                                                                                 \
		.spec = { .name = verb_name,                                              \
			  .words = "CONTAINER…",                                          \
			  .summary = verb_summary,                                        \
			  .options = verb_rows,                                           \
			  .option_count = ARRAY_SIZE(verb_rows),                          \
			  .words_min = 1,                                                 \
			  .words_max = -1 },                                              \
		.options_size = sizeof(struct struct_options), .defaults = verb_defaults, \
		.run = function                                                           \
	}

static const struct verb verbs[] = {
	{
		.spec = { .name = "ps",
			  .words = "",
			  .summary = "List containers",
			  .options = ps_rows,
			  .option_count = ARRAY_SIZE(ps_rows) },
		.options_size = sizeof(struct ps_options),
		.defaults = &ps_defaults,
		.run = run_ps,
	},
	{
		.spec = { .name = "logs",
			  .words = "CONTAINER",
			  .summary = "Show what a container has written",
			  .options = logs_rows,
			  .option_count = ARRAY_SIZE(logs_rows),
			  .words_min = 1,
			  .words_max = 1 },
		.options_size = sizeof(struct logs_options),
		.run = run_logs,
	},
	CONTAINER_VERB("stop", "End containers: their stop signal, then SIGKILL", stop_rows,
		       stop_options, run_stop, &stop_defaults),
	CONTAINER_VERB("restart", "Stop containers and start them again", stop_rows, stop_options,
		       run_restart, &stop_defaults),
	CONTAINER_VERB("kill", "Send a signal to containers", kill_rows, kill_options, run_kill,
		       NULL),
	CONTAINER_VERB("rm", "Remove containers", rm_rows, rm_options, run_rm, NULL),
	{
		.spec = { .name = "wait",
			  .words = "CONTAINER…",
			  .summary = "Wait for the end of containers, print their exit codes",
			  .words_min = 1,
			  .words_max = -1 },
		.run = run_wait,
	},
	CONTAINER_VERB("inspect", "Show all of containers or networks as JSON", inspect_rows,
		       inspect_options, run_inspect, NULL),
	{
		.spec = { .name = "top",
			  .words = "[CONTAINER [PS-OPTION…]]",
			  .summary = "List the processes of a container, or what each endpoint "
				     "carries",
			  .options = top_option_rows,
			  .option_count = TOP_OPTION_COUNT,
			  .style = OPTIONS_STOP_AT_WORD,
			  .words_max = -1 },
		.options_size = sizeof(struct top_options),
		.run = run_top,
	},
	{
		.spec = { .name = "rename",
			  .words = "CONTAINER NAME",
			  .summary = "Give a container another name",
			  .words_min = 2,
			  .words_max = 2 },
		.run = run_rename,
	},
};

const struct verb_group verb_group_processes = { "Running containers", verbs, ARRAY_SIZE(verbs) };
