/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A list that is printed as a table for people or as JSON for programs: the verb
 * names its columns once, and fills rows without knowing which it will be. In
 * JSON a row is an object whose keys are the columns' keys.
 */
#include <stdint.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/error.h"

struct listing_column {
	const char *title; /* of the table; NULL: in JSON only */
	const char *key;   /* of the JSON; NULL: in the table only */
};
enum listing_format { LISTING_TABLE, LISTING_JSON };

/** Reads the value of -o: "table" or "json"; NULL means table. */
int listing_format_parse(const char *text, enum listing_format *ret_format, struct error *err);

struct listing;
int listing_create(enum listing_format format, const struct listing_column *columns,
		   size_t column_count, struct listing **ret_listing, struct error *err);
void listing_free(struct listing *listing);
DEFINE_FREEP(listing)
/* The next cell, in the order of the columns. Numbers stay numbers in JSON. */
void listing_text(struct listing *listing, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void listing_number(struct listing *listing, uint64_t number);
int listing_print(struct listing *listing, FILE *file, struct error *err);
