/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "filter.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>

#include "when.h"

static const char *text_of(const struct json_at *at)
{
	const char *text = "";
	bool flag;
	struct error ignored;
	if (!at->value)
		return "";
	if (json_is_string(at))
		(void)json_as_string(at, &text, &ignored);
	else if (json_get_bool(at->parent, at->key, JSON_REQUIRED, &flag, &ignored) == 0)
		text = flag ? "true" : "false";
	return text;
}

static bool pair_is(const char *pair, size_t size, const char *wanted)
{
	size_t wanted_size = strlen(wanted), key_size = strcspn(pair, "=");
	if (wanted_size == size && strncmp(pair, wanted, size) == 0)
		return true;
	return key_size < size && wanted_size == key_size && strncmp(pair, wanted, key_size) == 0;
}

static bool has_label(const struct json_at *labels, const char *wanted)
{
	const char *text = text_of(labels);
	for (size_t i = 0; i < json_count(labels); i++) {
		struct json_at label = json_member_at(labels, i);
		auto_text pair = { 0 };
		text_append(&pair, "%s=%s", label.key, text_of(&label));
		if (pair.data && pair_is(pair.data, pair.size, wanted))
			return true;
	}
	for (size_t size; *text; text += size + (text[size] == ',')) {
		size = strcspn(text, ",");
		if (pair_is(text, size, wanted))
			return true;
	}
	return false;
}

static int fits(const struct filter_key *key, const char *value, const struct json_at *row,
		struct error *err)
{
	struct json_at member = json_member(row, key->member);
	int64_t limit_ns, time_ns;
	struct error ignored;
	int r;
	switch (key->kind) {
	case FILTER_PART:
		return strstr(text_of(&member), value) != NULL;
	case FILTER_BEGIN:
		return text_starts_with(text_of(&member), value);
	case FILTER_EQUAL:
		return text_equal(text_of(&member), value);
	case FILTER_LABEL:
		return has_label(&member, value);
	case FILTER_NO_LABEL:
		return !has_label(&member, value);
	case FILTER_NAME:
		return fnmatch(value, text_of(&member), 0) == 0;
	case FILTER_OLDER:
		r = when_read("--filter until", value, &limit_ns, err);
		if (r < 0)
			return r;
		return when_read("", text_of(&member), &time_ns, &ignored) == 0 &&
		       time_ns < limit_ns;
	}
	return 0;
}

/* "label!=x" is the key "label!". */
static const char *value_of(const char *filter, const char *key)
{
	size_t size = strlen(key);
	return strncmp(filter, key, size) == 0 && filter[size] == '=' ? filter + size + 1 : NULL;
}

static int check(const struct words *filters, const struct filter_key *keys, size_t key_count,
		 struct error *err)
{
	for (size_t i = 0; i < filters->count; i++) {
		bool known = false;
		auto_text all = { 0 };
		for (size_t k = 0; k < key_count; k++) {
			known |= value_of(filters->items[i], keys[k].key) != NULL;
			text_append(&all, "%s%s=", k ? ", " : "", keys[k].key);
		}
		if (!known)
			return error_set(err, EINVAL, "--filter %s: known are %s",
					 filters->items[i], all.data);
	}
	return 0;
}

int filter_row(const struct words *filters, const struct filter_key *keys, size_t key_count,
	       const struct json_at *row, struct error *err)
{
	for (size_t k = 0; k < key_count; k++) {
		bool asked = false, fit = false;
		/* That a label is not there, or all are, must hold for each. */
		bool all = keys[k].kind == FILTER_LABEL || keys[k].kind == FILTER_NO_LABEL;
		for (size_t i = 0; i < filters->count; i++) {
			const char *value = value_of(filters->items[i], keys[k].key);
			int r = value ? fits(&keys[k], value, row, err) : 0;
			if (r < 0)
				return r;
			if (value && all && !r)
				return 0;
			asked |= value != NULL;
			fit |= r == 1;
		}
		if (asked && !fit)
			return 0;
	}
	return 1;
}

int filter_rows(const struct words *filters, const struct filter_key *keys, size_t key_count,
		struct json_t **rows, struct error *err)
{
	struct json_at root = json_root(*rows, "rows");
	auto_json kept = json_new_array();
	int r = check(filters, keys, key_count, err);
	for (size_t i = 0; r >= 0 && i < json_count(&root); i++) {
		struct json_at row = json_element(&root, i);
		r = filter_row(filters, keys, key_count, &row, err);
		if (r == 1)
			json_append(kept, json_clone(row.value));
	}
	if (r < 0)
		return r;
	json_free(*rows);
	*rows = TAKE(kept);
	return 0;
}
