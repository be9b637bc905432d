/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CHECK: is all of an attachment still there? Nothing is changed.
 */
#include "attach.h"

#include <errno.h>

#include "chain.h"
#include "config.h"
#include "delegate.h"

static bool is_among(struct ip ip, const struct ip *ips, int count)
{
	for (int i = 0; i < count; i++)
		if (ip_equal(ip, ips[i]))
			return true;
	return false;
}

/* Each address that the endpoint has is leased to it. */
static int check_leases(struct dataplane *dataplane, struct cni_call *call, const char *network,
			struct error *err)
{
	struct lease_owner owner = { call->environment->container_id,
				     call->environment->interface };
	struct endpoint_info info __attribute__((cleanup(endpoint_info_release))) = { 0 };
	struct prefix addresses[ENDPOINT_ADDRESSES_MAX];
	struct ip leased[ENDPOINT_ADDRESSES_MAX];
	struct store *store = dataplane_store(dataplane);
	AUTO(store_txn) txn = NULL;
	int r = endpoint_find(store, owner.container_id, owner.interface, &info, err);

	if (r >= 0)
		r = store_begin(store, STORE_READ, &txn, err);
	if (r >= 0)
		r = lease_of_owner(txn, network, &owner, leased, ENDPOINT_ADDRESSES_MAX, err);
	if (r == 0)
		return error_set(err, ENOENT, "container %s (%s) holds no lease in network %s",
				 owner.container_id, owner.interface, network);
	size_t count = r < 0 ? 0 : endpoint_addresses(&info, addresses);
	for (size_t i = 0; i < count; i++)
		if (!is_among(addresses[i].ip, leased, r))
			return error_set(err, ENOENT,
					 "container %s (%s) has no lease of its address %s in "
					 "network %s",
					 owner.container_id, owner.interface,
					 ip_format(addresses[i].ip).text, network);
	return r < 0 ? r : 0;
}

static int check_previous(const struct cni_call *call, struct error *err)
{
	struct json_at previous;
	return json_get_object(&call->root, "prevResult", JSON_REQUIRED, &previous, err);
}

static int has_endpoint(struct dataplane *dataplane, const struct cni_call *call, struct error *err)
{
	struct endpoint_info info = { 0 };
	int r = endpoint_find(dataplane_store(dataplane), call->environment->container_id,
			      call->environment->interface, &info, err);
	if (r == 1)
		endpoint_info_release(&info);
	return r;
}

/* The sysctls and attributes that ADD set; of another plugin's interface MAC and MTU too. */
static int check_tuning(const struct cni_call *call, const struct cni_config *config, int netns_fd,
			bool is_strange, struct error *err)
{
	struct tuning tuning = config->tuning;
	tuning.mac = is_strange ? config->mac : (struct mac){ 0 };
	if (is_strange && config->mtu)
		tuning.mtu = (int)config->mtu;
	return tuning_check(&tuning, netns_fd, call->environment->interface, err);
}

static int check_own(struct cni_call *call, const struct cni_config *config, int netns_fd,
		     struct error *err)
{
	AUTO(dataplane) dataplane = NULL;
	int r = dataplane_open(call->instance, &dataplane, err);

	if (r == 0)
		r = has_endpoint(dataplane, call, err);
	if (r < 0)
		return r;
	bool is_strange = chain_is_strange(config, r == 1);
	r = is_strange ? 0
		       : endpoint_check(dataplane, call->environment->container_id,
					call->environment->interface, err);
	if (r == 0 && !is_strange && config->ipam_kind != IPAM_FOREIGN)
		r = check_leases(dataplane, call, config->name, err);
	if (r == 0)
		r = check_tuning(call, config, netns_fd, is_strange, err);
	return r < 0 ? r : chain_check_routes(config, netns_fd, err);
}

int cni_check(struct cni_call *call, struct error *err)
{
	AUTO(cni_config) config = NULL;
	auto_json output = NULL;
	auto_fd netns_fd = -1;
	int r = cni_config_read(call, &config, err);

	if (r == 0)
		r = check_previous(call, err);
	if (r == 0)
		r = call_open_netns(call, &netns_fd, err);
	if (r < 0)
		return r;
	call->stage = STAGE_WORK;
	r = check_own(call, config, netns_fd, err);
	if (r == 0 && config->ipam_kind == IPAM_FOREIGN)
		r = delegate_run(call, config->ipam_type, "CHECK", &output, err);
	return r;
}
