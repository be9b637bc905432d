/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A list that is shown again and again (-f): on a terminal each one in the place of the last,
 * elsewhere one after the other. Ends at SIGINT, SIGTERM, or when the reader is gone.
 */
#include <stdio.h>

#include "base/error.h"

/** Calls show at once and then each interval_ms, until it fails or somebody interrupts. */
int observe_live(unsigned interval_ms, int (*show)(FILE *file, void *context, struct error *err),
		 void *context, FILE *file, struct error *err);
/** Waits so long; 1 if interrupted meanwhile, 0 if not. */
int observe_pause(unsigned pause_ms, struct error *err);
