/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The lease folder of the reference plugin host-local: one file for an address,
 * named by it, that holds "container id CR LF interface" (in older ones the id
 * alone), last_reserved_ip.N, and a lock. It is read under its lock, so that
 * both may run while a node moves over.
 */
#include <stdbool.h>

#include "base/error.h"
#include "ipam/ipam.h"

#define HOST_LOCAL_FOLDER "/var/lib/cni/networks" /* holds a folder for each network */

struct host_local_counts {
	int taken;   /* leases that are ours now */
	int known;   /* addresses that somebody holds already */
	int stale;   /* files from before the boot: their containers are gone */
	int strange; /* files that are no leases */
};
enum host_local_age { HOST_LOCAL_ANY_AGE, HOST_LOCAL_OF_THIS_BOOT };

/**
 * Takes the leases of `folder` over into `network`; the files stay as they are.
 * -ENOENT: no such folder; -ETIMEDOUT: its lock is held.
 */
int host_local_import(struct store *store, const char *network, const char *folder,
		      enum host_local_age age, struct host_local_counts *ret_counts,
		      struct error *err);
/** Removes the owner's files. Returns how many; 0 also where there is no folder. */
int host_local_forget(const char *folder, const struct lease_owner *owner, struct error *err);
