/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Command lines from one table: a row makes an option's check, its --help
 * line and its completion. Options are GNU style: --name VALUE, --name=VALUE,
 * -n VALUE, -nVALUE, clustered short flags, "--" ends. With
 * OPTIONS_STOP_AT_WORD parsing ends at the first word that is no option
 * (`wherry run IMAGE command --its-own-flag`).
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/text.h"

enum option_kind {
	OPTION_FLAG,   /* bool: true when given; --name=false is taken too */
	OPTION_TEXT,   /* const char *: lent from argv; the last wins */
	OPTION_LIST,   /* struct words: one item each time */
	OPTION_NUMBER, /* int64_t, decimal, 0 and above */
	OPTION_SIZE,   /* uint64_t bytes: 64m */
};
struct option_spec {
	const char *name; /* "publish"; NULL if only short */
	char letter;      /* 'p'; 0 if only long */
	enum option_kind kind;
	size_t offset;        /* into the verb's struct of options */
	const char *argument; /* "HOST:CONTAINER"; NULL for flags */
	const char *help;     /* one line */
};
enum options_style { OPTIONS_ANYWHERE, OPTIONS_STOP_AT_WORD };

struct verb_spec {
	const char *name;    /* "network create" */
	const char *words;   /* "IMAGE [COMMAND [ARG…]]" */
	const char *summary; /* one line */
	const char *detail;  /* more lines for --help, or NULL */
	const struct option_spec *options;
	size_t option_count;
	enum options_style style;
	int words_min, words_max; /* -1: no limit */
};
/**
 * Parses argv (argv[0] is skipped) into the struct at `target`, which the
 * caller has filled with defaults. Words that are no options go to *ret_words.
 * Returns 0; 1 if --help was asked (and nothing else done); -EINVAL with a text
 * that names the option and says what would be right ("run: unknown option
 * --foo, did you mean --format?").
 */
int options_parse(const struct verb_spec *verb, int argc, char **argv, void *target,
		  struct words *ret_words, struct error *err);
/** The help text of a verb; the caller frees. */
int options_help(const char *program, const struct verb_spec *verb, char **ret_text,
		 struct error *err);
