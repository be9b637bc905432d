/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A list of plugins, run by the rules of the specification's section 3 and of
 * libcni: ADD forwards with the result handed on, DEL backwards with the final
 * result, the first failure ends the run.
 */
#include "conformance.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

void attachment_free_result(struct attachment *attachment)
{
	json_free(attachment->result);
	attachment->result = NULL;
}

static struct json_at plugin_at(const struct json_at *plugins, size_t index)
{
	return json_element(plugins, index);
}

size_t chain_length(const struct json_t *list)
{
	return result_count(list, "plugins");
}

const char *chain_type(const struct json_t *list, size_t index)
{
	char path[48];
	snprintf(path, sizeof path, "plugins.%zu.type", index);
	return result_text(list, path);
}

const char *chain_text(const struct json_t *list, const char *key)
{
	return result_text(list, key);
}

static bool list_names(const char *list, const char *type)
{
	auto_words names = { 0 };
	struct error err;
	if (!list || words_split(list, ',', &names, &err) < 0)
		return false;
	for (size_t i = 0; i < names.count; i++)
		if (text_equal(names.items[i], type))
			return true;
	return false;
}

int chain_find(const struct world *world, const struct json_t *list, const char *type)
{
	for (size_t i = 0; i < chain_length(list); i++)
		if (text_equal(chain_type(list, i), type))
			return (int)i;
	return list_names(world->settings->drop_in, type) ? 0 : -1;
}

/* Of the attachment's capabilities, those that the plugin says it has. */
static struct json_t *runtime_for(const struct json_at *plugin, const struct attachment *attachment)
{
	struct json_t *chosen = json_new_object();
	struct json_at capabilities = json_member(plugin, "capabilities");
	if (!attachment || !attachment->runtime)
		return chosen;
	auto_json all = conf_parse(attachment->runtime);
	struct json_at root = json_root(all, "runtimeConfig");
	for (size_t i = 0; i < json_count(&root); i++) {
		struct json_at member = json_member_at(&root, i);
		bool has = false;
		struct error err;
		if (json_is_object(&capabilities) &&
		    json_get_bool(&capabilities, member.key, JSON_OPTIONAL, &has, &err) == 0 && has)
			json_put(chosen, member.key, json_clone(member.value));
	}
	return chosen;
}

char *chain_input(const struct json_t *list, size_t index, const struct attachment *attachment,
		  const struct json_t *previous)
{
	struct json_at root = json_root(list, "list"), plugins = json_member(&root, "plugins");
	struct json_at plugin = plugin_at(&plugins, index);
	auto_json change = json_new_object();
	struct json_t *runtime = runtime_for(&plugin, attachment);
	struct json_at runtime_at = json_root(runtime, "runtime");
	char *text = NULL;
	struct error err;
	for (size_t i = 0; i < json_count(&root); i++) {
		struct json_at member = json_member_at(&root, i);
		if (text_equal(member.key, "name") || text_equal(member.key, "cniVersion") ||
		    text_starts_with(member.key, "cni.dev/"))
			json_put(change, member.key, json_clone(member.value));
	}
	if (json_count(&runtime_at))
		json_put(change, "runtimeConfig", json_clone(runtime));
	json_free(runtime);
	auto_json whole = conf_merge(plugin.value, change);
	if (previous)
		json_put(whole, "prevResult", json_clone(previous));
	return json_format(whole, JSON_COMPACT, &text, &err) < 0 ? strdup("") : text;
}

void plugin_run(struct world *world, const struct json_t *list, size_t index, const char *command,
		const struct attachment *attachment, const struct json_t *previous,
		struct outcome *ret)
{
	auto_free char *input = chain_input(list, index, attachment, previous);
	bool has_container = !text_equal(command, "STATUS") && !text_equal(command, "GC");
	struct call call = { .type = chain_type(list, index),
			     .command = command,
			     .path = world->path,
			     .input = input };
	if (has_container && attachment) {
		call.id = attachment->id;
		call.netns = attachment->netns;
		call.ifname = attachment->ifname;
		call.args = attachment->args;
	}
	call_run(world, &call, ret);
}

static void keep_result(struct attachment *attachment, struct outcome *outcome)
{
	if (!outcome->json)
		return;
	attachment_free_result(attachment);
	attachment->result = TAKE(outcome->json);
}

bool chain_run(struct world *world, const struct json_t *list, const char *command,
	       struct attachment *attachment, struct outcome *ret)
{
	size_t length = chain_length(list);
	bool is_add = text_equal(command, "ADD"), is_del = text_equal(command, "DEL");
	bool has_result = is_del || text_equal(command, "CHECK");
	for (size_t i = 0; i < length; i++) {
		const struct json_t *previous = NULL;
		if (has_result || (is_add && i > 0))
			previous = attachment ? attachment->result : NULL;
		outcome_free(ret);
		plugin_run(world, list, is_del ? length - 1 - i : i, command, attachment, previous,
			   ret);
		if (ret->status != 0)
			return false;
		if (is_add)
			keep_result(attachment, ret);
	}
	return true;
}

bool chain_do(struct world *world, const struct json_t *list, const char *command,
	      struct attachment *attachment)
{
	auto_outcome outcome = { 0 };
	return chain_run(world, list, command, attachment, &outcome);
}

bool chain_gc(struct world *world, const struct json_t *list, const char *const *valid,
	      struct outcome *ret)
{
	auto_json change = json_new_object();
	if (valid) {
		struct json_t *array = json_new_array();
		for (; *valid; valid++) {
			struct json_t *one = json_new_object();
			const char *slash = strchr(*valid, '/');
			auto_free char *id = strndup(*valid, (size_t)(slash - *valid));
			json_put_string(one, "containerID", id);
			json_put_string(one, "ifname", slash + 1);
			json_append(array, one);
		}
		json_put(change, "cni.dev/attachments", json_clone(array));
		json_put(change, "cni.dev/valid-attachments", array);
	}
	auto_json with = conf_merge(list, change);
	return chain_run(world, with, "GC", NULL, ret);
}
