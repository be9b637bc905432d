/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A network's record in engine.mdb: written when it is made, read by every verb. */
#include <errno.h>
#include <string.h>

#include "base/loop.h"
#include "network.h"

void engine_network_free(struct engine_network *network)
{
	if (!network)
		return;
	json_free(network->document);
	free(network);
}

/* Keys of the record, and what they say. */
struct family {
	const char *subnet_key, *gateway_key, *range_key;
	struct prefix *subnet, *ip_range;
	struct ip *gateway;
};

static struct family family_v4(struct engine_network *network)
{
	return (struct family){ "subnet",           "gateway",
				"ipRange",          &network->spec.subnet,
				&network->ip_range, &network->spec.gateway };
}

static struct family family_v6(struct engine_network *network)
{
	return (struct family){ "subnet6",           "gateway6",
				"ipRange6",          &network->spec.subnet6,
				&network->ip_range6, &network->spec.gateway6 };
}

static void put_family(struct json_t *document, const struct family *family)
{
	if (prefix_is_unset(*family->subnet))
		return;
	json_put_string(document, family->subnet_key, prefix_format(*family->subnet).text);
	json_put_string(document, family->gateway_key, ip_format(*family->gateway).text);
	if (!prefix_is_unset(*family->ip_range))
		json_put_string(document, family->range_key, prefix_format(*family->ip_range).text);
}

struct json_t *engine_network_document(const struct engine_network *network, const char *id,
				       const struct words *labels)
{
	const struct network_spec *spec = &network->spec;
	struct json_t *document = json_new_object(), *aux = json_new_array(),
		      *label_list = json_new_array();
	json_put_string(document, "id", id);
	json_put_string(document, "name", spec->name);
	struct engine_network copy = *network;
	struct family v4 = family_v4(&copy), v6 = family_v6(&copy);
	put_family(document, &v4);
	put_family(document, &v6);
	json_put_string(document, "device", spec->device);
	json_put_integer(document, "mtu", spec->mtu);
	json_put_bool(document, "internal", spec->internal);
	json_put_bool(document, "masquerade", spec->masquerade);
	json_put(document, "masqueradeOptions", masquerade_options_json(&spec->masquerade_options));
	json_put_bool(document, "noIcc", spec->no_icc);
	json_put_bool(document, "multicast", spec->multicast);
	if (spec->big_tcp != BIG_TCP_AUTO)
		json_put_bool(document, "bigTcp", spec->big_tcp == BIG_TCP_ON);
	for (size_t i = 0; i < network->aux_count; i++)
		json_append(aux, json_new_string(ip_format(network->aux[i]).text));
	json_put(document, "aux", aux);
	for (size_t i = 0; labels && i < labels->count; i++)
		json_append(label_list, json_new_string(labels->items[i]));
	json_put(document, "labels", label_list);
	json_put_integer(document, "createdNs", clock_wall_ns());
	return document;
}

static int read_big_tcp(const struct json_at *at, struct network_spec *spec, struct error *err)
{
	struct json_at place = json_member(at, "bigTcp");
	bool big = false;
	int r = json_get_bool(at, "bigTcp", JSON_OPTIONAL, &big, err);
	if (r == 0 && json_is_present(&place))
		spec->big_tcp = big ? BIG_TCP_ON : BIG_TCP_OFF;
	return r;
}

static int read_masquerade(const struct json_at *at, struct network_spec *spec, struct error *err)
{
	struct json_at options = { 0 };
	int r = json_get_bool(at, "masquerade", JSON_OPTIONAL, &spec->masquerade, err);
	if (r == 0)
		r = json_get_object(at, "masqueradeOptions", JSON_OPTIONAL, &options, err);
	return r < 0 || !options.value
		       ? r
		       : masquerade_options_read(&options, &spec->masquerade_options, err);
}

static int read_spec(const struct json_at *at, struct network_spec *spec, struct error *err)
{
	const char *device = "", *name = NULL;
	int64_t mtu = 0;
	int r = json_get_string(at, "name", JSON_REQUIRED, &name, err);
	if (r == 0)
		r = json_get_string(at, "device", JSON_OPTIONAL, &device, err);
	if (r == 0)
		r = json_get_integer(at, "mtu", JSON_OPTIONAL, 0, UINT32_MAX, &mtu, err);
	if (r == 0)
		r = json_get_bool(at, "internal", JSON_OPTIONAL, &spec->internal, err);
	if (r == 0)
		r = read_masquerade(at, spec, err);
	if (r == 0)
		r = json_get_bool(at, "noIcc", JSON_OPTIONAL, &spec->no_icc, err);
	if (r == 0)
		r = json_get_bool(at, "multicast", JSON_OPTIONAL, &spec->multicast, err);
	if (r == 0)
		r = read_big_tcp(at, spec, err);
	if (r < 0)
		return r;
	spec->mtu = (uint32_t)mtu;
	spec->dns = true;
	snprintf(spec->name, sizeof spec->name, "%s", name);
	snprintf(spec->device, sizeof spec->device, "%s", device);
	return 0;
}

static int read_aux(const struct json_at *at, struct engine_network *network, struct error *err)
{
	struct json_at list;
	int r = json_get_array(at, "aux", JSON_OPTIONAL, &list, err);
	for (size_t i = 0; r == 0 && i < json_count(&list) && i < IPAM_EXCLUDES_MAX; i++) {
		struct json_at element = json_element(&list, i);
		const char *text;
		r = json_as_string(&element, &text, err);
		if (r == 0)
			r = ip_parse(text, &network->aux[network->aux_count++], err);
	}
	return r;
}

static int read_family(const struct json_at *at, const struct family *family, struct error *err)
{
	int r = json_get_prefix(at, family->subnet_key, JSON_OPTIONAL, family->subnet, err);
	if (r == 0 && !prefix_is_unset(*family->subnet))
		r = json_get_ip(at, family->gateway_key, JSON_REQUIRED, family->gateway, err);
	return r < 0 ? r
		     : json_get_prefix(at, family->range_key, JSON_OPTIONAL, family->ip_range, err);
}

static int read_families(const struct json_at *at, struct engine_network *network,
			 struct error *err)
{
	struct family v4 = family_v4(network), v6 = family_v6(network);
	int r = read_family(at, &v4, err);
	if (r == 0)
		r = read_family(at, &v6, err);
	if (r == 0 && prefix_is_unset(*v4.subnet) && prefix_is_unset(*v6.subnet))
		r = json_error(at, err, EINVAL, "has no subnet");
	return r;
}

int engine_network_read(struct bytes value, struct engine_network **ret_network, struct error *err)
{
	AUTO(engine_network) network = calloc(1, sizeof *network);
	if (!network)
		return error_set(err, ENOMEM, "no memory for a network");
	int r = json_parse("record of a network", value.data, value.size, &network->document, err);
	if (r < 0)
		return r;
	struct json_at at = json_root(network->document, "record of a network");
	r = json_get_string(&at, "id", JSON_REQUIRED, &network->id, err);
	if (r == 0)
		r = json_get_string(&at, "name", JSON_REQUIRED, &network->name, err);
	if (r == 0)
		r = read_families(&at, network, err);
	if (r == 0)
		r = json_get_integer(&at, "createdNs", JSON_OPTIONAL, 0, INT64_MAX,
				     &network->created_ns, err);
	if (r == 0)
		r = read_spec(&at, &network->spec, err);
	if (r == 0)
		r = read_aux(&at, network, err);
	if (r == 0)
		*ret_network = TAKE(network);
	return r;
}
