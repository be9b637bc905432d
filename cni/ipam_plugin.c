/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wherry-ipam: leases for other main plugins, in host-local's place (spec
 * section 5, delegated plugins). Only the store is opened: no data path.
 */
#include "cni/cni.h"

#include <errno.h>

#include "config.h"
#include "gc_list.h"
#include "result.h"

static struct lease_owner owner_of(const struct cni_call *call)
{
	return (struct lease_owner){ call->environment->container_id,
				     call->environment->interface };
}

static void fill_result(const struct cni_call *call, const struct cni_config *config,
			const struct lease *leases, struct cni_result *ret_result)
{
	struct json_at ipam = json_member(&call->root, "ipam");
	struct json_at routes = json_member(&ipam, "routes");

	for (size_t i = 0; i < config->ipam.set_count; i++)
		ret_result->addresses[i] =
			(struct cni_address){ leases[i].address, leases[i].gateway, -1 };
	ret_result->address_count = config->ipam.set_count;
	ret_result->routes = json_count(&routes) ? json_clone(routes.value) : NULL;
	ret_result->dns = config->dns;
}

/* Two addresses of one family have no place in a result below 0.3.0. */
static int check_version(const struct cni_call *call, const struct cni_config *config,
			 struct error *err)
{
	size_t v4 = 0;

	for (size_t i = 0; i < config->ipam.set_count; i++)
		v4 += ip_is_v4(config->ipam.sets[i].ranges[0].subnet.ip);
	if (call->version >= CNI_0_3_0 || (v4 <= 1 && config->ipam.set_count - v4 <= 1))
		return 0;
	return error_set(err, EINVAL,
			 "standard input: ipam.ranges: two addresses of one family cannot be told "
			 "in cniVersion %s: 0.3.0 or above would be right",
			 cni_version_text(call->version));
}

static int ipam_add(struct cni_call *call, struct store *store, const struct cni_config *config,
		    struct json_t **ret_document, struct error *err)
{
	struct lease_owner owner = owner_of(call);
	struct lease leases[IPAM_SETS_MAX];
	auto_cni_result result = { 0 };
	auto_json document = NULL;
	AUTO(store_txn) txn = NULL;
	int r = store_begin(store, STORE_WRITE, &txn, err);

	if (r == 0)
		r = lease_take(txn, config->name, &config->ipam, &owner, config->wanted,
			       config->wanted_count, leases, err);
	if (r < 0)
		return r;
	fill_result(call, config, leases, &result);
	r = cni_result_format(&result, call->version, &document, err);
	if (r == 0)
		r = store_commit(&txn, err);
	if (r == 0)
		*ret_document = TAKE(document);
	return r;
}

static int ipam_del(struct cni_call *call, struct store *store, const struct cni_config *config,
		    struct error *err)
{
	struct lease_owner owner = owner_of(call);
	AUTO(store_txn) txn = NULL;
	int r = store_begin(store, STORE_WRITE, &txn, err);

	if (r == 0)
		r = lease_release(txn, config->name, &owner, err);
	if (r > 0)
		r = store_commit(&txn, err);
	return r;
}

static int ipam_check(struct cni_call *call, struct store *store, const struct cni_config *config,
		      struct error *err)
{
	struct lease_owner owner = owner_of(call);
	AUTO(store_txn) txn = NULL;
	struct ip ip;
	int r = store_begin(store, STORE_READ, &txn, err);

	if (r == 0)
		r = lease_of_owner(txn, config->name, &owner, &ip, 1, err);
	if (r == 0)
		return error_set(err, ENOENT, "container %s (%s) holds no lease in network %s",
				 owner.container_id, owner.interface, config->name);
	return r < 0 ? r : 0;
}

static int ipam_status(struct store *store, const struct cni_config *config, struct error *err)
{
	AUTO(store_txn) txn = NULL;
	size_t full = 0;
	int r = store_begin(store, STORE_READ, &txn, err);

	if (r == 0)
		r = lease_available(txn, config->name, &config->ipam, &full, err);
	if (r == 0)
		return error_set(err, ENOSPC, "no free address in %s-%s of network %s",
				 ip_format(config->ipam.sets[full].ranges[0].first).text,
				 ip_format(config->ipam.sets[full].ranges[0].last).text,
				 config->name);
	return r < 0 ? r : 0;
}

/* DEL and GC trust the state: of the configuration they need the name only. */
static int read_config(struct cni_call *call, struct cni_config **ret_config, struct error *err)
{
	if (call->command == CNI_DEL || call->command == CNI_GC)
		return cni_config_read_name(call, ret_config, err);
	int r = cni_config_read_ipam(call, ret_config, err);
	return r < 0 ? r : check_version(call, *ret_config, err);
}

static int ipam_gc(struct cni_call *call, struct store *store, const struct cni_config *config,
		   struct error *err)
{
	auto_gc_list list = { 0 };
	AUTO(store_txn) txn = NULL;
	int r = gc_list_read(call, &list, err);

	if (r == 0)
		r = store_begin(store, STORE_WRITE, &txn, err);
	if (r == 0)
		r = gc_list_sweep_leases(&list, txn, config->name, err);
	for (size_t i = 0; r >= 0 && i + 1 < list.dead.count; i += 2) {
		struct lease_owner owner = { list.dead.items[i], list.dead.items[i + 1] };
		r = lease_release(txn, config->name, &owner, err);
	}
	return r < 0 ? r : store_commit(&txn, err);
}

static int run_ipam(struct cni_call *call, struct json_t **ret_document, struct error *err)
{
	AUTO(cni_config) config = NULL;
	AUTO(store) store = NULL;
	int r = read_config(call, &config, err);

	if (r < 0)
		return r;
	call->stage = call->command == CNI_STATUS ? STAGE_STATUS : STAGE_WORK;
	r = dataplane_open_store(call->instance, &store, err);
	if (r < 0)
		return r;
	switch (call->command) {
	case CNI_ADD:
		return ipam_add(call, store, config, ret_document, err);
	case CNI_DEL:
		return ipam_del(call, store, config, err);
	case CNI_CHECK:
		return ipam_check(call, store, config, err);
	case CNI_GC:
		return ipam_gc(call, store, config, err);
	default:
		return ipam_status(store, config, err);
	}
}

int cni_ipam_run(const struct instance *instance, const struct cni_environment *environment,
		 const char *config, size_t config_size, char **ret_output)
{
	struct cni_call call = { .instance = instance,
				 .environment = environment,
				 .config = config,
				 .config_size = config_size };
	int status = call_answer(&call, run_ipam, ret_output);
	call_release(&call);
	return status;
}
