/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A template is text with actions in it; blocks nest. */
#include "template.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "template_value.h"

#define BLOCKS_MAX 32

struct run {
	struct template_scope scope;
	const char *at;
	int depth;
	char action[TEMPLATE_ACTION_MAX];
	struct text *out;
};
enum block_end { BLOCK_TEXT_END, BLOCK_ELSE, BLOCK_END };

/* The action between braces, without blanks around it; run->at goes behind it. */
static int cut_action(struct run *run, struct error *err)
{
	const char *begin = run->at + 2, *close = strstr(begin, "}}");
	if (!close)
		return error_set(err, EINVAL, "--format: {{ without }}");
	const char *end = close;
	run->at = close + 2;
	if (end > begin + 1 && end[-1] == '-' && isspace((unsigned char)end[-2])) {
		end--;
		run->at += strspn(run->at, " \t\n");
	}
	if (begin[0] == '-' && isspace((unsigned char)begin[1])) {
		struct text *out = run->out;
		begin++;
		while (out->size && isspace((unsigned char)out->data[out->size - 1]))
			out->data[--out->size] = 0;
	}
	begin += strspn(begin, " \t\n");
	while (end > begin && isspace((unsigned char)end[-1]))
		end--;
	if ((size_t)(end - begin) >= TEMPLATE_ACTION_MAX)
		return error_set(err, EINVAL, "--format: an action is over %d characters",
				 TEMPLATE_ACTION_MAX - 1);
	memcpy(run->action, begin, (size_t)(end - begin));
	run->action[end - begin] = 0;
	return 0;
}

/* What follows a keyword; NULL if it is another. */
static const char *behind(const char *action, const char *keyword)
{
	size_t size = strlen(keyword);
	if (strncmp(action, keyword, size) != 0 || (action[size] && action[size] != ' '))
		return NULL;
	return action + size + strspn(action + size, " ");
}

static int run_block(struct run *run, bool live, enum block_end *ret_end, struct error *err);

/* The rest of an if, range or with behind its first part: what stands after else is done if
 * `live`. */
static int run_else(struct run *run, bool live, enum block_end end, struct error *err);

/* "$x := pipeline" or "$i, $v := pipeline": the names go to the front. */
static const char *read_names(const char *text, char names[2][32])
{
	const char *assign = strstr(text, ":=");
	if (text[0] != '$' || !assign)
		return text;
	for (int i = 0; i < 2 && *text == '$'; i++) {
		size_t size = strcspn(text + 1, " ,:");
		snprintf(names[i], 32, "%.*s", (int)size, text + 1);
		text += 1 + size;
		text += strspn(text, " ,");
	}
	return assign + 2 + strspn(assign + 2, " ");
}

static int run_if(struct run *run, const char *pipeline, bool live, struct error *err)
{
	auto_json value = NULL;
	enum block_end end;
	int r = live ? template_evaluate(&run->scope, pipeline, &value, err) : 0;
	if (r < 0)
		return r;
	bool yes = live && template_is_true(value);
	r = run_block(run, yes, &end, err);
	return r < 0 ? r : run_else(run, live && !yes, end, err);
}

static int run_else(struct run *run, bool live, enum block_end end, struct error *err)
{
	char rest[TEMPLATE_ACTION_MAX];
	if (end == BLOCK_END)
		return 0;
	if (end == BLOCK_TEXT_END)
		return error_set(err, EINVAL, "--format: a block has no {{end}}");
	const char *next = behind(run->action, "else");
	const char *condition = next ? behind(next, "if") : NULL;
	if (condition) {
		snprintf(rest, sizeof rest, "%s", condition);
		return run_if(run, rest, live, err);
	}
	int r = run_block(run, live, &end, err);
	if (r == 0 && end != BLOCK_END)
		return error_set(err, EINVAL, "--format: a block has no {{end}}");
	return r;
}

static int run_with(struct run *run, const char *pipeline, bool live, struct error *err)
{
	auto_json value = NULL;
	enum block_end end;
	char names[2][32] = { "", "" };
	const struct json_t *outer = run->scope.dot;
	size_t count = run->scope.count;
	pipeline = read_names(pipeline, names);
	int r = live ? template_evaluate(&run->scope, pipeline, &value, err) : 0;
	bool yes = r == 0 && live && template_is_true(value);
	if (yes && names[0][0])
		r = template_set(&run->scope, names[0], json_clone(value), err);
	if (r < 0)
		return r;
	if (yes)
		run->scope.dot = value;
	r = run_block(run, yes, &end, err);
	run->scope.dot = outer;
	template_forget(&run->scope, count);
	return r < 0 ? r : run_else(run, live && !yes, end, err);
}

