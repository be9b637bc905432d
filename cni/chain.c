/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "chain.h"

#include <errno.h>
#include <string.h>

#include "result.h"

/* --- gate -------------------------------------------------------------------------- */

static bool is_named(const struct json_at *interface, const char *name)
{
	const char *text = NULL, *sandbox = NULL;
	struct error ignored = { 0 };

	return json_get_string(interface, "name", JSON_OPTIONAL, &text, &ignored) == 0 &&
	       json_get_string(interface, "sandbox", JSON_OPTIONAL, &sandbox, &ignored) == 0 &&
	       text_equal(text, name) && sandbox && *sandbox;
}

/* The number of the container's interface among all; -1 if it is not there. */
static int find_interface(const struct json_at *previous, const char *name)
{
	struct json_at interfaces = json_member(previous, "interfaces");

	for (size_t i = 0; i < json_count(&interfaces); i++) {
		struct json_at item = json_element(&interfaces, i);
		if (is_named(&item, name))
			return (int)i;
	}
	return -1;
}

/* On ADD a result in another form than the configuration's could not be handed on. */
static int check_version(const struct cni_call *call, const struct json_at *previous,
			 struct error *err)
{
	const char *text = NULL;
	int r = json_get_string(previous, "cniVersion", JSON_OPTIONAL, &text, err);

	if (r < 0 || call->command != CNI_ADD || !text || !*text ||
	    text_equal(text, cni_version_text(call->version)))
		return r;
	struct json_at place = json_member(previous, "cniVersion");
	return json_error(&place, err, EINVAL,
			  "\"%.16s\" is not the configuration's: %s would be right", text,
			  cni_version_text(call->version));
}

int cni_config_read_previous(struct cni_call *call, struct cni_config *config, struct error *err)
{
	auto_cni_result result = { 0 };
	struct json_at previous, interfaces;
	int r = json_get_object(&call->root, "prevResult", JSON_OPTIONAL, &previous, err);

	if (r < 0 || !json_is_present(&previous))
		return r;
	r = check_version(call, &previous, err);
	if (r == 0)
		r = cni_result_read(&previous, call->version, &result, err);
	if (r == 0)
		r = json_get_array(&previous, "interfaces", JSON_OPTIONAL, &interfaces, err);
	if (r < 0)
		return r;
	config->previous = json_member(&call->root, "prevResult");
	config->is_chained = call->command == CNI_ADD &&
			     find_interface(&previous, call->environment->interface) >= 0;
	return 0;
}

/* --- handing on -------------------------------------------------------------------- */

static void put_clone(struct json_t *object, const char *key, const struct json_at *at)
{
	if (at->value)
		json_put(object, key, json_clone(at->value));
}

/* The elements of both lists; the second's "interface" counts from `shift`. */
static struct json_t *join_lists(const struct json_at *first, const struct json_at *second,
				 int64_t shift)
{
	struct json_t *list = json_new_array();

	for (size_t i = 0; i < json_count(first); i++)
		json_append(list, json_clone(json_element(first, i).value));
	for (size_t i = 0; i < json_count(second); i++) {
		struct json_at item = json_element(second, i);
		struct json_t *clone = json_clone(item.value);
		int64_t interface = -1;
		struct error ignored = { 0 };
		if (shift)
			json_get_integer(&item, "interface", JSON_OPTIONAL, 0, INT32_MAX,
					 &interface, &ignored);
		if (interface >= 0)
			json_put_integer(clone, "interface", interface + shift);
		json_append(list, clone);
	}
	return list;
}

void chain_join(const struct cni_config *config, struct json_t **document)
{
	static const char *const lists[] = { "interfaces", "ips", "routes" };
	const struct json_at *previous = &config->previous;
	if (!previous->value)
		return;
	struct json_at own = json_root(*document, "result");
	struct json_at before = json_member(previous, "interfaces");
	struct json_at version = json_member(&own, "cniVersion"), dns = json_member(&own, "dns");
	struct json_t *joined = json_new_object();

	put_clone(joined, "cniVersion", &version);
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		struct json_at first = json_member(previous, lists[i]);
		struct json_at second = json_member(&own, lists[i]);
		int64_t shift = text_equal(lists[i], "ips") ? (int64_t)json_count(&before) : 0;
		if (first.value || second.value)
			json_put(joined, lists[i], join_lists(&first, &second, shift));
	}
	if (json_count(&dns) == 0)
		dns = json_member(previous, "dns");
	put_clone(joined, "dns", &dns);
	json_free(*document);
	*document = joined;
}

/* prevResult as it came; only a MAC that was changed is told anew. */
static struct json_t *previous_with_mac(const struct json_at *previous, int index, struct mac mac)
{
	struct json_t *document = json_new_object();

	for (size_t i = 0; i < json_count(previous); i++) {
		struct json_at member = json_member_at(previous, i);
		if (!text_equal(member.key, "interfaces") || mac_is_unset(mac)) {
			put_clone(document, member.key, &member);
			continue;
		}
		struct json_t *list = json_new_array();
		for (size_t k = 0; k < json_count(&member); k++) {
			struct json_t *item = json_clone(json_element(&member, k).value);
			if ((int)k == index)
				json_put_string(item, "mac", mac_format(mac).text);
			json_append(list, item);
		}
		json_put(document, "interfaces", list);
	}
	return document;
}

/* What only the maker of the interface can do. */
static int check_chained(const struct cni_call *call, const struct cni_config *config,
			 struct error *err)
{
	const char *key = NULL;

	if (config->publish_count)
		key = "runtimeConfig.portMappings";
	else if (config->ingress.rate_bit_s || config->egress.rate_bit_s)
		key = "bandwidth";
	else if (config->isolated_ports)
		key = "isolation";
	else if (config->has_ipam)
		key = "ipam";
	if (!key)
		return 0;
	return error_set(err, EOPNOTSUPP,
			 "%s: interface %s was made by another plugin of the list, and Wherry does "
			 "this for its own only",
			 key, call->environment->interface);
}

int chain_pass_on(struct cni_call *call, const struct cni_config *config, int netns_fd,
		  struct json_t **ret_document, struct error *err)
{
	const char *interface = call->environment->interface;
	struct tuning tuning = config->tuning;

	call->stage = STAGE_CONFIG;
	int r = check_chained(call, config, err);
	if (r < 0)
		return r;
	call->stage = STAGE_WORK;
	tuning.mac = config->mac;
	if (config->mtu)
		tuning.mtu = (int)config->mtu;
	r = tuning_apply(&tuning, netns_fd, interface, err);
	if (r == 0)
		*ret_document =
			previous_with_mac(&config->previous,
					  find_interface(&config->previous, interface), tuning.mac);
	return r;
}

bool chain_is_strange(const struct cni_config *config, bool has_endpoint)
{
	return !has_endpoint && !config->has_ipam && config->previous.value;
}
