/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A Dockerfile becomes a list of instructions: lines are joined where they end
 * with the escape character, comments and empty lines fall out, each keyword
 * is looked up in one table.
 */
#include "dockerfile.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"

enum form {
	FORM_WORDS,      /* split at blanks */
	FORM_QUOTED,     /* split at blanks outside quotes, quotes stay */
	FORM_WHOLE,      /* one text */
	FORM_JSON_SHELL, /* a JSON list, or one text for the shell */
	FORM_JSON_WORDS, /* a JSON list, or words */
	FORM_JSON_ONLY,
};
static const struct {
	const char *name;
	enum form form;
	unsigned char words_min, words_max; /* 0: no limit */
	bool flags;
	const char *usage;
} table[INSTRUCTION_COUNT] = {
	[INSTRUCTION_FROM] = { "FROM", FORM_WORDS, 1, 3, true, "IMAGE [AS NAME]" },
	[INSTRUCTION_RUN] = { "RUN", FORM_JSON_SHELL, 1, 0, true, "COMMAND" },
	[INSTRUCTION_COPY] = { "COPY", FORM_JSON_WORDS, 2, 0, true, "SOURCE… DESTINATION" },
	[INSTRUCTION_ADD] = { "ADD", FORM_JSON_WORDS, 2, 0, true, "SOURCE… DESTINATION" },
	[INSTRUCTION_ENV] = { "ENV", FORM_QUOTED, 1, 0, false, "NAME=VALUE…" },
	[INSTRUCTION_WORKDIR] = { "WORKDIR", FORM_WHOLE, 1, 0, false, "DIRECTORY" },
	[INSTRUCTION_CMD] = { "CMD", FORM_JSON_SHELL, 0, 0, false, "COMMAND" },
	[INSTRUCTION_ENTRYPOINT] = { "ENTRYPOINT", FORM_JSON_SHELL, 0, 0, false, "COMMAND" },
	[INSTRUCTION_EXPOSE] = { "EXPOSE", FORM_WORDS, 1, 0, false, "PORT[/PROTOCOL]…" },
	[INSTRUCTION_USER] = { "USER", FORM_WHOLE, 1, 0, false, "USER[:GROUP]" },
	[INSTRUCTION_LABEL] = { "LABEL", FORM_QUOTED, 1, 0, false, "NAME=VALUE…" },
	[INSTRUCTION_ARG] = { "ARG", FORM_QUOTED, 1, 0, false, "NAME[=VALUE]…" },
	[INSTRUCTION_VOLUME] = { "VOLUME", FORM_JSON_WORDS, 1, 0, false, "DIRECTORY…" },
	[INSTRUCTION_STOPSIGNAL] = { "STOPSIGNAL", FORM_WHOLE, 1, 0, false, "SIGNAL" },
	[INSTRUCTION_HEALTHCHECK] = { "HEALTHCHECK", FORM_WHOLE, 1, 0, true,
				      "[--interval=T …] CMD COMMAND, or NONE" },
	[INSTRUCTION_SHELL] = { "SHELL", FORM_JSON_ONLY, 1, 0, false, "[\"PROGRAM\", \"ARG\"…]" },
	[INSTRUCTION_MAINTAINER] = { "MAINTAINER", FORM_WHOLE, 1, 0, false, "NAME" },
};

struct parser {
	struct dockerfile *dockerfile;
	const char *at, *end;
	unsigned line;
	bool from_seen;
};

const char *instruction_name(enum instruction_kind kind)
{
	return table[kind].name;
}

static void instruction_release(struct instruction *instruction)
{
	free(instruction->text);
	free(instruction->rest);
	words_free(&instruction->flags);
	words_free(&instruction->args);
}

void dockerfile_release(struct dockerfile *dockerfile)
{
	for (size_t i = 0; i < dockerfile->count; i++)
		instruction_release(&dockerfile->items[i]);
	free(dockerfile->items);
	free(dockerfile->name);
	*dockerfile = (struct dockerfile){ 0 };
}

static int line_error(const struct parser *parser, unsigned line, struct error *err)
{
	return error_wrap(err, "%s:%u", parser->dockerfile->name, line);
}

int dockerfile_error(const struct dockerfile *dockerfile, const struct instruction *instruction,
		     struct error *err, int code, const char *format, ...)
{
	char text[ERROR_TEXT_MAX];
	va_list list;
	va_start(list, format);
	vsnprintf(text, sizeof text, format, list);
	va_end(list);
	return error_set(err, code, "%s:%u: %s", dockerfile->name, instruction->line, text);
}

/* One line of the file without its end; false when there is none. */
static bool next_line(struct parser *parser, const char **ret_line, size_t *ret_size)
{
	if (parser->at >= parser->end)
		return false;
	const char *newline = memchr(parser->at, '\n', (size_t)(parser->end - parser->at));
	const char *stop = newline ? newline : parser->end;
	*ret_line = parser->at;
	*ret_size = (size_t)(stop - parser->at);
	parser->at = newline ? newline + 1 : parser->end;
	parser->line++;
	if (*ret_size > 0 && stop[-1] == '\r')
		--*ret_size;
	return true;
}

