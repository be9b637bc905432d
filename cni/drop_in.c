/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys of portmap, firewall and bandwidth, so that one plugin takes the place
 * of a list. What the data path does anyway is taken; what it cannot do is
 * refused by name, so that nothing is lost in silence.
 */
#include "config.h"

#include <errno.h>

#define MARK_BIT_MAX 31
#define BURST_BITS_MAX (INT64_C(4294967295) * 8) /* tc's burst is 32 bits of bytes */

static int one_of(const struct json_at *at, const char *key, const char *const *words,
		  const char **ret, struct error *err)
{
	const char *text = "";
	auto_text list = { 0 };
	int r = json_get_string(at, key, JSON_OPTIONAL, &text, err);
	if (r < 0)
		return r;
	for (size_t i = 0; words[i]; i++) {
		if (text_equal(words[i], text)) {
			*ret = text;
			return 0;
		}
		text_append(&list, "%s\"%s\"", i ? ", " : "", words[i]);
	}
	struct json_at place = json_member(at, key);
	return json_error(&place, err, EINVAL, "\"%.32s\" is none of %s", text, list.data);
}

static int refuse_present(const struct json_at *at, const char *key, struct error *err)
{
	struct json_at place = json_member(at, key);
	if (!json_is_present(&place) ||
	    ((json_is_array(&place) || json_is_object(&place)) && json_count(&place) == 0))
		return 0;
	return json_error(&place, err, EOPNOTSUPP, "is not supported: without it would be right");
}

static int read_portmap(const struct json_at *at, struct error *err)
{
	bool snat = true, masquerade_all = false;
	int64_t bit = -1;
	const char *chain = NULL;
	int r = json_get_bool(at, "snat", JSON_OPTIONAL, &snat, err);
	if (r == 0)
		r = json_get_bool(at, "masqAll", JSON_OPTIONAL, &masquerade_all, err);
	if (r == 0)
		r = json_get_integer(at, "markMasqBit", JSON_OPTIONAL, 0, MARK_BIT_MAX, &bit, err);
	if (r == 0)
		r = json_get_string(at, "externalSetMarkChain", JSON_OPTIONAL, &chain, err);
	if (r < 0)
		return r;
	struct json_at all = json_member(at, "masqAll"), mark = json_member(at, "markMasqBit");
	if (masquerade_all)
		return json_error(&all, err, EOPNOTSUPP,
				  "is not supported: containers see the client's own address");
	if (bit >= 0 && chain && *chain)
		return json_error(&mark, err, EINVAL,
				  "cannot be there together with externalSetMarkChain");
	r = refuse_present(at, "conditionsV4", err);
	return r < 0 ? r : refuse_present(at, "conditionsV6", err);
}

static int read_firewall(const struct json_at *at, struct cni_config *config, struct error *err)
{
	static const char *const backends[] = { "", "iptables", "nftables", "firewalld", NULL };
	static const char *const policies[] = { "", "open", "same-bridge", "isolated", NULL };
	const char *backend, *policy = "", *zone = "", *chain = "";
	int r = one_of(at, "backend", backends, &backend, err);
	if (r == 0)
		r = one_of(at, "ingressPolicy", policies, &policy, err);
	if (r == 0)
		r = json_get_string(at, "firewalldZone", JSON_OPTIONAL, &zone, err);
	if (r == 0)
		r = json_get_string(at, "iptablesAdminChainName", JSON_OPTIONAL, &chain, err);
	if (r < 0)
		return r;
	struct json_at place = json_member(at, "iptablesAdminChainName");
	if (*chain)
		return json_error(&place, err, EOPNOTSUPP,
				  "is not supported: no chain of iptables is asked");
	if (text_equal(policy, "isolated"))
		config->isolated_ports = true;
	return 0;
}

/* A rate goes with a burst, and a burst with a rate. */
static int read_direction(const struct json_at *at, const char *rate_key, const char *burst_key,
			  struct cni_rate *ret, struct error *err)
{
	int64_t rate = 0, burst = 0;
	int r = json_get_integer(at, rate_key, JSON_OPTIONAL, 0, INT64_MAX, &rate, err);
	if (r == 0)
		r = json_get_integer(at, burst_key, JSON_OPTIONAL, 0, BURST_BITS_MAX - 1, &burst,
				     err);
	if (r < 0)
		return r;
	struct json_at rate_at = json_member(at, rate_key), burst_at = json_member(at, burst_key);
	if (rate && !burst)
		return json_error(&rate_at, err, EINVAL, "needs %s beside it", burst_key);
	if (burst && !rate)
		return json_error(&burst_at, err, EINVAL, "needs %s beside it", rate_key);
	*ret = (struct cni_rate){ (uint64_t)rate, (uint64_t)burst };
	return 0;
}

int cni_config_read_rates(const struct json_at *at, struct cni_rate *ret_ingress,
			  struct cni_rate *ret_egress, struct error *err)
{
	int r = read_direction(at, "ingressRate", "ingressBurst", ret_ingress, err);
	if (r == 0)
		r = read_direction(at, "egressRate", "egressBurst", ret_egress, err);
	if (r == 0)
		r = refuse_present(at, "shapedSubnets", err);
	return r < 0 ? r : refuse_present(at, "unshapedSubnets", err);
}

int cni_config_read_drop_in(struct cni_call *call, struct cni_config *config, struct error *err)
{
	int r = read_portmap(&call->root, err);
	if (r == 0)
		r = read_firewall(&call->root, config, err);
	return r < 0 ? r
		     : cni_config_read_rates(&call->root, &config->ingress, &config->egress, err);
}
