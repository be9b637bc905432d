/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Rows of JSON objects, printed as the user asks: a table, `--format` with a
 * template of Go's form, or `-o json`.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "base/json.h"

struct output_column {
	const char *title; /* "CONTAINER ID" */
	const char *key;   /* "ID" */
};
struct output {
	const struct output_column *columns;
	size_t column_count;
	const char *format; /* --format; NULL: none */
	const char *output; /* -o; NULL: table */
	bool quiet;         /* only the first column's values */
	bool whole;         /* --no-trunc */
};
/** Adds what -q, --format, -o mean together; prints rows (an array of objects). */
int output_rows(const struct output *output, const struct json_t *rows, FILE *file,
		struct error *err);
/** `inspect`: an array of objects as JSON, or each through the template. */
int output_objects(const char *format, const struct json_t *objects, FILE *file, struct error *err);
/** "12.3MB", as Docker prints sizes. */
void output_size(uint64_t bytes, char *ret_text, size_t size);
