/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pick.h"

#include <errno.h>

#include "key.h"
#include "runs.h"

/* A part of a range that is searched, both ends included. */
struct span {
	struct ip first, last;
};

struct search {
	struct store_txn *txn;
	const char *network;
	const struct ipam_config *config;
};

static bool is_gateway(const struct ipam_config *config, struct ip ip)
{
	for (size_t s = 0; s < config->set_count; s++)
		for (size_t i = 0; i < config->sets[s].count; i++)
			if (ip_equal(config->sets[s].ranges[i].gateway, ip))
				return true;
	return false;
}

static bool is_excluded(const struct ipam_config *config, struct ip ip)
{
	for (size_t i = 0; i < config->exclude_count; i++)
		if (ip_equal(config->excludes[i], ip))
			return true;
	return false;
}

/* 1 and the first free address of the span, or 0. */
static int search_span(const struct search *search, struct span span, struct ip *ret_ip,
		       struct error *err)
{
	struct ip at = span.first;

	while (ip_compare(at, span.last) <= 0) {
		struct ip found;
		int r = runs_next_free(search->txn, search->network, at, &found, err);
		if (r < 0)
			return r;
		if (ip_compare(found, at) < 0 || ip_compare(found, span.last) > 0)
			return 0;
		if (!is_gateway(search->config, found) && !is_excluded(search->config, found)) {
			*ret_ip = found;
			return 1;
		}
		at = ip_add(found, 1);
		if (ip_compare(at, found) < 0)
			return 0; /* the last address that there is */
	}
	return 0;
}

static struct key key_of_last(const char *network, size_t set)
{
	struct key key = key_of_network(network);
	uint8_t number = (uint8_t)set;
	key_add(&key, &number, sizeof number);
	return key;
}

/* The address that the set gave last; unset if it gave none. */
static int last_given(const struct search *search, size_t set, struct ip *ret_ip, struct error *err)
{
	struct key key = key_of_last(search->network, set);
	struct bytes value;
	int r = store_get(search->txn, TABLE_LAST, key_bytes(&key), &value, err);
	*ret_ip = r == 1 ? key_last_ip(value) : (struct ip){ { 0 } };
	return r < 0 ? r : 0;
}

/* Number of the range that holds ip; 0 if none does. */
static size_t range_of(const struct ipam_set *set, struct ip ip, bool *ret_found)
{
	for (size_t i = 0; i < set->count; i++)
		if (ip_compare(set->ranges[i].first, ip) <= 0 &&
		    ip_compare(ip, set->ranges[i].last) <= 0) {
			*ret_found = true;
			return i;
		}
	*ret_found = false;
	return 0;
}

/* 1 and an address; 0 if the set is full. */
static int search_set(const struct search *search, size_t number, struct ip *ret_ip,
		      struct error *err)
{
	const struct ipam_set *set = &search->config->sets[number];
	struct ip last;
	bool known;
	int r = last_given(search, number, &last, err);
	if (r < 0)
		return r;
	size_t start = range_of(set, last, &known);

	if (known && ip_compare(last, set->ranges[start].last) < 0)
		r = search_span(search, (struct span){ ip_add(last, 1), set->ranges[start].last },
				ret_ip, err);
	for (size_t i = known ? 1 : 0; r == 0 && i <= set->count; i++) {
		const struct ipam_range *range = &set->ranges[(start + i) % set->count];
		r = search_span(search, (struct span){ range->first, range->last }, ret_ip, err);
	}
	return r;
}

static int set_is_full(const struct search *search, size_t number, struct error *err)
{
	const struct ipam_set *set = &search->config->sets[number];
	return error_set(err, ENOSPC, "no free address in %s-%s%s of network %s",
			 ip_format(set->ranges[0].first).text, ip_format(set->ranges[0].last).text,
			 set->count > 1 ? " and the other ranges of its set" : "", search->network);
}

int pick_next(struct store_txn *txn, const char *network, const struct ipam_config *config,
	      size_t set, struct ip *ret_ip, struct error *err)
{
	struct search search = { txn, network, config };
	struct key key = key_of_last(network, set);
	struct ip ip;
	int r = search_set(&search, set, &ip, err);
	if (r == 0)
		return set_is_full(&search, set, err);
	if (r > 0)
		r = store_put(txn, TABLE_LAST, key_bytes(&key), bytes_of(ip.bytes, sizeof ip.bytes),
			      err);
	if (r == 0)
		*ret_ip = ip;
	return r;
}

/* The first range of the address's family, or the first at all. */
static const struct ipam_range *likely_range(const struct ipam_config *config, struct ip ip)
{
	for (size_t s = 0; s < config->set_count; s++)
		if (ip_is_v4(config->sets[s].ranges[0].first) == ip_is_v4(ip))
			return &config->sets[s].ranges[0];
	return &config->sets[0].ranges[0];
}

int pick_set_of(const struct ipam_config *config, struct ip ip, size_t *ret_set, struct error *err)
{
	bool found = false;
	size_t s = 0;

	while (s < config->set_count) {
		range_of(&config->sets[s], ip, &found);
		if (found)
			break;
		s++;
	}
	if (is_gateway(config, ip))
		return error_set(err, ERANGE, "address %s is the gateway", ip_format(ip).text);
	if (is_excluded(config, ip))
		return error_set(err, ERANGE, "address %s is kept for another use",
				 ip_format(ip).text);
	if (!found) {
		const struct ipam_range *right = likely_range(config, ip);
		return error_set(err, ERANGE, "address %s is in no range: %s-%s would be right",
				 ip_format(ip).text, ip_format(right->first).text,
				 ip_format(right->last).text);
	}
	*ret_set = s;
	return 0;
}

int lease_available(struct store_txn *txn, const char *network, const struct ipam_config *config,
		    size_t *ret_full, struct error *err)
{
	struct search search = { txn, network, config };
	struct ip ip;

	for (size_t s = 0; s < config->set_count; s++) {
		int r = search_set(&search, s, &ip, err);
		if (r == 0)
			*ret_full = s;
		if (r <= 0)
			return r;
	}
	return 1;
}
