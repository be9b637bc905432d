/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * `wherry system check` and `reconcile`: what is wanted against what is there.
 */
#include <stdio.h>

#include "dataplane/dataplane.h"

/** Prints one line for each endpoint that lacks something. Returns how many do, or -errno. */
int repair_check(struct dataplane *dataplane, FILE *file, struct error *err);
/** Makes the second the first, and checks again. As repair_check. */
int repair_reconcile(struct dataplane *dataplane, FILE *file, struct error *err);
