/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "network_options.h"

#include <errno.h>
#include <string.h>

#define MTU_MIN 68 /* RFC 791 */
#define MTU_MAX 65535
#define MASQUERADE_PREFIX "masquerade."

static int parse_bool(const char *option, const char *value, bool *ret, struct error *err)
{
	if (text_equal(value, "true") || text_equal(value, "1"))
		*ret = true;
	else if (text_equal(value, "false") || text_equal(value, "0"))
		*ret = false;
	else
		return error_set(err, EINVAL, "-o %s: is neither true nor false", option);
	return 0;
}

static int take_option(const char *option, struct network_spec *spec, struct error *err)
{
	const char *value = strchr(option, '=');
	size_t size = value ? (size_t)(value - option) : strlen(option);
	auto_free char *key = strndup(option, size);
	bool flag = false;
	uint64_t mtu;
	int r = 0;
	value = value ? value + 1 : "";
	if (!key)
		return error_set(err, ENOMEM, "no memory for an option");
	if (text_equal(key, "mtu") || text_equal(key, "com.docker.network.driver.mtu")) {
		if (text_to_unsigned(value, MTU_MIN, MTU_MAX, &mtu) < 0)
			return error_set(err, EINVAL, "-o %s: an MTU is a number of %d to %d",
					 option, MTU_MIN, MTU_MAX);
		spec->mtu = (uint32_t)mtu;
	} else if (text_equal(key, "com.docker.network.bridge.name")) {
		if (!text_is_name(value, DEVICE_NAME_MAX - 1))
			return error_set(err, EINVAL,
					 "-o %s: a device's name has 1 to %d letters and digits",
					 option, DEVICE_NAME_MAX - 1);
		snprintf(spec->device, sizeof spec->device, "%s", value);
	} else if (text_equal(key, "com.docker.network.bridge.enable_icc")) {
		r = parse_bool(option, value, &flag, err);
		spec->no_icc = !flag;
	} else if (text_equal(key, "com.docker.network.bridge.enable_ip_masquerade")) {
		r = parse_bool(option, value, &spec->masquerade, err);
	} else if (text_starts_with(key, MASQUERADE_PREFIX)) {
		r = masquerade_options_take(key + sizeof MASQUERADE_PREFIX - 1, value,
					    &spec->masquerade_options, err);
		if (r < 0)
			return error_wrap(err, "-o %s", option);
	} else if (text_equal(key, "multicast")) {
		r = parse_bool(option, value, &spec->multicast, err);
	} else if (text_equal(key, "big-tcp")) {
		r = parse_bool(option, value, &flag, err);
		spec->big_tcp = flag ? BIG_TCP_ON : BIG_TCP_OFF;
	} else {
		r = error_set(err, EINVAL,
			      "-o %s: unknown; known are multicast, big-tcp, "
			      "masquerade.{except,source,endpoint-independent,filtering}, "
			      "com.docker.network.driver.mtu and "
			      "com.docker.network.bridge.{name,enable_icc,enable_ip_masquerade}",
			      option);
	}
	return r;
}

/* What a network has of one family. */
struct family {
	const char *name;
	unsigned longest; /* subnet that has two hosts */
	struct prefix *subnet, *ip_range;
	struct ip *gateway;
};

static struct family family_of(struct engine_network *network, struct ip ip)
{
	struct network_spec *spec = &network->spec;
	return ip_is_v4(ip) ? (struct family){ "IPv4", 30, &spec->subnet, &network->ip_range,
					       &spec->gateway }
			    : (struct family){ "IPv6", 126, &spec->subnet6, &network->ip_range6,
					       &spec->gateway6 };
}

static int take_subnet(const char *text, struct engine_network *network, struct error *err)
{
	struct prefix subnet;
	int r = prefix_parse(text, &subnet, err);
	if (r < 0)
		return error_wrap(err, "--subnet");
	struct family family = family_of(network, subnet.ip);
	if (!prefix_is_unset(*family.subnet))
		return error_set(err, EINVAL,
				 "--subnet %s: the network has %s already, and takes one subnet of "
				 "each family",
				 text, prefix_format(*family.subnet).text);
	if (!prefix_equal(subnet, prefix_network(subnet)))
		return error_set(err, EINVAL, "--subnet %s: has host bits; the subnet is %s", text,
				 prefix_format(prefix_network(subnet)).text);
	if (subnet.length < 8 || subnet.length > family.longest)
		return error_set(err, EINVAL, "--subnet %s: an %s network has a length of 8 to %u",
				 text, family.name, family.longest);
	*family.subnet = subnet;
	return 0;
}

