/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Gate of tuning's keys. A sysctl's name has '.' or '/' between its parts; with
 * '/' a part may hold dots, as an interface's name does.
 */
#include "tuning.h"

#include <errno.h>
#include <regex.h>
#include <string.h>

#include "base/file.h"

#define ALLOWLIST "/etc/cni/tuning/allowlist.conf"
#define ALLOWLIST_MAX (1u << 20)
#define SYSCTLS_MAX 256
#define SYSCTL_NAME_MAX 200

/* The path below /proc/sys: never out of it, and only what belongs to a network namespace. */
static int normalise(const struct json_at *at, char ret[SYSCTL_NAME_MAX + 1], struct error *err)
{
	const char *name = at->key;
	if (strlen(name) > SYSCTL_NAME_MAX)
		return json_error(at, err, EINVAL, "is no sysctl: at most %d bytes",
				  SYSCTL_NAME_MAX);
	snprintf(ret, SYSCTL_NAME_MAX + 1, "%s", name);
	if (!strchr(name, '/'))
		for (char *c = ret; *c; c++)
			if (*c == '.')
				*c = '/';
	if (!text_starts_with(ret, "net/") || strstr(ret, "//") || strstr(ret, "/../") ||
	    text_ends_with(ret, "/..") || text_ends_with(ret, "/") || strstr(ret, "/./"))
		return json_error(at, err, EINVAL,
				  "is no sysctl of a network namespace: net.… would be right");
	return 0;
}

/* 1 if a line of the allowlist matches. */
static int is_allowed(const char *allowlist, const char *name)
{
	auto_words lines = { 0 };
	struct error err;
	int allowed = 0;
	if (words_split(allowlist, '\n', &lines, &err) < 0)
		return 0;
	for (size_t i = 0; !allowed && i < lines.count; i++) {
		regex_t pattern;
		if (!lines.items[i][0] ||
		    regcomp(&pattern, lines.items[i], REG_EXTENDED | REG_NOSUB))
			continue;
		allowed = regexec(&pattern, name, 0, NULL, 0) == 0;
		regfree(&pattern);
	}
	return allowed;
}

/* As the configuration writes names, with dots. */
static int check_allowed(const struct json_at *at, const char *path, struct error *err)
{
	auto_free char *allowlist = NULL;
	char dotted[SYSCTL_NAME_MAX + 1];
	size_t size;
	if (!path_exists(ALLOWLIST))
		return 0;
	int r = file_read(ALLOWLIST, ALLOWLIST_MAX, &allowlist, &size, err);
	if (r < 0)
		return r;
	snprintf(dotted, sizeof dotted, "%s", path);
	for (char *c = dotted; *c; c++)
		if (*c == '/')
			*c = '.';
	if (is_allowed(allowlist, dotted) || is_allowed(allowlist, at->key))
		return 0;
	return json_error(at, err, EINVAL, "is matched by no line of " ALLOWLIST);
}

static int put_sysctl(struct tuning *tuning, const char *path, const char *value,
		      const struct json_at *at, bool replaces, struct error *err)
{
	for (size_t i = 0; i + 1 < tuning->sysctls.count; i += 2) {
		if (!text_equal(tuning->sysctls.items[i], path))
			continue;
		if (!replaces)
			return json_error(at, err, EINVAL, "is given twice");
		auto_free char *copy = NULL;
		int r = text_copy(value, &copy, err);
		if (r < 0)
			return r;
		free(tuning->sysctls.items[i + 1]);
		tuning->sysctls.items[i + 1] = TAKE(copy);
		return 0;
	}
	int r = words_append(&tuning->sysctls, path, err);
	return r < 0 ? r : words_append(&tuning->sysctls, value, err);
}

static int read_sysctls(const struct json_at *at, struct tuning *tuning, bool replaces,
			struct error *err)
{
	struct json_at sysctls;
	int r = json_get_object(at, "sysctl", JSON_OPTIONAL, &sysctls, err);
	if (r == 0 && json_count(&sysctls) > SYSCTLS_MAX)
		return json_error(&sysctls, err, EINVAL, "has more than %d entries", SYSCTLS_MAX);
	for (size_t i = 0; r == 0 && i < json_count(&sysctls); i++) {
		struct json_at entry = json_member_at(&sysctls, i);
		char path[SYSCTL_NAME_MAX + 1];
		const char *value;
		r = json_as_string(&entry, &value, err);
		if (r == 0)
			r = normalise(&entry, path, err);
		if (r == 0)
			r = check_allowed(&entry, path, err);
		if (r == 0)
			r = put_sysctl(tuning, path, value, &entry, replaces, err);
	}
	return r;
}

static int read_flag(const struct json_at *at, const char *key, int *value, struct error *err)
{
	bool flag = false;
	struct json_at member = json_member(at, key);
	int r = json_get_bool(at, key, JSON_OPTIONAL, &flag, err);
	if (r == 0 && json_is_present(&member))
		*value = flag;
	return r;
}

static int read_number(const struct json_at *at, const char *key, int64_t min, int64_t max,
		       int *value, struct error *err)
{
	int64_t number = *value;
	int r = json_get_integer(at, key, JSON_OPTIONAL, min, max, &number, err);
	if (r == 0)
		*value = (int)number;
	return r;
}

static int read_attributes(const struct json_at *at, struct tuning *tuning, struct error *err)
{
	int r = read_flag(at, "promisc", &tuning->promisc, err);
	if (r == 0)
		r = read_flag(at, "allmulti", &tuning->allmulti, err);
	return r < 0 ? r : read_number(at, "txQLen", 0, INT32_MAX, &tuning->txqlen, err);
}

/* An empty string is none, as Go's plugins take it. */
static int read_mac(const struct json_at *at, struct tuning *tuning, struct error *err)
{
	struct json_at mac = json_member(at, "mac");
	const char *text = "";
	if (json_is_string(&mac) && json_as_string(&mac, &text, err) == 0 && !*text)
		return 0;
	return json_get_mac(at, "mac", JSON_OPTIONAL, &tuning->mac, err);
}

int tuning_read(struct cni_call *call, struct tuning *ret_tuning, struct error *err)
{
	struct tuning tuning = { .promisc = TUNING_UNSET,
				 .allmulti = TUNING_UNSET,
				 .mtu = TUNING_UNSET,
				 .txqlen = TUNING_UNSET };
	struct json_at args = json_member(&call->root, "args"), cni = json_member(&args, "cni");
	int r = read_sysctls(&call->root, &tuning, false, err);
	if (r == 0)
		r = read_attributes(&call->root, &tuning, err);
	if (r == 0)
		r = read_mac(&call->root, &tuning, err);
	if (r == 0 && json_is_object(&cni))
		r = read_sysctls(&cni, &tuning, true, err);
	if (r == 0 && json_is_object(&cni))
		r = read_attributes(&cni, &tuning, err);
	if (r < 0)
		tuning_release(&tuning);
	else
		*ret_tuning = tuning;
	return r;
}
