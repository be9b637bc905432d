/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DEL: it trusts the state and not the configuration, and finds nothing to do
 * as good as something.
 */
#include "attach.h"

#include <errno.h>

#include "base/file.h"
#include "cni/host_local.h"
#include "config.h"
#include "delegate.h"
#include "labels.h"

bool cni_has_state(const struct cni_call *call)
{
	char path[INSTANCE_PATH_MAX + 16];
	snprintf(path, sizeof path, "%s/state.mdb", call->instance->run);
	return path_exists(path);
}

/* Leases, and what was told about their holder. */
static int release_leases(struct store *store, const char *network, const struct lease_owner *owner,
			  struct error *err)
{
	AUTO(store_txn) txn = NULL;
	int leases = 0, labels = 0, r = store_begin(store, STORE_WRITE, &txn, err);

	if (r == 0)
		r = leases = lease_release(txn, network, owner, err);
	if (r >= 0)
		r = labels = labels_delete(txn, owner, err);
	if (r < 0 || leases + labels == 0)
		return r;
	r = store_commit(&txn, err);
	return r < 0 ? r : leases;
}

/* 1 if the owner's endpoint lies in this network; 0 if there is none, or in another. */
static int is_attached(struct store *store, const char *network, const struct lease_owner *owner,
		       struct error *err)
{
	struct endpoint_info info = { 0 };
	int r = endpoint_find(store, owner->container_id, owner->interface, &info, err);

	if (r == 1) {
		r = text_equal(info.network, network);
		endpoint_info_release(&info);
	}
	return r;
}

int cni_detach(struct dataplane *dataplane, const char *network, const struct lease_owner *owner,
	       struct error *err)
{
	struct store *store = dataplane_store(dataplane);
	int r = is_attached(store, network, owner, err);

	if (r == 1)
		r = endpoint_delete(dataplane, owner->container_id, owner->interface,
				    ENDPOINT_DELETE_LINK, err);
	if (r >= 0)
		r = release_leases(store, network, owner, err);
	return r < 0 ? r : 0;
}

/* The data path cannot be opened: fine where there is no endpoint to take apart. */
static int detach_without_dataplane(struct cni_call *call, const char *network,
				    const struct lease_owner *owner, const struct error *cause,
				    struct error *err)
{
	AUTO(store) store = NULL;
	int r = dataplane_open_store(call->instance, &store, err);

	if (r == 0)
		r = is_attached(store, network, owner, err);
	if (r < 0)
		return r;
	if (r == 1)
		return error_set(err, cause->code, "%s", cause->text);
	r = release_leases(store, network, owner, err);
	return r < 0 ? r : 0;
}

static int del_own(struct cni_call *call, const char *network, struct error *err)
{
	struct lease_owner owner = { call->environment->container_id,
				     call->environment->interface };
	AUTO(dataplane) dataplane = NULL;
	struct error cause = { 0 };
	auto_fd lock_fd = -1;

	if (!cni_has_state(call))
		return 0;
	int r = call_lock(call, &lock_fd, err);
	if (r < 0)
		return r;
	if (dataplane_open(call->instance, &dataplane, &cause) < 0)
		return detach_without_dataplane(call, network, &owner, &cause, err);
	return cni_detach(dataplane, network, &owner, err);
}

/* A lease that host-local gave has a file, which must not outlive it. */
static int forget_files(const struct cni_call *call, const struct cni_config *config,
			struct error *err)
{
	struct lease_owner owner = { call->environment->container_id,
				     call->environment->interface };
	int r = *config->lease_folder ? host_local_forget(config->lease_folder, &owner, err) : 0;
	return r < 0 ? r : 0;
}

int cni_del(struct cni_call *call, struct error *err)
{
	AUTO(cni_config) config = NULL;
	auto_json output = NULL;
	int r = cni_config_read_name(call, &config, err);

	if (r < 0)
		return r;
	call->stage = STAGE_WORK;
	r = del_own(call, config->name, err);
	if (r == 0 && config->ipam_kind != IPAM_FOREIGN)
		r = forget_files(call, config, err);
	if (r == 0 && config->ipam_kind == IPAM_FOREIGN)
		r = delegate_run(call, config->ipam_type, "DEL", &output, err);
	return r;
}
