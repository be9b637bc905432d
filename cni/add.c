/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ADD: the network (only if it is not there yet), addresses (leases of ours
 * in one transaction, or another plugin's), the endpoint, the result. Killed
 * in between, it leaves a lease without an endpoint or an intent, which DEL
 * takes back, and the next ADD of the same container too.
 */
#include "add.h"

#include <errno.h>
#include <string.h>

#include "attach.h"
#include "base/file.h"
#include "chain.h"
#include "labels.h"
#include "cni/host_local.h"

#define ROUTES_MAX (IPAM_ROUTES_MAX + 2) /* those of ipam, and a default of each family */

/* --- the endpoint ---------------------------------------------------------------- */

/* 0.0.0.0/0 or ::/0. */
static struct prefix everywhere(bool v4)
{
	struct prefix prefix = { .length = 0 };
	if (v4)
		prefix.ip = ip_from_v4((struct in_addr){ 0 });
	return prefix;
}

static const struct cni_address *first_of_family(const struct cni_result *given, bool v4)
{
	for (size_t i = 0; i < given->address_count; i++)
		if (ip_is_v4(given->addresses[i].address.ip) == v4)
			return &given->addresses[i];
	return NULL;
}

/* isDefaultGateway adds the routes to everywhere that ipam did not give. */
static void add_default_route(struct cni_result *given, bool v4)
{
	const struct cni_address *address = first_of_family(given, v4);
	struct json_at list = json_root(given->routes, "");

	if (!address || ip_is_unset(address->gateway))
		return;
	for (size_t i = 0; i < json_count(&list); i++) {
		struct json_at item = json_element(&list, i);
		struct prefix destination = { 0 };
		struct error ignored = { 0 };
		if (json_get_prefix(&item, "dst", JSON_REQUIRED, &destination, &ignored) == 0 &&
		    destination.length == 0 && ip_is_v4(destination.ip) == v4)
			return;
	}
	if (!given->routes)
		given->routes = json_new_array();
	struct json_t *route = json_new_object();
	json_put_string(route, "dst", prefix_format(everywhere(v4)).text);
	json_put_string(route, "gw", ip_format(address->gateway).text);
	json_append(given->routes, route);
}

/* The result's routes; those of a family without an address lead nowhere. */
static int read_routes(const struct add *add, struct prefix *routes, size_t *ret_count,
		       struct error *err)
{
	struct json_at list = json_root(add->given.routes, "routes");
	size_t count = 0;

	for (size_t i = 0; i < json_count(&list) && i < ROUTES_MAX; i++) {
		struct json_at route = json_element(&list, i);
		struct prefix destination;
		int r = json_get_prefix(&route, "dst", JSON_REQUIRED, &destination, err);
		if (r < 0)
			return r;
		const struct cni_address *address =
			first_of_family(&add->given, ip_is_v4(destination.ip));
		if (address && (destination.length > 0 || !ip_is_unset(address->gateway)))
			routes[count++] = prefix_network(destination);
	}
	*ret_count = count;
	return 0;
}

/* The first of each family, with its gateway, and the others. */
static void sort_addresses(const struct cni_result *given, struct endpoint_spec *spec,
			   struct prefix extra[ENDPOINT_ADDRESSES_MAX])
{
	const struct cni_address *v4 = first_of_family(given, true),
				 *v6 = first_of_family(given, false);

	for (size_t i = 0; i < given->address_count; i++)
		if (&given->addresses[i] != v4 && &given->addresses[i] != v6)
			extra[spec->extra_count++] = given->addresses[i].address;
	spec->extra = extra;
	if (v4) {
		spec->address = v4->address;
		spec->gateway = v4->gateway;
	}
	if (v6) {
		spec->address6 = v6->address;
		spec->gateway6 = v6->gateway;
	}
}

/*
 * What the container has an address for: as portmap, without a word for a hostIP of
 * another family.
 */
static int keep_reachable(const struct add *add, struct endpoint_spec *spec,
			  struct publish_spec **ret_publish, struct error *err)
{
	const struct cni_config *config = add->config;
	bool v4 = first_of_family(&add->given, true), v6 = first_of_family(&add->given, false);
	struct publish_spec *publish = calloc(config->publish_count, sizeof *publish);

	if (!publish && config->publish_count)
		return error_set(err, ENOMEM, "no memory for port mappings");
	for (size_t i = 0; i < config->publish_count; i++) {
		enum publish_family family = publish_family(&config->publish[i]);
		if (family == PUBLISH_BOTH || (family == PUBLISH_IPV4 ? v4 : v6))
			publish[spec->publish_count++] = config->publish[i];
	}
	spec->publish = *ret_publish = publish;
	return 0;
}

/* A holder of a port or address whose namespace is gone gives way. */
static bool collect_dead(struct add *add)
{
	struct error ignored = { 0 };
	return dataplane_collect(add->dataplane, &ignored) > 0;
}

static int add_endpoint(struct add *add, struct endpoint_info *ret_info, struct error *err)
{
	const struct cni_environment *env = add->call->environment;
	const struct cni_config *config = add->config;
	const char *pod = add->call->args.pod_name;
	struct prefix routes[ROUTES_MAX], extra[ENDPOINT_ADDRESSES_MAX];
	auto_free struct publish_spec *publish = NULL;
	struct endpoint_spec spec = {
		.container_id = env->container_id,
		.interface = env->interface,
		.network = config->name,
		.netns_path = env->netns,
		.netns_fd = add->netns_fd,
		.mac = config->mac,
		.mtu = config->mtu,
		.routes = routes,
		.publish_policy = PUBLISH_IGNORE_LISTENERS,
		.publish_from = config->publish_from,
		.publish_from_count = config->publish_from_count,
		.host_firewall = config->host_firewall,
		.names = (const char *const *)config->names.items,
		.hostname = *pod ? pod : NULL,
		.ingress = { config->ingress.rate_bit_s, config->ingress.burst_bits },
		.egress = { config->egress.rate_bit_s, config->egress.burst_bits },
		.owner = "cni",
	};
	int r = read_routes(add, routes, &spec.route_count, err);
	if (r < 0)
		return r;
	r = keep_reachable(add, &spec, &publish, err);
	if (r < 0)
		return r;
	sort_addresses(&add->given, &spec, extra);
	r = endpoint_add(add->dataplane, &spec, ret_info, err);
	if (r == -EADDRINUSE && collect_dead(add))
		r = endpoint_add(add->dataplane, &spec, ret_info, err);
	return r;
}

/* --- the result -------------------------------------------------------------------- */

static int build_result(struct add *add, const struct endpoint_info *info,
			struct json_t **ret_document, struct error *err)
{
	auto_cni_result result = add->given;

	add->given.routes = NULL;
	result.interfaces[0] =
		(struct cni_interface){ add->network.spec.device, add->network.device_mac,
					add->network.spec.mtu, NULL };
	result.interfaces[1] =
		(struct cni_interface){ info->host_device, info->host_mac, info->mtu, NULL };
	result.interfaces[2] = (struct cni_interface){ info->interface, info->mac, info->mtu,
						       add->call->environment->netns };
	result.interface_count = 3;
	if (add->config->dns)
		result.dns = add->config->dns;
	return cni_result_format(&result, add->call->version, ret_document, err);
}

/* MAC and MTU were set when the interface was made. */
static int tune(struct add *add, struct error *err)
{
	struct tuning rest = add->config->tuning;
	rest.mac = (struct mac){ 0 };
	rest.mtu = TUNING_UNSET;
	return tuning_apply(&rest, add->netns_fd, add->call->environment->interface, err);
}

static int add_attached(struct add *add, struct json_t **ret_document, struct error *err)
{
	struct endpoint_info info = { 0 };
	for (int v4 = 1; v4 >= 0 && add->config->default_gateway; v4--)
		add_default_route(&add->given, v4);
	int r = add_endpoint(add, &info, err);

	if (r < 0) {
		add_give_back_addresses(add);
		return r;
	}
	r = tune(add, err);
	if (r == 0)
		r = labels_keep(dataplane_store(add->dataplane), add->call, err);
	if (r == 0)
		r = build_result(add, &info, ret_document, err);
	if (r == 0)
		chain_join(add->config, ret_document);
	endpoint_info_release(&info);
	if (r < 0) {
		struct error ignored = { 0 };
		endpoint_delete(add->dataplane, add->call->environment->container_id,
				add->call->environment->interface, ENDPOINT_DELETE_LINK, &ignored);
		add_give_back_addresses(add);
	}
	return r;
}

static struct ip any_address(const struct endpoint_info *info)
{
	struct prefix addresses[ENDPOINT_ADDRESSES_MAX];
	return endpoint_addresses(info, addresses) ? addresses[0].ip : (struct ip){ 0 };
}

/* An interface that is there already is refused before anything is taken. */
static int check_new(struct add *add, struct error *err)
{
	const struct cni_environment *env = add->call->environment;
	struct endpoint_info info = { 0 };
	int r = endpoint_find(dataplane_store(add->dataplane), env->container_id, env->interface,
			      &info, err);

	if (r <= 0)
		return r;
	bool ready = info.state == ENDPOINT_READY;
	if (ready)
		r = error_set(err, EEXIST,
			      "container %s (%s) is attached to network %s already, with address "
			      "%s",
			      env->container_id, env->interface, info.network,
			      ip_format(any_address(&info)).text);
	endpoint_info_release(&info);
	return ready ? r : add_release_leftover(add, err);
}

/* A network that is new in this boot may have leases of host-local's. */
static int import_leases(struct add *add, struct error *err)
{
	const struct cni_config *config = add->config;
	struct store *store = dataplane_store(add->dataplane);
	struct host_local_counts counts;
	struct network_info info;

	if (config->ipam_kind != IPAM_OWN)
		return 0;
	int r = network_find(store, config->name, &info, err);
	if (r != 0 || !path_exists(config->lease_folder))
		return r < 0 ? r : 0;
	return host_local_import(store, config->name, config->lease_folder, HOST_LOCAL_OF_THIS_BOOT,
				 &counts, err);
}

int cni_add(struct cni_call *call, struct json_t **ret_document, struct error *err)
{
	AUTO(cni_config) config = NULL;
	AUTO(dataplane) dataplane = NULL;
	auto_fd netns_fd = -1, lock_fd = -1;
	int r = cni_config_read(call, &config, err);

	if (r == 0)
		r = call_open_netns(call, &netns_fd, err);
	if (r < 0)
		return r;
	call->stage = STAGE_WORK;
	if (config->is_chained)
		return chain_pass_on(call, config, netns_fd, ret_document, err);
	r = dataplane_open(call->instance, &dataplane, err);
	if (r == 0)
		r = call_lock(call, &lock_fd, err);
	if (r < 0)
		return r;
	struct add add = {
		.call = call, .config = config, .dataplane = dataplane, .netns_fd = netns_fd
	};
	r = import_leases(&add, err);
	if (r == 0)
		r = check_new(&add, err);
	if (r == 0)
		r = add_take_addresses(&add, err);
	if (r == 0)
		r = add_attached(&add, ret_document, err);
	cni_result_release(&add.given);
	json_free(add.given_document);
	return r;
}
