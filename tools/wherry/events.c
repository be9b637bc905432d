/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `wherry events`: what the verbs did, as it happens. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/loop.h"
#include "runtime/engine.h"
#include "template.h"
#include "verbs.h"
#include "when.h"

struct events_options {
	const char *since, *until, *format, *output;
	struct words filters;
};
#define EVENTS(member) offsetof(struct events_options, member)
static const struct option_spec events_rows[] = {
	{ "since", 0, OPTION_TEXT, EVENTS(since), "TIME",
	  "From then on: 10m, or a time such as 2026-01-31T12:00:00" },
	{ "until", 0, OPTION_TEXT, EVENTS(until), "TIME", "No longer than until then" },
	{ "filter", 'f', OPTION_LIST, EVENTS(filters), "KEY=VALUE",
	  "Only those with type=, event=, container=, image=, network=, volume=, label=" },
	{ "format", 0, OPTION_TEXT, EVENTS(format), "TEMPLATE", "Such as {{.Action}}; json" },
	{ "output", 'o', OPTION_TEXT, EVENTS(output), "FORMAT", "text, or json: an object a line" },
};

struct watch {
	const struct events_options *options;
	struct event_reader *reader;
	struct loop *loop;
	int64_t since_ns, until_ns; /* 0: no limit */
	struct error *err;
	int result;
};

/* --- filters ---------------------------------------------------------------------------- */

static const char *const filter_keys[] = { "type",    "event",  "container", "image",
					   "network", "volume", "label" };

static const char *text_of(const struct json_at *at, const char *key)
{
	struct json_at member = json_member(at, key);
	const char *text = "";
	struct error ignored;
	(void)json_as_string(&member, &text, &ignored);
	return text;
}

static bool has_label(const struct json_at *attributes, const char *wanted)
{
	size_t size = strcspn(wanted, "=");
	auto_free char *key = strndup(wanted, size);
	if (!key || !json_member(attributes, key).value)
		return false;
	return !wanted[size] || text_equal(text_of(attributes, key), wanted + size + 1);
}

/* Name, id, or the beginning of an id, of what kind the event is about. */
static bool is_about(const struct json_at *event, const char *kind, const char *wanted)
{
	struct json_at actor = json_member(event, "Actor");
	struct json_at attributes = json_member(&actor, "Attributes");
	if (!text_equal(text_of(event, "Type"), kind))
		return (text_equal(kind, "image") || text_equal(kind, "container")) &&
		       text_equal(text_of(&attributes, kind), wanted);
	return text_equal(text_of(&attributes, "name"), wanted) ||
	       text_starts_with(text_of(&actor, "ID"), wanted);
}

static bool fits(const struct json_at *event, const char *key, const char *wanted)
{
	struct json_at actor = json_member(event, "Actor");
	struct json_at attributes = json_member(&actor, "Attributes");
	if (text_equal(key, "type"))
		return text_equal(text_of(event, "Type"), wanted);
	if (text_equal(key, "event"))
		return text_equal(text_of(event, "Action"), wanted);
	if (text_equal(key, "label"))
		return has_label(&attributes, wanted);
	return is_about(event, key, wanted);
}

/* Of one key any value is enough; all keys must fit. */
static bool passes(const struct words *filters, const struct json_at *event)
{
	for (size_t k = 0; k < ARRAY_SIZE(filter_keys); k++) {
		size_t size = strlen(filter_keys[k]);
		bool asked = false, fit = false;
		for (size_t i = 0; i < filters->count; i++) {
			const char *filter = filters->items[i];
			if (strncmp(filter, filter_keys[k], size) != 0 || filter[size] != '=')
				continue;
			asked = true;
			fit |= fits(event, filter_keys[k], filter + size + 1);
		}
		if (asked && !fit)
			return false;
	}
	return true;
}

static int check_filters(const struct words *filters, struct error *err)
{
	for (size_t i = 0; i < filters->count; i++) {
		const char *filter = filters->items[i];
		size_t size = strcspn(filter, "=");
		bool known = false;
		for (size_t k = 0; k < ARRAY_SIZE(filter_keys); k++)
			known |= strlen(filter_keys[k]) == size && filter[size] &&
				 strncmp(filter, filter_keys[k], size) == 0;
		if (!known)
			return error_set(err, EINVAL,
					 "--filter %s: known are type=, event=, container=, "
					 "image=, network=, volume=, label=",
					 filter);
	}
	return 0;
}

/* --- printing ------------------------------------------------------------------------------ */

static void print_line(const struct json_at *event, int64_t time_ns)
{
	char time[TIME_TEXT_MAX];
	struct json_at actor = json_member(event, "Actor");
	struct json_at attributes = json_member(&actor, "Attributes");
	time_format(time_ns, time);
	printf("%s %s %s %s (", time, text_of(event, "Type"), text_of(event, "Action"),
	       text_of(&actor, "ID"));
	for (size_t i = 0; i < json_count(&attributes); i++) {
		struct json_at attribute = json_member_at(&attributes, i);
		printf("%s%s=%s", i ? ", " : "", attribute.key,
		       text_of(&attributes, attribute.key));
	}
	printf(")\n");
}

