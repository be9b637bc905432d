/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "args.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

/* One pair, cut from the text: NUL-terminated copies. */
struct pair {
	const char *key, *value;
};

int cni_address_parse(const char *text, struct ip *ret_ip, struct error *err)
{
	struct prefix prefix;

	if (!strchr(text, '/'))
		return ip_parse(text, ret_ip, err);
	int r = prefix_parse(text, &prefix, err);
	if (r == 0)
		*ret_ip = prefix.ip;
	return r;
}

static int read_ips(const char *value, struct cni_args *args, struct error *err)
{
	auto_words list = { 0 };
	int r = words_split(value, ',', &list, err);

	for (size_t i = 0; r == 0 && i < list.count; i++) {
		if (args->ip_count == CNI_ADDRESSES_MAX)
			return error_set(err, EINVAL, "more than %d addresses", CNI_ADDRESSES_MAX);
		r = cni_address_parse(list.items[i], &args->ips[args->ip_count], err);
		args->ip_count += r == 0;
	}
	return r;
}

static int read_flag(const char *value, bool *ret, struct error *err)
{
	static const char *const yes[] = { "1", "true", "True", "TRUE" };
	static const char *const no[] = { "0", "false", "False", "FALSE", "" };

	for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
		if (text_equal(value, yes[i])) {
			*ret = true;
			return 0;
		}
	for (size_t i = 0; i < ARRAY_SIZE(no); i++)
		if (text_equal(value, no[i])) {
			*ret = false;
			return 0;
		}
	return error_set(err, EINVAL, "\"%.32s\" is neither true nor false", value);
}

static int read_pair(struct pair pair, bool ignore_unknown, struct cni_args *args,
		     struct error *err)
{
	bool flag;

	if (text_equal(pair.key, "IP"))
		return *pair.value ? read_ips(pair.value, args, err) : 0;
	if (text_equal(pair.key, "MAC"))
		return *pair.value ? mac_parse(pair.value, &args->mac, err) : 0;
	if (text_equal(pair.key, "IgnoreUnknown"))
		return read_flag(pair.value, &flag, err);
	if (text_equal(pair.key, "K8S_POD_NAME"))
		snprintf(args->pod_name, sizeof args->pod_name, "%s", pair.value);
	if (text_starts_with(pair.key, "K8S_") || text_equal(pair.key, "GATEWAY") || ignore_unknown)
		return 0;
	return error_set(err, EINVAL, "is not known: IP, MAC, IgnoreUnknown and K8S_… are");
}

/* Cuts "K=V" in two, in place. */
static int cut_pair(char *text, struct pair *ret_pair, struct error *err)
{
	char *equals = strchr(text, '=');

	if (!equals || equals == text || strchr(equals + 1, '='))
		return error_set(err, EINVAL, "CNI_ARGS: \"%.64s\" is no pair KEY=VALUE", text);
	*equals = '\0';
	*ret_pair = (struct pair){ .key = text, .value = equals + 1 };
	return 0;
}

/* IgnoreUnknown counts wherever it stands, so it is looked for first. */
static int read_ignore_unknown(const struct words *words, bool *ret, struct error *err)
{
	static const char key[] = "IgnoreUnknown=";

	for (size_t i = 0; i < words->count; i++)
		if (text_starts_with(words->items[i], key)) {
			int r = read_flag(words->items[i] + sizeof key - 1, ret, err);
			if (r < 0)
				return error_wrap(err, "CNI_ARGS: IgnoreUnknown");
		}
	return 0;
}

int cni_args_read(const char *text, struct cni_args *ret_args, struct error *err)
{
	auto_words words = { 0 };
	struct cni_args args = { 0 };
	bool ignore_unknown = false;

	if (!text || !*text) {
		*ret_args = args;
		return 0;
	}
	int r = words_split(text, ';', &words, err);
	if (r == 0)
		r = read_ignore_unknown(&words, &ignore_unknown, err);
	for (size_t i = 0; r == 0 && i < words.count; i++) {
		struct pair pair;
		r = cut_pair(words.items[i], &pair, err);
		if (r < 0)
			return r;
		r = read_pair(pair, ignore_unknown, &args, err);
		if (r < 0)
			return error_wrap(err, "CNI_ARGS: %s", pair.key);
	}
	if (r == 0)
		*ret_args = args;
	return r;
}