static bool is_blank_or_comment(const char *line, size_t size)
{
	size_t i = 0;
	while (i < size && isspace((unsigned char)line[i]))
		i++;
	return i == size || line[i] == '#';
}

/* "# escape=`" in the first lines; other directives (syntax) say nothing to us. */
static int read_directives(struct parser *parser, struct error *err)
{
	const char *line;
	size_t size;
	for (;;) {
		struct parser before = *parser;
		char key[16], value[8];
		if (!next_line(parser, &line, &size))
			return 0;
		auto_free char *copy = strndup(line, size);
		if (!copy)
			return error_set(err, ENOMEM, "no memory for a Dockerfile");
		if (sscanf(copy, " # %15[a-zA-Z] = %7s", key, value) != 2 ||
		    (strcasecmp(key, "escape") != 0 && strcasecmp(key, "syntax") != 0 &&
		     strcasecmp(key, "check") != 0)) {
			*parser = before;
			return 0;
		}
		if (strcasecmp(key, "escape") != 0)
			continue;
		if (!text_equal(value, "\\") && !text_equal(value, "`")) {
			error_set(err, EINVAL, "escape must be \\ or `");
			return line_error(parser, parser->line, err);
		}
		parser->dockerfile->escape = *value;
	}
}

/* An instruction's lines joined; comments and empty lines between them fall out. */
static int next_logical(struct parser *parser, struct text *out, unsigned *ret_line)
{
	const char *line;
	size_t size;
	bool open = false;
	while (next_line(parser, &line, &size)) {
		if (is_blank_or_comment(line, size))
			continue;
		if (!open)
			*ret_line = parser->line;
		size_t used = size;
		while (used > 0 && (line[used - 1] == ' ' || line[used - 1] == '\t'))
			used--;
		open = used > 0 && line[used - 1] == parser->dockerfile->escape;
		text_append_bytes(out, line, open ? used - 1 : size);
		if (!open)
			return 1;
	}
	return open;
}

static int parse_json(const char *text, struct words *ret, bool *ret_json, struct error *err)
{
	auto_json document = NULL;
	struct error ignored;
	*ret_json = false;
	if (*text != '[' || json_parse("list", text, strlen(text), &document, &ignored) < 0)
		return 0;
	struct json_at root = json_root(document, "list");
	if (!json_is_array(&root))
		return 0;
	int r = 0;
	for (size_t i = 0; r == 0 && i < json_count(&root); i++) {
		struct json_at item = json_element(&root, i);
		const char *word;
		if (!json_is_string(&item)) {
			words_free(ret);
			return 0; /* as Docker does: then it is no list but a shell's text */
		}
		r = json_as_string(&item, &word, err);
		if (r == 0)
			r = words_append(ret, word, err);
	}
	*ret_json = r == 0;
	return r;
}

/* "--name=value" words in front, and where the rest begins. */
static int take_flags(struct instruction *instruction, const char **rest, struct error *err)
{
	int r = 0;
	while (r == 0 && text_starts_with(*rest, "--")) {
		size_t size = strcspn(*rest, " \t");
		r = words_append_format(&instruction->flags, err, "%.*s", (int)size, *rest);
		*rest += size;
		*rest += strspn(*rest, " \t");
	}
	return r;
}

static int split_plain(const char *text, struct words *ret, struct error *err)
{
	int r = 0;
	while (r == 0 && *(text += strspn(text, " \t"))) {
		size_t size = strcspn(text, " \t");
		r = words_append_format(ret, err, "%.*s", (int)size, text);
		text += size;
	}
	return r;
}

static int parse_args(struct instruction *instruction, enum form form, char escape,
		      struct error *err)
{
	int r = 0;
	const char *rest = instruction->rest;
	if (form >= FORM_JSON_SHELL)
		r = parse_json(rest, &instruction->args, &instruction->json, err);
	if (r < 0 || instruction->json || !*rest)
		return r;
	switch (form) {
	case FORM_QUOTED:
		return dockerfile_split(rest, escape, &instruction->args, err);
	case FORM_WORDS:
	case FORM_JSON_WORDS:
		return split_plain(rest, &instruction->args, err);
	case FORM_JSON_ONLY:
		return error_set(err, EINVAL, "must be a JSON list: SHELL %s",
				 table[instruction->kind].usage);
	default:
		return words_append(&instruction->args, rest, err);
	}
}

static int find_kind(const char *word, size_t size, enum instruction_kind *ret, struct error *err)
{
	for (int i = 0; i < INSTRUCTION_COUNT; i++)
		if (strlen(table[i].name) == size && strncasecmp(table[i].name, word, size) == 0) {
			*ret = (enum instruction_kind)i;
			return 0;
		}
	if (size == 7 && strncasecmp(word, "ONBUILD", 7) == 0)
		return error_set(err, ENOTSUP, "ONBUILD is not supported");
	return error_set(err, EINVAL, "unknown instruction %.*s", size > 40 ? 40 : (int)size, word);
}

