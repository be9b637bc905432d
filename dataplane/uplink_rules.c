/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "uplink_rules.h"

#include <errno.h>
#include <fnmatch.h>
#include <linux/if_arp.h>
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "dataplane/masquerade.h"

#define GLOBS_MAX 256

void uplink_rules_release(struct uplink_rules *rules)
{
	words_free(&rules->include);
	words_free(&rules->exclude);
}

static int read_globs(const struct json_at *at, const char *key, struct words *ret_globs,
		      struct error *err)
{
	struct json_at array = { 0 };
	int r = json_get_array(at, key, JSON_OPTIONAL, &array, err);
	if (r < 0 || !array.value)
		return r;
	if (json_count(&array) > GLOBS_MAX)
		return json_error(&array, err, EINVAL, "at most %d names", GLOBS_MAX);
	for (size_t i = 0; r == 0 && i < json_count(&array); i++) {
		struct json_at element = json_element(&array, i);
		const char *glob = NULL;
		r = json_as_string(&element, &glob, err);
		if (r == 0 && !glob[0])
			r = json_error(&element, err, EINVAL, "\"\" matches no device");
		if (r == 0)
			r = words_append(ret_globs, glob, err);
	}
	return r;
}

/* An address of each family at most, as the option of networks has them. */
static int read_source(const struct json_at *list, struct uplink_source *ret_source,
		       struct error *err)
{
	struct masquerade_options options = { .open = false };
	int r = 0;
	if (!json_is_array(list))
		return json_error(list, err, EINVAL, "must be a list of addresses");
	if (!text_is_name(list->key, sizeof ret_source->device - 1))
		return json_error(list, err, EINVAL, "is the name of no device");
	for (size_t i = 0; r == 0 && i < json_count(list); i++) {
		struct json_at element = json_element(list, i);
		struct error why = { 0 };
		const char *text = NULL;
		r = json_as_string(&element, &text, err);
		if (r == 0 && masquerade_options_take("source", text, &options, &why) < 0)
			r = json_error(&element, err, EINVAL, "%s", why.text);
	}
	if (r < 0)
		return r;
	*ret_source = (struct uplink_source){ .v4 = options.source, .v6 = options.source6 };
	snprintf(ret_source->device, sizeof ret_source->device, "%s", list->key);
	return 0;
}

static int read_sources(const struct json_at *at, struct uplink_rules *rules, struct error *err)
{
	struct json_at object;
	int r = json_get_object(at, "masqueradeSource", JSON_OPTIONAL, &object, err);
	if (r < 0 || !object.value)
		return r;
	if (json_count(&object) > UPLINK_SOURCES_MAX)
		return json_error(&object, err, EINVAL, "at most %d devices", UPLINK_SOURCES_MAX);
	for (size_t i = 0; r == 0 && i < json_count(&object); i++) {
		struct json_at member = json_member_at(&object, i);
		r = read_source(&member, &rules->sources[rules->source_count++], err);
	}
	return r;
}

struct ip uplink_source_of(const struct uplink_rules *rules, const char *device, bool v4)
{
	for (size_t i = 0; i < rules->source_count; i++)
		if (text_equal(rules->sources[i].device, device))
			return v4 ? rules->sources[i].v4 : rules->sources[i].v6;
	return (struct ip){ 0 };
}

int uplink_rules_read(const struct instance *instance, struct uplink_rules *ret_rules,
		      struct error *err)
{
	auto_config config = { 0 };
	struct json_at uplinks = { 0 };
	struct uplink_rules rules __attribute__((cleanup(uplink_rules_release))) = { 0 };

	int r = config_read(instance, &config, err);
	if (r < 0)
		return r;
	struct json_at root = config_root(&config);
	if (r == 1)
		r = json_get_object(&root, "uplinks", JSON_OPTIONAL, &uplinks, err);
	if (r == 0 && uplinks.value)
		r = read_globs(&uplinks, "include", &rules.include, err);
	if (r == 0 && uplinks.value)
		r = read_globs(&uplinks, "exclude", &rules.exclude, err);
	if (r == 0 && uplinks.value)
		r = read_sources(&uplinks, &rules, err);
	if (r < 0)
		return r;
	*ret_rules = rules;
	rules = (struct uplink_rules){ 0 };
	return 0;
}

static bool matches(const struct words *globs, const char *name)
{
	for (size_t i = 0; i < globs->count; i++)
		if (fnmatch(globs->items[i], name, 0) == 0)
			return true;
	return false;
}

/* Bridges that lead to other tools' containers and machines. */
static bool is_of_another_tool(const struct device *device)
{
	static const char *const globs[] = {
		"docker*",
		("br-[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]"
		 "[0-9a-f][0-9a-f][0-9a-f]"), /* a Docker network: twelve digits of its id */
		"podman*",
		"cni*",
		"nerdctl*",
		"kube-bridge",
		"virbr*",
		"lxcbr*",
		"lxdbr*",
		"incusbr*",
		"mpqemubr*",
	};
	if (strcmp(device->kind, "bridge") != 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(globs); i++)
		if (fnmatch(globs[i], device->name, 0) == 0)
			return true;
	return false;
}

/* As the kernel's dev_is_mac_header_xmit has it. */
static enum uplink_kind kind_of_type(uint16_t type)
{
	switch (type) {
	case ARPHRD_ETHER:
		return UPLINK_WITH_ETHERNET;
	case ARPHRD_NONE:
	case ARPHRD_PPP:
	case ARPHRD_RAWIP:
	case ARPHRD_TUNNEL:
	case ARPHRD_TUNNEL6:
	case ARPHRD_SIT:
	case ARPHRD_IPGRE:
	case ARPHRD_IP6GRE:
		return UPLINK_BARE;
	default: /* InfiniBand and others have headers that we do not write */
		return UPLINK_NONE;
	}
}

bool uplink_is_bare(const struct device *device)
{
	return kind_of_type(device->type) == UPLINK_BARE;
}

enum uplink_kind uplink_kind_of(const struct uplink_rules *rules, const struct device *device)
{
	if (device->flags & IFF_LOOPBACK ||
	    strncmp(device->alias, GATEWAY_ALIAS, strlen(GATEWAY_ALIAS)) == 0 ||
	    matches(&rules->exclude, device->name))
		return UPLINK_NONE;
	if (rules->include.count ? !matches(&rules->include, device->name)
				 : is_of_another_tool(device))
		return UPLINK_NONE;
	return kind_of_type(device->type);
}
