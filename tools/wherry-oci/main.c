/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "cli.h"
#include "runtime/oci.h"

#define EXIT_FAILED 1

struct global_options {
	const char *root, *log, *log_format, *cgroup_manager;
	bool version, debug, systemd_cgroup;
};
static const struct option_spec global_table[] = {
	TEXT("root", 0, struct global_options, root, "DIR", "directory of the containers' states"),
	TEXT("log", 0, struct global_options, log, "FILE", "where errors are written, too"),
	TEXT("log-format", 0, struct global_options, log_format, "FORMAT", "text or json"),
	TEXT("cgroup-manager", 0, struct global_options, cgroup_manager, "NAME", "cgroupfs"),
	FLAG("debug", 0, struct global_options, debug, "taken and ignored"),
	FLAG("systemd-cgroup", 0, struct global_options, systemd_cgroup, "refused"),
	FLAG("version", 'v', struct global_options, version, "print the version"),
};
static const struct verb_spec global_spec = {
	"wherry-oci", "COMMAND [ARG…]",         "An OCI runtime",     NULL,
	global_table, ARRAY_SIZE(global_table), OPTIONS_STOP_AT_WORD, 0,
	-1,
};
static const struct verb *const groups[] = { verbs_create, verbs_exec, verbs_control, verbs_show };

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		for (const struct verb *verb = groups[i]; verb->spec.name; verb++)
			if (text_equal(verb->spec.name, name))
				return verb;
	return NULL;
}

static int print_help(const struct verb_spec *spec, struct error *err)
{
	auto_free char *text = NULL;
	int r = options_help("wherry-oci", spec, &text, err);
	if (r < 0)
		return r;
	fputs(text, stdout);
	return 0;
}

static int print_overview(struct error *err)
{
	int r = print_help(&global_spec, err);
	if (r < 0)
		return r;
	puts("\nCommands:");
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		for (const struct verb *verb = groups[i]; verb->spec.name; verb++)
			printf("  %-10s %s\n", verb->spec.name, verb->spec.summary);
	return 0;
}

static int set_root(const struct global_options *options, struct cli *cli, struct error *err)
{
	struct instance instance;
	if (options->root) {
		snprintf(cli->root, sizeof cli->root, "%s", options->root);
		return 0;
	}
	int r = instance_init(NULL, &instance, err);
	if (r == 0 && (size_t)snprintf(cli->root, sizeof cli->root, "%s-oci", instance.run) >=
			      sizeof cli->root)
		r = error_set(err, ENAMETOOLONG, "root is too long");
	return r;
}

static int run_verb(struct cli *cli, const struct words *words, struct error *err)
{
	const struct verb *verb = find_verb(words->items[0]);
	_Alignas(max_align_t) char target[OPTIONS_MAX_SIZE] = { 0 };
	auto_words rest = { 0 };
	if (!verb)
		return error_set(err, EINVAL, "unknown command \"%s\"; see --help",
				 words->items[0]);
	if (verb->target_size > sizeof target)
		return error_set(err, EOVERFLOW, "%s: too many options", verb->spec.name);
	int r = options_parse(&verb->spec, (int)words->count, words->items, target, &rest, err);
	if (r < 0)
		return r;
	return r > 0 ? print_help(&verb->spec, err) : verb->run(cli, target, &rest, err);
}

/* As containerd's shim reads it: one JSON object a line. */
static void write_log(const struct global_options *options, const struct error *error)
{
	char when[40];
	struct tm parts;
	time_t now = time(NULL);
	auto_free char *text = NULL;
	struct error ignored = { 0 };
	gmtime_r(&now, &parts);
	strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &parts);
	auto_fd fd = open(options->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd < 0)
		return;
	if (!options->log_format || !text_equal(options->log_format, "json")) {
		dprintf(fd, "time=\"%s\" level=error msg=\"%s\"\n", when, error->text);
		return;
	}
	auto_json line = json_new_object();
	json_put_string(line, "level", "error");
	json_put_string(line, "msg", error->text);
	json_put_string(line, "time", when);
	if (json_format(line, JSON_COMPACT, &text, &ignored) == 0)
		dprintf(fd, "%s\n", text);
}

static int report(const struct global_options *options, const struct error *error)
{
	fprintf(stderr, "wherry-oci: %s\n", error->text);
	if (options->log)
		write_log(options, error);
	return EXIT_FAILED;
}

static int run(struct cli *cli, int argc, char **argv, struct global_options *options,
	       struct error *err)
{
	auto_words words = { 0 };
	int r = options_parse(&global_spec, argc, argv, options, &words, err);
	if (r < 0)
		return r;
	if (options->version) {
		printf("wherry-oci version %s\nspec: %s\nlibseccomp: %s\n", WHERRY_VERSION,
		       OCI_VERSION, oci_seccomp_version().text);
		return 0;
	}
	if (r > 0 || words.count == 0)
		return print_overview(err);
	if (options->systemd_cgroup ||
	    (options->cgroup_manager && !text_equal(options->cgroup_manager, "cgroupfs")))
		return error_set(err, ENOTSUP, "only cgroupfs is supported as the cgroup manager");
	r = set_root(options, cli, err);
	return r < 0 ? r : run_verb(cli, &words, err);
}

int main(int argc, char **argv)
{
	struct error err = { 0 };
	struct global_options options = { 0 };
	struct cli cli = { .argv = argv };
	int r = run(&cli, argc, argv, &options, &err);
	return r < 0 ? report(&options, &err) : r;
}
