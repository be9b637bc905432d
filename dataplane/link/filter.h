/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Traffic control: clsact queueing disciplines, the ingress block that all
 * host ends share, and BPF filters in them.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "link/netlink.h"

enum filter_place { FILTER_INGRESS, FILTER_EGRESS, FILTER_BLOCK };

/* Where a filter stands, and which one. */
struct filter_spec {
	enum filter_place place;
	uint32_t target;  /* ifindex, or number of the block */
	uint32_t handle;  /* ours among those of one priority */
	const char *name; /* of the program, as tc shows it */
	int program_fd;
};

/** Blocks that a device shares with others; 0: its own. */
struct clsact_blocks {
	uint32_t ingress, egress;
};
/** Queued: a clsact for the device. There already: fine. */
int clsact_queue_add(struct netlink *netlink, uint32_t ifindex, struct clsact_blocks blocks,
		     struct error *err);
/** Queued: puts the filter unless it is there. */
int filter_queue_add(struct netlink *netlink, const struct filter_spec *spec, struct error *err);
/** Takes clsact from the device if no filter is left in it. */
int clsact_delete_empty(struct netlink *netlink, uint32_t ifindex, struct error *err);
/** Queued: puts the filter in the place of the one with its handle, never a gap; a device that is
 * gone is fine. */
int filter_queue_replace(struct netlink *netlink, const struct filter_spec *spec,
			 struct error *err);
/** Queued: none there is fine. */
int filter_queue_delete(struct netlink *netlink, const struct filter_spec *spec, struct error *err);
/**
 * Looks at the filters of a place: *ret_ours, whether one with spec's handle
 * and name is there; *ret_foreign, how many others are.
 */
int filter_look(struct netlink *netlink, const struct filter_spec *spec, bool *ret_ours,
		unsigned *ret_foreign, struct error *err);
