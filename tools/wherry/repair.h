/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * `wherry system check` and `reconcile`: what is wanted against what is there.
 */
#include <stdio.h>

#include "dataplane/dataplane.h"
#include "listing.h"

/** Prints one line for each endpoint that lacks something. Returns how many do, or -errno. */
int repair_check(struct dataplane *dataplane, FILE *file, struct error *err);
/** Makes the second the first, and checks again. As repair_check. */
int repair_reconcile(struct dataplane *dataplane, FILE *file, struct error *err);
/**
 * Lists what each endpoint lacks; with `repair`, mends first, and tells which of it is mended.
 * 1 if something is missing at the end, 0 if all is there.
 */
int repair_compare(struct dataplane *dataplane, bool repair, enum listing_format format, FILE *file,
		   struct error *err);
