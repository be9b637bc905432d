/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>

#include "base/options.h"

struct run_options {
	bool detach, remove;
	const char *name;
	struct words publish;
	int64_t pids;
	uint64_t memory;
};

#define AT(field) offsetof(struct run_options, field)
static const struct option_spec run_table[] = {
	{ "detach", 'd', OPTION_FLAG, AT(detach), NULL, "Run in the background" },
	{ "rm", 0, OPTION_FLAG, AT(remove), NULL, "Remove it when it ends" },
	{ "name", 0, OPTION_TEXT, AT(name), "NAME", "Name of the container" },
	{ "publish", 'p', OPTION_LIST, AT(publish), "HOST:CONTAINER", "Publish a port" },
	{ "pids-limit", 0, OPTION_NUMBER, AT(pids), "N", "Processes at most" },
	{ NULL, 'm', OPTION_SIZE, AT(memory), "SIZE", "Memory at most" },
};
static const struct verb_spec run_verb = {
	.name = "run",
	.words = "IMAGE [COMMAND [ARG…]]",
	.summary = "Runs a container.",
	.options = run_table,
	.option_count = ARRAY_SIZE(run_table),
	.style = OPTIONS_STOP_AT_WORD,
	.words_min = 1,
	.words_max = -1,
};

/* Splits the line at blanks and parses it. */
static int parse(const struct verb_spec *verb, const char *line, struct run_options *options,
		 struct words *words, struct error *err)
{
	static struct words argv; /* values are lent from it */
	words_free(&argv);
	MUST(words_split(line, ' ', &argv, err), *err);
	return options_parse(verb, (int)argv.count, argv.items, options, words, err);
}

static void options_fill_their_places(void **state)
{
	static const char *const lines[] = {
		"run -d --rm --name web -p 80:80 --publish=81:81 --pids-limit 5 -m 64m image -d x",
		"run -dp 80:80 -p81:81 --rm=true --name=web --pids-limit=5 -m=64m -- image -d x",
		"run -d --name o --name web -p=80:80 --rm -p 81:81 --pids-limit 5 -m64m image -d x",
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct run_options options = { 0 };
		auto_words words = { 0 };
		struct error err = { 0 };
		int r = parse(&run_verb, lines[i], &options, &words, &err);
		CHECK_ROW(i, err.text, r == 0);
		CHECK_ROW(i, lines[i], options.detach && options.remove);
		CHECK_ROW(i, lines[i], text_equal(options.name, "web"));
		CHECK_ROW(i, lines[i], options.publish.count == 2);
		CHECK_ROW(i, lines[i], text_equal(options.publish.items[1], "81:81"));
		CHECK_ROW(i, lines[i], options.pids == 5 && options.memory == 64 << 20);
		CHECK_ROW(i, lines[i], words.count == 3 && text_equal(words.items[1], "-d"));
		words_free(&options.publish);
	}
}

static void wrong_command_lines_are_told_what_would_be_right(void **state)
{
	static const struct {
		const char *line, *error;
	} rows[] = {
		{ "run --nmae web", "run: unknown option --nmae, did you mean --name?" },
		{ "run --quite-another image", "run: unknown option --quite-another; see --help" },
		{ "run -dx image", "run: unknown option -x; see --help" },
		{ "run image --name", NULL }, /* belongs to the command */
		{ "run --name", "run: --name needs a value: NAME" },
		{ "run -m", "run: -m needs a value: SIZE" },
		{ "run -m much image", "run: -m \"much\": must be a size such as 64m" },
		{ "run --pids-limit -1 image",
		  "run: --pids-limit \"-1\": must be a whole number from 0 on" },
		{ "run --rm=maybe image", "run: --rm is true or false, not \"maybe\"" },
		{ "run -d", "run: too few arguments: run IMAGE [COMMAND [ARG…]]" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct run_options options = { 0 };
		auto_words words = { 0 };
		struct error err = { 0 };
		int r = parse(&run_verb, rows[i].line, &options, &words, &err);
		CHECK_ROW(i, rows[i].line, r == (rows[i].error ? -EINVAL : 0));
		if (rows[i].error)
			assert_string_equal(err.text, rows[i].error);
	}
}

static void options_may_stand_behind_words(void **state)
{
	struct verb_spec verb = run_verb;
	struct run_options options = { 0 };
	auto_words words = { 0 };
	struct error err = { 0 };
	(void)state;
	verb.style = OPTIONS_ANYWHERE;
	verb.words_max = 2;
	MUST(parse(&verb, "run a --name web - -d", &options, &words, &err), err);
	assert_int_equal(words.count, 2);
	assert_string_equal(words.items[1], "-");
	assert_true(options.detach);
	words_free(&words);
	assert_int_equal(parse(&verb, "run a b c", &options, &words, &err), -EINVAL);
	assert_string_equal(err.text,
			    "run: \"c\" is one argument too many: run IMAGE [COMMAND [ARG…]]");
}

static void help_is_made_of_the_table(void **state)
{
	struct run_options options = { 0 };
	auto_words words = { 0 };
	auto_free char *text = NULL;
	struct error err;
	(void)state;
	assert_int_equal(parse(&run_verb, "run --help", &options, &words, &err), 1);
	assert_int_equal(parse(&run_verb, "run -h", &options, &words, &err), 1);
	assert_int_equal(parse(&run_verb, "run image -h", &options, &words, &err), 0);
	MUST(options_help("wherry", &run_verb, &text, &err), err);
	assert_true(text_starts_with(text, "usage: wherry run [OPTION…] IMAGE [COMMAND [ARG…]]\n"));
	assert_non_null(strstr(text, "  -p, --publish HOST:CONTAINER      Publish a port\n"));
	assert_non_null(strstr(text, "  -m SIZE  "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_fill_their_places),
		cmocka_unit_test(wrong_command_lines_are_told_what_would_be_right),
		cmocka_unit_test(options_may_stand_behind_words),
		cmocka_unit_test(help_is_made_of_the_table),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
