/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What publications with HOST_FIREWALL_RESPECT need of the host: that it forwards
 * from its uplinks, so that its rules are asked at all. An uplink that did not is
 * opened, and the program there sees to it that the host is no router for all that.
 */
#include "handle.h"
#include "link/device.h"

/**
 * The table with the routes to publishing containers by their links, which only what the host
 * itself sends looks into (link/rule.h).
 */
uint32_t firewall_table(const struct instance *instance);
/** Opens all uplinks, and those that come; before such publications are made in the network. */
int firewall_prepare(struct dataplane *dataplane, const struct network_info *network,
		     struct error *err);
/**
 * For an uplink that is about to be entered: opens it if there are such publications, and says so
 * in its flags. What fails is found by doctor.
 */
void firewall_keep_open(struct dataplane *dataplane, const struct device *device,
			struct uplink *uplink);
/** Gives back what was changed on a device. */
int firewall_close(struct dataplane *dataplane, uint32_t ifindex, struct error *err);
/** The same on all; asks no map. */
int firewall_close_all(struct dataplane *dataplane, struct error *err);
