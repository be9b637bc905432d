/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From bytes to a document. Nesting is counted before jansson, which recurses,
 * sees the text.
 */
#include "json_private.h"

#include <errno.h>
#include <string.h>

#include "base/file.h"

void json_free(struct json_t *value)
{
	json_decref((json_t *)value);
}

static int check_depth(const char *source, const char *text, size_t size, struct error *err)
{
	size_t depth = 0;
	bool in_string = false;
	for (size_t i = 0; i < size; i++) {
		char c = text[i];
		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			if (++depth > JSON_DEPTH_MAX)
				return error_set(err, E2BIG, "%s: nested over %d levels deep",
						 source, JSON_DEPTH_MAX);
		} else if ((c == '}' || c == ']') && depth > 0) {
			depth--;
		}
	}
	return 0;
}

int json_parse(const char *source, const char *text, size_t size, struct json_t **ret_value,
	       struct error *err)
{
	json_error_t problem;
	int r = check_depth(source, text, size, err);
	if (r < 0)
		return r;
	json_t *value = json_loadb(text, size, JSON_DECODE_ANY, &problem);
	if (!value && json_error_code(&problem) == json_error_out_of_memory)
		return error_set(err, ENOMEM, "%s: no memory", source);
	if (!value)
		return error_set(err, EINVAL, "%s: no valid JSON at line %d, column %d: %s", source,
				 problem.line, problem.column, problem.text);
	*ret_value = value;
	return 0;
}

int json_read_file(const char *path, size_t size_max, struct json_t **ret_value, struct error *err)
{
	auto_free char *data = NULL;
	size_t size;
	int r = file_read(path, size_max, &data, &size, err);
	return r < 0 ? r : json_parse(path, data, size, ret_value, err);
}