static int take_gateway(const char *text, struct engine_network *network, struct error *err)
{
	struct ip gateway;
	int r = ip_parse(text, &gateway, err);
	if (r < 0)
		return error_wrap(err, "--gateway");
	struct family family = family_of(network, gateway);
	if (prefix_is_unset(*family.subnet))
		return error_set(err, EINVAL, "--gateway %s: needs its --subnet beside it", text);
	if (!ip_is_unset(*family.gateway))
		return error_set(err, EINVAL, "--gateway %s: the network has %s already", text,
				 ip_format(*family.gateway).text);
	if (!prefix_contains(*family.subnet, gateway))
		return error_set(err, EINVAL, "--gateway %s lies outside subnet %s", text,
				 prefix_format(*family.subnet).text);
	*family.gateway = gateway;
	return 0;
}

static int take_range(const char *text, struct engine_network *network, struct error *err)
{
	struct prefix range;
	int r = prefix_parse(text, &range, err);
	if (r < 0)
		return error_wrap(err, "--ip-range");
	struct family family = family_of(network, range.ip);
	if (prefix_is_unset(*family.subnet))
		return error_set(err, EINVAL, "--ip-range %s: needs its --subnet beside it", text);
	if (!prefix_is_unset(*family.ip_range))
		return error_set(err, EINVAL, "--ip-range %s: the network has %s already", text,
				 prefix_format(*family.ip_range).text);
	if (!prefix_contains(*family.subnet, range.ip) || range.length < family.subnet->length)
		return error_set(err, EINVAL, "--ip-range %s lies outside subnet %s", text,
				 prefix_format(*family.subnet).text);
	*family.ip_range = range;
	return 0;
}

static int take_aux(const char *text, struct engine_network *network, struct error *err)
{
	const char *value = strchr(text, '=');
	struct ip aux;
	if (network->aux_count == IPAM_EXCLUDES_MAX)
		return error_set(err, E2BIG, "--aux-address: at most %d", IPAM_EXCLUDES_MAX);
	int r = ip_parse(value ? value + 1 : text, &aux, err);
	if (r < 0)
		return error_wrap(err, "--aux-address %s", text);
	struct family family = family_of(network, aux);
	if (prefix_is_unset(*family.subnet))
		return error_set(err, EINVAL, "--aux-address %s: needs its --subnet beside it",
				 text);
	if (!prefix_contains(*family.subnet, aux))
		return error_set(err, EINVAL, "--aux-address %s lies outside subnet %s", text,
				 prefix_format(*family.subnet).text);
	network->aux[network->aux_count++] = aux;
	return 0;
}

static int take_each(const struct words *words, struct engine_network *network,
		     int (*take)(const char *text, struct engine_network *network,
				 struct error *err),
		     struct error *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < words->count; i++)
		r = take(words->items[i], network, err);
	return r;
}

static int take_addresses(const struct engine_network_options *options,
			  struct engine_network *network, struct error *err)
{
	const struct network_spec *spec = &network->spec;
	int r = take_each(&options->subnets, network, take_subnet, err);
	if (r == 0)
		r = take_each(&options->gateways, network, take_gateway, err);
	if (r == 0)
		r = take_each(&options->ip_ranges, network, take_range, err);
	if (r == 0)
		r = take_each(&options->aux_addresses, network, take_aux, err);
	if (r < 0)
		return r;
	network->want_v4 = !options->no_ipv4;
	network->want_v6 = options->ipv6 || !prefix_is_unset(spec->subnet6);
	if (options->no_ipv4 && !prefix_is_unset(spec->subnet))
		return error_set(err, EINVAL, "--ipv4=false: --subnet %s is IPv4",
				 prefix_format(spec->subnet).text);
	if (!network->want_v4 && !network->want_v6)
		return error_set(err, EINVAL, "--ipv4=false: needs --ipv6 beside it");
	return 0;
}

int network_options_check(const char *name, const struct engine_network_options *options,
			  struct engine_network *network, struct error *err)
{
	struct network_spec *spec = &network->spec;
	if (!text_is_name(name, NETWORK_NAME_MAX - 1))
		return error_set(err, EINVAL,
				 "network name %s: is not of [a-zA-Z0-9][a-zA-Z0-9_.-]*", name);
	if (text_equal(name, "host") || text_equal(name, "none") || text_equal(name, "container"))
		return error_set(err, EINVAL, "network name %s: has a meaning of its own", name);
	if (options->driver && !text_equal(options->driver, "bridge"))
		return error_set(err, EINVAL, "--driver %s: only bridge is there", options->driver);
	snprintf(spec->name, sizeof spec->name, "%s", name);
	spec->masquerade = !options->internal;
	spec->internal = options->internal;
	spec->dns = true;
	int r = take_addresses(options, network, err);
	for (size_t i = 0; r == 0 && i < options->options.count; i++)
		r = take_option(options->options.items[i], spec, err);
	return r;
}
