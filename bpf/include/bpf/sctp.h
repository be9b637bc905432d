/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
#pragma once
/*
 * The powers of x by which SCTP's CRC32c (RFC 9260 appendix A) of a packet
 * changes when its ports do: the CRC is linear, so that the change is the
 * difference of the ports, carried over the packet's length. Polynomials modulo
 * the CRC's, bits reflected. Filled in at load, for packets of whole words.
 */
#include <linux/types.h>

#define SCTP_WORDS_MAX 2304 /* 9,216 bytes: jumbo frames */
#define SCTP_POLYNOMIAL 0x82f63b78u

/* powers[i] becomes x^(32 i). */
static inline void sctp_powers_fill(__u32 powers[SCTP_WORDS_MAX])
{
	__u32 power = 0x80000000u; /* 1 */

	for (int i = 0; i < SCTP_WORDS_MAX; i++) {
		powers[i] = power;
		for (int bit = 0; bit < 32; bit++)
			power = (power >> 1) ^ (SCTP_POLYNOMIAL & (0u - (power & 1)));
	}
}
