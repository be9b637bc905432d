/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Expressions of a template: operands, calls, pipes. */
#include "template_value.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define DEPTH_MAX 32

struct reader {
	struct template_scope *scope;
	const char *at, *whole;
	int depth;
};

int template_set(struct template_scope *scope, const char *name, struct json_t *value,
		 struct error *err)
{
	auto_json taken = value;
	for (size_t i = scope->count; i-- > 0;)
		if (text_equal(scope->variables[i].name, name)) {
			json_free(scope->variables[i].value);
			scope->variables[i].value = TAKE(taken);
			return 0;
		}
	if (scope->count == TEMPLATE_VARIABLES_MAX)
		return error_set(err, E2BIG, "--format: over %d variables", TEMPLATE_VARIABLES_MAX);
	struct template_variable *variable = &scope->variables[scope->count++];
	snprintf(variable->name, sizeof variable->name, "%s", name);
	variable->value = TAKE(taken);
	return 0;
}

void template_forget(struct template_scope *scope, size_t count)
{
	while (scope->count > count)
		json_free(scope->variables[--scope->count].value);
}

static int refuse(const struct reader *reader, const char *what, struct error *err)
{
	return error_set(err, EINVAL, "--format: {{%s}}: %s", reader->whole, what);
}

static void skip_blanks(struct reader *reader)
{
	reader->at += strspn(reader->at, " \t\n");
}

static size_t name_size(const char *text)
{
	size_t size = 0;
	while (isalnum((unsigned char)text[size]) || text[size] == '_')
		size++;
	return size;
}

/* .A.B behind a value; *value is replaced. */
static int read_fields(struct reader *reader, struct json_t **value, struct error *err)
{
	while (reader->at[0] == '.' &&
	       (isalnum((unsigned char)reader->at[1]) || reader->at[1] == '_')) {
		size_t size = 1 + name_size(reader->at + 1);
		auto_free char *name = strndup(reader->at + 1, size - 1);
		struct json_at root = json_root(*value, "--format");
		struct json_at member = json_member(&root, name);
		if (!member.value)
			return error_set(err, EINVAL, "--format: {{%s}}: there is no field %s",
					 reader->whole, name);
		struct json_t *found = json_clone(member.value);
		json_free(*value);
		*value = found;
		reader->at += size;
	}
	return 0;
}

static int read_string(struct reader *reader, struct json_t **ret_value, struct error *err)
{
	auto_text text = { 0 };
	char quote = *reader->at++;
	for (; *reader->at && *reader->at != quote; reader->at++) {
		char c = *reader->at;
		if (c == '\\' && quote == '"' && reader->at[1]) {
			c = *++reader->at;
			c = (char)(c == 'n' ? '\n' : c == 't' ? '\t' : c);
		}
		text_append_bytes(&text, &c, 1);
	}
	if (!*reader->at)
		return refuse(reader, "a string has no end", err);
	reader->at++;
	*ret_value = json_new_string(text.data ? text.data : "");
	return 0;
}

static int read_variable(struct reader *reader, struct json_t **ret_value, struct error *err)
{
	size_t size = name_size(reader->at + 1);
	const struct template_scope *scope = reader->scope;
	for (size_t i = scope->count; i-- > 0;)
		if (strlen(scope->variables[i].name) == size &&
		    strncmp(scope->variables[i].name, reader->at + 1, size) == 0) {
			*ret_value = json_clone(scope->variables[i].value);
			reader->at += 1 + size;
			return read_fields(reader, ret_value, err);
		}
	return refuse(reader, "a variable has no value", err);
}

static int read_pipeline(struct reader *reader, struct json_t **ret_value, struct error *err);

static int read_parenthesis(struct reader *reader, struct json_t **ret_value, struct error *err)
{
	reader->at++;
	if (++reader->depth > DEPTH_MAX)
		return refuse(reader, "too many parentheses", err);
	int r = read_pipeline(reader, ret_value, err);
	if (r < 0)
		return r;
	reader->depth--;
	if (*reader->at != ')')
		return refuse(reader, "a parenthesis has no end", err);
	reader->at++;
	return read_fields(reader, ret_value, err);
}

static int read_number(struct reader *reader, struct json_t **ret_value)
{
	char *end;
	long long number = strtoll(reader->at, &end, 10);
	reader->at = end;
	*ret_value = json_new_integer(number);
	return 0;
}

