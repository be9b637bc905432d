/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "listing.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/json.h"
#include "base/table.h"
#include "base/text.h"

#define COLUMNS_MAX 16

struct listing {
	enum listing_format format;
	const struct listing_column *columns;
	size_t column_count;
	size_t at; /* of the next cell in its row */
	struct table *table;
	struct json_t *rows, *row;
};

int listing_format_parse(const char *text, enum listing_format *ret_format, struct error *err)
{
	if (!text || text_equal(text, "table"))
		*ret_format = LISTING_TABLE;
	else if (text_equal(text, "json"))
		*ret_format = LISTING_JSON;
	else
		return error_set(err, EINVAL, "-o %s: is neither table nor json", text);
	return 0;
}

int listing_create(enum listing_format format, const struct listing_column *columns,
		   size_t column_count, struct listing **ret_listing, struct error *err)
{
	const char *titles[COLUMNS_MAX + 1];
	size_t count = 0;
	AUTO(listing) listing = calloc(1, sizeof *listing);
	if (!listing)
		return error_set(err, ENOMEM, "no memory for a list");
	listing->format = format;
	listing->columns = columns;
	listing->column_count = column_count;
	for (size_t i = 0; i < column_count && count < COLUMNS_MAX; i++)
		if (columns[i].title)
			titles[count++] = columns[i].title;
	titles[count] = NULL;
	listing->rows = format == LISTING_JSON ? json_new_array() : NULL;
	int r = format == LISTING_TABLE ? table_create(titles, &listing->table, err) : 0;
	if (r < 0)
		return r;
	*ret_listing = TAKE(listing);
	return 0;
}

void listing_free(struct listing *listing)
{
	if (!listing)
		return;
	table_free(listing->table);
	json_free(listing->rows);
	json_free(listing->row);
	free(listing);
}

/* The column of the next cell; starts and ends rows. */
static const struct listing_column *next_column(struct listing *listing)
{
	if (listing->at == 0 && listing->format == LISTING_JSON)
		listing->row = json_new_object();
	return &listing->columns[listing->at++];
}

static void end_cell(struct listing *listing)
{
	if (listing->at < listing->column_count)
		return;
	listing->at = 0;
	if (listing->format == LISTING_JSON)
		json_append(listing->rows, TAKE(listing->row));
}

void listing_text(struct listing *listing, const char *format, ...)
{
	const struct listing_column *column = next_column(listing);
	char cell[1024];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(cell, sizeof cell, format, arguments);
	va_end(arguments);
	if (listing->format == LISTING_TABLE && column->title)
		table_cell(listing->table, "%s", cell);
	if (listing->format == LISTING_JSON && column->key)
		json_put_string(listing->row, column->key, cell);
	end_cell(listing);
}

void listing_number(struct listing *listing, uint64_t number)
{
	const struct listing_column *column = next_column(listing);
	if (listing->format == LISTING_TABLE && column->title)
		table_cell(listing->table, "%llu", (unsigned long long)number);
	if (listing->format == LISTING_JSON && column->key)
		json_put_integer(listing->row, column->key, (int64_t)number);
	end_cell(listing);
}

int listing_print(struct listing *listing, FILE *file, struct error *err)
{
	auto_free char *text = NULL;
	if (listing->format == LISTING_TABLE)
		return table_print(listing->table, file, err);
	int r = json_format(listing->rows, JSON_INDENTED, &text, err);
	if (r == 0)
		fprintf(file, "%s\n", text);
	return r;
}
