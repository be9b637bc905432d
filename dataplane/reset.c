/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Takes an instance away: devices, programs, pins, and the state of this boot. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "attach.h"
#include "base/file.h"
#include "link/device.h"
#include "network.h"
#include "state.h"
#include "uplinks.h"

static int reset_network(const struct network_info *info, void *context, struct error *err)
{
	struct dataplane *dataplane = context;
	int r = device_delete_group(dataplane->netlink,
				    network_group(&dataplane->instance, info->id), err);
	return r < 0 ? r : network_unrealize(dataplane, info, err);
}

/* Without tcx a filter stays with its device: pins do not hold it. */
static int detach_uplinks(struct dataplane *dataplane, struct error *err)
{
	uint32_t ifindex, *previous = NULL;
	int r = 0;
	if (dataplane->attach == ATTACH_TCX)
		return 0;
	while (r == 0 &&
	       (r = map_next(&dataplane->maps, MAP_UPLINKS, previous, &ifindex, err)) == 1) {
		previous = &ifindex;
		r = uplink_detach(dataplane, ifindex, err);
	}
	return r < 0 ? r : 0;
}

static int read_meta(struct dataplane *dataplane, uint64_t *ret_host, struct error *err)
{
	uint64_t attach = 0;
	AUTO(store_txn) txn = NULL;
	int r = store_begin(dataplane->store, STORE_READ, &txn, err);
	if (r == 0)
		r = meta_get(txn, META_ATTACH, &attach, err);
	if (r == 0)
		r = meta_get(txn, META_HOST, ret_host, err);
	dataplane->attach = (enum attach_kind)attach;
	return r;
}

/* Devices are only touched in the namespace that they were made in. */
static int reset_devices(struct dataplane *dataplane, struct error *err)
{
	uint64_t host = 0;
	int r = read_meta(dataplane, &host, err);
	if (r < 0 || host != dataplane->host_cookie || !path_exists(dataplane->instance.bpf))
		return r;
	r = network_each(dataplane->store, reset_network, dataplane, err);
	return r < 0 ? r : detach_uplinks(dataplane, err);
}

static int open_bare(const struct instance *instance, struct dataplane **ret_dataplane,
		     struct error *err)
{
	AUTO(dataplane) dataplane = calloc(1, sizeof *dataplane);
	if (!dataplane)
		return error_set(err, ENOMEM, "no memory for the data path");
	dataplane->instance = *instance;
	maps_init(&dataplane->maps, instance->bpf);
	int r = dataplane_open_store(instance, &dataplane->store, err);
	if (r == 0)
		r = netlink_open(-1, &dataplane->netlink, err);
	if (r == 0)
		r = socket_cookie(netlink_fd(dataplane->netlink), &dataplane->host_cookie, err);
	if (r == 0)
		*ret_dataplane = TAKE(dataplane);
	return r;
}

int dataplane_reset(const struct instance *instance, struct error *err)
{
	AUTO(dataplane) dataplane = NULL;
	auto_fd lock = -1;
	if (!path_exists(instance->run) && !path_exists(instance->bpf))
		return 0;
	int r = directory_make(instance->run, 0755, err);
	if (r == 0)
		r = open_bare(instance, &dataplane, err);
	if (r == 0)
		r = instance_lock(instance, "lock", &lock, err);
	if (r == 0)
		r = reset_devices(dataplane, err);
	if (r == 0)
		r = tree_remove(instance->bpf, err);
	return r < 0 ? r : tree_remove(instance->run, err);
}
