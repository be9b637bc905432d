/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the addresses of an ADD come from: leases of ours, taken in one
 * transaction, or another plugin; and the network that they lie in.
 */
#include "add.h"

#include <errno.h>
#include <net/if.h>

#include "base/file.h"
#include "delegate.h"

#define DEFAULT_BRIDGE "cni0"

static struct lease_owner owner_of(const struct cni_call *call)
{
	return (struct lease_owner){ call->environment->container_id,
				     call->environment->interface };
}

/* --- the network ------------------------------------------------------------ */

static int is_device_of_network(const struct network_info *info, void *context, struct error *err)
{
	(void)err;
	return text_equal(info->spec.device, context);
}

/* Without "bridge" the first network has cni0, the others a name of their own. */
static int choose_device(const struct add *add, char *ret_device, struct error *err)
{
	char device[DEVICE_NAME_MAX] = DEFAULT_BRIDGE;

	if (*add->config->bridge) {
		snprintf(ret_device, DEVICE_NAME_MAX, "%s", add->config->bridge);
		return 0;
	}
	int r = network_each(dataplane_store(add->dataplane), is_device_of_network, device, err);
	if (r < 0)
		return r;
	snprintf(ret_device, DEVICE_NAME_MAX, "%s", r ? "" : device);
	return 0;
}

static bool fits(const struct network_info *found, const struct network_spec *wanted,
		 const struct cni_config *config)
{
	const struct network_spec *is = &found->spec;

	/* None left out: those of the instance's config are. */
	struct masquerade_options options = is->masquerade_options;
	if (wanted->masquerade_options.except_count == 0)
		options.except_count = 0;
	return masquerade_options_equal(&options, &wanted->masquerade_options) &&
	       prefix_equal(is->subnet, wanted->subnet) && ip_equal(is->gateway, wanted->gateway) &&
	       prefix_equal(is->subnet6, wanted->subnet6) &&
	       ip_equal(is->gateway6, wanted->gateway6) && is->masquerade == wanted->masquerade &&
	       is->routed == wanted->routed && is->no_icc == wanted->no_icc &&
	       is->big_tcp == wanted->big_tcp && (!wanted->mtu || is->mtu == wanted->mtu) &&
	       (!*config->bridge || text_equal(is->device, config->bridge)) &&
	       if_nametoindex(is->device) == found->device_ifindex;
}

/* Another subnet under the same name: fine while nobody is attached. */
static int make_network(struct add *add, const struct network_spec *spec, struct error *err)
{
	struct error busy = { 0 };
	int r = network_ensure(add->dataplane, spec, &add->network, err);
	if (r != -EEXIST || network_delete(add->dataplane, spec->name, &busy) < 0)
		return r;
	error_clear(err);
	return network_ensure(add->dataplane, spec, &add->network, err);
}

static int forward(const char *path, struct error *err)
{
	auto_free char *text = NULL;
	size_t size;
	int r = file_read(path, 16, &text, &size, err);
	return r < 0 || text[0] == '1' ? r : file_write_existing(path, "1", err);
}

/* Without masquerade the kernel routes between containers and uplinks. */
static int forward_if_routed(const struct cni_config *config, const struct network_spec *spec,
			     struct error *err)
{
	int r = 0;
	if (config->masquerade || (!config->gateway && !config->default_gateway))
		return 0;
	if (!prefix_is_unset(spec->subnet))
		r = forward("/proc/sys/net/ipv4/ip_forward", err);
	if (r == 0 && !prefix_is_unset(spec->subnet6))
		r = forward("/proc/sys/net/ipv6/conf/all/forwarding", err);
	return r;
}

static void add_family(struct network_spec *spec, struct prefix subnet, struct ip gateway)
{
	bool v4 = ip_is_v4(subnet.ip);
	*(v4 ? &spec->subnet : &spec->subnet6) = subnet;
	*(v4 ? &spec->gateway : &spec->gateway6) = gateway;
}

/*
 * Makes the network if it is not there as the configuration wants it. *wanted has the
 * subnets and gateways.
 */
