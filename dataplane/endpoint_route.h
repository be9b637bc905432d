/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The way of the host's own packets to a container that publishes: a route to
 * its address by its own link, in each family that it publishes in, so that they
 * cross one queue. Who publishes nothing is not asked often enough to be worth one.
 */
#include "handle.h"

/** Whether its link carries IPv6: it publishes there. */
bool endpoint_has_link6(const struct endpoint_info *info);
/** Before the link goes up; tree_fd as of sysctl_tree_open. */
int endpoint_prepare_link(const struct endpoint_info *info, int tree_fd, struct error *err);
/** Queued: the routes, replaced if they are there. The link must be up. */
int endpoint_queue_route(struct dataplane *dataplane, const struct endpoint_info *info,
			 const struct network_info *network, struct error *err);
/** 1 if all routes that it should have are there, 0 if not. */
int endpoint_look_route(struct dataplane *dataplane, const struct endpoint_info *info,
			struct error *err);
