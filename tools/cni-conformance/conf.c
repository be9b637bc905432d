/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Configurations as values: read, put over each other, cut and asked. A test
 * says what differs from the configuration of the command line, so that it
 * works with any plugin whose keys mean the same.
 */
#include "conformance.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define CONF_MAX (1u << 20)

int conf_read(const char *path, struct json_t **ret, struct error *err)
{
	auto_json read = NULL;
	int r = json_read_file(path, CONF_MAX, &read, err);
	if (r < 0)
		return r;
	struct json_at root = json_root(read, path), plugins;
	if (!json_is_object(&root))
		return json_error(&root, err, EINVAL, "a configuration is a JSON object");
	if ((r = json_get_array(&root, "plugins", JSON_OPTIONAL, &plugins, err)) < 0)
		return r;
	if (json_is_present(&plugins)) {
		*ret = TAKE(read);
		return 0;
	}
	struct json_t *list = json_new_object(), *array = json_new_array();
	json_put(list, "cniVersion", json_clone(json_member(&root, "cniVersion").value));
	json_put(list, "name", json_clone(json_member(&root, "name").value));
	json_append(array, TAKE(read));
	json_put(list, "plugins", array);
	*ret = list;
	return 0;
}

struct json_t *conf_parse(const char *text)
{
	auto_free char *copy = strdup(text);
	struct json_t *value = NULL;
	struct error err;
	for (char *c = copy; *c; c++)
		if (*c == '\'')
			*c = '"';
	if (json_parse("test", copy, strlen(copy), &value, &err) < 0) {
		fprintf(stderr, "cni-conformance: %s: %s\n", err.text, text);
		abort();
	}
	return value;
}

static bool is_null(const struct json_at *at)
{
	return at->value && !json_is_present(at);
}

struct json_t *conf_merge(const struct json_t *base, const struct json_t *change)
{
	struct json_at old = json_root(base, "base"), new = json_root(change, "change");
	if (!json_is_object(&old) || !json_is_object(&new))
		return json_clone(change);
	struct json_t *merged = json_new_object();
	for (size_t i = 0; i < json_count(&old); i++) {
		struct json_at member = json_member_at(&old, i);
		struct json_at other = json_member(&new, member.key);
		if (is_null(&other))
			continue;
		json_put(merged, member.key,
			 other.value ? conf_merge(member.value, other.value)
				     : json_clone(member.value));
	}
	for (size_t i = 0; i < json_count(&new); i++) {
		struct json_at member = json_member_at(&new, i);
		if (!is_null(&member) && !json_member(&old, member.key).value)
			json_put(merged, member.key, json_clone(member.value));
	}
	return merged;
}

static struct json_at plugins_of(const struct json_at *root)
{
	return json_member(root, "plugins");
}

static struct json_t *with_plugins(const struct json_t *list, struct json_t *plugins)
{
	struct json_at root = json_root(list, "list");
	struct json_t *made = json_new_object();
	for (size_t i = 0; i < json_count(&root); i++) {
		struct json_at member = json_member_at(&root, i);
		if (!text_equal(member.key, "plugins"))
			json_put(made, member.key, json_clone(member.value));
	}
	json_put(made, "plugins", plugins);
	return made;
}

static struct json_t *change_plugin(const struct json_t *list, size_t index,
				    const struct json_t *change)
{
	struct json_at root = json_root(list, "list"), plugins = plugins_of(&root);
	struct json_t *array = json_new_array();
	for (size_t i = 0; i < json_count(&plugins); i++) {
		struct json_at plugin = json_element(&plugins, i);
		json_append(array, i == index ? conf_merge(plugin.value, change)
					      : json_clone(plugin.value));
	}
	return with_plugins(list, array);
}

struct json_t *conf_change(const struct json_t *list, size_t index, const char *change)
{
	auto_json parsed = conf_parse(change);
	return change_plugin(list, index, parsed);
}

struct json_t *conf_with(const struct world *world, const char *type, const char *change)
{
	int index = type ? chain_find(world, world->list, type) : 0;
	return conf_change(world->list, index < 0 ? 0 : (size_t)index, change);
}

struct json_t *conf_top(const struct json_t *list, const char *change)
{
	auto_json parsed = conf_parse(change);
	return conf_merge(list, parsed);
}

