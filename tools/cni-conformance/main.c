/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command: reads the configuration, runs the points that were asked for,
 * and ends with 0 if every claim held.
 */
#include "conformance.h"
#include "report.h"
#include "runner.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/options.h"

#define KNOWN_MAX (1u << 18)

struct options {
	const char *path, *drop_in, *ipam_type, *known;
	struct words points, environment;
	bool json, tap, list, is_long, quiet;
	int64_t jobs;
};

#define OPTION(field) offsetof(struct options, field)

static const struct option_spec option_rows[] = {
	{ "path", 0, OPTION_TEXT, OPTION(path), "DIR[:DIR…]", "folders of the plugins (CNI_PATH)" },
	{ "drop-in", 0, OPTION_TEXT, OPTION(drop_in), "TYPE[,TYPE…]",
	  "the first plugin takes these types' keys" },
	{ "ipam", 0, OPTION_TEXT, OPTION(ipam_type), "TYPE", "an IPAM plugin to test as one" },
	{ "point", 'p', OPTION_LIST, OPTION(points), "N", "only this point; may be repeated" },
	{ "env", 'e', OPTION_LIST, OPTION(environment), "K=V", "environment of every call" },
	{ "known", 0, OPTION_TEXT, OPTION(known), "FILE",
	  "claims that may fail: lines \"- 39: `claim`: reason\"" },
	{ "jobs", 'j', OPTION_NUMBER, OPTION(jobs), "N", "points at a time" },
	{ "long", 0, OPTION_FLAG, OPTION(is_long), NULL, "the slow points too, and full counts" },
	{ "quiet", 'q', OPTION_FLAG, OPTION(quiet), NULL, "show only what failed, and the sums" },
	{ "json", 0, OPTION_FLAG, OPTION(json), NULL, "one JSON object" },
	{ "tap", 0, OPTION_FLAG, OPTION(tap), NULL, "Test Anything Protocol, version 14" },
	{ "list", 0, OPTION_FLAG, OPTION(list), NULL, "list the points, and run none" },
};

static const struct verb_spec verb = {
	.name = "cni-conformance",
	.words = "[CONFIGURATION]",
	.summary = "Drives a CNI plugin, or a list of them, and tells which points hold",
	.detail = "CONFIGURATION is a .conf or .conflist file. Each point runs in a world of its\n"
		  "own: namespaces, /run, /var and /etc, bpffs and cgroup. Needs root.",
	.options = option_rows,
	.option_count = ARRAY_SIZE(option_rows),
	.style = OPTIONS_ANYWHERE,
	.words_min = 0,
	.words_max = 1,
};

static int complain(const struct error *err)
{
	fprintf(stderr, "cni-conformance: %s\n", err->text);
	return 2;
}

static int print_help(void)
{
	auto_free char *text = NULL;
	struct error err;
	if (options_help("", &verb, &text, &err) < 0)
		return complain(&err);
	printf("%s", text);
	return 0;
}

static int list_points(void)
{
	for (size_t i = 0; i < runner_point_count(); i++)
		printf("%4d  %s\n", runner_point(i)->number, runner_point(i)->title);
	return 0;
}

/* A list item of the document: a point, and the beginning of a claim in backquotes. */
static int known_read(const char *path, struct words *ret, struct error *err)
{
	auto_free char *text = NULL;
	size_t size;
	char *rest, *line;
	int r = file_read(path, KNOWN_MAX, &text, &size, err);
	for (rest = text; r == 0 && (line = strsep(&rest, "\n"));) {
		char *begin = strstr(line, ": `");
		char *end = begin ? strchr(begin + 3, '`') : NULL;
		if (!text_starts_with(line, "- ") || !end)
			continue;
		*end = '\0';
		r = words_append_format(ret, err, "%.*s: %s", (int)(begin - line - 2), line + 2,
					begin + 3);
	}
	return r;
}

static int make_settings(const struct options *options, const struct words *words,
			 struct settings *ret, struct error *err)
{
	if (words->count != 1)
		return error_set(err, EINVAL, "name the configuration to test (see --help)");
	if (!options->path)
		return error_set(err, EINVAL, "--path must name the folder of the plugins");
	if (geteuid() != 0)
		return error_set(err, EPERM, "namespaces need root");
	*ret = (struct settings){ .conf_path = words->items[0],
				  .plugin_path = options->path,
				  .drop_in = options->drop_in,
				  .ipam_type = options->ipam_type,
				  .environment = options->environment,
				  .is_long = options->is_long,
				  .jobs = options->jobs };
	int r = options->known ? known_read(options->known, &ret->known, err) : 0;
	return r < 0 ? r : conf_read(ret->conf_path, &ret->list, err);
}

static enum report_style style_of(const struct options *options)
{
	if (options->json)
		return REPORT_JSON;
	if (options->tap)
		return REPORT_TAP;
	return options->quiet ? REPORT_FAILURES : REPORT_TEXT;
}

int main(int argc, char **argv)
{
	struct options options = { .jobs = 2 };
	struct settings settings;
	auto_words words = { 0 };
	struct error err;
	char program[PATH_MAX];
	const char *name = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
	if (text_starts_with(name, "stub-"))
		return stub_main(name);
	int r = options_parse(&verb, argc, argv, &options, &words, &err);
	if (r < 0)
		return complain(&err);
	if (r > 0)
		return print_help();
	if (options.list)
		return list_points();
	if (make_settings(&options, &words, &settings, &err) < 0)
		return complain(&err);
	if (!realpath("/proc/self/exe", program))
		return 2;
	settings.program = program;
	struct report *report = NULL;
	if (report_create(stdout, style_of(&options), &settings, &report, &err) < 0 ||
	    runner_run(&settings, &options.points, report, &err) < 0)
		return complain(&err);
	size_t failed = report_finish(report);
	report_free(report);
	json_free(settings.list);
	words_free(&options.points);
	words_free(&options.environment);
	words_free(&settings.known);
	return failed ? 1 : 0;
}
