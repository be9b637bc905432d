/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "cni/host_local.h"

#define VLAN_MAX 4094
#define MTU_MAX 65535

void cni_config_free(struct cni_config *config)
{
	if (!config)
		return;
	free(config->publish);
	words_free(&config->names);
	json_free(config->dns);
	tuning_release(&config->tuning);
	free(config);
}

static int config_new(struct cni_config **ret_config, struct error *err)
{
	struct cni_config *config = calloc(1, sizeof *config);
	if (!config)
		return error_set(err, ENOMEM, "no memory for a configuration");
	*ret_config = config;
	return 0;
}

static int read_name(const struct json_at *at, struct cni_config *config, struct error *err)
{
	const char *name = NULL;
	int r = json_get_string(at, "name", JSON_REQUIRED, &name, err);
	if (r < 0)
		return r;
	struct json_at place = json_member(at, "name");
	if (!text_is_name(name, sizeof config->name - 1))
		return json_error(&place, err, EINVAL,
				  "\"%.64s\" must have 1 to %zu of the characters "
				  "a-z A-Z 0-9 _ . - and begin with a letter or digit",
				  name, sizeof config->name - 1);
	snprintf(config->name, sizeof config->name, "%s", name);
	return 0;
}

/* A device's name, as the kernel takes them. */
static int read_bridge(const struct json_at *at, struct cni_config *config, struct error *err)
{
	const char *bridge = NULL;
	int r = json_get_string(at, "bridge", JSON_OPTIONAL, &bridge, err);
	if (r < 0 || !bridge || !*bridge)
		return r;
	struct json_at place = json_member(at, "bridge");
	if (strlen(bridge) >= sizeof config->bridge || strpbrk(bridge, "/: \t\r\n\v\f") ||
	    text_equal(bridge, ".") || text_equal(bridge, ".."))
		return json_error(&place, err, EINVAL,
				  "\"%.40s\" is no device name: 1 to 15 bytes without '/', ':' "
				  "and space",
				  bridge);
	snprintf(config->bridge, sizeof config->bridge, "%s", bridge);
	return 0;
}

/* Keys that ask for what the data path does not do yet must say so. */
static int refuse(const struct json_at *at, const char *key, const char *instead, struct error *err)
{
	struct json_at place = json_member(at, key);
	return json_error(&place, err, EOPNOTSUPP, "is not supported yet: %s", instead);
}

static int read_flags(const struct json_at *at, struct cni_config *config, struct error *err)
{
	bool hairpin = false, promisc = false, ignored = false, down = false, big = false;
	const struct {
		const char *key;
		bool *value;
	} rows[] = {
		{ "isGateway", &config->gateway },
		{ "isDefaultGateway", &config->default_gateway },
		{ "ipMasq", &config->masquerade },
		{ "portIsolation", &config->isolated_ports },
		{ "bigTcp", &big },
		{ "hairpinMode", &hairpin },
		{ "promiscMode", &promisc },
		{ "forceAddress", &ignored },
		{ "macspoofchk", &ignored }, /* always on */
		{ "enabledad", &ignored },
		{ "preserveDefaultVlan", &ignored },
		{ "disableContainerInterface", &down },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int r = json_get_bool(at, rows[i].key, JSON_OPTIONAL, rows[i].value, err);
		if (r < 0)
			return r;
	}
	struct json_at place = json_member(at, "bigTcp");
	if (json_is_present(&place))
		config->big_tcp = big ? BIG_TCP_ON : BIG_TCP_OFF;
	place = json_member(at, "promiscMode");
	if (hairpin && promisc)
		return json_error(&place, err, EINVAL, "cannot be true together with hairpinMode");
	if (down)
		return refuse(at, "disableContainerInterface", "false would be right", err);
	return 0;
}

/* Right or wrong is told before that it is not supported. */
static int check_trunk(const struct json_at *trunk, struct error *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < json_count(trunk); i++) {
		struct json_at item = json_element(trunk, i);
		int64_t id = 0, min = 0, max = 0;
		r = json_get_integer(&item, "id", JSON_OPTIONAL, 1, VLAN_MAX, &id, err);
		if (r == 0)
			r = json_get_integer(&item, "minID", JSON_OPTIONAL, 1, VLAN_MAX, &min, err);
		if (r == 0)
			r = json_get_integer(&item, "maxID", JSON_OPTIONAL, 1, VLAN_MAX, &max, err);
		if (r == 0 && (!min != !max || min > max))
			return json_error(&item, err, EINVAL,
					  "minID and maxID go together, and minID is not above "
					  "maxID");
	}
	return r;
}

