/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
#pragma once
/* The internet checksum (RFC 1071, RFC 1624): sums in ones' complement, folded when they are used.
 */
#include "lib/address.h"

inline_always __u16 sum_fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

/* A checksum field after the words under it have changed by `change`. */
inline_always __u16 sum_update(__u16 check, __u64 change)
{
	return ~sum_fold((__u16)~check + change);
}

inline_always __u64 sum_diff16(__be16 from, __be16 to)
{
	return (__u64)(__u16)~from + to;
}

inline_always __u64 sum_diff32(__be32 from, __be32 to)
{
	return (__u64)(__u32)~from + to;
}

inline_always __u64 sum_diff_address(const struct abi_addr *from, const struct abi_addr *to)
{
	return sum_diff32(from->words[0], to->words[0]) + sum_diff32(from->words[1], to->words[1]) +
	       sum_diff32(from->words[2], to->words[2]) + sum_diff32(from->words[3], to->words[3]);
}

/* Of a known number of bytes. */
inline_always __u64 sum_words(const void *data, __u32 bytes)
{
	const __u16 *words = data;
	__u64 sum = 0;

#pragma unroll
	for (__u32 i = 0; i < bytes / 2; i++)
		sum += words[i];
	return sum;
}
