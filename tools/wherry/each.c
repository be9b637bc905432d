/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "each.h"

#include <stdio.h>

int do_each(struct cli *cli, const char *verb, const struct words *words, each_word *work,
	    const void *data, struct error *err)
{
	struct engine *engine;
	int result = 0, r = cli_engine(cli, &engine, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < words->count; i++) {
		r = work(engine, words->items[i], data, err);
		if (r < 0) {
			fprintf(stderr, "wherry: %s: %s\n", verb, err->text);
			result = 1;
		} else {
			printf("%s\n", words->items[i]);
		}
	}
	return result;
}

int show_each(struct cli *cli, const struct words *words, const struct show *show,
	      struct error *err)
{
	struct engine *engine;
	auto_json objects = json_new_array();
	int r = cli_engine(cli, &engine, err);
	for (size_t i = 0; r == 0 && i < words->count; i++) {
		struct json_t *object = NULL;
		r = show->one(engine, words->items[i], show->data, &object, err);
		if (r == 0)
			json_append(objects, object);
	}
	return r < 0 ? r : output_objects(show->format, objects, stdout, err);
}

int list_all(struct cli *cli,
	     int (*list)(struct engine *engine, const void *data, struct json_t **ret_rows,
			 struct error *err),
	     const void *data, const struct output *output, struct error *err)
{
	struct engine *engine;
	auto_json rows = NULL;
	int r = cli_engine(cli, &engine, err);
	if (r == 0)
		r = list(engine, data, &rows, err);
	return r < 0 ? r : output_rows(output, rows, stdout, err);
}
