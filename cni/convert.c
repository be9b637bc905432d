/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cni/convert.h"

#include <errno.h>
#include <string.h>

#include "cni/cni.h"

/* What becomes of a key. */
enum fate {
	FATE_KEEP,
	FATE_DROP,  /* it is so without it: no note */
	FATE_LOSE,  /* it is not carried over: a note says why */
	FATE_MERGE, /* objects of several plugins go together */
};
struct key_row {
	const char *plugin, *key; /* plugin NULL: any */
	enum fate fate;
	const char *why;
};

static const struct key_row rows[] = {
	{ NULL, "type", FATE_DROP, NULL },
	{ NULL, "capabilities", FATE_MERGE, NULL },
	{ NULL, "args", FATE_MERGE, NULL },
	{ "bridge", "vlan", FATE_LOSE, "there are no VLANs inside a network" },
	{ "bridge", "vlanTrunk", FATE_LOSE, "there are no VLANs inside a network" },
	{ "bridge", "preserveDefaultVlan", FATE_DROP, NULL },
	{ "bridge", "disableContainerInterface", FATE_LOSE, "an interface is up when ADD returns" },
	{ "bridge", "promiscMode", FATE_DROP, NULL },
	{ "bridge", "forceAddress", FATE_DROP, NULL },
	{ "bridge", "macspoofchk", FATE_DROP, NULL }, /* always on */
	{ "bridge", "ipMasqBackend", FATE_DROP, NULL },
	{ "ptp", "ipMasqBackend", FATE_DROP, NULL },
	{ "portmap", "backend", FATE_DROP, NULL },
	{ "portmap", "snat", FATE_DROP, NULL },
	{ "portmap", "masqAll", FATE_LOSE, "containers see the client's own address" },
	{ "portmap", "conditionsV4", FATE_LOSE, "no rule of iptables is made" },
	{ "portmap", "conditionsV6", FATE_LOSE, "no rule of iptables is made" },
	{ "portmap", "markMasqBit", FATE_DROP, NULL },
	{ "portmap", "externalSetMarkChain", FATE_LOSE, "no rule of iptables is made" },
	{ "firewall", "backend", FATE_DROP, NULL },
	{ "firewall", "firewalldZone", FATE_DROP, NULL },
	{ "firewall", "iptablesAdminChainName", FATE_LOSE, "no chain of iptables is asked" },
	{ "bandwidth", "shapedSubnets", FATE_LOSE, "a rate holds for all traffic" },
	{ "bandwidth", "unshapedSubnets", FATE_LOSE, "a rate holds for all traffic" },
	{ "tuning", "dataDir", FATE_DROP, NULL },
};

static const char *const makers[] = { "bridge", "ptp" };
static const char *const members[] = { "portmap", "firewall", "bandwidth", "tuning" };

static bool is_one_of(const char *type, const char *const *types, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (text_equal(types[i], type))
			return true;
	return false;
}

static const struct key_row *find_row(const char *plugin, const char *key)
{
	static const struct key_row keep = { NULL, NULL, FATE_KEEP, NULL };
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (text_equal(rows[i].key, key) &&
		    (!rows[i].plugin || text_equal(rows[i].plugin, plugin)))
			return &rows[i];
	return &keep;
}

/* false, 0, "" and [] ask for nothing: losing them is no loss. */
static bool asks_for_something(const struct json_at *at)
{
	auto_free char *text = NULL;
	struct error ignored = { 0 };
	auto_json box = json_new_array();
	json_append(box, json_clone(at->value));
	if (json_format(box, JSON_COMPACT, &text, &ignored) < 0)
		return true;
	static const char *const nothing[] = {
		"[false]", "[0]", "[\"\"]", "[[]]", "[{}]", "[null]"
	};
	return !is_one_of(text, nothing, ARRAY_SIZE(nothing));
}

/* The member `key` of target with the members of `at` put over it. */
static void merge(struct json_t *target, const char *key, const struct json_at *at)
{
	struct json_at root = json_root(target, "list"), old = json_member(&root, key);
	struct json_t *merged = json_new_object();
	for (size_t i = 0; i < json_count(&old); i++) {
		struct json_at member = json_member_at(&old, i);
		json_put(merged, member.key, json_clone(member.value));
	}
	for (size_t i = 0; i < json_count(at); i++) {
		struct json_at member = json_member_at(at, i);
		json_put(merged, member.key, json_clone(member.value));
	}
	json_put(target, key, merged);
}

static int carry_over(const struct json_at *plugin, const char *type, struct json_t *target,
		      struct words *notes, struct error *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < json_count(plugin); i++) {
		struct json_at member = json_member_at(plugin, i);
		const struct key_row *row = find_row(type, member.key);
		if (row->fate == FATE_KEEP)
			json_put(target, member.key, json_clone(member.value));
		if (row->fate == FATE_MERGE && json_is_object(&member))
			merge(target, member.key, &member);
		if (row->fate == FATE_LOSE && asks_for_something(&member))
			r = words_append_format(notes, err, "%s.%s is not carried over: %s", type,
						member.key, row->why);
	}
	return r;
}

