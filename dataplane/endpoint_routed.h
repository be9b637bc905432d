/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Endpoints where nf_tables carries the packets: the host routes between links,
 * as it does between any others. No ARP and no neighbour discovery: the one
 * neighbour of a container is its gateway, and it is written down.
 */
#include "endpoint.h"

/** The host's end: up, forwarding, and a route to the container by it. */
int endpoint_attach_routed(struct dataplane *dataplane, const struct endpoint_info *info,
			   const struct network_info *network, struct error *err);
/** Queued, in the container: its neighbours are reached through the gateway. */
int endpoint_queue_routed_side(struct netlink *netlink, uint32_t ifindex,
			       const struct endpoint_work *work, struct error *err);
/** Ends the kernel's flows of the endpoint. */
int endpoint_end_routed(const struct endpoint_info *info, struct error *err);
