/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Neighbours that are known without being asked for. */
#include <stdint.h>

#include "base/error.h"
#include "base/ip.h"
#include "link/netlink.h"

/** Queued: puts or replaces a permanent neighbour of a device. */
int neighbour_queue_add(struct netlink *netlink, uint32_t ifindex, struct ip ip, struct mac mac,
			struct error *err);
