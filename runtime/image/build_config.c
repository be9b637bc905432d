/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Instructions that change only the config of an image. One function each,
 * one table.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "build.h"

/* ENV of the image wins over ARG of the build. */
static const char *look_up(const void *context, const char *name)
{
	const struct build_stage *stage = context;
	const char *value = words_value(&stage->config.env, name);
	return value ? value : words_value(&stage->args, name);
}

int step_expand(struct build *build, const char *text, char **ret, struct error *err)
{
	return dockerfile_expand(text, build->dockerfile.escape, look_up, build_stage_now(build),
				 ret, err);
}

static bool is_variable_name(const char *name)
{
	if (!*name || isdigit((unsigned char)*name))
		return false;
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && *name != '_' && *name != '.' && *name != '-')
			return false;
	return true;
}

/* "NAME=VALUE" words, or the old form "NAME VALUE with blanks". */
static int set_pairs(struct build *build, const struct instruction *step, struct words *target,
		     struct error *err)
{
	bool old_form = !strchr(step->args.items[0], '=');
	auto_words values = { 0 };
	if (old_form && step->args.count < 2)
		return error_set(err, EINVAL, "\"%.100s\" is not NAME=VALUE", step->args.items[0]);
	for (size_t i = 0; i < (old_form ? 1 : step->args.count); i++) {
		auto_free char *pair = NULL, *name = NULL, *value = NULL;
		const char *word = step->args.items[i];
		const char *equals = strchr(word, '=');
		if (!old_form && (!equals || equals == word))
			return error_set(err, EINVAL, "\"%.100s\" is not NAME=VALUE", word);
		size_t size = old_form ? strlen(word) : (size_t)(equals - word);
		const char *rest = old_form ? step->rest + size : equals + 1;
		if (old_form)
			rest += strspn(rest, " \t");
		int r = text_format(&pair, err, "%.*s", (int)size, word);
		if (r == 0)
			r = step_expand(build, pair, &name, err);
		if (r == 0)
			r = step_expand(build, rest, &value, err);
		if (r == 0 && (strchr(name, '=') || !*name))
			r = error_set(err, EINVAL, "\"%.100s\" is no name", name);
		if (r == 0)
			r = words_set(&values, name, value, err);
		if (r < 0)
			return r;
	}
	/* After all: a value of this instruction is not seen by its other words. */
	for (size_t i = 0; i < values.count; i++) {
		char *equals = strchr(values.items[i], '=');
		*equals = 0;
		int r = words_set(target, values.items[i], equals + 1, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int step_env(struct build *build, const struct instruction *step, struct error *err)
{
	return set_pairs(build, step, &build_stage_now(build)->config.env, err);
}

static int step_label(struct build *build, const struct instruction *step, struct error *err)
{
	return set_pairs(build, step, &build_stage_now(build)->config.labels, err);
}

/* The value: what the caller gave, else the default, else that of an ARG before FROM. */
static int set_argument(struct build *build, const char *word, struct error *err)
{
	struct build_stage *stage = build->stage_count ? build_stage_now(build) : NULL;
	const char *equals = strchr(word, '=');
	auto_free char *name = strndup(word, equals ? (size_t)(equals - word) : strlen(word));
	auto_free char *expanded = NULL;
	if (!name)
		return error_set(err, ENOMEM, "no memory for an argument");
	if (!is_variable_name(name))
		return error_set(err, EINVAL, "\"%.100s\" is no name of an argument", name);
	const char *value = words_value(&build->request->build_args, name);
	if (!value && equals) {
		int r = stage ? step_expand(build, equals + 1, &expanded, err)
			      : text_copy(equals + 1, &expanded, err);
		if (r < 0)
			return r;
		value = expanded;
	}
	if (!value && stage)
		value = words_value(&build->global_args, name);
	return value ? words_set(stage ? &stage->args : &build->global_args, name, value, err) : 0;
}

static int step_arg(struct build *build, const struct instruction *step, struct error *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < step->args.count; i++)
		r = set_argument(build, step->args.items[i], err);
	return r;
}

/* A JSON list as it is, text for the shell. */
static int set_command(struct build *build, const struct instruction *step, struct words *target,
		       struct error *err)
{
	struct words words = { 0 };
	int r = step->json ? 0 : words_copy(&build_stage_now(build)->shell, &words, err);
	for (size_t i = 0; r == 0 && i < step->args.count; i++)
		r = words_append(&words, step->args.items[i], err);
	if (r < 0) {
		words_free(&words);
		return r;
	}
	words_free(target);
	*target = words;
	return 0;
}

static int step_cmd(struct build *build, const struct instruction *step, struct error *err)
{
	build_stage_now(build)->command_set = true;
	return set_command(build, step, &build_stage_now(build)->config.command, err);
}

static int step_entrypoint(struct build *build, const struct instruction *step, struct error *err)
{
	struct build_stage *stage = build_stage_now(build);
	/* As Docker: the base's CMD was meant for the base's ENTRYPOINT. */
	if (!stage->command_set)
		words_free(&stage->config.command);
	return set_command(build, step, &stage->config.entrypoint, err);
}

static int add_once(struct words *words, const char *text, struct error *err)
{
	for (size_t i = 0; i < words->count; i++)
		if (text_equal(words->items[i], text))
			return 0;
	return words_append(words, text, err);
}

static int step_expose(struct build *build, const struct instruction *step, struct error *err)
{
	for (size_t i = 0; i < step->args.count; i++) {
		auto_free char *port = NULL, *whole = NULL;
		int r = step_expand(build, step->args.items[i], &port, err);
		if (r == 0)
			r = text_format(&whole, err, "%s%s", port, strchr(port, '/') ? "" : "/tcp");
		uint64_t first = 0;
		char *slash = whole ? strchr(whole, '/') : NULL;
		auto_free char *numbers = slash ? strndup(whole, (size_t)(slash - whole)) : NULL;
		char *dash = numbers ? strchr(numbers, '-') : NULL;
		if (dash)
			*dash++ = 0;
		if (r == 0 && (!numbers || text_to_unsigned(numbers, 0, 65535, &first) < 0 ||
			       (dash && text_to_unsigned(dash, first, 65535, &first) < 0) ||
			       !(strcasecmp(slash, "/tcp") == 0 || strcasecmp(slash, "/udp") == 0 ||
				 strcasecmp(slash, "/sctp") == 0)))
			r = error_set(err, EINVAL, "\"%.60s\" is not PORT[-PORT][/tcp|udp|sctp]",
				      port);
		for (char *byte = slash; r == 0 && *byte; byte++)
			*byte = (char)tolower((unsigned char)*byte);
		if (r == 0)
			r = add_once(&build_stage_now(build)->config.exposed_ports, whole, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int set_text(struct build *build, const char *text, char **target, struct error *err)
{
	char *value = NULL;
	int r = step_expand(build, text, &value, err);
	if (r < 0)
		return r;
	free(*target);
	*target = value;
	return 0;
}

static int step_user(struct build *build, const struct instruction *step, struct error *err)
{
	return set_text(build, step->rest, &build_stage_now(build)->config.user, err);
}

static int step_stop_signal(struct build *build, const struct instruction *step, struct error *err)
{
	return set_text(build, step->rest, &build_stage_now(build)->config.stop_signal, err);
}

static int step_volume(struct build *build, const struct instruction *step, struct error *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < step->args.count; i++) {
		auto_free char *path = NULL;
		r = step_expand(build, step->args.items[i], &path, err);
		if (r == 0 && *path != '/')
			r = error_set(err, EINVAL, "\"%.200s\" is no absolute path", path);
		if (r == 0)
			r = add_once(&build_stage_now(build)->config.volumes, path, err);
	}
	return r;
}

static int step_shell(struct build *build, const struct instruction *step, struct error *err)
{
	struct build_stage *stage = build_stage_now(build);
	words_free(&stage->shell);
	return words_copy(&step->args, &stage->shell, err);
}

static int step_maintainer(struct build *build, const struct instruction *step, struct error *err)
{
	return words_set(&build_stage_now(build)->config.labels, "maintainer", step->rest, err);
}

static int health_option(const char *flag, struct json_t *json, struct error *err)
{
	static const struct {
		const char *flag, *key;
	} rows[] = { { "--interval=", "Interval" },
		     { "--timeout=", "Timeout" },
		     { "--start-period=", "StartPeriod" } };
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int64_t ms;
		if (!text_starts_with(flag, rows[i].flag))
			continue;
		if (text_to_duration_ms(flag + strlen(rows[i].flag), &ms) < 0)
			return error_set(err, EINVAL, "%.60s: must be a time such as 30s", flag);
		json_put_integer(json, rows[i].key, ms * 1000000);
		return 0;
	}
	uint64_t retries;
	if (text_starts_with(flag, "--retries=") &&
	    text_to_unsigned(flag + strlen("--retries="), 1, 1000, &retries) == 0) {
		json_put_integer(json, "Retries", (int64_t)retries);
		return 0;
	}
	return error_set(err, EINVAL, "%.60s is not supported", flag);
}

/* "CMD ["a","b"]", "CMD text" or "NONE". */
static int health_test(const char *rest, struct json_t *json, struct error *err)
{
	struct json_t *test = json_new_array();
	const char *command = rest + 3 + strspn(rest + 3, " \t");
	auto_json list = NULL;
	struct error ignored;
	if (strcasecmp(rest, "NONE") == 0) {
		json_append(test, json_new_string("NONE"));
		json_put(json, "Test", test);
		return 0;
	}
	json_put(json, "Test", test);
	if (strncasecmp(rest, "CMD", 3) != 0 || command == rest + 3 || !*command)
		return error_set(err, EINVAL, "must be CMD COMMAND or NONE");
	if (*command != '[' || json_parse("list", command, strlen(command), &list, &ignored) < 0) {
		json_append(test, json_new_string("CMD-SHELL"));
		json_append(test, json_new_string(command));
		return 0;
	}
	struct json_at root = json_root(list, "HEALTHCHECK");
	json_append(test, json_new_string("CMD"));
	int r = 0;
	for (size_t i = 0; r == 0 && i < json_count(&root); i++) {
		struct json_at item = json_element(&root, i);
		const char *text = NULL;
		r = json_as_string(&item, &text, err);
		if (r == 0)
			json_append(test, json_new_string(text));
	}
	return r;
}

static int step_healthcheck(struct build *build, const struct instruction *step, struct error *err)
{
	char **target = &build_stage_now(build)->config.healthcheck_json, *text = NULL;
	auto_json json = json_new_object();
	int r = health_test(step->rest, json, err);
	for (size_t i = 0; r == 0 && i < step->flags.count; i++)
		r = health_option(step->flags.items[i], json, err);
	if (r == 0)
		r = json_format(json, JSON_COMPACT, &text, err);
	if (r < 0)
		return r;
	free(*target);
	*target = text;
	return 0;
}

int step_config(struct build *build, const struct instruction *step, struct error *err)
{
	static int (*const steps[INSTRUCTION_COUNT])(struct build *, const struct instruction *,
						     struct error *) = {
		[INSTRUCTION_ENV] = step_env,
		[INSTRUCTION_LABEL] = step_label,
		[INSTRUCTION_ARG] = step_arg,
		[INSTRUCTION_CMD] = step_cmd,
		[INSTRUCTION_ENTRYPOINT] = step_entrypoint,
		[INSTRUCTION_EXPOSE] = step_expose,
		[INSTRUCTION_USER] = step_user,
		[INSTRUCTION_STOPSIGNAL] = step_stop_signal,
		[INSTRUCTION_VOLUME] = step_volume,
		[INSTRUCTION_SHELL] = step_shell,
		[INSTRUCTION_MAINTAINER] = step_maintainer,
		[INSTRUCTION_HEALTHCHECK] = step_healthcheck,
	};
	return steps[step->kind](build, step, err);
}
