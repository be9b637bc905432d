/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the programs are told at load: facts of the kernel, and the instance's
 * share of the host's ports.
 */
#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "config.h"
#include "load.h"

/* The default instance has the ports that order-preserving translation wants;
 * others share the top of the range, a slice each. */
#define MASQUERADE_FIRST 16384
#define MASQUERADE_COUNT 16384
#define SLICE_FIRST 61440
#define SLICE_COUNT 1024
#define SLICES 4

bool load_knows_ip_summed(void)
{
	struct btf *btf = btf__load_vmlinux_btf();
	if (!btf)
		return false;
	bool known = btf__find_by_name_kind(btf, "bpf_cast_to_kern_ctx", BTF_KIND_FUNC) > 0;
	btf__free(btf);
	return known;
}

/*
 * The kernel's count of ticks starts 300 seconds before the wrap of 32 bits;
 * one candidate makes it agree with the clock that is printed beside it.
 */
uint32_t load_jiffies_per_second(void)
{
	static const uint32_t candidates[] = { 250, 1000, 100, 300 };
	unsigned long long jiffies = 0, now_ns = 0;
	auto_file file = fopen("/proc/timer_list", "re");
	auto_free char *line = NULL;
	size_t capacity = 0;

	while (file && !jiffies && getline(&line, &capacity, file) > 0) {
		if (strncmp(line, "now at ", 7) == 0)
			now_ns = strtoull(line + 7, NULL, 10);
		else if (strncmp(line, "jiffies: ", 9) == 0)
			jiffies = strtoull(line + 9, NULL, 10);
	}
	for (size_t i = 0; jiffies && i < ARRAY_SIZE(candidates); i++) {
		double hz = candidates[i];
		double expected = 4294967296.0 - 300 * hz + (double)now_ns / 1e9 * hz;
		double distance = (double)jiffies - expected;
		/* Half a second for the time between boot's first tick and the clock's zero. */
		if (distance > -hz / 2 && distance < hz / 2)
			return candidates[i];
	}
	return candidates[0];
}

static int parse_range(const struct json_at *at, const char *text, struct port_range *ret_range,
		       struct error *err)
{
	auto_words ends = { 0 };
	uint64_t first = 0, last = 0;
	int r = words_split(text, '-', &ends, err);
	if (r < 0)
		return r;
	if (ends.count != 2 || text_to_unsigned(ends.items[0], 1024, 65535, &first) < 0 ||
	    text_to_unsigned(ends.items[1], 1024, 65535, &last) < 0 || last < first ||
	    ((last - first + 1) & (last - first)) != 0)
		return json_error(at, err, EINVAL,
				  "masqueradePorts \"%s\" is no range FIRST-LAST inside 1024-65535 "
				  "that holds a power of two of ports (such as 16384-32767)",
				  text);
	*ret_range = (struct port_range){ (uint16_t)first, (uint16_t)(last - first + 1) };
	return 0;
}

int load_publish_from(const struct instance *instance, struct prefix *ret_prefixes,
		      size_t *ret_count, struct error *err)
{
	auto_config config = { 0 };
	struct json_at list;

	*ret_count = 0;
	int r = config_read(instance, &config, err);
	if (r <= 0)
		return r;
	struct json_at root = config_root(&config);
	r = json_get_array(&root, "publishFrom", JSON_OPTIONAL, &list, err);
	if (r == 0 && json_count(&list) > PUBLISH_FROM_MAX)
		return json_error(&list, err, EINVAL, "has %zu prefixes: at most %d",
				  json_count(&list), PUBLISH_FROM_MAX);
	for (size_t i = 0; r == 0 && i < json_count(&list); i++) {
		struct json_at element = json_element(&list, i);
		const char *text;
		r = json_as_string(&element, &text, err);
		if (r == 0 && publish_from_parse(text, &ret_prefixes[i], err) < 0)
			r = json_error(&element, err, EINVAL, "\"%s\" is no prefix", text);
		*ret_count = i + 1;
	}
	return r;
}

int load_host_firewall(const struct instance *instance, enum host_firewall *ret_firewall,
		       struct error *err)
{
	auto_config config = { 0 };
	struct error why = { 0 };
	const char *text = NULL;

	*ret_firewall = HOST_FIREWALL_CONFIGURED;
	int r = config_read(instance, &config, err);
	if (r <= 0)
		return r;
	struct json_at root = config_root(&config);
	r = json_get_string(&root, "hostFirewall", JSON_OPTIONAL, &text, err);
	if (r == 0 && text && host_firewall_parse(text, ret_firewall, &why) < 0)
		r = json_error(&root, err, EINVAL, "hostFirewall: %s", why.text);
	return r;
}

int load_masquerade_ports(const struct instance *instance, struct port_range *ret_range,
			  struct error *err)
{
	const char *text = NULL;
	auto_config config = { 0 };

	*ret_range = (struct port_range){ MASQUERADE_FIRST, MASQUERADE_COUNT };
	if (instance->tag[0])
		*ret_range = (struct port_range){
			(uint16_t)(SLICE_FIRST + hash_text(instance->tag) % SLICES * SLICE_COUNT),
			SLICE_COUNT
		};
	int r = config_read(instance, &config, err);
	if (r <= 0)
		return r;
	struct json_at root = config_root(&config);
	r = json_get_string(&root, "masqueradePorts", JSON_OPTIONAL, &text, err);
	return r < 0 || !text ? r : parse_range(&root, text, ret_range, err);
}
