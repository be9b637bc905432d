/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Output for people: a table with aligned columns, and progress that is a bar
 * on a terminal and plain lines elsewhere.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/error.h"

struct table;
/** Column titles, a NULL-terminated list that is copied. */
int table_create(const char *const *titles, struct table **ret_table, struct error *err);
void table_free(struct table *table);
DEFINE_FREEP(table)
/** Adds a cell; a row is full after as many cells as there are titles. Control bytes become '?'. */
void table_cell(struct table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** Prints all, columns three blanks apart as Docker does; -ENOMEM if a cell was lost. */
int table_print(const struct table *table, FILE *file, struct error *err);

struct progress;
/** total_units 0: unknown. Writes to `file`. label is copied. */
int progress_create(FILE *file, const char *label, uint64_t total_units,
		    struct progress **ret_progress, struct error *err);
void progress_update(struct progress *progress, uint64_t done_units);
/** Ends the line with this word ("done", "already there"). */
void progress_finish(struct progress *progress, const char *word);
void progress_free(struct progress *progress);
DEFINE_FREEP(progress)
