/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * --filter on rows of JSON objects: values of one key are alternatives, all keys
 * must fit. What a key means a table says.
 */
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

enum filter_kind {
	FILTER_PART,  /* the value is in the member's text */
	FILTER_BEGIN, /* the member's text begins with it */
	FILTER_EQUAL, /* it is the text; "true" and "false" for flags */
	FILTER_LABEL, /* KEY or KEY=VALUE, of an object, or of "a=b,c=d" */
	FILTER_NO_LABEL,
	FILTER_OLDER, /* a time, of --until's form: the member's time is before it */
	FILTER_NAME,  /* a name with * and ? */
};
struct filter_key {
	const char *key; /* "name" */
	enum filter_kind kind;
	const char *member; /* of the row */
};
/** Keeps the rows that fit; *rows (an array) is replaced. -EINVAL names the known keys. */
int filter_rows(const struct words *filters, const struct filter_key *keys, size_t key_count,
		struct json_t **rows, struct error *err);
/** Whether one row fits: 1 or 0. */
int filter_row(const struct words *filters, const struct filter_key *keys, size_t key_count,
	       const struct json_at *row, struct error *err);