static int read_numbers(const struct json_at *at, struct cni_config *config, struct error *err)
{
	int64_t mtu = 0, vlan = 0;
	struct json_at trunk;
	int r = json_get_integer(at, "mtu", JSON_OPTIONAL, 0, MTU_MAX, &mtu, err);
	if (r == 0)
		r = json_get_integer(at, "vlan", JSON_OPTIONAL, 0, VLAN_MAX, &vlan, err);
	if (r == 0)
		r = json_get_array(at, "vlanTrunk", JSON_OPTIONAL, &trunk, err);
	if (r < 0)
		return r;
	if (vlan)
		return refuse(at, "vlan", "0 would be right", err);
	if ((r = check_trunk(&trunk, err)) < 0)
		return r;
	if (json_count(&trunk))
		return refuse(at, "vlanTrunk", "an empty list would be right", err);
	config->mtu = (uint32_t)mtu;
	return 0;
}

static int read_backend(const struct json_at *at, struct error *err)
{
	const char *backend = NULL;
	int r = json_get_string(at, "ipMasqBackend", JSON_OPTIONAL, &backend, err);
	if (r < 0 || !backend || text_equal(backend, "iptables") ||
	    text_equal(backend, "nftables") || !*backend)
		return r;
	struct json_at place = json_member(at, "ipMasqBackend");
	return json_error(&place, err, EINVAL, "\"%.32s\" is none of \"iptables\" and \"nftables\"",
			  backend);
}

/* "masquerade": how it differs from the usual. */
static int read_masquerade(const struct json_at *at, struct cni_config *config, struct error *err)
{
	struct json_at object;
	int r = json_get_object(at, "masquerade", JSON_OPTIONAL, &object, err);
	if (r < 0 || !object.value)
		return r;
	if (!config->masquerade)
		return json_error(&object, err, EINVAL, "needs \"ipMasq\": true beside it");
	return masquerade_options_read(&object, &config->masquerade_options, err);
}

/* "publishFrom": the clients that published ports are for. */
static int read_publish_from(const struct json_at *at, struct cni_config *config, struct error *err)
{
	struct json_at list;
	int r = json_get_array(at, "publishFrom", JSON_OPTIONAL, &list, err);
	if (r == 0 && json_count(&list) > PUBLISH_FROM_MAX)
		return json_error(&list, err, EINVAL, "has %zu entries: at most %d",
				  json_count(&list), PUBLISH_FROM_MAX);
	for (size_t i = 0; r == 0 && i < json_count(&list); i++) {
		struct json_at element = json_element(&list, i);
		struct error why = { 0 };
		const char *text;
		r = json_as_string(&element, &text, err);
		if (r == 0 && publish_from_parse(text, &config->publish_from[i], &why) < 0)
			return json_error(&element, err, EINVAL, "\"%.64s\" is no prefix", text);
		config->publish_from_count = i + 1;
	}
	return r;
}

/* "hostFirewall": whether the host's forward rules decide on published ports. */
static int read_host_firewall(const struct json_at *at, struct cni_config *config,
			      struct error *err)
{
	struct json_at place = json_member(at, "hostFirewall");
	struct error why = { 0 };
	const char *text = NULL;
	int r = json_get_string(at, "hostFirewall", JSON_OPTIONAL, &text, err);
	if (r == 0 && text && host_firewall_parse(text, &config->host_firewall, &why) < 0)
		return json_error(&place, err, EINVAL, "%s", why.text);
	return r;
}

static bool has_ranges(const struct json_at *ipam)
{
	struct json_at subnet = json_member(ipam, "subnet"), ranges = json_member(ipam, "ranges");
	bool empty =
		!json_is_present(&ranges) || (json_is_array(&ranges) && json_count(&ranges) == 0);
	return json_is_present(&subnet) || !empty;
}

static bool is_own_type(const char *type)
{
	static const char *const own[] = { "", "wherry-ipam", "host-local", "wherry" };
	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (text_equal(type, own[i]))
			return true;
	return type == NULL;
}

