/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The table of an instance: sets that say who is where, and a fixed number of
 * rules that look there. No endpoint and no port has a rule of its own.
 *
 * Sets that rules look into:
 *	devices      map: host end's ifindex -> network id
 *	sources      ifindex, MAC (8), address (16): who may send what
 *	own          network id, the same id: every network
 *	neighbours   the same, of networks whose members may reach each other
 *	outward      network id: may leave to outside
 *	routed       network id: outside may address it directly
 *	masqueraded  address: leaves with the uplink's address
 *	hairpins     address, the same address: a client and server in one
 *	gateways4    map: host end's ifindex -> the gateway's address
 *	gateways6    the same of IPv6
 *	ports        map: address, port (4), protocol (4) -> address, port (4)
 *	dropped      drop reason (4), ifindex: written by the rules, with counters
 * Addresses are 16 bytes, ports network order in the first two bytes.
 *
 * Sets that no rule looks into keep the entries of abi.h's maps, key by key,
 * with the value as the element's note (its user data): so that the rest of the
 * data path reads, checks and repairs the same tables whatever carries packets.
 */
#include <stdint.h>

#include "base/error.h"

enum nft_set_id {
	NFT_DEVICES,
	NFT_SOURCES,
	NFT_OWN,
	NFT_NEIGHBOURS,
	NFT_OUTWARD,
	NFT_ROUTED,
	NFT_MASQUERADED,
	NFT_HAIRPINS,
	NFT_GATEWAYS4,
	NFT_GATEWAYS6,
	NFT_DROPPED,
	NFT_PORTS,
	NFT_KEPT_SOURCES,
	NFT_KEPT_ENDPOINTS,
	NFT_KEPT_SLOTS,
	NFT_KEPT_NETWORKS,
	NFT_KEPT_GATEWAYS,
	NFT_KEPT_SUBNETS,
	NFT_KEPT_UPLINKS,
	NFT_KEPT_LOCALS,
	NFT_KEPT_NETNS,
	NFT_SET_COUNT
};
struct nft_set_shape {
	const char *name;
	uint32_t key_size, value_size, note_size; /* bytes; value_size 0: a set, no map */
};
extern const struct nft_set_shape nft_sets[NFT_SET_COUNT];

/** Makes the table with its sets and rules, or leaves it alone if it is there. */
int nft_table_load(int fd, const char *table, struct error *err);
/** Removes it with all that is in it; it may lack. */
int nft_table_unload(int fd, const char *table, struct error *err);
/** 1 if it is there, 0 if not. */
int nft_table_exists(int fd, const char *table, struct error *err);