/* What the plugin itself would say of its configuration, before it touches anything. */
static int ask_gate(const struct json_t *list, const struct json_t *own, struct words *notes,
		    struct error *err)
{
	static const struct cni_environment environment = { .command = "ADD",
							    .container_id = "converted",
							    .netns = "/nonexistent/netns",
							    .interface = "eth0",
							    .path = "/nonexistent" };
	struct json_at root = json_root(list, "list"), own_root = json_root(own, "plugin");
	struct json_at name = json_member(&root, "name"),
		       version = json_member(&root, "cniVersion");
	auto_free char *text = NULL, *output = NULL;
	auto_json whole = json_new_object();
	auto_json answer = NULL;
	struct instance instance;
	int64_t code = 0;
	const char *message = "";

	for (size_t i = 0; i < json_count(&own_root); i++) {
		struct json_at member = json_member_at(&own_root, i);
		json_put(whole, member.key, json_clone(member.value));
	}
	json_put(whole, "name", json_clone(name.value));
	json_put(whole, "cniVersion", json_clone(version.value));
	int r = instance_init(NULL, &instance, err);
	if (r == 0)
		r = json_format(whole, JSON_COMPACT, &text, err);
	if (r < 0)
		return r;
	cni_run(&instance, &environment, text, strlen(text), &output);
	if (!output || json_parse("answer", output, strlen(output), &answer, err) < 0)
		return 0;
	struct json_at answered = json_root(answer, "answer");
	r = json_get_integer(&answered, "code", JSON_OPTIONAL, 0, INT32_MAX, &code, err);
	if (r == 0)
		r = json_get_string(&answered, "msg", JSON_OPTIONAL, &message, err);
	/* 3: the namespace is missing, which is as far as this was meant to come. */
	return r < 0 || code == 0 || code == 3
		       ? r
		       : words_append_format(notes, err, "as it is, ADD refuses it: %s", message);
}

static int convert_plugins(const struct json_at *plugins, struct json_t *list, struct words *notes,
			   struct error *err)
{
	struct json_t *array = json_new_array(), *own = NULL;
	int r = 0;

	json_put(list, "plugins", array);
	for (size_t i = 0; r == 0 && i < json_count(plugins); i++) {
		struct json_at plugin = json_element(plugins, i);
		const char *type = NULL;
		r = json_get_string(&plugin, "type", JSON_REQUIRED, &type, err);
		if (r < 0)
			return r;
		bool maker = !own && is_one_of(type, makers, ARRAY_SIZE(makers));
		if (maker) {
			own = json_new_object();
			json_put_string(own, "type", "wherry");
			json_append(array, own);
		}
		if (maker || (own && is_one_of(type, members, ARRAY_SIZE(members)))) {
			r = carry_over(&plugin, type, own, notes, err);
		} else {
			json_append(array, json_clone(plugin.value));
			r = words_append_format(notes, err, "%s stays in the list as it is", type);
		}
	}
	if (r == 0 && !own)
		return json_error(plugins, err, EINVAL,
				  "hold no bridge or ptp: there is nothing that Wherry takes the "
				  "place of");
	return r < 0 ? r : ask_gate(list, own, notes, err);
}

/* A single configuration is a list of one. */
static int find_plugins(const struct json_at *source, struct json_t **holder, struct error *err)
{
	struct json_at plugins;
	int r = json_get_array(source, "plugins", JSON_OPTIONAL, &plugins, err);
	if (r < 0)
		return r;
	*holder = json_is_present(&plugins) ? json_clone(plugins.value) : json_new_array();
	if (json_is_present(&plugins))
		return 0;
	struct json_t *plugin = json_new_object();
	for (size_t i = 0; i < json_count(source); i++) {
		struct json_at member = json_member_at(source, i);
		if (!text_equal(member.key, "name") && !text_equal(member.key, "cniVersion"))
			json_put(plugin, member.key, json_clone(member.value));
	}
	json_append(*holder, plugin);
	return 0;
}

int cni_convert(const struct json_at *source, struct json_t **ret_list, struct words *notes,
		struct error *err)
{
	auto_json holder = NULL;
	auto_json list = json_new_object();
	struct json_at whole = *source;

	if (!json_is_object(&whole))
		return json_error(source, err, EINVAL,
				  "is no configuration: an object would be right");
	int r = find_plugins(source, &holder, err);
	if (r < 0)
		return r;
	struct json_at plugins_key = json_member(source, "plugins");
	for (size_t i = 0; i < json_count(source); i++) {
		struct json_at member = json_member_at(source, i);
		bool top = text_equal(member.key, "name") || text_equal(member.key, "cniVersion");
		if (top || (plugins_key.value && !text_equal(member.key, "plugins")))
			json_put(list, member.key, json_clone(member.value));
	}
	struct json_at plugins = { .value = holder, .parent = source, .key = "plugins" };
	r = convert_plugins(&plugins, list, notes, err);
	if (r == 0)
		*ret_list = TAKE(list);
	return r;
}
