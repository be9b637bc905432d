/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The config of an image: what a container needs is read out of it and
 * checked, the rest is kept as it is in the blob.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "manifest.h"

#define USER_TEXT_MAX 256
#define SIGNAL_TEXT_MAX 32
#define TIME_SECONDS_MAX (INT64_MAX / 1000000000 - 1)

void image_config_release(struct image_config *config)
{
	words_free(&config->entrypoint);
	words_free(&config->command);
	words_free(&config->env);
	words_free(&config->volumes);
	words_free(&config->exposed_ports);
	words_free(&config->labels);
	free(config->user);
	free(config->working_dir);
	free(config->stop_signal);
	free(config->healthcheck_json);
	*config = (struct image_config){ 0 };
}

static int read_words(const struct json_at *at, const char *key, struct words *ret,
		      struct error *err)
{
	struct json_at array;
	int r = json_get_array(at, key, JSON_OPTIONAL, &array, err);
	for (size_t i = 0; r == 0 && i < json_count(&array); i++) {
		struct json_at item = json_element(&array, i);
		const char *text = NULL;
		r = json_as_string(&item, &text, err);
		if (r == 0)
			r = words_append(ret, text, err);
	}
	return r;
}

/* The names of an object's members; values, where they are text, behind "=". */
static int read_keys(const struct json_at *at, const char *key, bool values, struct words *ret,
		     struct error *err)
{
	struct json_at object;
	int r = json_get_object(at, key, JSON_OPTIONAL, &object, err);
	for (size_t i = 0; r == 0 && i < json_count(&object); i++) {
		struct json_at item = json_member_at(&object, i);
		const char *text = NULL;
		if (!values) {
			r = words_append(ret, item.key, err);
			continue;
		}
		r = json_as_string(&item, &text, err);
		if (r == 0)
			r = words_append_format(ret, err, "%s=%s", item.key, text);
	}
	return r;
}

/* Absolute, no "..", no control bytes: a place inside the container's root. */
static int check_path(const struct json_at *at, const char *key, const char *path,
		      struct error *err)
{
	for (const char *byte = path; *byte; byte++)
		if (iscntrl((unsigned char)*byte))
			return json_error(at, err, EINVAL, "%s \"%.100s\" has control characters",
					  key, path);
	for (const char *part = path; *part; part += strspn(part, "/")) {
		size_t size = strcspn(part, "/");
		if (size == 2 && part[0] == '.' && part[1] == '.')
			return json_error(at, err, EINVAL, "%s \"%.100s\" climbs out with \"..\"",
					  key, path);
		part += size;
	}
	return 0;
}

static int read_working_dir(const struct json_at *at, char **ret, struct error *err)
{
	const char *path = NULL;
	int r = json_get_string(at, "WorkingDir", JSON_OPTIONAL, &path, err);
	if (r < 0 || !path || !*path)
		return r;
	r = check_path(at, "WorkingDir", path, err);
	if (r < 0)
		return r;
	return text_format(ret, err, "%s%s", *path == '/' ? "" : "/", path);
}

static int read_user(const struct json_at *at, char **ret, struct error *err)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_.-$:";
	const char *user = NULL;
	int r = json_get_string(at, "User", JSON_OPTIONAL, &user, err);
	if (r < 0 || !user || !*user)
		return r;
	const char *colon = strchr(user, ':');
	if (strlen(user) > USER_TEXT_MAX || user[strspn(user, allowed)] ||
	    (colon && (strchr(colon + 1, ':') || colon == user)))
		return json_error(at, err, EINVAL, "User \"%.100s\" is no user[:group]", user);
	return text_copy(user, ret, err);
}

