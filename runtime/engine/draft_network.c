/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "draft.h"
#include "network.h"
#include "rate.h"

static int check_mac(const struct container_options *options, struct error *err)
{
	struct mac mac;
	if (options->mac_address && mac_parse(options->mac_address, &mac, err) < 0)
		return error_wrap(err, "--mac-address");
	return 0;
}

static int refuse_network_flags(const struct draft *draft, struct error *err)
{
	const struct container_options *options = draft->options;
	const char *flag = options->publish.count   ? "--publish"
			   : options->aliases.count ? "--network-alias"
			   : options->links.count   ? "--link"
			   : options->ip            ? "--ip"
			   : options->ip6           ? "--ip6"
			   : options->mac_address   ? "--mac-address"
			   : options->ingress_rate  ? "--ingress-rate"
			   : options->egress_rate   ? "--egress-rate"
						    : NULL;
	if (flag)
		return error_set(err, EINVAL,
				 "%s: needs a network; --network %s has none of its own", flag,
				 options->network);
	return 0;
}

static int join_container(struct draft *draft, const char *reference, struct error *err)
{
	AUTO(container) other = NULL;
	int r = container_find(draft->engine, reference, &other, err);
	if (r < 0)
		return error_wrap(err, "--network container:%s", reference);
	snprintf(draft->network_mode, sizeof draft->network_mode, "container:%s", other->id);
	return refuse_network_flags(draft, err);
}

static int check_links(const struct draft *draft, struct error *err)
{
	for (size_t i = 0; i < draft->options->links.count; i++) {
		AUTO(container) target = NULL;
		const char *text = draft->options->links.items[i];
		size_t size = strcspn(text, ":");
		auto_free char *name = strndup(text, size);
		int r = name ? container_find(draft->engine, name, &target, err)
			     : error_set(err, ENOMEM, "no memory for a link");
		if (r < 0)
			return error_wrap(err, "--link %s", text);
	}
	return 0;
}

static int put_rate(struct json_t *row, const char *key, const char *flag, const char *text,
		    struct error *err)
{
	struct rate_limit limit;
	if (!text)
		return 0;
	int r = rate_parse(text, &limit, err);
	if (r < 0)
		return error_wrap(err, "%s", flag);
	struct json_t *object = json_new_object();
	json_put_integer(object, "rate", (int64_t)limit.rate_bit_s);
	json_put_integer(object, "burst", (int64_t)limit.burst_bits);
	json_put(row, key, object);
	return 0;
}

int draft_take_network(struct draft *draft, struct error *err)
{
	const struct container_options *options = draft->options;
	const char *name = options->network ? options->network : NETWORK_DEFAULT;
	AUTO(engine_network) network = NULL;
	draft->networks = json_new_array();
	int r = check_mac(options, err);
	if (r < 0)
		return r;
	if (text_starts_with(name, "container:"))
		return join_container(draft, name + strlen("container:"), err);
	if (text_equal(name, "none") || text_equal(name, "host")) {
		snprintf(draft->network_mode, sizeof draft->network_mode, "%s", name);
		return refuse_network_flags(draft, err);
	}
	r = engine_network_find(draft->engine, name, &network, err);
	if (r == 0)
		r = engine_network_check_ips(network, options->ip, options->ip6, err);
	if (r == 0)
		r = check_links(draft, err);
	if (r < 0)
		return r;
	struct json_t *row = json_new_object();
	json_put_string(row, "network", network->name);
	json_put_string(row, "interface", "eth0");
	if (options->ip)
		json_put_string(row, "ip", options->ip);
	if (options->ip6)
		json_put_string(row, "ip6", options->ip6);
	if (options->mac_address)
		json_put_string(row, "mac", options->mac_address);
	json_put(row, "aliases", draft_words_json(&options->aliases));
	json_put(row, "links", draft_words_json(&options->links));
	json_append(draft->networks, row);
	r = put_rate(row, "ingress", "--ingress-rate", options->ingress_rate, err);
	if (r == 0)
		r = put_rate(row, "egress", "--egress-rate", options->egress_rate, err);
	snprintf(draft->network_mode, sizeof draft->network_mode, "networks");
	return r;
}

struct json_t *draft_words_json(const struct words *words)
{
	struct json_t *array = json_new_array();
	for (size_t i = 0; i < words->count; i++)
		json_append(array, json_new_string(words->items[i]));
	return array;
}