static int read_word(struct reader *reader, struct json_t **ret_value, struct error *err)
{
	static const char *const words[] = { "true", "false", "nil" };
	size_t size = name_size(reader->at);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strlen(words[i]) == size && strncmp(reader->at, words[i], size) == 0) {
			*ret_value = i < 2 ? json_new_bool(i == 0) : json_new_null();
			reader->at += size;
			return 0;
		}
	return refuse(reader, "a field begins with a dot, and this is no function", err);
}

static int read_operand(struct reader *reader, struct json_t **ret_value, struct error *err)
{
	char c = *reader->at;
	if (c == '.') {
		*ret_value = json_clone(reader->scope->dot);
		if (name_size(reader->at + 1))
			return read_fields(reader, ret_value, err);
		reader->at++;
		return 0;
	}
	if (c == '$')
		return read_variable(reader, ret_value, err);
	if (c == '"' || c == '`')
		return read_string(reader, ret_value, err);
	if (c == '(')
		return read_parenthesis(reader, ret_value, err);
	if (isdigit((unsigned char)c) || (c == '-' && isdigit((unsigned char)reader->at[1])))
		return read_number(reader, ret_value);
	if (isalpha((unsigned char)c))
		return read_word(reader, ret_value, err);
	return refuse(reader, "is not understood", err);
}

struct call {
	char name[32]; /* "": no function */
	struct json_t *arguments[TEMPLATE_ARGUMENTS_MAX];
	size_t count;
};
static void call_release(struct call *call)
{
	for (size_t i = 0; i < call->count; i++)
		json_free(call->arguments[i]);
}

static int add_argument(struct reader *reader, struct call *call, struct json_t *value,
			struct error *err)
{
	auto_json taken = value;
	if (call->count == TEMPLATE_ARGUMENTS_MAX)
		return refuse(reader, "has too many words", err);
	call->arguments[call->count++] = TAKE(taken);
	return 0;
}

/* One command of a pipeline: a function and its arguments, or a value. piped is taken. */
static int read_command(struct reader *reader, struct json_t *piped, struct json_t **ret_value,
			struct error *err)
{
	auto_json last = piped;
	__attribute__((cleanup(call_release))) struct call call = { 0 };
	int r = 0;
	skip_blanks(reader);
	size_t size = name_size(reader->at);
	if (size && template_is_function(reader->at, size)) {
		snprintf(call.name, sizeof call.name, "%.*s", (int)size, reader->at);
		reader->at += size;
		skip_blanks(reader);
	}
	while (r == 0 && *reader->at && *reader->at != '|' && *reader->at != ')') {
		auto_json value = NULL;
		r = read_operand(reader, &value, err);
		if (r == 0)
			r = add_argument(reader, &call, TAKE(value), err);
		skip_blanks(reader);
	}
	if (r == 0 && last)
		r = add_argument(reader, &call, TAKE(last), err);
	if (r < 0)
		return r;
	if (call.name[0]) {
		r = template_call(call.name, (const struct json_t *const *)call.arguments,
				  call.count, ret_value, err);
		return r < 0 ? error_wrap(err, "--format: {{%s}}", reader->whole) : 0;
	}
	if (call.count != 1)
		return refuse(reader, call.count ? "is no function with arguments" : "is empty",
			      err);
	*ret_value = TAKE(call.arguments[0]);
	call.count = 0;
	return 0;
}

static int read_pipeline(struct reader *reader, struct json_t **ret_value, struct error *err)
{
	auto_json value = NULL;
	int r = read_command(reader, NULL, &value, err);
	while (r == 0 && *reader->at == '|') {
		struct json_t *piped = TAKE(value);
		reader->at++;
		r = read_command(reader, piped, &value, err);
	}
	if (r == 0)
		*ret_value = TAKE(value);
	return r;
}

int template_evaluate(struct template_scope *scope, const char *pipeline, struct json_t **ret_value,
		      struct error *err)
{
	struct reader reader = { .scope = scope, .at = pipeline, .whole = pipeline };
	auto_json value = NULL;
	int r = read_pipeline(&reader, &value, err);
	if (r == 0 && *reader.at)
		r = refuse(&reader, "is not understood to its end", err);
	if (r == 0)
		*ret_value = TAKE(value);
	return r;
}
