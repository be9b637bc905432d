/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A container leaves one of its networks, and what it publishes stays reachable
 * by another: no port is free for an instant, since the store changes the owner
 * in one transaction and the map's entries are replaced in place.
 */
#include <errno.h>
#include <string.h>

#include "base/process.h"
#include "endpoint.h"
#include "link/address.h"
#include "link/device.h"
#include "publish.h"
#include "state.h"

struct pass {
	struct endpoint_info from, to;
};
static void pass_release(struct pass *pass)
{
	endpoint_info_release(&pass->from);
	endpoint_info_release(&pass->to);
}

static int load(struct store_txn *txn, const char *container_id, const char *interface,
		struct endpoint_info *ret_info, struct error *err)
{
	struct key key = endpoint_key_of(container_id, interface);
	int r = endpoint_load(txn, key_bytes(&key), ret_info, err);
	if (r == 1 && ret_info->state == ENDPOINT_READY)
		return 0;
	return r < 0 ? r
		     : error_set(err, ENOENT, "container %.64s has no interface %s", container_id,
				 interface);
}

/* `from` keeps its own, which its DEL takes out of the map. */
static int move_clients(const struct endpoint_info *from, struct endpoint_info *to,
			struct error *err)
{
	size_t size = from->publish_from_count * sizeof *to->publish_from;
	if (size == 0 || to->publish_from_count > 0)
		return 0;
	to->publish_from = malloc(size);
	if (!to->publish_from)
		return error_set(err, ENOMEM, "no memory for prefixes");
	memcpy(to->publish_from, from->publish_from, size);
	to->publish_from_count = from->publish_from_count;
	return 0;
}

/* Behind what `to` publishes itself. */
static int move_list(struct pass *pass, struct error *err)
{
	struct endpoint_info *from = &pass->from, *to = &pass->to;
	size_t count = to->publish_count + from->publish_count;
	struct publish_spec *all = reallocarray(to->publish, count, sizeof *all);
	if (!all)
		return error_set(err, ENOMEM, "no memory for ports");
	memcpy(all + to->publish_count, from->publish, from->publish_count * sizeof *all);
	to->publish = all;
	to->publish_count = count;
	from->publish_count = 0;
	to->publish_reserves |= from->publish_reserves;
	to->publish_respects |= from->publish_respects;
	return move_clients(from, to, err);
}

/* 1 if there was something to pass on, 0 if not. */
static int move_in_store(struct dataplane *dataplane, const char *container_id, const char *from,
			 const char *to, struct pass *ret_pass, struct error *err)
{
	AUTO(store_txn) txn = NULL;
	int r = store_begin(dataplane->store, STORE_WRITE, &txn, err);
	if (r == 0)
		r = load(txn, container_id, from, &ret_pass->from, err);
	if (r == 0)
		r = load(txn, container_id, to, &ret_pass->to, err);
	if (r < 0 || ret_pass->from.publish_count == 0)
		return r;
	r = publish_unreserve(txn, &ret_pass->from, err);
	if (r == 0)
		r = move_list(ret_pass, err);
	if (r == 0)
		r = publish_hold(txn, &ret_pass->to, err);
	if (r == 0)
		r = endpoint_save(txn, &ret_pass->from, err);
	if (r == 0)
		r = endpoint_save(txn, &ret_pass->to, err);
	if (r == 0)
		r = store_commit(&txn, err);
	return r < 0 ? r : 1;
}

static int move_in_kernel(struct dataplane *dataplane, const struct endpoint_info *to,
			  struct error *err)
{
	struct network_info network;
	int r = network_find(dataplane->store, to->network, &network, err);
	if (r <= 0)
		return r;
	r = endpoint_put_entries(dataplane, to, &network, err);
	return r < 0 ? r : endpoint_attach(dataplane, to, &network, err);
}

static int open_inside(void *context, struct error *err)
{
	return netlink_open(-1, context, err);
}

static int move_default_route(const struct endpoint_info *to, struct error *err)
{
	const struct prefix everywhere = { .ip = ip_from_v4((struct in_addr){ 0 }), .length = 0 };
	const struct prefix everywhere6 = { .length = 0 };
	auto_fd fd = -1;
	AUTO(netlink) inside = NULL;
	bool v4 = !ip_is_unset(to->gateway), v6 = !ip_is_unset(to->gateway6);
	if ((!v4 && !v6) || !to->netns_path[0])
		return 0;
	int r = netns_open(to->netns_path, &fd, err);
	if (r == 0)
		r = netns_run(fd, open_inside, &inside, err);
	if (r < 0)
		return r;
	uint32_t ifindex = device_index(inside, to->interface);
	if (v4)
		r = route_queue_add(inside, ifindex, everywhere, to->gateway, err);
	if (r == 0 && v6)
		r = route_queue_add(inside, ifindex, everywhere6, to->gateway6, err);
	return r < 0 ? r : netlink_flush(inside, err);
}

int endpoint_pass_on(struct dataplane *dataplane, const char *container_id, const char *from,
		     const char *to, struct error *err)
{
	struct pass pass __attribute__((cleanup(pass_release))) = { 0 };
	int r = move_in_store(dataplane, container_id, from, to, &pass, err);
	if (r == 1)
		r = move_in_kernel(dataplane, &pass.to, err);
	return r < 0 ? r : move_default_route(&pass.to, err);
}
