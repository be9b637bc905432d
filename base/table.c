/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/table.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/text.h"

#define GAP 3 /* blanks between columns, as Docker has it */

struct table {
	size_t columns;
	struct words cells; /* titles first */
	bool failed;
};

int table_create(const char *const *titles, struct table **ret_table, struct error *err)
{
	AUTO(table) table = calloc(1, sizeof *table);
	int r = 0;
	if (!table)
		return error_set(err, ENOMEM, "no memory for a table");
	for (; r == 0 && titles[table->columns]; table->columns++)
		r = words_append(&table->cells, titles[table->columns], err);
	if (r < 0)
		return r;
	*ret_table = TAKE(table);
	return 0;
}

void table_free(struct table *table)
{
	if (!table)
		return;
	words_free(&table->cells);
	free(table);
}

void table_cell(struct table *table, const char *format, ...)
{
	char *text = NULL;
	struct error ignored;
	va_list arguments;
	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	auto_free char *owned = text;
	(void)owned; /* freed at the end of scope */
	for (char *c = text; c && *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	if (!text || words_append(&table->cells, text, &ignored) < 0)
		table->failed = true;
}

/* Characters of UTF-8 text: bytes that continue one are not counted. */
static size_t width_of(const char *text)
{
	size_t width = 0;
	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static size_t column_width(const struct table *table, size_t column)
{
	size_t width = 0;
	for (size_t i = column; i < table->cells.count; i += table->columns) {
		size_t cell = width_of(table->cells.items[i]);
		width = cell > width ? cell : width;
	}
	return width;
}

int table_print(const struct table *table, FILE *file, struct error *err)
{
	auto_free size_t *widths = calloc(table->columns + 1, sizeof *widths);
	if (!widths || table->failed)
		return error_set(err, ENOMEM, "no memory for a table");
	for (size_t i = 0; i < table->columns; i++)
		widths[i] = column_width(table, i);
	for (size_t i = 0; i < table->cells.count; i++) {
		const char *cell = table->cells.items[i];
		size_t column = i % table->columns;
		if (column + 1 == table->columns)
			fprintf(file, "%s\n", cell);
		else
			fprintf(file, "%s%*s", cell, (int)(widths[column] - width_of(cell)) + GAP,
				"");
	}
	return 0;
}
