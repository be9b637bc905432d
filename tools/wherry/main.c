/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wherry: images become containers, containers get networks. There is no daemon
 * behind it: a verb opens the instance's state, does its work, and ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "alias.h"
#include "explain.h"
#include "runtime/engine.h"
#include "verbs.h"

struct global_options {
	const char *root;
	bool version;
};
static const struct option_spec global_rows[] = {
	{ "root", 0, OPTION_TEXT, offsetof(struct global_options, root), "DIR",
	  "Work on the instance under DIR (default: WHERRY_ROOT, else /)" },
	{ "version", 'v', OPTION_FLAG, offsetof(struct global_options, version), NULL,
	  "Print the version" },
};
static const struct verb_spec global_spec = {
	.name = "wherry",
	.words = "VERB [OPTION…] [WORD…]",
	.summary = "Containers, and networks that need no firewall rules",
	.options = global_rows,
	.option_count = ARRAY_SIZE(global_rows),
	.style = OPTIONS_STOP_AT_WORD,
	.words_max = -1,
};

void cli_print_overview(void)
{
	printf("Usage: wherry [--root DIR] VERB [OPTION…] [WORD…]\n\n%s.\n", global_spec.summary);
	for (size_t g = 0; g < verb_group_count; g++) {
		if (!verb_groups[g]->title)
			continue;
		printf("\n%s:\n", verb_groups[g]->title);
		for (size_t i = 0; i < verb_groups[g]->count; i++) {
			const struct verb *verb = &verb_groups[g]->verbs[i];
			if (verb->visibility == VERB_SHOWN)
				printf("  %-20s %s\n", verb->spec.name, verb->spec.summary);
		}
	}
	printf("\n`wherry VERB --help` lists the options of one.\n");
}

int cli_engine(struct cli *cli, struct engine **ret_engine, struct error *err)
{
	if (!cli->engine) {
		int r = engine_open(&cli->instance, &cli->engine, err);
		if (r < 0)
			return r;
		if (cli->printer)
			engine_set_steps(cli->engine, steps_printer_steps(cli->printer));
	}
	*ret_engine = cli->engine;
	return 0;
}

static int print_verb_help(const struct verb *verb, struct error *err)
{
	auto_free char *text = NULL;
	int r = options_help("wherry", &verb->spec, &text, err);
	if (r == 0)
		fputs(text, stdout);
	return r;
}

static void release_options(const struct verb_spec *spec, char *options)
{
	for (size_t i = 0; i < spec->option_count; i++)
		if (spec->options[i].kind == OPTION_LIST)
			words_free((struct words *)(void *)(options + spec->options[i].offset));
}

static int print_failure(const struct verb *verb, const char *prefix, const struct error *err)
{
	fflush(stdout);
	fprintf(stderr, "wherry: %s%s%s\n", prefix, *prefix ? ": " : "", err->text);
	return verb->failure_status ? verb->failure_status : 1;
}

/* argv[0] is the last word of the verb's name. */
static int run_verb(struct cli *cli, const struct verb *verb, int argc, char **argv)
{
	struct error err = { 0 };
	auto_words words = { 0 };
	auto_free char *options = calloc(1, verb->options_size + 1);
	if (!options) {
		error_set(&err, ENOMEM, "no memory for options");
		return print_failure(verb, verb->spec.name, &err);
	}
	if (verb->defaults)
		memcpy(options, verb->defaults, verb->options_size);
	int r = options_parse(&verb->spec, argc, argv, options, &words, &err);
	if (r < 0) {
		release_options(&verb->spec, options);
		return print_failure(verb, "", &err);
	}
	if (r == 1)
		r = print_verb_help(verb, &err);
	else
		r = verb->run(cli, options, &words, &err);
	release_options(&verb->spec, options);
	return r < 0 ? print_failure(verb, verb->spec.name, &err) : r;
}

static bool is_group(const char *word)
{
	size_t size = strlen(word);
	for (size_t g = 0; g < verb_group_count; g++)
		for (size_t i = 0; i < verb_groups[g]->count; i++) {
			const char *name = verb_groups[g]->verbs[i].spec.name;
			if (strncmp(name, word, size) == 0 && name[size] == ' ')
				return true;
		}
	for (size_t i = 0; i < verb_alias_count; i++)
		if (strncmp(verb_aliases[i].name, word, size) == 0 &&
		    verb_aliases[i].name[size] == ' ')
			return true;
	return false;
}

int cli_dispatch(struct cli *cli, int argc, char **argv)
{
	int words;
	const struct verb *verb = verb_find(argc, argv, &words);
	if (verb)
		return run_verb(cli, verb, argc - words + 1, argv + words - 1);
	if (argc < 2 || !is_group(argv[0]))
		fprintf(stderr, "wherry: %s: %s; `wherry help` lists the verbs\n", argv[0],
			is_group(argv[0]) ? "a further word is missing" : "no such verb");
	else
		fprintf(stderr, "wherry: %s %s: no such verb; `wherry help` lists them\n", argv[0],
			argv[1]);
	return 1;
}

/* Descriptors 0 to 2 are there, whatever the caller closed: none of ours gets their number. */
static int hold_standard_descriptors(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			return -EBADF;
	return 0;
}

int main(int argc, char **argv)
{
	struct cli cli = { .argv = argv };
	struct global_options options = { 0 };
	struct error err = { 0 };
	auto_words words = { 0 };

	if (hold_standard_descriptors() < 0)
		return 125;
	signal(SIGPIPE, SIG_IGN);
	int r = options_parse(&global_spec, argc, argv, &options, &words, &err);
	if (r == 0 && !options.version && words.count)
		r = instance_init(options.root, &cli.instance, &err);
	if (r < 0) {
		fprintf(stderr, "wherry: %s\n", err.text);
		return 125;
	}
	if (options.version) {
		printf("wherry %s\n", WHERRY_VERSION);
		return 0;
	}
	if (r == 1 || !words.count) {
		cli_print_overview();
		return r == 1 ? 0 : 1;
	}
	r = cli_dispatch(&cli, (int)words.count, words.items);
	engine_free(cli.engine);
	if (fflush(stdout) != 0 && r == 0) {
		fprintf(stderr, "wherry: writing to standard output: %s\n", strerror(errno));
		r = 1;
	}
	return r;
}
