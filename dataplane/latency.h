/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * How long adding an endpoint takes, as a histogram that all processes share: a page of the
 * kernel's, with atomic additions, at some ten microseconds an ADD.
 */
#include "handle.h"

uint64_t latency_now_us(void);
/** Counts one ADD. That it cannot be counted is no failure of the ADD. */
void latency_note(struct dataplane *dataplane, uint64_t us, bool failed);
/** All cells (abi.h, wh1_latency). */
int latency_read(struct dataplane *dataplane, uint64_t ret_cells[LATENCY_CELLS], struct error *err);