static int read_stop_signal(const struct json_at *at, char **ret, struct error *err)
{
	const char *text = NULL;
	int r = json_get_string(at, "StopSignal", JSON_OPTIONAL, &text, err);
	if (r < 0 || !text || !*text)
		return r;
	if (strlen(text) > SIGNAL_TEXT_MAX ||
	    text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-")])
		return json_error(at, err, EINVAL, "StopSignal \"%.40s\" is no signal", text);
	return text_copy(text, ret, err);
}

/* "80", "80/tcp", "8000-8010/udp". */
static int check_port(const struct json_at *at, const char *text, struct error *err)
{
	char numbers[16] = "";
	const char *slash = strchrnul(text, '/');
	uint64_t first = 0, last = 0;
	bool good = slash > text && slash - text < (ptrdiff_t)sizeof numbers;
	if (good) {
		memcpy(numbers, text, (size_t)(slash - text));
		char *dash = strchr(numbers, '-');
		if (dash)
			*dash = 0;
		good = text_to_unsigned(numbers, 0, 65535, &first) == 0 &&
		       (!dash || (text_to_unsigned(dash + 1, first, 65535, &last) == 0));
	}
	if (good && *slash)
		good = text_equal(slash, "/tcp") || text_equal(slash, "/udp") ||
		       text_equal(slash, "/sctp");
	if (!good)
		return json_error(at, err, EINVAL, "ExposedPorts \"%.40s\" is no port/protocol",
				  text);
	return 0;
}

static int read_healthcheck(const struct json_at *at, char **ret, struct error *err)
{
	struct json_at health;
	int r = json_get_object(at, "Healthcheck", JSON_OPTIONAL, &health, err);
	if (r < 0 || !json_is_present(&health))
		return r;
	return json_format(health.value, JSON_COMPACT, ret, err);
}

static int read_config(const struct json_at *at, struct image_config *config, struct error *err)
{
	int r = read_words(at, "Entrypoint", &config->entrypoint, err);
	if (r == 0)
		r = read_words(at, "Cmd", &config->command, err);
	if (r == 0)
		r = read_words(at, "Env", &config->env, err);
	if (r == 0)
		r = read_keys(at, "Volumes", false, &config->volumes, err);
	if (r == 0)
		r = read_keys(at, "ExposedPorts", false, &config->exposed_ports, err);
	if (r == 0)
		r = read_keys(at, "Labels", true, &config->labels, err);
	for (size_t i = 0; r == 0 && i < config->volumes.count; i++)
		r = check_path(at, "Volumes", config->volumes.items[i], err);
	for (size_t i = 0; r == 0 && i < config->exposed_ports.count; i++)
		r = check_port(at, config->exposed_ports.items[i], err);
	if (r == 0)
		r = read_working_dir(at, &config->working_dir, err);
	if (r == 0)
		r = read_user(at, &config->user, err);
	if (r == 0)
		r = read_stop_signal(at, &config->stop_signal, err);
	return r < 0 ? r : read_healthcheck(at, &config->healthcheck_json, err);
}

static int read_platform(const struct json_at *root, struct image *image, struct error *err)
{
	const char *architecture = NULL, *os = NULL;
	int r = json_get_string(root, "architecture", JSON_REQUIRED, &architecture, err);
	if (r == 0)
		r = json_get_string(root, "os", JSON_REQUIRED, &os, err);
	if (r < 0)
		return r;
	if (!text_equal(os, "linux") || !text_equal(architecture, platform_architecture()))
		return json_error(root, err, ENOTSUP,
				  "the image is for %.40s/%.40s, this host runs linux/%s", os,
				  architecture, platform_architecture());
	r = text_copy(os, &image->os, err);
	return r < 0 ? r : text_copy(architecture, &image->architecture, err);
}

static int read_diff_ids(const struct json_at *root, struct words *ret, struct error *err)
{
	struct json_at rootfs;
	const char *type = NULL;
	int r = json_get_object(root, "rootfs", JSON_REQUIRED, &rootfs, err);
	if (r == 0)
		r = json_get_string(&rootfs, "type", JSON_OPTIONAL, &type, err);
	if (r == 0 && type && !text_equal(type, "layers"))
		return json_error(&rootfs, err, EINVAL, "type is \"%.40s\", must be layers", type);
	if (r == 0)
		r = read_words(&rootfs, "diff_ids", ret, err);
	for (size_t i = 0; r == 0 && i < ret->count; i++) {
		struct digest digest;
		r = digest_check(ret->items[i], "rootfs.diff_ids", &digest, err);
	}
	return r;
}

/* RFC 3339; 0 for what is none, or counts no nanoseconds in 64 bits: the time only shows. */
static int64_t parse_time(const char *text)
{
	struct tm tm = { 0 };
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	int64_t seconds = rest ? (int64_t)timegm(&tm) : 0;
	if (!rest || seconds < -TIME_SECONDS_MAX || seconds > TIME_SECONDS_MAX)
		return 0;
	int64_t nanoseconds = 0, scale = 100000000;
	if (*rest == '.')
		for (rest++; isdigit((unsigned char)*rest); rest++, scale /= 10)
			nanoseconds += (*rest - '0') * scale;
	return seconds * 1000000000 + nanoseconds;
}

int image_config_read(const struct json_at *root, struct image *ret_image, struct error *err)
{
	struct json_at config;
	const char *created = NULL;
	if (!json_is_object(root))
		return json_error(root, err, EINVAL, "an image's config must be an object");
	int r = read_platform(root, ret_image, err);
	if (r == 0)
		r = read_diff_ids(root, &ret_image->diff_ids, err);
	if (r == 0)
		r = json_get_string(root, "created", JSON_OPTIONAL, &created, err);
	if (r == 0 && created)
		ret_image->created_ns = parse_time(created);
	if (r == 0)
		r = json_get_object(root, "config", JSON_OPTIONAL, &config, err);
	if (r == 0 && json_is_present(&config))
		r = read_config(&config, &ret_image->config, err);
	return r;
}

static struct json_t *array_of(const struct words *words)
{
	struct json_t *array = json_new_array();
	for (size_t i = 0; i < words->count; i++)
		json_append(array, json_new_string(words->items[i]));
	return array;
}

/* "key=value" words become members; words without "=" get an empty object. */
static struct json_t *object_of(const struct words *words, bool values)
{
	struct json_t *object = json_new_object();
	for (size_t i = 0; i < words->count; i++) {
		const char *equals = values ? strchr(words->items[i], '=') : NULL;
		auto_free char *key =
			equals ? strndup(words->items[i], (size_t)(equals - words->items[i]))
			       : strdup(words->items[i]);
		json_put(object, key ? key : "",
			 equals ? json_new_string(equals + 1) : json_new_object());
	}
	return object;
}

int image_config_write(const struct image_config *config, struct json_t **ret_json,
		       struct error *err)
{
	auto_json json = json_new_object();
	if (config->user)
		json_put_string(json, "User", config->user);
	if (config->exposed_ports.count)
		json_put(json, "ExposedPorts", object_of(&config->exposed_ports, false));
	if (config->env.count)
		json_put(json, "Env", array_of(&config->env));
	if (config->entrypoint.count)
		json_put(json, "Entrypoint", array_of(&config->entrypoint));
	if (config->command.count)
		json_put(json, "Cmd", array_of(&config->command));
	if (config->volumes.count)
		json_put(json, "Volumes", object_of(&config->volumes, false));
	if (config->working_dir)
		json_put_string(json, "WorkingDir", config->working_dir);
	if (config->labels.count)
		json_put(json, "Labels", object_of(&config->labels, true));
	if (config->stop_signal)
		json_put_string(json, "StopSignal", config->stop_signal);
	if (config->healthcheck_json) {
		struct json_t *health = NULL;
		int r = json_parse("HEALTHCHECK", config->healthcheck_json,
				   strlen(config->healthcheck_json), &health, err);
		if (r < 0)
			return r;
		json_put(json, "Healthcheck", health);
	}
	*ret_json = TAKE(json);
	return 0;
}