static int print_event(const struct watch *watch, const struct json_t *event, int64_t time_ns,
		       struct error *err)
{
	const struct events_options *options = watch->options;
	struct json_at root = json_root(event, "event");
	auto_text text = { 0 };
	bool as_json = (options->output && text_equal(options->output, "json")) ||
		       (options->format && text_equal(options->format, "json"));
	if (!as_json && !options->format) {
		print_line(&root, time_ns);
		return 0;
	}
	int r = template_fill(as_json ? "{{json .}}" : options->format, event, &text, err);
	if (r == 0)
		printf("%s\n", text.data ? text.data : "");
	return r;
}

/* 1: it is after --until, so nothing more is wanted. */
static int take_event(struct watch *watch, const struct json_t *event, struct error *err)
{
	struct json_at root = json_root(event, "event");
	int64_t time_ns;
	int r = json_get_integer(&root, "timeNano", JSON_REQUIRED, 0, INT64_MAX, &time_ns, err);
	if (r < 0)
		return r;
	if (watch->until_ns && time_ns > watch->until_ns)
		return 1;
	if (time_ns < watch->since_ns || !passes(&watch->options->filters, &root))
		return 0;
	return print_event(watch, event, time_ns, err);
}

/* 0: there is no more now; 1: there is nothing more to wait for. */
static int take_all(struct watch *watch, struct error *err)
{
	int r;
	for (;;) {
		auto_json event = NULL;
		r = event_reader_next(watch->reader, &event, err);
		if (r != 1)
			break;
		r = take_event(watch, event, err);
		if (r != 0)
			break;
	}
	/* A reader that has gone away is the usual end of `| head`. */
	return r != 0 ? r : fflush(stdout) != 0;
}

/* --- following ------------------------------------------------------------------------------- */

static void on_change(struct loop *loop, int fd, unsigned events, void *context)
{
	struct watch *watch = context;
	(void)fd;
	(void)events;
	event_reader_clear(watch->reader);
	watch->result = take_all(watch, watch->err);
	if (watch->result != 0)
		loop_stop(loop);
}

static void on_timer(struct loop *loop, void *context)
{
	(void)context;
	loop_stop(loop);
}

static void on_signal(struct loop *loop, int signal, void *context)
{
	(void)signal;
	(void)context;
	loop_stop(loop);
}

static int follow(struct watch *watch, struct error *err)
{
	AUTO(loop) loop = NULL;
	AUTO(loop_source) change = NULL;
	AUTO(loop_source) timer = NULL;
	AUTO(loop_source) interrupt = NULL;
	AUTO(loop_source) terminate = NULL;
	int64_t left_ns = watch->until_ns - clock_wall_ns();
	if (watch->until_ns && left_ns <= 0)
		return 0;
	int r = loop_create(&loop, err);
	if (r == 0)
		r = loop_add_fd(loop, event_reader_fd(watch->reader), LOOP_READ, on_change, watch,
				&change, err);
	if (r == 0 && watch->until_ns)
		r = loop_add_timer(loop, (uint64_t)left_ns / 1000000 + 1, 0, on_timer, NULL, &timer,
				   err);
	if (r == 0)
		r = loop_add_signal(loop, SIGINT, on_signal, NULL, &interrupt, err);
	if (r == 0)
		r = loop_add_signal(loop, SIGTERM, on_signal, NULL, &terminate, err);
	if (r < 0)
		return r;
	loop_run(loop);
	return watch->result;
}

static int run_events(struct cli *cli, const void *data, const struct words *words,
		      struct error *err)
{
	const struct events_options *options = data;
	struct engine *engine;
	AUTO(event_reader) reader = NULL;
	struct watch watch = { .options = options, .err = err };
	(void)words;
	if (options->output && !text_equal(options->output, "json") &&
	    !text_equal(options->output, "text"))
		return error_set(err, EINVAL, "-o %s: is neither text nor json", options->output);
	int r = check_filters(&options->filters, err);
	if (r == 0)
		r = when_read("--since", options->since, &watch.since_ns, err);
	if (r == 0)
		r = when_read("--until", options->until, &watch.until_ns, err);
	if (r == 0)
		r = cli_engine(cli, &engine, err);
	/* With --until alone, what was before it is meant. */
	if (r == 0)
		r = event_reader_open(engine,
				      options->since || options->until ? EVENTS_ALL : EVENTS_NEW,
				      &reader, err);
	watch.reader = reader;
	if (r == 0)
		r = take_all(&watch, err);
	if (r == 0)
		r = follow(&watch, err);
	return r < 0 ? r : 0;
}

static const struct verb verbs[] = {
	{
		.spec = { .name = "events",
			  .words = "",
			  .summary = "Tell what the verbs do, as it happens",
			  .options = events_rows,
			  .option_count = ARRAY_SIZE(events_rows) },
		.options_size = sizeof(struct events_options),
		.run = run_events,
	},
};

const struct verb_group verb_group_events = { "What happens", verbs, ARRAY_SIZE(verbs) };
