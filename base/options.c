/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parsing of command lines by a verb's table. The help text is in options_help.c. */
#include "base/options.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

/* One run over argv. */
struct parse {
	const struct verb_spec *verb;
	char **argv;
	int argc, at;
	char *target;
	struct words *words;
};

static size_t distance_of(const char *a, const char *b)
{
	size_t row[64], width = strlen(b);
	if (width >= ARRAY_SIZE(row))
		return SIZE_MAX;
	for (size_t j = 0; j <= width; j++)
		row[j] = j;
	for (size_t i = 1; *a; a++, i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= width; j++) {
			size_t best = diagonal + (*a != b[j - 1]);
			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[width];
}

static int unknown(const struct verb_spec *verb, const char *option, const char *name,
		   struct error *err)
{
	const char *near = NULL;
	size_t best = 3; /* further away it is no slip of the finger */
	for (size_t i = 0; i < verb->option_count; i++) {
		const char *other = verb->options[i].name;
		size_t distance = other ? distance_of(name, other) : SIZE_MAX;
		if (distance < best) {
			best = distance;
			near = other;
		}
	}
	if (near)
		return error_set(err, EINVAL, "%s: unknown option %s, did you mean --%s?",
				 verb->name, option, near);
	return error_set(err, EINVAL, "%s: unknown option %s; see --help", verb->name, option);
}

static const struct option_spec *find_long(const struct verb_spec *verb, const char *name,
					   size_t size)
{
	for (size_t i = 0; i < verb->option_count; i++) {
		const char *other = verb->options[i].name;
		if (other && strlen(other) == size && memcmp(other, name, size) == 0)
			return &verb->options[i];
	}
	return NULL;
}

static const struct option_spec *find_letter(const struct verb_spec *verb, char letter)
{
	for (size_t i = 0; i < verb->option_count; i++)
		if (verb->options[i].letter == letter)
			return &verb->options[i];
	return NULL;
}

/* "--publish", or "-p" of an option without a long name. */
struct option_name {
	char text[64];
};
static struct option_name name_of(const struct option_spec *option)
{
	struct option_name name;
	if (option->name)
		snprintf(name.text, sizeof name.text, "--%s", option->name);
	else
		snprintf(name.text, sizeof name.text, "-%c", option->letter);
	return name;
}

static int set_flag(const struct parse *parse, const struct option_spec *option, const char *value,
		    struct error *err)
{
	bool *flag = (bool *)(void *)(parse->target + option->offset);
	if (!value || text_equal(value, "true") || text_equal(value, "1"))
		*flag = true;
	else if (text_equal(value, "false") || text_equal(value, "0"))
		*flag = false;
	else
		return error_set(err, EINVAL, "%s: %s is true or false, not \"%s\"",
				 parse->verb->name, name_of(option).text, value);
	return 0;
}

static int bad_value(const struct parse *parse, const struct option_spec *option, const char *value,
		     const char *right, struct error *err)
{
	return error_set(err, EINVAL, "%s: %s \"%s\": must be %s", parse->verb->name,
			 name_of(option).text, value, right);
}

static int set_value(const struct parse *parse, const struct option_spec *option, const char *value,
		     struct error *err)
{
	void *place = parse->target + option->offset;
	switch (option->kind) {
	case OPTION_FLAG:
		return set_flag(parse, option, value, err);
	case OPTION_TEXT:
		*(const char **)place = value;
		return 0;
	case OPTION_LIST:
		return words_append(place, value, err);
	case OPTION_NUMBER:
		if (text_to_signed(value, 0, INT64_MAX, place) < 0)
			return bad_value(parse, option, value, "a whole number from 0 on", err);
		return 0;
	case OPTION_SIZE:
		if (text_to_size_bytes(value, place) < 0)
			return bad_value(parse, option, value, "a size such as 64m", err);
		return 0;
	}
	return 0;
}

/* The value behind `rest`, or else the next word. */
static int take_value(struct parse *parse, const struct option_spec *option, const char *rest,
		      struct error *err)
{
	if (!rest && parse->at + 1 >= parse->argc)
		return error_set(err, EINVAL, "%s: %s needs a value: %s", parse->verb->name,
				 name_of(option).text,
				 option->argument ? option->argument : "VALUE");
	return set_value(parse, option, rest ? rest : parse->argv[++parse->at], err);
}

static int parse_long(struct parse *parse, const char *word, struct error *err)
{
	const char *name = word + 2, *equals = strchr(name, '=');
	size_t size = equals ? (size_t)(equals - name) : strlen(name);
	const struct option_spec *option = find_long(parse->verb, name, size);
	if (!option && text_equal(name, "help"))
		return 1;
	if (!option)
		return unknown(parse->verb, word, name, err);
	if (option->kind == OPTION_FLAG)
		return set_value(parse, option, equals ? equals + 1 : NULL, err);
	return take_value(parse, option, equals ? equals + 1 : NULL, err);
}

static int parse_letters(struct parse *parse, const char *word, struct error *err)
{
	for (const char *at = word + 1; *at; at++) {
		const struct option_spec *option = find_letter(parse->verb, *at);
		if (!option && *at == 'h')
			return 1;
		if (!option)
			return error_set(err, EINVAL, "%s: unknown option -%c; see --help",
					 parse->verb->name, *at);
		if (option->kind != OPTION_FLAG) {
			const char *rest = at[1] == '=' ? at + 2 : at[1] ? at + 1 : NULL;
			return take_value(parse, option, rest, err);
		}
		int r = set_value(parse, option, NULL, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int parse_all(struct parse *parse, struct error *err)
{
	bool options_ended = false;
	int r = 0;
	for (; r == 0 && parse->at < parse->argc; parse->at++) {
		const char *word = parse->argv[parse->at];
		if (!options_ended && text_equal(word, "--")) {
			options_ended = true;
		} else if (options_ended || word[0] != '-' || !word[1]) {
			r = words_append(parse->words, word, err);
			if (parse->verb->style == OPTIONS_STOP_AT_WORD)
				options_ended = true;
		} else if (word[1] == '-') {
			r = parse_long(parse, word, err);
		} else {
			r = parse_letters(parse, word, err);
		}
	}
	return r;
}

int options_parse(const struct verb_spec *verb, int argc, char **argv, void *target,
		  struct words *ret_words, struct error *err)
{
	struct parse parse = { .verb = verb,
			       .argv = argv,
			       .argc = argc,
			       .at = 1,
			       .target = target,
			       .words = ret_words };
	int r = parse_all(&parse, err);
	if (r != 0)
		return r;
	int count = (int)ret_words->count;
	if (count < verb->words_min)
		return error_set(err, EINVAL, "%s: too few arguments: %s %s", verb->name,
				 verb->name, verb->words ? verb->words : "");
	if (verb->words_max >= 0 && count > verb->words_max)
		return error_set(err, EINVAL, "%s: \"%s\" is one argument too many: %s %s",
				 verb->name, ret_words->items[verb->words_max], verb->name,
				 verb->words ? verb->words : "");
	return 0;
}
