/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The addresses of a container in one network: one of each family that the network has. */
#include "attach_lease.h"

#include <errno.h>

#define FAMILIES 2

static int read_wanted(const struct json_at *row, struct ip wanted[FAMILIES], size_t *ret_count,
		       struct error *err)
{
	static const char *const keys[FAMILIES] = { "ip", "ip6" };
	for (size_t i = 0; i < FAMILIES; i++) {
		struct ip ip = { { 0 } };
		int r = json_get_ip(row, keys[i], JSON_OPTIONAL, &ip, err);
		if (r < 0)
			return r;
		if (!ip_is_unset(ip))
			wanted[(*ret_count)++] = ip;
	}
	return 0;
}

/* As with Docker, what is asked for need not lie in --ip-range: that is for the others. */
static int widen(struct ipam_config *config, const struct ip *wanted, size_t count,
		 struct error *err)
{
	for (size_t i = 0; i < count; i++)
		for (size_t s = 0; s < config->set_count; s++) {
			struct ipam_range *range = &config->sets[s].ranges[0];
			if (prefix_contains(range->subnet, wanted[i]))
				range->first = range->last = (struct ip){ { 0 } };
		}
	return ipam_config_finish(config, err);
}

static void keep_lease(struct attachment *attachment, struct ip ip)
{
	const struct network_spec *spec = &attachment->network->spec;
	if (ip_is_v4(ip))
		attachment->lease =
			(struct lease){ ip, { ip, spec->subnet.length }, spec->gateway };
	else
		attachment->lease6 =
			(struct lease){ ip, { ip, spec->subnet6.length }, spec->gateway6 };
}

static void tell_lease(struct engine *engine, const struct lease *lease, const char *network)
{
	if (ip_is_unset(lease->ip))
		return;
	engine_step(engine, "wherry ipam ls", "address %s leased in network %s, gateway %s",
		    prefix_format(lease->address).text, network, ip_format(lease->gateway).text);
}

int attachment_take_lease(struct engine *engine, const struct container *container,
			  const struct json_at *row, struct attachment *attachment,
			  struct error *err)
{
	auto_free struct ipam_config *config = NULL;
	AUTO(store_txn) txn = NULL;
	struct lease leases[IPAM_SETS_MAX];
	struct ip wanted[FAMILIES], held[FAMILIES];
	size_t wanted_count = 0;
	const struct engine_network *network = attachment->network;
	struct lease_owner owner = { container->id, attachment->interface };
	int r = read_wanted(row, wanted, &wanted_count, err);
	if (r == 0)
		r = engine_network_ipam(network, &config, err);
	if (r == 0)
		r = widen(config, wanted, wanted_count, err);
	if (r == 0)
		r = store_begin(dataplane_store(engine->dataplane), STORE_WRITE, &txn, err);
	if (r == 0)
		r = lease_of_owner(txn, network->name, &owner, held, FAMILIES, err);
	if (r > 0) {
		for (int i = 0; i < r; i++)
			keep_lease(attachment, held[i]);
		return 0;
	}
	if (r == 0)
		r = lease_take(txn, network->name, config, &owner, wanted, wanted_count, leases,
			       err);
	if (r < 0)
		return error_wrap(err, "network %s", network->name);
	for (size_t i = 0; i < config->set_count; i++)
		keep_lease(attachment, leases[i].ip);
	r = store_commit(&txn, err);
	if (r < 0)
		return r;
	tell_lease(engine, &attachment->lease, network->name);
	tell_lease(engine, &attachment->lease6, network->name);
	return 0;
}

int attachment_release_lease(struct engine *engine, const char *id, const char *network,
			     const char *interface, struct error *err)
{
	AUTO(store_txn) txn = NULL;
	struct lease_owner owner = { id, interface };
	int r = store_begin(dataplane_store(engine->dataplane), STORE_WRITE, &txn, err);
	if (r == 0)
		r = lease_release(txn, network, &owner, err);
	return r < 0 ? r : store_commit(&txn, err);
}