static int check_here_document(const struct instruction *instruction, struct error *err)
{
	const char *at = instruction->json ? NULL : strstr(instruction->rest, "<<");
	bool possible = instruction->kind == INSTRUCTION_RUN ||
			instruction->kind == INSTRUCTION_COPY ||
			instruction->kind == INSTRUCTION_ADD;
	for (; possible && at; at = strstr(at + 2, "<<")) {
		const char *word = at + 2 + (at[2] == '-');
		if (at[2] != '<' && (isalpha((unsigned char)*word) || *word == '"' ||
				     *word == '\'' || *word == '_'))
			return error_set(err, ENOTSUP, "here-documents (<<%.20s) are not supported",
					 word);
	}
	return 0;
}

static int parse_instruction(struct parser *parser, const char *text,
			     struct instruction *instruction, struct error *err)
{
	text += strspn(text, " \t");
	size_t size = strcspn(text, " \t");
	int r = find_kind(text, size, &instruction->kind, err);
	if (r < 0)
		return r;
	const char *rest = text + size + strspn(text + size, " \t");
	const char *name = table[instruction->kind].name;
	r = text_format(&instruction->text, err, "%s%s%s", name, *rest ? " " : "", rest);
	if (r == 0 && table[instruction->kind].flags)
		r = take_flags(instruction, &rest, err);
	if (r == 0)
		r = text_copy(rest, &instruction->rest, err);
	if (r < 0)
		return r;
	for (size_t end = strlen(instruction->rest);
	     end > 0 && isspace((unsigned char)instruction->rest[end - 1]);)
		instruction->rest[--end] = 0;
	r = parse_args(instruction, table[instruction->kind].form, parser->dockerfile->escape, err);
	if (r == 0)
		r = check_here_document(instruction, err);
	if (r < 0)
		return r;
	size_t max = table[instruction->kind].words_max;
	if (instruction->args.count < table[instruction->kind].words_min ||
	    (max && instruction->args.count > max))
		return error_set(err, EINVAL, "%s needs: %s %s", name, name,
				 table[instruction->kind].usage);
	if (instruction->kind == INSTRUCTION_FROM)
		parser->from_seen = true;
	else if (!parser->from_seen && instruction->kind != INSTRUCTION_ARG)
		return error_set(err, EINVAL, "%s stands before the first FROM", name);
	return 0;
}

static int add_instruction(struct parser *parser, const char *text, unsigned line,
			   struct error *err)
{
	struct dockerfile *dockerfile = parser->dockerfile;
	if (dockerfile->count == DOCKERFILE_INSTRUCTIONS_MAX)
		return error_set(err, EFBIG, "over %d instructions", DOCKERFILE_INSTRUCTIONS_MAX);
	struct instruction *more =
		reallocarray(dockerfile->items, dockerfile->count + 1, sizeof *more);
	if (!more)
		return error_set(err, ENOMEM, "no memory for a Dockerfile");
	dockerfile->items = more;
	struct instruction *instruction = &more[dockerfile->count++];
	*instruction = (struct instruction){ .line = line };
	return parse_instruction(parser, text, instruction, err);
}

static int parse_all(struct parser *parser, struct error *err)
{
	int r = read_directives(parser, err);
	while (r == 0) {
		auto_text logical = { 0 };
		unsigned line = 0;
		if (!next_logical(parser, &logical, &line))
			break;
		if (logical.failed)
			return error_set(err, ENOMEM, "no memory for a Dockerfile");
		r = add_instruction(parser, logical.data ? logical.data : "", line, err);
		if (r < 0)
			return line_error(parser, line, err);
	}
	if (r == 0 && !parser->from_seen)
		return error_set(err, EINVAL, "%s: has no FROM instruction",
				 parser->dockerfile->name);
	return r;
}

int dockerfile_parse(const char *name, const char *text, size_t size,
		     struct dockerfile *ret_dockerfile, struct error *err)
{
	struct dockerfile dockerfile = { .escape = '\\' };
	struct parser parser = { .dockerfile = &dockerfile, .at = text, .end = text + size };
	if (size > DOCKERFILE_SIZE_MAX)
		return error_set(err, EFBIG, "%s: is over %u bytes", name, DOCKERFILE_SIZE_MAX);
	if (memchr(text, 0, size))
		return error_set(err, EINVAL, "%s: holds a NUL byte: is it a Dockerfile?", name);
	if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		parser.at += 3;
	int r = text_copy(name, &dockerfile.name, err);
	if (r == 0)
		r = parse_all(&parser, err);
	if (r < 0)
		dockerfile_release(&dockerfile);
	else
		*ret_dockerfile = dockerfile;
	return r;
}
