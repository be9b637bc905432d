/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A network's kernel side: its gateway device and its entries in the maps. */
#include "handle.h"

/**
 * Makes device, addresses, programs and map entries what info says; whatever
 * is there already stays. Fills device_ifindex and, for a device that was
 * there, nothing else. -EBUSY: the name is taken by a device of another kind.
 */
int network_realize(struct dataplane *dataplane, struct network_info *info, struct error *err);
/** Takes all of it away. */
int network_unrealize(struct dataplane *dataplane, const struct network_info *info,
		      struct error *err);
/** Fills what the spec leaves open and checks it. Gate: after it, info is sound. */
int network_settle(struct dataplane *dataplane, const struct network_spec *spec,
		   struct network_info *ret_info, struct error *err);
/** The flags of the network for maps. */
uint16_t network_abi_flags(const struct network_spec *spec);
/** Realizes a network of the store anew, and writes down what changed (its device's number). */
int network_repair(struct dataplane *dataplane, struct network_info *info, struct error *err);
/** 0 if its device, program and entries are there; -ENOENT names what is missing. */
int network_check(struct dataplane *dataplane, const struct network_info *network,
		  struct error *err);
