/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Which address of a set comes next: the free one that follows the one given
 * last, over all ranges of the set and round again, so that a released address
 * rests until the pool has gone round.
 */
#include "ipam/ipam.h"

/**
 * Picks a free address of set number `set` and remembers it as the one given
 * last. -ENOSPC names the range when all are leased.
 */
int pick_next(struct store_txn *txn, const char *network, const struct ipam_config *config,
	      size_t set, struct ip *ret_ip, struct error *err);
/** Which set an address may be asked from; -ERANGE if none: outside, a gateway or excluded. */
int pick_set_of(const struct ipam_config *config, struct ip ip, size_t *ret_set, struct error *err);
