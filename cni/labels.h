/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
#include "call.h"
#include "cni/labels.h"

/** Keeps what this ADD tells of its container; nothing is written if it tells nothing. */
int labels_keep(struct store *store, const struct cni_call *call, struct error *err);
/** Takes them away, in the caller's transaction. 1 if there were any, 0 if not. */
int labels_delete(struct store_txn *txn, const struct lease_owner *owner, struct error *err);
