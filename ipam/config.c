/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What host-local's configuration means: subnets become ranges with their
 * ends and gateway filled in, and everything that could give an address twice
 * or to nobody is refused before any lease is taken.
 */
#include "ipam/ipam.h"

#include <errno.h>

#define ADDRESS_BITS_MIN 2 /* a /31 or /127 has nothing to give */

static uint8_t family_bits(struct ip ip)
{
	return ip_is_v4(ip) ? 32 : 128;
}

static int finish_subnet(struct prefix subnet, struct error *err)
{
	if (prefix_is_unset(subnet))
		return error_set(err, EINVAL, "a range without a subnet");
	if (!prefix_equal(subnet, prefix_network(subnet)))
		return error_set(err, EINVAL, "subnet %s has host bits: %s would be right",
				 prefix_format(subnet).text,
				 prefix_format(prefix_network(subnet)).text);
	if (subnet.length + ADDRESS_BITS_MIN > family_bits(subnet.ip))
		return error_set(err, EINVAL, "subnet %s is too small: at most /%d",
				 prefix_format(subnet).text,
				 family_bits(subnet.ip) - ADDRESS_BITS_MIN);
	return 0;
}

/* The end of a range: inside, and in IPv4 neither network nor broadcast address. */
static int check_end(struct prefix subnet, struct ip end, const char *key, struct error *err)
{
	if (!prefix_contains(subnet, end))
		return error_set(err, EINVAL, "%s %s lies outside subnet %s", key,
				 ip_format(end).text, prefix_format(subnet).text);
	if (ip_is_v4(end) && (ip_equal(end, subnet.ip) || ip_equal(end, prefix_last(subnet))))
		return error_set(err, EINVAL, "%s %s is the %s address of subnet %s", key,
				 ip_format(end).text,
				 ip_equal(end, subnet.ip) ? "network" : "broadcast",
				 prefix_format(subnet).text);
	return 0;
}

static struct ip last_usable(struct prefix subnet)
{
	struct ip last = prefix_last(subnet);
	if (ip_is_v4(last))
		last.bytes[15]--; /* the last byte of a broadcast address is odd */
	return last;
}

static int finish_range(struct ipam_range *range, struct error *err)
{
	int r = finish_subnet(range->subnet, err);
	if (r < 0)
		return r;
	if (ip_is_unset(range->first))
		range->first = ip_add(range->subnet.ip, 1);
	if (ip_is_unset(range->last))
		range->last = last_usable(range->subnet);
	if (ip_is_unset(range->gateway))
		range->gateway = ip_add(range->subnet.ip, 1);
	r = check_end(range->subnet, range->first, "rangeStart", err);
	if (r == 0)
		r = check_end(range->subnet, range->last, "rangeEnd", err);
	if (r < 0)
		return r;
	if (ip_compare(range->last, range->first) < 0)
		return error_set(err, EINVAL, "rangeEnd %s comes before rangeStart %s",
				 ip_format(range->last).text, ip_format(range->first).text);
	if (ip_is_v4(range->gateway) != ip_is_v4(range->subnet.ip))
		return error_set(err, EINVAL, "gateway %s is of another family than subnet %s",
				 ip_format(range->gateway).text, prefix_format(range->subnet).text);
	return 0;
}

static int finish_set(struct ipam_set *set, struct error *err)
{
	if (set->count == 0)
		return error_set(err, EINVAL, "a set without a range");
	for (size_t i = 0; i < set->count; i++) {
		int r = finish_range(&set->ranges[i], err);
		if (r < 0)
			return r;
		if (ip_is_v4(set->ranges[i].subnet.ip) != ip_is_v4(set->ranges[0].subnet.ip))
			return error_set(err, EINVAL,
					 "subnets %s and %s of one set are of two families",
					 prefix_format(set->ranges[0].subnet).text,
					 prefix_format(set->ranges[i].subnet).text);
	}
	return 0;
}

static int check_pair(const struct ipam_range *a, const struct ipam_range *b, struct error *err)
{
	if (ip_compare(a->last, b->first) < 0 || ip_compare(b->last, a->first) < 0)
		return 0;
	return error_set(err, EINVAL, "ranges %s-%s and %s-%s overlap", ip_format(a->first).text,
			 ip_format(a->last).text, ip_format(b->first).text,
			 ip_format(b->last).text);
}

static const struct ipam_range *range_number(const struct ipam_config *config, size_t number)
{
	for (size_t s = 0; s < config->set_count; s++) {
		if (number < config->sets[s].count)
			return &config->sets[s].ranges[number];
		number -= config->sets[s].count;
	}
	return NULL;
}

static int check_overlaps(const struct ipam_config *config, struct error *err)
{
	const struct ipam_range *a, *b;

	for (size_t i = 0; (a = range_number(config, i)); i++)
		for (size_t j = 0; j < i && (b = range_number(config, j)); j++) {
			int r = check_pair(b, a, err);
			if (r < 0)
				return r;
		}
	return 0;
}

