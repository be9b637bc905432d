/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "network_options.h"

#include <errno.h>
#include <string.h>

#define MTU_MIN 68 /* RFC 791 */
#define MTU_MAX 65535

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
	} else if (text_equal(key, "multicast")) {
		r = parse_bool(option, value, &spec->multicast, err);
	} else if (text_equal(key, "big-tcp")) {
		r = parse_bool(option, value, &flag, err);
		spec->big_tcp = flag ? BIG_TCP_ON : BIG_TCP_OFF;
	} else {
		r = error_set(err, EINVAL,
			      "-o %s: unknown; known are multicast, big-tcp, "
			      "com.docker.network.driver.mtu "
			      "and "
			      "com.docker.network.bridge.{name,enable_icc,enable_ip_masquerade}",
			      option);
	}
	return r;
}

static int take_subnet(const struct engine_network_options *options, struct network_spec *spec,
		       struct error *err)
{
	if (options->subnets.count > 1)
		return error_set(err, EINVAL, "--subnet: one IPv4 subnet a network, for now");
	if (!options->subnets.count) {
		if (options->gateways.count || options->ip_ranges.count)
			return error_set(err, EINVAL,
					 "--gateway and --ip-range need --subnet beside them");
		return 0;
	}
	int r = prefix_parse(options->subnets.items[0], &spec->subnet, err);
	if (r < 0)
		return error_wrap(err, "--subnet");
	if (!ip_is_v4(spec->subnet.ip))
		return error_set(err, EAFNOSUPPORT, "--subnet %s: IPv6 networks are not there yet",
				 options->subnets.items[0]);
	if (!prefix_equal(spec->subnet, prefix_network(spec->subnet)))
		return error_set(err, EINVAL, "--subnet %s: has host bits; the subnet is %s",
				 options->subnets.items[0],
				 prefix_format(prefix_network(spec->subnet)).text);
	if (spec->subnet.length < 8 || spec->subnet.length > 30)
		return error_set(err, EINVAL, "--subnet %s: a network has a length of 8 to 30",
				 options->subnets.items[0]);
	return 0;
}

static int take_gateway(const struct engine_network_options *options, struct network_spec *spec,
			struct error *err)
{
	if (options->gateways.count > 1)
		return error_set(err, EINVAL, "--gateway: one a network, for now");
	if (!options->gateways.count)
		return 0;
	int r = ip_parse(options->gateways.items[0], &spec->gateway, err);
	if (r < 0)
		return error_wrap(err, "--gateway");
	if (!prefix_contains(spec->subnet, spec->gateway))
		return error_set(err, EINVAL, "--gateway %s lies outside subnet %s",
				 options->gateways.items[0], prefix_format(spec->subnet).text);
	return 0;
}

static int take_ranges(const struct engine_network_options *options, struct engine_network *network,
		       struct error *err)
{
	if (options->ip_ranges.count > 1)
		return error_set(err, EINVAL, "--ip-range: one a network, for now");
	if (options->ip_ranges.count) {
		int r = prefix_parse(options->ip_ranges.items[0], &network->ip_range, err);
		if (r < 0)
			return error_wrap(err, "--ip-range");
		if (!prefix_contains(network->spec.subnet, network->ip_range.ip) ||
		    network->ip_range.length < network->spec.subnet.length)
			return error_set(err, EINVAL, "--ip-range %s lies outside subnet %s",
					 options->ip_ranges.items[0],
					 prefix_format(network->spec.subnet).text);
	}
	for (size_t i = 0; i < options->aux_addresses.count; i++) {
		const char *text = options->aux_addresses.items[i], *value = strchr(text, '=');
		if (network->aux_count == IPAM_EXCLUDES_MAX)
			return error_set(err, E2BIG, "--aux-address: at most %d",
					 IPAM_EXCLUDES_MAX);
		struct ip *aux = &network->aux[network->aux_count++];
		int r = ip_parse(value ? value + 1 : text, aux, err);
		if (r < 0)
			return error_wrap(err, "--aux-address %s", text);
		if (!prefix_contains(network->spec.subnet, *aux))
			return error_set(err, EINVAL, "--aux-address %s lies outside subnet %s",
					 text, prefix_format(network->spec.subnet).text);
	}
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
	if (options->ipv6)
		return error_set(err, EAFNOSUPPORT, "--ipv6: IPv6 networks are not there yet");
	snprintf(spec->name, sizeof spec->name, "%s", name);
	spec->masquerade = !options->internal;
	spec->internal = options->internal;
	spec->dns = true;
	int r = take_subnet(options, spec, err);
	if (r == 0)
		r = take_gateway(options, spec, err);
	if (r == 0)
		r = take_ranges(options, network, err);
	for (size_t i = 0; r == 0 && i < options->options.count; i++)
		r = take_option(options->options.items[i], spec, err);
	return r;
}