/* Where host-local has the leases of this network; another instance has its own. */
static int read_lease_folder(const struct cni_call *call, const struct json_at *ipam,
			     struct cni_config *config, struct error *err)
{
	const char *root = call->instance->root, *folder = "";
	if (ipam->value) {
		int r = json_get_string(ipam, "dataDir", JSON_OPTIONAL, &folder, err);
		if (r < 0)
			return r;
	}
	struct json_at place = json_member(ipam, "dataDir");
	bool given = *folder != '\0';
	int size = snprintf(config->lease_folder, sizeof config->lease_folder, "%s%s/%s",
			    given ? "" : root, given ? folder : HOST_LOCAL_FOLDER, config->name);
	if ((given && *folder != '/') || size >= (int)sizeof config->lease_folder)
		return json_error(&place, err, EINVAL,
				  "\"%.64s\" must be an absolute path of a folder", folder);
	return 0;
}

static int check_foreign(struct cni_call *call, const struct json_at *ipam, const char *type,
			 struct error *err)
{
	const char *path = call->environment->path;
	struct json_at place = json_member(ipam, "type");
	if (text_equal(type, "dhcp"))
		return json_error(&place, err, EOPNOTSUPP,
				  "\"dhcp\" is not supported: containers have no layer 2 segment "
				  "with a server on it");
	if (path && *path)
		return 0;
	call->stage = STAGE_ENVIRONMENT;
	return error_set(err, EINVAL, "missing in the environment: CNI_PATH, to find plugin %.64s",
			 type);
}

/* The kind of ipam; the ranges of an own one, or the routes of another, are read. */
static int read_ipam(struct cni_call *call, struct cni_config *config, struct error *err)
{
	struct json_at ipam, runtime;
	int r = json_get_object(&call->root, "ipam", JSON_OPTIONAL, &ipam, err);
	if (r == 0)
		r = json_get_object(&call->root, "runtimeConfig", JSON_OPTIONAL, &runtime, err);
	if (r < 0)
		return r;
	if (ipam.value)
		r = json_get_string(&ipam, "type", JSON_OPTIONAL, &config->ipam_type, err);
	if (r < 0)
		return r;
	config->has_ipam = json_is_present(&ipam);
	r = read_lease_folder(call, &ipam, config, err);
	if (r < 0)
		return r;
	if (!is_own_type(config->ipam_type)) {
		config->ipam_kind = IPAM_FOREIGN;
		return check_foreign(call, &ipam, config->ipam_type, err);
	}
	if (runtime.value)
		r = ipam_config_read_ranges(&runtime, "ipRanges", &config->ipam, err);
	if (r < 0)
		return r;
	if ((ipam.value && has_ranges(&ipam)) || config->ipam.set_count) {
		config->ipam_kind = IPAM_OWN;
		return ipam_config_read(&ipam, &config->ipam, err);
	}
	config->ipam_kind = IPAM_OF_NETWORK;
	return ipam.value ? ipam_config_read_routes(&ipam, &config->ipam, err) : 0;
}

const struct ipam_range *cni_config_range(const struct ipam_config *ipam, bool v4)
{
	/* The ranges of one set are of one family. */
	for (size_t s = 0; s < ipam->set_count; s++)
		if (ip_is_v4(ipam->sets[s].ranges[0].subnet.ip) == v4)
			return &ipam->sets[s].ranges[0];
	return NULL;
}

/* A network has one subnet of each family in this version. */
static int check_sets(const struct cni_call *call, const struct cni_config *config,
		      struct error *err)
{
	struct json_at ipam = json_member(&call->root, "ipam");

	for (size_t s = 0; s < config->ipam.set_count; s++)
		for (size_t i = 0; i < config->ipam.sets[s].count; i++) {
			struct prefix subnet = config->ipam.sets[s].ranges[i].subnet;
			bool v4 = ip_is_v4(subnet.ip);
			if (!prefix_equal(subnet, cni_config_range(&config->ipam, v4)->subnet))
				return json_error(&ipam, err, EOPNOTSUPP,
						  "subnet %s is a second one of %s: not supported "
						  "yet",
						  prefix_format(subnet).text, v4 ? "IPv4" : "IPv6");
		}
	return 0;
}

/* Routes that do not lead through the gateway need more than this version can do. */
static int check_routes(const struct cni_call *call, const struct cni_config *config,
			struct error *err)
{
	struct json_at ipam = json_member(&call->root, "ipam");
	struct json_at routes = json_member(&ipam, "routes");
	static const char *const fields[] = { "mtu", "advmss", "priority", "table", "scope" };

