/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Rules of routing that are ours: a table that only what the host itself sends looks into. */
#include <stdint.h>

#include "link/netlink.h"

/** Queued: IPv4 of the host's own sockets is looked up in `table` first. One that is there is fine.
 */
int rule_queue_add(struct netlink *netlink, uint32_t table, struct error *err);
/** Queued: takes it away; one that is not there is fine. */
int rule_queue_delete(struct netlink *netlink, uint32_t table, struct error *err);
