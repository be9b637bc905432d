/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Limits of an endpoint's bandwidth. What it receives waits in a queue of its host
 * end: such endpoints have ENDPOINT_QUEUED, and no packet goes past that queue.
 * What it sends waits in a queue of its own interface, where its sockets notice.
 */
#include "handle.h"

/** Refuses limits that no queue can keep: -EINVAL. */
int bandwidth_check(const struct endpoint_spec *spec, struct error *err);
/** The flag for the maps' entries. */
uint16_t bandwidth_flags(const struct endpoint_info *info);
/** Queued: what is received, at the host end. */
int bandwidth_queue_host(struct dataplane *dataplane, const struct endpoint_info *info,
			 struct error *err);
/** Queued: what is sent, by a socket of the container's namespace. */
int bandwidth_queue_inside(struct netlink *netlink, const struct endpoint_info *info,
			   uint32_t ifindex, struct error *err);
/** 1 if the host end has its queue or needs none, 0 if it is missing. */
int bandwidth_look_host(struct dataplane *dataplane, const struct endpoint_info *info,
			struct error *err);
/** The same inside. */
int bandwidth_look_inside(struct netlink *netlink, const struct endpoint_info *info,
			  uint32_t ifindex, struct error *err);
/** Puts back what is missing inside, if the namespace can be reached by its path. */
int bandwidth_repair_inside(const struct endpoint_info *info, struct error *err);
