/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Several readers of one kernel ring. The kernel knows one place up to which the ring has been
 * read; here each reader has its own, and whoever reads moves the kernel's on. Who is slower than
 * the ring is long loses what went over it, and is told how much.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

struct ring;
/** Begins behind what is there now. map_fd is borrowed. */
int ring_open(int map_fd, struct ring **ret_ring, struct error *err);
void ring_free(struct ring *ring);
DEFINE_FREEP(ring)
/** Readable when there may be something to read, at the latest a tenth of a second after it came.
 */
int ring_fd(const struct ring *ring);
/** Hands all that is there to visit, which gets a copy; non-zero ends it. Does not wait. */
int ring_read(struct ring *ring,
	      int (*visit)(const void *record, size_t size, void *context, struct error *err),
	      void *context, struct error *err);
/** Bytes that went over this reader so far. */
uint64_t ring_lost(const struct ring *ring);
