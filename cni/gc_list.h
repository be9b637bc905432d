/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * GC's list of attachments that stay, and the owners that are not on it.
 */
#include "base/text.h"
#include "call.h"
#include "ipam/ipam.h"

struct gc_list {
	struct json_at valid; /* lent by the call */
	struct words kept;    /* owned: as dead; of the engine, which no runtime lists */
	struct words dead;    /* owned: container id, interface, container id, … */
};
void gc_list_release(struct gc_list *list); /* frees what it owns; a value */
#define auto_gc_list __attribute__((cleanup(gc_list_release))) struct gc_list

/**
 * Gate: "cni.dev/valid-attachments", in its absence "cni.dev/attachments";
 * -EINVAL when both are absent, since then nothing may be freed.
 */
int gc_list_read(struct cni_call *call, struct gc_list *ret_list, struct error *err);
/** Notes an owner as dead unless it is on the list. */
int gc_list_sweep(struct gc_list *list, const char *container_id, const char *interface,
		  struct error *err);
/** Keeps an owner that is not the runtime's to list. */
int gc_list_keep(struct gc_list *list, const char *container_id, const char *interface,
		 struct error *err);
/** Sweeps every holder of a lease in network. */
int gc_list_sweep_leases(struct gc_list *list, struct store_txn *txn, const char *network,
			 struct error *err);