static int ensure_network(struct add *add, const struct network_spec *wanted, struct error *err)
{
	const struct cni_config *config = add->config;
	struct network_spec spec = *wanted;
	spec.mtu = config->mtu;
	spec.masquerade = config->masquerade;
	spec.masquerade_options = config->masquerade_options;
	spec.routed = !config->masquerade;
	spec.no_icc = config->isolated_ports;
	spec.big_tcp = config->big_tcp;
	spec.dns = true;
	int r = network_find(dataplane_store(add->dataplane), config->name, &add->network, err);
	add->is_network_ours = true;
	if (r < 0 || (r == 1 && fits(&add->network, &spec, config)))
		return r < 0 ? r : 0;
	snprintf(spec.name, sizeof spec.name, "%s", config->name);
	if (r == 1 && !*config->bridge)
		snprintf(spec.device, sizeof spec.device, "%s", add->network.spec.device);
	else
		r = choose_device(add, spec.device, err);
	if (r >= 0)
		r = make_network(add, &spec, err);
	return r < 0 ? r : forward_if_routed(config, &spec, err);
}

static void add_set(struct ipam_config *ipam, struct prefix subnet, struct ip gateway)
{
	if (prefix_is_unset(subnet))
		return;
	struct ipam_set *set = &ipam->sets[ipam->set_count++];
	set->ranges[0] = (struct ipam_range){ .subnet = subnet, .gateway = gateway };
	set->count = 1;
}

/* Without ranges the network must be there: its subnets are the ranges. */
static int find_network(struct add *add, struct ipam_config *ipam, struct error *err)
{
	int r = network_find(dataplane_store(add->dataplane), add->config->name, &add->network,
			     err);
	if (r < 0)
		return r;
	if (r == 0) {
		add->call->stage = STAGE_CONFIG;
		return error_set(err, EINVAL,
				 "network %s is unknown, and \"ipam\" names no subnet to make it "
				 "with",
				 add->config->name);
	}
	const struct network_spec *spec = &add->network.spec;
	ipam->set_count = 0;
	add_set(ipam, spec->subnet, spec->gateway);
	add_set(ipam, spec->subnet6, spec->gateway6);
	return ipam_config_finish(ipam, err);
}

/* --- the addresses -------------------------------------------------------------- */

int add_release_leftover(struct add *add, struct error *err)
{
	const struct cni_environment *env = add->call->environment;
	struct store *store = dataplane_store(add->dataplane);
	struct lease_owner owner = owner_of(add->call);
	struct endpoint_info info = { 0 };
	AUTO(store_txn) txn = NULL;
	int r = endpoint_find(store, env->container_id, env->interface, &info, err);

	bool attached = r == 1 && info.state == ENDPOINT_READY;
	if (r == 1)
		endpoint_info_release(&info);
	if (r < 0 || attached)
		return r < 0 ? r : 0;
	if (r == 1)
		r = endpoint_delete(add->dataplane, env->container_id, env->interface,
				    ENDPOINT_DELETE_LINK, err);
	if (r >= 0)
		r = store_begin(store, STORE_WRITE, &txn, err);
	if (r >= 0)
		r = lease_release(txn, add->config->name, &owner, err);
	return r < 0 ? r : store_commit(&txn, err);
}

static int take_once(struct add *add, const struct ipam_config *ipam, struct error *err)
{
	struct lease_owner owner = owner_of(add->call);
	struct lease leases[IPAM_SETS_MAX];
	AUTO(store_txn) txn = NULL;
	int r = store_begin(dataplane_store(add->dataplane), STORE_WRITE, &txn, err);

	if (r == 0)
		r = lease_take(txn, add->config->name, ipam, &owner, add->config->wanted,
			       add->config->wanted_count, leases, err);
	if (r == 0)
		r = store_commit(&txn, err);
	for (size_t i = 0; r == 0 && i < ipam->set_count; i++)
		add->given.addresses[i] =
			(struct cni_address){ leases[i].address, leases[i].gateway, 2 };
	if (r == 0)
		add->given.address_count = ipam->set_count;
	return r;
}

static int take_leases(struct add *add, const struct ipam_config *ipam, struct error *err)
{
	int r = take_once(add, ipam, err);
	if (r != -EEXIST)
		return r;
	r = add_release_leftover(add, err);
	return r < 0 ? r : take_once(add, ipam, err);
}

