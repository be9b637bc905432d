/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What is wanted against what is done, as a list of what is missing. Nothing is
 * changed; dataplane_reconcile mends all that is found.
 */
#include "dataplane/dataplane.h"

/* How far to look. */
enum verify_depth {
	VERIFY_DEVICES, /* pins, socket programs, uplinks, gateways: some ms, whatever runs */
	VERIFY_ALL,     /* and every endpoint */
};
/**
 * Visits each thing that is missing or wrong, as one line ("network web: no program
 * is attached to br-web"). Returns how many, or -errno. A non-zero result of visit
 * ends the walk and is returned.
 */
int dataplane_verify(struct dataplane *dataplane, enum verify_depth depth,
		     int (*visit)(const char *finding, void *context, struct error *err),
		     void *context, struct error *err);