int ipam_config_finish(struct ipam_config *config, struct error *err)
{
	if (config->set_count == 0)
		return error_set(err, EINVAL, "no range to take an address from");
	for (size_t i = 0; i < config->set_count; i++) {
		int r = finish_set(&config->sets[i], err);
		if (r < 0)
			return r;
	}
	return check_overlaps(config, err);
}

/* Gives an error of a value the place where that value stands. */
static int fail_at(const struct json_at *at, const struct error *cause, struct error *err)
{
	return json_error(at, err, cause->code, "%s", cause->text);
}

static int read_range(const struct json_at *at, struct ipam_range *ret_range, struct error *err)
{
	struct ipam_range range = { 0 };
	int r = json_get_prefix(at, "subnet", JSON_REQUIRED, &range.subnet, err);
	if (r == 0)
		r = json_get_ip(at, "rangeStart", JSON_OPTIONAL, &range.first, err);
	if (r == 0)
		r = json_get_ip(at, "rangeEnd", JSON_OPTIONAL, &range.last, err);
	if (r == 0)
		r = json_get_ip(at, "gateway", JSON_OPTIONAL, &range.gateway, err);
	if (r < 0)
		return r;

	struct error cause = { 0 };
	if (finish_range(&range, &cause) < 0)
		return fail_at(at, &cause, err);
	*ret_range = range;
	return 0;
}

static int read_set(const struct json_at *at, struct ipam_set *ret_set, struct error *err)
{
	size_t count = json_count(at);

	if (!json_is_array(at) || count == 0 || count > IPAM_RANGES_MAX)
		return json_error(at, err, EINVAL, "must be a list of 1 to %d ranges",
				  IPAM_RANGES_MAX);
	for (size_t i = 0; i < count; i++) {
		struct json_at range = json_element(at, i);
		if (!json_is_object(&range))
			return json_error(&range, err, EINVAL, "must be an object with \"subnet\"");
		int r = read_range(&range, &ret_set->ranges[i], err);
		if (r < 0)
			return r;
	}
	ret_set->count = count;
	return 0;
}

int ipam_config_read_ranges(const struct json_at *at, const char *key, struct ipam_config *config,
			    struct error *err)
{
	struct json_at sets;
	int r = json_get_array(at, key, JSON_OPTIONAL, &sets, err);

	for (size_t i = 0; r == 0 && i < json_count(&sets); i++) {
		struct json_at set = json_element(&sets, i);
		if (config->set_count == IPAM_SETS_MAX)
			return json_error(&set, err, EINVAL, "is one set too many: at most %d",
					  IPAM_SETS_MAX);
		r = read_set(&set, &config->sets[config->set_count], err);
		config->set_count += r == 0;
	}
	return r;
}

static int read_direct_range(const struct json_at *at, struct ipam_config *config,
			     struct error *err)
{
	struct json_at subnet = json_member(at, "subnet");

	if (!json_is_present(&subnet))
		return 0;
	if (config->set_count == IPAM_SETS_MAX)
		return json_error(at, err, EINVAL, "has more than %d sets of ranges",
				  IPAM_SETS_MAX);
	int r = read_range(at, &config->sets[config->set_count].ranges[0], err);
	if (r < 0)
		return r;
	config->sets[config->set_count++].count = 1;
	return 0;
}

static int read_route(const struct json_at *at, struct ipam_route *ret_route, struct error *err)
{
	struct ipam_route route = { 0 };

	if (!json_is_object(at))
		return json_error(at, err, EINVAL, "must be an object with \"dst\"");
	int r = json_get_prefix(at, "dst", JSON_REQUIRED, &route.destination, err);
	if (r == 0)
		r = json_get_ip(at, "gw", JSON_OPTIONAL, &route.gateway, err);
	if (r < 0)
		return r;
	route.destination = prefix_network(route.destination);
	if (!ip_is_unset(route.gateway) &&
	    ip_is_v4(route.gateway) != ip_is_v4(route.destination.ip))
		return json_error(at, err, EINVAL, "gw %s is of another family than dst %s",
				  ip_format(route.gateway).text,
				  prefix_format(route.destination).text);
	*ret_route = route;
	return 0;
}

int ipam_config_read_routes(const struct json_at *at, struct ipam_config *config, struct error *err)
{
	struct json_at routes;
	int r = json_get_array(at, "routes", JSON_OPTIONAL, &routes, err);

	for (size_t i = 0; r == 0 && i < json_count(&routes); i++) {
		struct json_at route = json_element(&routes, i);
		if (config->route_count == IPAM_ROUTES_MAX)
			return json_error(&route, err, EINVAL, "is one route too many: at most %d",
					  IPAM_ROUTES_MAX);
		r = read_route(&route, &config->routes[config->route_count], err);
		config->route_count += r == 0;
	}
	return r;
}

int ipam_config_read(const struct json_at *at, struct ipam_config *config, struct error *err)
{
	int r = read_direct_range(at, config, err);
	if (r == 0)
		r = ipam_config_read_ranges(at, "ranges", config, err);
	if (r == 0)
		r = ipam_config_read_routes(at, config, err);
	if (r < 0)
		return r;

	struct error cause = { 0 };
	if (ipam_config_finish(config, &cause) < 0)
		return fail_at(at, &cause, err);
	return 0;
}
