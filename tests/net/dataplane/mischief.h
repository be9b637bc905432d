/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Frames that a hostile container might send: random headers of ARP, neighbour
 * discovery, TCP, UDP, SCTP, ICMP and others, forged, cut, contradicting
 * themselves, in fragments, with options and extension headers. The same seed
 * gives the same frames.
 */
#include <stddef.h>
#include <stdint.h>

#define MISCHIEF_FRAME_MAX 1514

/* A frame's bytes, so that its IP header stands at a multiple of four. */
struct mischief_frame {
	_Alignas(8) uint8_t two[2];
	uint8_t bytes[MISCHIEF_FRAME_MAX];
};

struct mischief {
	uint64_t state; /* of the random numbers: the seed, not 0 */
	uint8_t mac[6]; /* the sender's own */
	uint8_t gateway_mac[6];
	uint32_t address; /* the sender's own; network order, as all addresses here */
	const uint32_t *targets;
	size_t target_count;
};

/** The next random number of 32 bits; state is not 0. */
uint32_t mischief_draw(uint64_t *state);
/** Writes the next frame, at least 14 bytes, and returns its size. */
size_t mischief_next(struct mischief *mischief, struct mischief_frame *frame);
