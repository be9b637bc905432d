/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The engine's networks as `network ls` and `network inspect` show them, with Docker's keys. */
#include <string.h>

#include "base/loop.h"
#include "network.h"

static void put_labels(const struct engine_network *network, struct json_t *object)
{
	struct json_at list, at = json_root(network->document, "record of a network");
	struct json_t *labels = json_new_object();
	struct error ignored;
	if (json_get_array(&at, "labels", JSON_OPTIONAL, &list, &ignored) == 0) {
		for (size_t i = 0; i < json_count(&list); i++) {
			struct json_at element = json_element(&list, i);
			const char *text;
			if (json_as_string(&element, &text, &ignored) < 0)
				continue;
			const char *value = strchr(text, '=');
			auto_free char *key =
				strndup(text, value ? (size_t)(value - text) : strlen(text));
			json_put_string(labels, key, value ? value + 1 : "");
		}
	}
	json_put(object, "Labels", labels);
}

static void put_subnets(const struct engine_network *network, struct json_t *row)
{
	const struct network_spec *spec = &network->spec;
	bool v4 = !prefix_is_unset(spec->subnet), v6 = !prefix_is_unset(spec->subnet6);
	char subnets[2 * PREFIX_TEXT_MAX];
	snprintf(subnets, sizeof subnets, "%s%s%s", v4 ? prefix_format(spec->subnet).text : "",
		 v4 && v6 ? "," : "", v6 ? prefix_format(spec->subnet6).text : "");
	json_put_string(row, "Subnet", subnets);
	json_put_bool(row, "IPv4", v4);
	json_put_bool(row, "IPv6", v6);
}

static struct json_t *network_row(const struct engine_network *network)
{
	char id[CONTAINER_ID_SHORT + 1], created[TIME_TEXT_MAX];
	struct json_t *row = json_new_object();
	snprintf(id, sizeof id, "%.*s", CONTAINER_ID_SHORT, network->id);
	time_format(network->created_ns, created);
	json_put_string(row, "ID", id);
	json_put_string(row, "Name", network->name);
	json_put_string(row, "Driver", "bridge");
	json_put_string(row, "Scope", "local");
	put_subnets(network, row);
	json_put_bool(row, "Internal", network->spec.internal);
	json_put_string(row, "CreatedAt", created);
	put_labels(network, row);
	json_put_string(row, "FullID", network->id);
	return row;
}

static int append_row(struct bytes key, struct bytes value, void *context, struct error *err)
{
	AUTO(engine_network) network = NULL;
	(void)key;
	int r = engine_network_read(value, &network, err);
	if (r == 0)
		json_append(context, network_row(network));
	return r;
}

int engine_networks_list(struct engine *engine, struct json_t **ret_rows, struct error *err)
{
	AUTO(store_txn) txn = NULL;
	auto_json rows = json_new_array();
	int r = store_begin(engine->saved, STORE_READ, &txn, err);
	if (r == 0)
		r = store_each(txn, TABLE_NETWORKS, (struct bytes){ 0 }, append_row, rows, err);
	if (r == 0)
		*ret_rows = TAKE(rows);
	return r;
}

static int append_member(const struct endpoint_info *info, void *context, struct error *err)
{
	struct json_t *member = json_new_object();
	(void)err;
	json_put_string(member, "Name", info->names.count ? info->names.items[0] : "");
	json_put_string(member, "EndpointID", info->host_device);
	json_put_string(member, "MacAddress", mac_format(info->mac).text);
	json_put_string(member, "IPv4Address",
			prefix_is_unset(info->address) ? "" : prefix_format(info->address).text);
	json_put_string(member, "IPv6Address",
			prefix_is_unset(info->address6) ? "" : prefix_format(info->address6).text);
	json_put(context, info->container_id, member);
	return 0;
}