/* One element of a range. */
static int run_element(struct run *run, char names[2][32], const struct json_at *element,
		       enum block_end *ret_end, struct error *err)
{
	size_t count = run->scope.count;
	bool pair = names[1][0];
	int r = 0;
	if (pair)
		r = template_set(&run->scope, names[0],
				 element->key ? json_new_string(element->key)
					      : json_new_integer((int64_t)element->index),
				 err);
	if (r == 0 && names[0][0])
		r = template_set(&run->scope, names[pair], json_clone(element->value), err);
	run->scope.dot = element->value;
	if (r == 0)
		r = run_block(run, true, ret_end, err);
	template_forget(&run->scope, count);
	return r;
}

static int run_range(struct run *run, const char *pipeline, bool live, struct error *err)
{
	auto_json value = NULL;
	enum block_end end;
	char names[2][32] = { "", "" };
	const struct json_t *outer = run->scope.dot;
	const char *body = run->at;
	pipeline = read_names(pipeline, names);
	int r = live ? template_evaluate(&run->scope, pipeline, &value, err) : 0;
	if (r < 0)
		return r;
	struct json_at list = json_root(value, "--format");
	if (live && json_is_present(&list) && !json_is_array(&list) && !json_is_object(&list))
		return error_set(err, EINVAL, "--format: {{range %s}}: is neither a list nor a map",
				 pipeline);
	size_t count = live ? json_count(&list) : 0;
	for (size_t i = 0; r == 0 && i < count; i++) {
		struct json_at element =
			json_is_object(&list) ? json_member_at(&list, i) : json_element(&list, i);
		run->at = body;
		r = run_element(run, names, &element, &end, err);
	}
	run->scope.dot = outer;
	run->at = body;
	if (r == 0)
		r = run_block(run, false, &end, err);
	return r < 0 ? r : run_else(run, live && !count, end, err);
}

static int run_value(struct run *run, struct error *err)
{
	auto_json value = NULL;
	char names[2][32] = { "", "" };
	const char *pipeline = read_names(run->action, names);
	int r = template_evaluate(&run->scope, pipeline, &value, err);
	if (r < 0)
		return r;
	if (names[0][0])
		return template_set(&run->scope, names[0], TAKE(value), err);
	template_print(value, run->out);
	return 0;
}

/* 1: the block ends here, *ret_end says how. */
static int run_action(struct run *run, bool live, enum block_end *ret_end, struct error *err)
{
	static const struct {
		const char *keyword;
		int (*run)(struct run *run, const char *pipeline, bool live, struct error *err);
	} blocks[] = { { "if", run_if }, { "with", run_with }, { "range", run_range } };
	char pipeline[TEMPLATE_ACTION_MAX];
	if (text_starts_with(run->action, "/*"))
		return 0;
	if (behind(run->action, "end") || behind(run->action, "else")) {
		*ret_end = behind(run->action, "end") ? BLOCK_END : BLOCK_ELSE;
		return 1;
	}
	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++) {
		const char *rest = behind(run->action, blocks[i].keyword);
		if (!rest)
			continue;
		if (++run->depth > BLOCKS_MAX)
			return error_set(err, E2BIG, "--format: blocks nest too deep");
		snprintf(pipeline, sizeof pipeline, "%s", rest);
		int r = blocks[i].run(run, pipeline, live, err);
		run->depth--;
		return r;
	}
	return live ? run_value(run, err) : 0;
}

static int run_block(struct run *run, bool live, enum block_end *ret_end, struct error *err)
{
	while (*run->at) {
		bool escape = run->at[0] == '\\' && (run->at[1] == 't' || run->at[1] == 'n');
		if (run->at[0] == '{' && run->at[1] == '{') {
			int r = cut_action(run, err);
			if (r == 0)
				r = run_action(run, live, ret_end, err);
			if (r != 0)
				return r < 0 ? r : 0;
			continue;
		}
		if (live && escape)
			text_append(run->out, "%c", run->at[1] == 't' ? '\t' : '\n');
		else if (live)
			text_append_bytes(run->out, run->at, 1);
		run->at += escape ? 2 : 1;
	}
	*ret_end = BLOCK_TEXT_END;
	return 0;
}

int template_fill(const char *format, const struct json_t *value, struct text *ret_text,
		  struct error *err)
{
	struct run run = { .scope = { .dot = value }, .at = format, .out = ret_text };
	enum block_end end;
	int r = template_set(&run.scope, "", json_clone(value), err);
	if (r == 0)
		r = run_block(&run, true, &end, err);
	template_forget(&run.scope, 0);
	if (r == 0 && end != BLOCK_TEXT_END)
		return error_set(err, EINVAL, "--format: {{%s}} belongs to no block",
				 end == BLOCK_END ? "end" : "else");
	if (r < 0)
		return r;
	return ret_text->failed ? error_set(err, ENOMEM, "no memory for a template") : 0;
}