void add_give_back_addresses(struct add *add)
{
	struct lease_owner owner = owner_of(add->call);
	struct error ignored = { 0 };
	auto_json output = NULL;
	AUTO(store_txn) txn = NULL;

	if (add->config->ipam_kind == IPAM_FOREIGN) {
		struct json_t *kept = TAKE(add->call->foreign_error);
		delegate_run(add->call, add->config->ipam_type, "DEL", &output, &ignored);
		json_free(add->call->foreign_error);
		add->call->foreign_error = kept;
		return;
	}
	int r = store_begin(dataplane_store(add->dataplane), STORE_WRITE, &txn, &ignored);
	if (r == 0)
		r = lease_release(txn, add->config->name, &owner, &ignored);
	if (r > 0)
		store_commit(&txn, &ignored);
}

/* The ranges' own routes, as they stand in the configuration. */
static void copy_routes(struct add *add)
{
	struct json_at ipam = json_member(&add->call->root, "ipam");
	struct json_at routes = json_member(&ipam, "routes");

	if (json_count(&routes))
		add->given.routes = json_clone(routes.value);
}

static int own_addresses(struct add *add, struct error *err)
{
	struct ipam_config ipam = add->config->ipam;
	const struct ipam_range *v4 = cni_config_range(&ipam, true),
				*v6 = cni_config_range(&ipam, false);
	struct network_spec wanted = { 0 };
	int r = 0;

	if (v4)
		add_family(&wanted, v4->subnet, v4->gateway);
	if (v6)
		add_family(&wanted, v6->subnet, v6->gateway);
	if (add->config->ipam_kind == IPAM_OF_NETWORK)
		r = find_network(add, &ipam, err);
	else
		r = ensure_network(add, &wanted, err);
	if (r == 0)
		r = take_leases(add, &ipam, err);
	if (r == 0)
		copy_routes(add);
	return r;
}

/* The subnets of what a plugin gave: one of each family in this version. */
static int find_subnets(struct add *add, struct network_spec *wanted, struct error *err)
{
	const char *type = add->config->ipam_type;
	struct cni_result *given = &add->given;

	if (given->address_count == 0)
		return error_set(err, EREMOTEIO, "plugin %s gave no address", type);
	if (given->address_count > ENDPOINT_ADDRESSES_MAX)
		return error_set(err, EOPNOTSUPP, "plugin %s gave %zu addresses: at most %d", type,
				 given->address_count, ENDPOINT_ADDRESSES_MAX);
	for (size_t i = 0; i < given->address_count; i++) {
		struct cni_address *address = &given->addresses[i];
		struct prefix subnet = prefix_network(address->address);
		bool v4 = ip_is_v4(subnet.ip);
		struct prefix known = v4 ? wanted->subnet : wanted->subnet6;
		if (!prefix_is_unset(known) && !prefix_equal(known, subnet))
			return error_set(err, EOPNOTSUPP,
					 "plugin %s gave addresses of %s and of %s: a second "
					 "subnet of %s is not supported yet",
					 type, prefix_format(known).text,
					 prefix_format(subnet).text, v4 ? "IPv4" : "IPv6");
		address->interface = 2;
		if (prefix_is_unset(known))
			add_family(wanted, subnet,
				   ip_is_unset(address->gateway) ? ip_add(subnet.ip, 1)
								 : address->gateway);
	}
	return 0;
}

static int use_foreign(struct add *add, struct error *err)
{
	struct json_at at = json_root(add->given_document, add->config->ipam_type);
	struct network_spec wanted = { 0 };
	int r = cni_result_read(&at, add->call->version, &add->given, err);

	if (r == 0)
		r = find_subnets(add, &wanted, err);
	return r < 0 ? r : ensure_network(add, &wanted, err);
}

static int foreign_addresses(struct add *add, struct error *err)
{
	int r = delegate_run(add->call, add->config->ipam_type, "ADD", &add->given_document, err);
	if (r == 0)
		r = use_foreign(add, err);
	if (r < 0)
		add_give_back_addresses(add);
	return r;
}

int add_take_addresses(struct add *add, struct error *err)
{
	return add->config->ipam_kind == IPAM_FOREIGN ? foreign_addresses(add, err)
						      : own_addresses(add, err);
}
