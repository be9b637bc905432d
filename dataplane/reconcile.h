/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Makes the kernel's state what the store wants. */
#include "handle.h"

/** As dataplane_reconcile, with the programs as they are. The caller holds the lock. */
int reconcile_all(struct dataplane *dataplane, struct error *err);
