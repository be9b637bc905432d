/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Deletion of a device by somebody who does not wait for its end. The kernel takes a
 * device off its lists at once; then whoever asked is kept for a grace period or
 * two (20 to 40 ms), in which nobody can see the device any more. A process of its
 * own asks, and is left behind with that.
 */
#include "link/netlink.h"

#define DEVICE_LEAVING "wherry-leaving" /* what that process is called */

/**
 * When it returns, no look-up finds the device of the calling thread's namespace; a process may
 * be there a moment longer, which holds none of the caller's descriptors. One that was not there is
 * fine.
 */
int device_delete_behind(struct netlink *netlink, const char *name, struct error *err);
