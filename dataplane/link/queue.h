/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A queue that lets no more than a rate pass: tbf at the root of a device, with
 * fq_codel in it where the kernel has that, so that small flows find a place
 * beside large ones; else a short fifo.
 */
#include <stdbool.h>
#include <stdint.h>

#include "link/netlink.h"

struct queue_limit {
	uint64_t rate_bit_s;
	uint64_t burst_bits; /* 0: what 10 ms of the rate are */
	uint32_t mtu;        /* of the device */
};
/** Queued: makes it the device's root, or changes it. */
int queue_limit_put(struct netlink *netlink, uint32_t ifindex, const struct queue_limit *limit,
		    struct error *err);
/** 1 if the device has such a queue with this rate, 0 if not. */
int queue_limit_look(struct netlink *netlink, uint32_t ifindex, const struct queue_limit *limit,
		     struct error *err);
