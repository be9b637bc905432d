/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What verbs do for each of their words, or for all that there is, in one way. */
#include "output.h"
#include "runtime/engine.h"
#include "verbs.h"

typedef int each_word(struct engine *engine, const char *reference, const void *data,
		      struct error *err);
/**
 * Does it for each word and prints the word; an error is printed behind the
 * verb's name, and the rest goes on. The exit status.
 */
int do_each(struct cli *cli, const char *verb, const struct words *words, each_word *work,
	    const void *data, struct error *err);

typedef int show_word(struct engine *engine, const char *reference, const void *data,
		      struct json_t **ret_object, struct error *err);
/** `inspect`: the objects of all words, through the template of format (may be NULL). */
struct show {
	show_word *one;
	const void *data;
	const char *format;
};
int show_each(struct cli *cli, const struct words *words, const struct show *show,
	      struct error *err);

/** `ls`: the rows of the engine's list, as the user asks for them. */
int list_all(struct cli *cli,
	     int (*list)(struct engine *engine, const void *data, struct json_t **ret_rows,
			 struct error *err),
	     const void *data, const struct output *output, struct error *err);
