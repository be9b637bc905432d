/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Takes an instance away: devices, programs, pins, and the state of this boot. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "attach.h"
#include "firewall.h"
#include "nft/mirror.h"
#include "base/file.h"
#include "link/device.h"
#include "network.h"
#include "state.h"
#include "uplinks.h"

/* Nothing here asks the maps: they may be of a version that we cannot read. */
static int reset_network(const struct network_info *info, void *context, struct error *err)
{
	struct dataplane *dataplane = context;
	struct device device = { 0 };
	int r = device_delete_group(dataplane->netlink,
				    network_group(&dataplane->instance, info->id), err);
	if (r == 0)
		r = device_get(dataplane->netlink,
			       device_index(dataplane->netlink, info->spec.device), &device, err);
	/* A device that somebody else made under this name stays. */
	if (r <= 0 || strncmp(device.alias, GATEWAY_ALIAS, strlen(GATEWAY_ALIAS)) != 0)
		return r < 0 ? r : 0;
	return device_delete(dataplane->netlink, device.name, err);
}

static int detach_one(const struct device *device, void *context, struct error *err)
{
	struct dataplane *dataplane = context;
	int r = attach_device_check(
		dataplane, uplink_is_bare(device) ? PROGRAM_FROM_BARE_UPLINK : PROGRAM_FROM_UPLINK,
		FILTER_INGRESS, device->ifindex, err);
	return r <= 0 ? r : uplink_detach(dataplane, device->ifindex, err);
}

struct devices {
	struct device *items;
	size_t count;
};

static void devices_release(struct devices *devices)
{
	free(devices->items);
}

static int keep_device(const struct device *device, void *context, struct error *err)
{
	struct devices *devices = context;
	struct device *items = realloc(devices->items, (devices->count + 1) * sizeof *items);
	if (!items)
		return error_set(err, ENOMEM, "no memory for a list of devices");
	devices->items = items;
	items[devices->count++] = *device;
	return 0;
}

/* Without tcx a filter stays with its device: pins do not hold it. */
static int detach_uplinks(struct dataplane *dataplane, struct error *err)
{
	struct devices devices __attribute__((cleanup(devices_release))) = { 0 };
	if (dataplane->attach != ATTACH_CLSACT)
		return 0;
	/* The walk's socket answers nothing else meanwhile. */
	int r = device_each(dataplane->netlink, keep_device, &devices, err);
	for (size_t i = 0; r == 0 && i < devices.count; i++)
		r = detach_one(&devices.items[i], dataplane, err);
	return r;
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
	bool tables = dataplane->attach == ATTACH_NFT;
	if (r < 0 || host != dataplane->host_cookie ||
	    (!tables && !path_exists(dataplane->instance.bpf)))
		return r;
	if (tables)
		r = nft_mirror_open(&dataplane->instance, &dataplane->maps.mirror, err);
	if (r == 0)
		r = network_each(dataplane->store, reset_network, dataplane, err);
	if (tables)
		return r < 0 ? r : nft_mirror_unload(dataplane->maps.mirror, err);
	if (r == 0)
		r = firewall_close_all(dataplane, err);
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
