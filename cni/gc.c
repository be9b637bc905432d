/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GC: takes back whatever of this network is not on the runtime's list, goes
 * on after an error, and asks the delegate to do the same.
 */
#include "attach.h"

#include <errno.h>

#include "config.h"
#include "delegate.h"
#include "gc_list.h"

static int sweep_endpoint(const struct endpoint_info *info, void *context, struct error *err)
{
	if (!text_equal(info->owner, "cni"))
		return gc_list_keep(context, info->container_id, info->interface, err);
	return gc_list_sweep(context, info->container_id, info->interface, err);
}

static int find_dead(struct dataplane *dataplane, const char *network, struct gc_list *list,
		     struct error *err)
{
	AUTO(store_txn) txn = NULL;
	struct store *store = dataplane_store(dataplane);
	int r = endpoint_each(store, NULL, network, sweep_endpoint, list, err);

	if (r == 0)
		r = store_begin(store, STORE_READ, &txn, err);
	return r < 0 ? r : gc_list_sweep_leases(list, txn, network, err);
}

/* Goes on after an error; the first is reported. */
static int delete_dead(struct dataplane *dataplane, const char *network, const struct words *dead,
		       struct error *err)
{
	int result = 0;

	for (size_t i = 0; i + 1 < dead->count; i += 2) {
		struct lease_owner owner = { dead->items[i], dead->items[i + 1] };
		struct error cause = { 0 };
		int r = cni_detach(dataplane, network, &owner, &cause);
		if (r < 0 && result == 0) {
			*err = cause;
			result = r;
		}
	}
	return result;
}

static int gc_own(struct cni_call *call, const struct cni_config *config, struct error *err)
{
	auto_gc_list list = { 0 };
	AUTO(dataplane) dataplane = NULL;
	int r = gc_list_read(call, &list, err);

	if (r < 0 || !cni_has_state(call))
		return r;
	call->stage = STAGE_WORK;
	r = dataplane_open(call->instance, &dataplane, err);
	if (r == 0)
		r = find_dead(dataplane, config->name, &list, err);
	return r < 0 ? r : delete_dead(dataplane, config->name, &list.dead, err);
}

int cni_gc(struct cni_call *call, struct error *err)
{
	AUTO(cni_config) config = NULL;
	auto_json output = NULL;
	struct error own = { 0 };
	int foreign = 0, r = cni_config_read_name(call, &config, err);

	if (r < 0)
		return r;
	r = gc_own(call, config, &own);
	if (config->ipam_kind == IPAM_FOREIGN)
		foreign = delegate_run(call, config->ipam_type, "GC", &output, err);
	if (r == 0)
		return foreign;
	struct error both = { 0 };
	error_set(&both, own.code, "%s%s%s", own.text, foreign < 0 ? "; " : "",
		  foreign < 0 ? err->text : "");
	*err = both;
	return r;
}