struct json_t *conf_ipam(const struct world *world, const char *ipam)
{
	struct json_at root = json_root(world->list, "list"), plugins = plugins_of(&root);
	struct json_at first = json_element(&plugins, 0), old = json_member(&first, "ipam");
	const char *type = NULL;
	struct error err;
	json_get_string(&old, "type", JSON_OPTIONAL, &type, &err);
	auto_json nothing = conf_parse("{'ipam':null}");
	auto_json bare = change_plugin(world->list, 0, nothing);
	auto_json change = json_new_object();
	struct json_t *given = conf_parse(ipam);
	struct json_at given_at = json_root(given, "ipam");
	if (type && !json_member(&given_at, "type").value)
		json_put_string(given, "type", type);
	json_put(change, "ipam", given);
	return change_plugin(bare, 0, change);
}

struct json_t *conf_pick(const struct json_t *list, const size_t *order, size_t count)
{
	struct json_at root = json_root(list, "list"), plugins = plugins_of(&root);
	struct json_t *array = json_new_array();
	for (size_t i = 0; i < count; i++)
		json_append(array, json_clone(json_element(&plugins, order[i]).value));
	return with_plugins(list, array);
}

/* Follows a path such as "ips.0.address"; false if it leads nowhere. */
static bool follow(const struct json_t *value, const char *path, const struct json_t **ret)
{
	auto_words steps = { 0 };
	struct error err;
	if (!value || words_split(path, '.', &steps, &err) < 0)
		return false;
	for (size_t i = 0; i < steps.count; i++) {
		struct json_at at = json_root(value, "result");
		uint64_t index;
		if (json_is_array(&at)) {
			if (text_to_unsigned(steps.items[i], 0, 100000, &index) < 0 ||
			    index >= json_count(&at))
				return false;
			value = json_element(&at, index).value;
		} else {
			value = json_is_object(&at) ? json_member(&at, steps.items[i]).value : NULL;
		}
		if (!value)
			return false;
	}
	*ret = value;
	return true;
}

const char *result_text(const struct json_t *result, const char *path)
{
	const struct json_t *value;
	const char *text = "";
	struct error err;
	if (follow(result, path, &value)) {
		struct json_at at = json_root(value, path);
		if (json_as_string(&at, &text, &err) < 0)
			return "";
	}
	return text;
}

int64_t result_number(const struct json_t *result, const char *path, int64_t otherwise)
{
	const struct json_t *value;
	int64_t number = otherwise;
	struct error err;
	if (follow(result, path, &value)) {
		struct json_at at = json_root(value, path);
		json_as_integer(&at, INT64_MIN, INT64_MAX, &number, &err);
	}
	return number;
}

size_t result_count(const struct json_t *result, const char *path)
{
	const struct json_t *value;
	if (!follow(result, path, &value))
		return 0;
	struct json_at at = json_root(value, path);
	return json_count(&at);
}

bool result_has(const struct json_t *result, const char *path)
{
	const struct json_t *value;
	return follow(result, path, &value);
}

bool result_address(const struct json_t *result, int family, char ret[64])
{
	for (size_t i = 0; i < result_count(result, "ips"); i++) {
		char path[32];
		snprintf(path, sizeof path, "ips.%zu.address", i);
		const char *address = result_text(result, path);
		if (!address[0] || (strchr(address, ':') ? 6 : 4) != family)
			continue;
		snprintf(ret, 64, "%.*s", (int)strcspn(address, "/"), address);
		return true;
	}
	return false;
}

bool json_same(const struct json_t *a, const struct json_t *b)
{
	struct json_at left = json_root(a, "a"), right = json_root(b, "b");
	if (json_is_object(&left) != json_is_object(&right) ||
	    json_is_array(&left) != json_is_array(&right) ||
	    json_count(&left) != json_count(&right))
		return false;
	if (json_is_array(&left)) {
		for (size_t i = 0; i < json_count(&left); i++)
			if (!json_same(json_element(&left, i).value, json_element(&right, i).value))
				return false;
		return true;
	}
	if (json_is_object(&left)) {
		for (size_t i = 0; i < json_count(&left); i++) {
			struct json_at member = json_member_at(&left, i);
			struct json_at other = json_member(&right, member.key);
			if (!other.value || !json_same(member.value, other.value))
				return false;
		}
		return true;
	}
	auto_free char *left_text = NULL, *right_text = NULL;
	struct error err;
	struct json_t *boxes[2] = { json_new_array(), json_new_array() };
	json_append(boxes[0], json_clone(a));
	json_append(boxes[1], json_clone(b));
	bool same = json_format(boxes[0], JSON_COMPACT, &left_text, &err) == 0 &&
		    json_format(boxes[1], JSON_COMPACT, &right_text, &err) == 0 &&
		    text_equal(left_text, right_text);
	json_free(boxes[0]);
	json_free(boxes[1]);
	return same;
}