static void append_config(struct json_t *configs, struct prefix subnet, struct ip gateway,
			  struct prefix ip_range)
{
	if (prefix_is_unset(subnet))
		return;
	struct json_t *config = json_new_object();
	json_put_string(config, "Subnet", prefix_format(subnet).text);
	if (!prefix_is_unset(ip_range))
		json_put_string(config, "IPRange", prefix_format(ip_range).text);
	json_put_string(config, "Gateway", ip_format(gateway).text);
	json_append(configs, config);
}

static void put_addresses(const struct engine_network *network, struct json_t *object)
{
	const struct network_spec *spec = &network->spec;
	struct json_t *ipam = json_new_object(), *configs = json_new_array();
	append_config(configs, spec->subnet, spec->gateway, network->ip_range);
	append_config(configs, spec->subnet6, spec->gateway6, network->ip_range6);
	json_put_string(ipam, "Driver", "default");
	json_put(ipam, "Config", configs);
	json_put(object, "IPAM", ipam);
}

static void put_prefixes(struct json_t *options, const char *key, const struct prefix *prefixes,
			 size_t count)
{
	auto_text text = { 0 };
	for (size_t i = 0; i < count; i++)
		text_append(&text, "%s%s", i ? "," : "", prefix_format(prefixes[i]).text);
	if (count && !text.failed)
		json_put_string(options, key, text.data);
}

/* As `network create -o` takes them. */
static void put_masquerade(struct json_t *options, const struct masquerade_options *masquerade)
{
	bool both = !ip_is_unset(masquerade->source) && !ip_is_unset(masquerade->source6);
	char source[2 * IP_TEXT_MAX + 2];
	put_prefixes(options, "masquerade.except", masquerade->except, masquerade->except_count);
	snprintf(source, sizeof source, "%s%s%s",
		 ip_is_unset(masquerade->source) ? "" : ip_format(masquerade->source).text,
		 both ? "," : "",
		 ip_is_unset(masquerade->source6) ? "" : ip_format(masquerade->source6).text);
	if (source[0])
		json_put_string(options, "masquerade.source", source);
	if (masquerade->endpoint_independent)
		json_put_string(options, "masquerade.endpoint-independent", "true");
	if (masquerade->open)
		json_put_string(options, "masquerade.filtering", "endpoint-independent");
}

int engine_network_inspect(struct engine *engine, const char *reference, struct json_t **ret_object,
			   struct error *err)
{
	AUTO(engine_network) network = NULL;
	struct dataplane *dataplane;
	char created[TIME_TEXT_MAX];
	int r = engine_network_find(engine, reference, &network, err);
	if (r == 0)
		r = engine_dataplane(engine, &dataplane, err);
	if (r < 0)
		return r;
	auto_json object = json_new_object();
	struct json_t *members = json_new_object(), *options = json_new_object();
	struct network_info info = { .spec = network->spec };
	time_format(network->created_ns, created);
	r = network_find(dataplane_store(dataplane), network->name, &info, err);
	json_put_string(object, "Name", network->name);
	json_put_string(object, "Id", network->id);
	json_put_string(object, "Created", created);
	json_put_string(object, "Scope", "local");
	json_put_string(object, "Driver", "bridge");
	json_put_bool(object, "EnableIPv4", !prefix_is_unset(network->spec.subnet));
	json_put_bool(object, "EnableIPv6", !prefix_is_unset(network->spec.subnet6));
	put_addresses(network, object);
	json_put_bool(object, "Internal", network->spec.internal);
	if (r >= 0)
		r = endpoint_each(dataplane_store(dataplane), NULL, network->name, append_member,
				  members, err);
	json_put(object, "Containers", members);
	json_put_string(options, "com.docker.network.bridge.name", info.spec.device);
	put_masquerade(options, &info.spec.masquerade_options);
	json_put(object, "Options", options);
	put_labels(network, object);
	if (r >= 0)
		*ret_object = TAKE(object);
	return r < 0 ? r : 0;
}
