/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Uplinks as they are now: their programs, and what the maps know of them. */
#include "handle.h"
#include "uplink_rules.h"

/** As uplinks_refresh, but looks no further if the host's addresses are the same as before. */
int uplinks_check(struct dataplane *dataplane, struct error *err);
/** The least MTU of the uplinks; 1500 if there is none. */
int uplinks_mtu(struct dataplane *dataplane, uint32_t *ret_mtu, struct error *err);
/** The least number of bytes of TCP that each uplink takes at once; `most` if there is none. */
int uplinks_segment_max(struct dataplane *dataplane, uint32_t most, uint32_t *ret_bytes,
			struct error *err);
/** Takes the program from an uplink, whatever kind it is. */
int uplink_detach(struct dataplane *dataplane, uint32_t ifindex, struct error *err);
/** Visits the devices that are uplinks by their addresses now, whatever the maps say. */
int uplinks_each(struct dataplane *dataplane,
		 int (*visit)(const struct device *device, void *context, struct error *err),
		 void *context, struct error *err);
