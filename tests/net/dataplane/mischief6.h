/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Frames that a hostile container might send by IPv6: neighbour and router
 * discovery of every kind, listener reports, fragments that overlap or never end,
 * chains of extension headers, forged addresses, TCP, UDP, SCTP and ICMPv6 to
 * everybody. The same seed gives the same frames.
 */
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

struct mischief_frame;

struct mischief6 {
	uint64_t state; /* of the random numbers: the seed, not 0 */
	uint8_t mac[6]; /* the sender's own */
	uint8_t gateway_mac[6];
	struct in6_addr address;        /* the sender's own, in a /64 */
	const struct in6_addr *targets; /* the first is a container of the same network */
	size_t target_count;
	uint64_t questions; /* counted: solicitations that are to be answered */
};

/** Writes the next frame, at least 14 bytes, and returns its size. */
size_t mischief6_next(struct mischief6 *mischief, struct mischief_frame *frame);
