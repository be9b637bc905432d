/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "health.h"

#include <errno.h>
#include <string.h>

#include "base/file.h"

#define STATE_FILE "health.json"
#define STATE_SIZE_MAX (1u << 20)
#define NS_PER_MS 1000000
#define INTERVAL_MS 30000

static int put_time(struct json_t *health, const char *flag, const char *key, const char *text,
		    struct error *err)
{
	int64_t ms;
	if (!text)
		return 0;
	if (text_to_duration_ms(text, &ms) < 0)
		return error_set(err, EINVAL, "%s %s: must be a time such as 30s", flag, text);
	json_put_integer(health, key, ms * NS_PER_MS);
	return 0;
}

static int put_flags(struct json_t *health, const struct container_options *options,
		     struct error *err)
{
	if (options->health_command) {
		struct json_t *test = json_new_array();
		json_append(test, json_new_string("CMD-SHELL"));
		json_append(test, json_new_string(options->health_command));
		json_put(health, "Test", test);
	}
	int r = put_time(health, "--health-interval", "Interval", options->health_interval, err);
	if (r == 0)
		r = put_time(health, "--health-timeout", "Timeout", options->health_timeout, err);
	if (r == 0)
		r = put_time(health, "--health-start-period", "StartPeriod",
			     options->health_start_period, err);
	if (r == 0 && options->health_retries > 0)
		json_put_integer(health, "Retries", options->health_retries);
	return r;
}

/* The first word of Test; "" if there is none. */
static const char *test_kind(const struct json_t *health)
{
	struct json_at root = json_root(health, "health"), test = json_member(&root, "Test");
	struct json_at first = json_element(&test, 0);
	const char *kind = "";
	struct error ignored;
	if (json_count(&test))
		(void)json_as_string(&first, &kind, &ignored);
	return kind;
}

int health_settle(const struct container_options *options, const char *image_json,
		  struct json_t **ret_health, struct error *err)
{
	auto_json health = NULL;
	*ret_health = NULL;
	bool flags = options->health_command || options->health_interval ||
		     options->health_timeout || options->health_start_period ||
		     options->health_retries > 0;
	if (options->no_health && flags)
		return error_set(err, EINVAL, "--no-healthcheck and --health-…: only one of them");
	if (options->no_health || (!image_json && !flags))
		return 0;
	int r = image_json ? json_parse("HEALTHCHECK", image_json, strlen(image_json), &health, err)
			   : 0;
	if (r == 0 && !health)
		health = json_new_object();
	if (r == 0)
		r = put_flags(health, options, err);
	if (r < 0)
		return r;
	const char *kind = test_kind(health);
	if (text_equal(kind, "NONE"))
		return 0;
	if (!*kind)
		return error_set(
			err, EINVAL,
			"--health-…: the image has no HEALTHCHECK: --health-cmd is needed");
	*ret_health = TAKE(health);
	return 0;
}

int64_t health_interval_ms(const struct json_t *health)
{
	int64_t ns = 0;
	struct json_at root = json_root(health, "health");
	struct error ignored;
	if (!health)
		return 0;
	(void)json_get_integer(&root, "Interval", JSON_OPTIONAL, 0, INT64_MAX, &ns, &ignored);
	return ns >= NS_PER_MS ? ns / NS_PER_MS : INTERVAL_MS;
}

struct json_t *health_state(struct engine *engine, const struct container *container)
{
	struct json_at root = container_root(container);
	struct path path = path_in(container_run_dir(engine, container->id), STATE_FILE);
	struct json_t *state = NULL;
	struct error ignored;
	if (!json_member(&root, "health").value)
		return NULL;
	if (json_read_file(path.text, STATE_SIZE_MAX, &state, &ignored) == 0)
		return state;
	state = json_new_object();
	json_put_string(state, "Status", "starting");
	json_put_integer(state, "FailingStreak", 0);
	json_put(state, "Log", json_new_array());
	return state;
}

const char *health_status(struct engine *engine, const struct container *container)
{
	static const char *const names[] = { "starting", "healthy", "unhealthy" };
	auto_json state = health_state(engine, container);
	struct json_at root = json_root(state, STATE_FILE);
	const char *status = NULL;
	struct error ignored;
	if (!state || json_get_string(&root, "Status", JSON_REQUIRED, &status, &ignored) < 0)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (text_equal(names[i], status))
			return names[i];
	return NULL;
}
