/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the runtime asks for in this call: addresses, MAC, aliases, ports, from
 * runtimeConfig, "args" and CNI_ARGS. Of two MACs the later of CNI_ARGS,
 * args.cni and runtimeConfig counts; addresses add up.
 */
#include "config.h"

#include <errno.h>

static int add_wanted(struct cni_config *config, const struct json_at *at, struct ip ip,
		      struct error *err)
{
	for (size_t i = 0; i < config->wanted_count; i++)
		if (ip_equal(config->wanted[i], ip))
			return 0; /* asked twice is asked once */
	if (config->wanted_count == CNI_ADDRESSES_MAX)
		return json_error(at, err, EINVAL, "is one address too many: at most %d",
				  CNI_ADDRESSES_MAX);
	config->wanted[config->wanted_count++] = ip;
	return 0;
}

static int read_ips(const struct json_at *at, struct cni_config *config, struct error *err)
{
	struct json_at ips;
	int r = json_get_array(at, "ips", JSON_OPTIONAL, &ips, err);

	for (size_t i = 0; r == 0 && i < json_count(&ips); i++) {
		struct json_at item = json_element(&ips, i);
		struct error cause = { 0 };
		const char *text;
		struct ip ip;
		r = json_as_string(&item, &text, err);
		if (r < 0)
			return r;
		if (cni_address_parse(text, &ip, &cause) < 0)
			return json_error(&item, err, EINVAL, "%s", cause.text);
		r = add_wanted(config, &item, ip, err);
	}
	return r;
}

static int read_args_cni(const struct json_at *root, struct cni_config *config, struct error *err)
{
	struct json_at args = json_member(root, "args");
	struct json_at cni = json_member(&args, "cni");

	if (!json_is_object(&cni))
		return 0; /* "args" is anybody's */
	int r = read_ips(&cni, config, err);
	return r < 0 ? r : json_get_mac(&cni, "mac", JSON_OPTIONAL, &config->mac, err);
}

/* Rates in the configuration win as a whole. */
static int read_bandwidth(const struct json_at *runtime, struct cni_config *config,
			  struct error *err)
{
	struct cni_rate ingress = { 0 }, egress = { 0 };
	struct json_at bandwidth;
	int r = json_get_object(runtime, "bandwidth", JSON_OPTIONAL, &bandwidth, err);

	if (r == 0 && bandwidth.value)
		r = cni_config_read_rates(&bandwidth, &ingress, &egress, err);
	if (r < 0 || config->ingress.rate_bit_s || config->egress.rate_bit_s)
		return r;
	config->ingress = ingress;
	config->egress = egress;
	return 0;
}

static int add_aliases(const struct json_at *list, struct cni_config *config, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < json_count(list); i++) {
		struct json_at item = json_element(list, i);
		const char *alias;
		r = json_as_string(&item, &alias, err);
		if (r == 0 && config->names.count + 2 > ENDPOINT_NAMES_MAX)
			return json_error(&item, err, EINVAL, "is one alias too many: at most %d",
					  ENDPOINT_NAMES_MAX - 2);
		if (r == 0)
			r = words_append(&config->names, alias, err);
	}
	return r;
}

/* A list, or an object of lists by network, of which ours counts. */
static int read_aliases(const struct json_at *runtime, struct cni_config *config, struct error *err)
{
	struct json_at aliases = json_member(runtime, "aliases"), list;

	if (!json_is_present(&aliases))
		return 0;
	if (json_is_array(&aliases))
		return add_aliases(&aliases, config, err);
	if (!json_is_object(&aliases))
		return json_error(&aliases, err, EINVAL,
				  "must be a list of names, or an object of such lists by network");
	int r = json_get_array(&aliases, config->name, JSON_OPTIONAL, &list, err);
	return r < 0 || !list.value ? r : add_aliases(&list, config, err);
}

static int read_runtime(const struct json_at *runtime, struct cni_config *config, struct error *err)
{
	int r = read_ips(runtime, config, err);
	if (r == 0)
		r = json_get_mac(runtime, "mac", JSON_OPTIONAL, &config->mac, err);
	if (r == 0)
		r = read_bandwidth(runtime, config, err);
	if (r == 0)
		r = read_aliases(runtime, config, err);
	return r < 0 ? r : cni_config_read_ports(runtime, config, err);
}

int cni_config_read_runtime(struct cni_call *call, struct cni_config *config, struct error *err)
{
	struct json_at runtime;
	int r = json_get_object(&call->root, "runtimeConfig", JSON_OPTIONAL, &runtime, err);

	config->mac = mac_is_unset(call->args.mac) ? config->tuning.mac : call->args.mac;
	for (size_t i = 0; r == 0 && i < call->args.ip_count; i++)
		r = add_wanted(config, &call->root, call->args.ips[i], err);
	if (r == 0)
		r = read_args_cni(&call->root, config, err);
	return r < 0 || !runtime.value ? r : read_runtime(&runtime, config, err);
}
