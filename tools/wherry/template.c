/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "template.h"

#include <errno.h>
#include <string.h>

#define ACTION_SIZE_MAX 256

/* What an action names: a value, and a copy of it when it had to be made. */
static int find_path(const struct json_t *value, const char *path, const struct json_t **ret,
		     struct error *err)
{
	auto_words names = { 0 };
	if (text_equal(path, ".")) {
		*ret = value;
		return 0;
	}
	if (path[0] != '.')
		return error_set(err, EINVAL, "--format: {{%s}}: a field begins with a dot", path);
	int r = words_split(path + 1, '.', &names, err);
	for (size_t i = 0; r == 0 && i < names.count; i++) {
		struct json_at at = json_root(value, "--format");
		struct json_at member = json_member(&at, names.items[i]);
		if (!member.value)
			return error_set(err, EINVAL, "--format: {{%s}}: there is no field %s",
					 path, names.items[i]);
		value = member.value;
	}
	*ret = value;
	return r;
}

static int append_json(const struct json_t *value, struct text *text, struct error *err)
{
	auto_free char *formatted = NULL;
	int r = json_format(value, JSON_COMPACT, &formatted, err);
	if (r == 0)
		text_append(text, "%s", formatted);
	return r;
}

/* As Go prints: strings as they are, the rest as JSON. */
static int append_value(const struct json_t *value, struct text *text, struct error *err)
{
	struct json_at at = json_root(value, "--format");
	const char *string;
	if (!json_is_string(&at))
		return append_json(value, text, err);
	int r = json_as_string(&at, &string, err);
	if (r == 0)
		text_append(text, "%s", string);
	return r;
}

/* {{index .Field "key"}} */
static int append_index(const struct json_t *value, const char *arguments, struct text *text,
			struct error *err)
{
	const struct json_t *field;
	auto_free char *path = strndup(arguments, strcspn(arguments, " "));
	const char *rest = arguments + strcspn(arguments, " ");
	rest += strspn(rest, " ");
	size_t size = strlen(rest);
	if (!path || size < 2 || rest[0] != '"' || rest[size - 1] != '"')
		return error_set(err, EINVAL,
				 "--format: {{index %s}}: the form is {{index .Field \"key\"}}",
				 arguments);
	auto_free char *key = strndup(rest + 1, size - 2);
	int r = find_path(value, path, &field, err);
	if (r < 0 || !key)
		return r < 0 ? r : error_set(err, ENOMEM, "no memory for a template");
	struct json_at at = json_root(field, "--format"), member = json_member(&at, key);
	if (!member.value)
		return 0; /* Go prints the empty value of a map's missing key */
	return append_value(member.value, text, err);
}

static int append_action(const struct json_t *value, const char *action, struct text *text,
			 struct error *err)
{
	const struct json_t *found;
	bool as_json = text_starts_with(action, "json ");
	if (text_starts_with(action, "index "))
		return append_index(value, action + strlen("index "), text, err);
	if (!as_json && action[0] != '.')
		return error_set(err, EINVAL,
				 "--format: {{%s}}: known are {{.Field}}, {{json .Field}} and "
				 "{{index .Field \"key\"}}",
				 action);
	int r = find_path(value, as_json ? action + strlen("json ") : action, &found, err);
	if (r < 0)
		return r;
	return as_json ? append_json(found, text, err) : append_value(found, text, err);
}

/* The action between braces, without blanks around it. Returns what follows it. */
static const char *cut_action(const char *open, char *ret_action, struct error *err)
{
	const char *begin = open + 2, *close = strstr(begin, "}}");
	if (!close) {
		error_set(err, EINVAL, "--format: {{ without }}");
		return NULL;
	}
	const char *end = close;
	begin += strspn(begin, " ");
	while (end > begin && end[-1] == ' ')
		end--;
	if ((size_t)(end - begin) >= ACTION_SIZE_MAX) {
		error_set(err, EINVAL, "--format: an action is over %d characters",
			  ACTION_SIZE_MAX - 1);
		return NULL;
	}
	memcpy(ret_action, begin, (size_t)(end - begin));
	ret_action[end - begin] = 0;
	return close + 2;
}

int template_fill(const char *format, const struct json_t *value, struct text *ret_text,
		  struct error *err)
{
	char action[ACTION_SIZE_MAX];
	while (*format) {
		if (format[0] == '{' && format[1] == '{') {
			format = cut_action(format, action, err);
			if (!format)
				return -EINVAL;
			int r = append_action(value, action, ret_text, err);
			if (r < 0)
				return r;
		} else if (format[0] == '\\' && (format[1] == 't' || format[1] == 'n')) {
			text_append(ret_text, "%c", format[1] == 't' ? '\t' : '\n');
			format += 2;
		} else {
			text_append_bytes(ret_text, format++, 1);
		}
	}
	return ret_text->failed ? error_set(err, ENOMEM, "no memory for a template") : 0;
}
