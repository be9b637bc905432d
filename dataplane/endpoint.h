/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* An endpoint's kernel side: devices, addresses, map entries. */
#include "handle.h"
#include "network.h"
#include "publish.h"

/* What the kernel side needs beyond the record. */
struct endpoint_work {
	struct endpoint_info *info; /* host_ifindex is filled in */
	const struct network_info *network;
	int netns_fd;
	const struct prefix *routes;
	size_t route_count;
	bool default_route;
	bool routed; /* nf_tables carries the packets */
	bool slot_used_before;
	int sysctl_tree_fd; /* filled in: sysctl_tree_open, or -1 */
};
/** Makes all of it; the last step brings the host end up. On failure the caller unrealizes. */
int endpoint_realize(struct dataplane *dataplane, struct endpoint_work *work, struct error *err);
/**
 * Takes away what is info's, in an order in which no packet finds half of it,
 * and leaves alone what belongs to a later endpoint by now.
 */
int endpoint_unrealize(struct dataplane *dataplane, const struct endpoint_info *info,
		       enum endpoint_link_fate link, struct error *err);
/** Map entries only: for the repair of a running endpoint. */
int endpoint_put_entries(struct dataplane *dataplane, const struct endpoint_info *info,
			 const struct network_info *network, struct error *err);
/** Takes them away, ports and flows too; those of a later endpoint stay. */
int endpoint_delete_entries(struct dataplane *dataplane, const struct endpoint_info *info,
			    struct error *err);
/** Counters that an earlier endpoint left in this slot. */
int endpoint_clear_counters(struct dataplane *dataplane, uint32_t slot, struct error *err);
/** Writes the map entries of all running endpoints of a network anew: its settings changed. */
int endpoint_refresh_network(struct dataplane *dataplane, const struct network_info *network,
			     struct error *err);
/** The map's value for the host end's ifindex. */
struct source endpoint_source(const struct endpoint_info *info, const struct network_info *network);
/** True if neither end of the pair exists any more. */
bool endpoint_is_dead(struct dataplane *dataplane, const struct endpoint_info *info);
/** True if the namespace's path leads nowhere, or to another namespace by now. */
bool endpoint_path_is_stale(const struct endpoint_info *info);
/**
 * As endpoint_is_dead; where the path says that the namespace has ended, waits
 * at most half a second for the kernel to end its devices too. A namespace that
 * some process still holds keeps what it has.
 */
bool endpoint_is_ending(struct dataplane *dataplane, const struct endpoint_info *info);
/** Puts the host end into the shared blocks, the programs into these, brings it up, its route. */
int endpoint_attach(struct dataplane *dataplane, const struct endpoint_info *info,
		    const struct network_info *network, struct error *err);
/** endpoint_unrealize, then forgets the endpoint in the store. */
int endpoint_remove(struct dataplane *dataplane, const struct endpoint_info *info,
		    enum endpoint_link_fate link, struct error *err);
/** endpoint_check without a look into the container: -ENOENT names what is missing. */
int endpoint_check_host(struct dataplane *dataplane, const struct endpoint_info *info,
			struct error *err);
/** Gives the host end its name back if it has another; endpoint_attach brings it up. */
int endpoint_restore_name(struct dataplane *dataplane, const struct endpoint_info *info,
			  struct error *err);
