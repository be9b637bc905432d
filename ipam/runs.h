/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Which addresses of a network are leased, as runs without a gap: two runs
 * never touch. So the free address that follows any address is one look-up
 * away, whatever the number of leases.
 */
#include "base/ip.h"
#include "base/store.h"

/**
 * The first address at or after `from` that is not leased. When the leases
 * reach to the last address there is, *ret_ip wraps to below `from`.
 */
int runs_next_free(struct store_txn *txn, const char *network, struct ip from, struct ip *ret_ip,
		   struct error *err);
/** Notes a free address as leased. */
int runs_add(struct store_txn *txn, const char *network, struct ip ip, struct error *err);
/** Notes a leased address as free. */
int runs_remove(struct store_txn *txn, const char *network, struct ip ip, struct error *err);