	for (size_t i = 0; i < config->ipam.route_count; i++) {
		const struct ipam_route *route = &config->ipam.routes[i];
		struct json_at at = json_element(&routes, i);
		const struct ipam_range *range =
			cni_config_range(&config->ipam, ip_is_v4(route->destination.ip));
		if (!ip_is_unset(route->gateway) && range &&
		    !ip_equal(route->gateway, range->gateway))
			return json_error(&at, err, EOPNOTSUPP,
					  "gw %s is not the gateway: not supported yet",
					  ip_format(route->gateway).text);
		for (size_t f = 0; f < ARRAY_SIZE(fields); f++) {
			struct json_at field = json_member(&at, fields[f]);
			if (json_is_present(&field))
				return json_error(&field, err, EOPNOTSUPP, "is not supported yet");
		}
	}
	return 0;
}

int cni_config_read(struct cni_call *call, struct cni_config **ret_config, struct error *err)
{
	AUTO(cni_config) config = NULL;

	call->stage = STAGE_CONFIG;
	int r = config_new(&config, err);
	if (r == 0)
		r = read_name(&call->root, config, err);
	if (r == 0)
		r = cni_config_read_previous(call, config, err);
	if (r == 0)
		r = read_bridge(&call->root, config, err);
	if (r == 0)
		r = read_flags(&call->root, config, err);
	if (r == 0)
		r = read_numbers(&call->root, config, err);
	if (r == 0)
		r = read_backend(&call->root, err);
	if (r == 0)
		r = read_masquerade(&call->root, config, err);
	if (r == 0)
		r = read_publish_from(&call->root, config, err);
	if (r == 0)
		r = read_host_firewall(&call->root, config, err);
	if (r == 0)
		r = read_ipam(call, config, err);
	if (r == 0)
		r = check_sets(call, config, err);
	if (r == 0)
		r = check_routes(call, config, err);
	if (r == 0)
		r = cni_config_read_drop_in(call, config, err);
	if (r == 0)
		r = tuning_read(call, &config->tuning, err);
	if (r == 0)
		r = cni_config_read_runtime(call, config, err);
	if (r == 0)
		r = cni_config_read_dns(call, config, err);
	if (r == 0)
		*ret_config = TAKE(config);
	return r;
}

int cni_config_read_name(struct cni_call *call, struct cni_config **ret_config, struct error *err)
{
	AUTO(cni_config) config = NULL;

	call->stage = STAGE_CONFIG;
	int r = config_new(&config, err);
	if (r == 0)
		r = read_name(&call->root, config, err);
	if (r < 0)
		return r;
	struct json_at ipam = json_member(&call->root, "ipam"), type = json_member(&ipam, "type");
	if (json_is_string(&type))
		r = json_as_string(&type, &config->ipam_type, err);
	if (r == 0 && !is_own_type(config->ipam_type))
		config->ipam_kind = IPAM_FOREIGN;
	struct error ignored = { 0 };
	if (r == 0 && read_lease_folder(call, &ipam, config, &ignored) < 0)
		config->lease_folder[0] = '\0';
	if (r == 0)
		*ret_config = TAKE(config);
	return r;
}

static int read_own_ranges(struct cni_call *call, struct cni_config *config, struct error *err)
{
	struct json_at ipam, runtime;
	int r = json_get_object(&call->root, "ipam", JSON_REQUIRED, &ipam, err);
	if (r == 0)
		r = json_get_object(&call->root, "runtimeConfig", JSON_OPTIONAL, &runtime, err);
	if (r == 0 && runtime.value)
		r = ipam_config_read_ranges(&runtime, "ipRanges", &config->ipam, err);
	return r < 0 ? r : ipam_config_read(&ipam, &config->ipam, err);
}

int cni_config_read_ipam(struct cni_call *call, struct cni_config **ret_config, struct error *err)
{
	AUTO(cni_config) config = NULL;

	call->stage = STAGE_CONFIG;
	int r = config_new(&config, err);
	if (r == 0)
		r = read_name(&call->root, config, err);
	if (r == 0)
		r = read_own_ranges(call, config, err);
	if (r == 0)
		r = cni_config_read_runtime(call, config, err);
	if (r == 0)
		r = cni_config_read_dns(call, config, err);
	if (r == 0)
		*ret_config = TAKE(config);
	return r;
}
