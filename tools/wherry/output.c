/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "base/text.h"
#include "template.h"

#define COLUMNS_MAX 16
#define COMMAND_SHOWN 20 /* characters of a command in a table, as Docker cuts it */

static int print_json(const struct json_t *rows, FILE *file, struct error *err)
{
	auto_free char *text = NULL;
	int r = json_format(rows, JSON_INDENTED, &text, err);
	if (r == 0)
		fprintf(file, "%s\n", text);
	return r;
}

static int fill_cell(struct table *table, const struct output *output, size_t column,
		     const struct json_at *row, struct error *err)
{
	const char *key = output->columns[column].key;
	const char *text = "";
	bool flag;
	struct json_at member = json_member(row, key);
	if (member.value && !json_is_string(&member)) {
		int r = json_get_bool(row, key, JSON_REQUIRED, &flag, err);
		table_cell(table, "%s", r == 0 && flag ? "true" : "false");
		return r;
	}
	int r = json_get_string(row, key, JSON_OPTIONAL, &text, err);
	if (r < 0)
		return r;
	if (text_equal(key, "Command") && !output->whole && strlen(text) > COMMAND_SHOWN)
		table_cell(table, "\"%.*s…\"", COMMAND_SHOWN - 1, text);
	else if (text_equal(key, "Command"))
		table_cell(table, "\"%s\"", text);
	else if (text_equal(key, "ID") && output->whole)
		return json_get_string(row, "FullID", JSON_OPTIONAL, &text, err) == 0
			       ? (table_cell(table, "%s", text), 0)
			       : -err->code;
	else
		table_cell(table, "%s", text);
	return 0;
}

static int print_table(const struct output *output, const struct json_at *rows, FILE *file,
		       struct error *err)
{
	const char *titles[COLUMNS_MAX + 1] = { 0 };
	AUTO(table) table = NULL;
	for (size_t i = 0; i < output->column_count && i < COLUMNS_MAX; i++)
		titles[i] = output->columns[i].title;
	int r = table_create(titles, &table, err);
	for (size_t i = 0; r == 0 && i < json_count(rows); i++) {
		struct json_at row = json_element(rows, i);
		for (size_t k = 0; r == 0 && k < output->column_count; k++)
			r = fill_cell(table, output, k, &row, err);
	}
	return r < 0 ? r : table_print(table, file, err);
}

static int print_quiet(const struct output *output, const struct json_at *rows, FILE *file,
		       struct error *err)
{
	const char *key = output->whole ? "FullID" : output->columns[0].key;
	int r = 0;
	for (size_t i = 0; r == 0 && i < json_count(rows); i++) {
		struct json_at row = json_element(rows, i);
		const char *text = "";
		r = json_get_string(&row, key, JSON_REQUIRED, &text, err);
		if (r == 0)
			fprintf(file, "%s\n", text);
	}
	return r;
}

static int print_template(const char *format, const struct json_at *rows, FILE *file,
			  struct error *err)
{
	for (size_t i = 0; i < json_count(rows); i++) {
		auto_text text = { 0 };
		struct json_at row = json_element(rows, i);
		int r = template_fill(format, row.value, &text, err);
		if (r < 0)
			return r;
		fprintf(file, "%s\n", text.data ? text.data : "");
	}
	return 0;
}

/* The title of the column that shows this key; else the key in capitals. */
static void make_title(const struct output *output, char **title)
{
	for (size_t i = 0; *title && i < output->column_count; i++)
		if (text_equal(output->columns[i].key, *title)) {
			free(*title);
			*title = strdup(output->columns[i].title);
			return;
		}
	for (char *c = *title; c && *c; c++)
		*c = (char)(*c >= 'a' && *c <= 'z' ? *c - 32 : *c);
}

/* "table {{.ID}}\t{{.Names}}": columns split at tabs, titled by their fields. */
static int print_titled(const struct output *output, const struct json_at *rows, FILE *file,
			struct error *err)
{
	const char *format = output->format + strlen("table ");
	auto_words cells = { 0 };
	auto_text tabs = { 0 };
	char *titles[COLUMNS_MAX + 1] = { 0 };
	AUTO(table) table = NULL;
	for (const char *at = format; *at; at++) {
		if (at[0] == '\\' && at[1] == 't') {
			text_append_bytes(&tabs, "\t", 1);
			at++;
		} else {
			text_append_bytes(&tabs, at, 1);
		}
	}
	int r = words_split(tabs.data ? tabs.data : "", '\t', &cells, err);
	if (r == 0 && cells.count > COLUMNS_MAX)
		return error_set(err, EINVAL, "--format: over %d columns", COLUMNS_MAX);
	for (size_t i = 0; r == 0 && i < cells.count; i++) {
		char *dot = strchr(cells.items[i], '.');
		size_t size = dot ? strcspn(dot + 1, " }") : 0;
		titles[i] = dot ? strndup(dot + 1, size) : strdup("");
		make_title(output, &titles[i]);
	}
	if (r == 0)
		r = table_create((const char *const *)titles, &table, err);
	for (size_t i = 0; r == 0 && i < json_count(rows); i++) {
		struct json_at row = json_element(rows, i);
		for (size_t k = 0; r == 0 && k < cells.count; k++) {
			auto_text text = { 0 };
			r = template_fill(cells.items[k], row.value, &text, err);
			table_cell(table, "%s", text.data ? text.data : "");
		}
	}
	for (size_t i = 0; i < COLUMNS_MAX; i++)
		free(titles[i]);
	return r < 0 ? r : table_print(table, file, err);
}

void output_size(uint64_t bytes, char *ret_text, size_t size)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB" };
	double value = (double)bytes;
	size_t unit = 0;
	while (value >= 1000 && unit + 1 < ARRAY_SIZE(units)) {
		value /= 1000;
		unit++;
	}
	snprintf(ret_text, size, "%.3g%s", value, units[unit]);
}

int output_rows(const struct output *output, const struct json_t *rows, FILE *file,
		struct error *err)
{
	struct json_at at = json_root(rows, "rows");
	if (output->output && !text_equal(output->output, "json") &&
	    !text_equal(output->output, "table"))
		return error_set(err, EINVAL, "-o %s: is neither table nor json", output->output);
	if (output->output && text_equal(output->output, "json"))
		return print_json(rows, file, err);
	if (output->quiet)
		return print_quiet(output, &at, file, err);
	if (output->format && text_equal(output->format, "json"))
		return print_template("{{json .}}", &at, file, err);
	if (output->format && text_starts_with(output->format, "table "))
		return print_titled(output, &at, file, err);
	if (output->format)
		return print_template(output->format, &at, file, err);
	return print_table(output, &at, file, err);
}

int output_objects(const char *format, const struct json_t *objects, FILE *file, struct error *err)
{
	struct json_at at = json_root(objects, "objects");
	if (!format || text_equal(format, "json"))
		return print_json(objects, file, err);
	return print_template(format, &at, file, err);
}
