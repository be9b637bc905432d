/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Uplinks are the devices with a global address that are no gateway device of
 * any instance; those carry an alias "wherry:NETWORK".
 */
#include "handle.h"

#define GATEWAY_ALIAS "wherry:"

/** As uplinks_refresh, but looks no further if the host's addresses are the same as before. */
int uplinks_check(struct dataplane *dataplane, struct error *err);
/** The least MTU of the uplinks; 1500 if there is none. */
int uplinks_mtu(struct dataplane *dataplane, uint32_t *ret_mtu, struct error *err);
