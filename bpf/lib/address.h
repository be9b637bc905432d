/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
#pragma once
/* Addresses of both families as the maps hold them: 16 bytes, IPv4 as ::ffff:a.b.c.d. */
#include "lib/kernel.h"

#define V4_PREFIX bpf_htonl(0xffff)

inline_always struct abi_addr address4(__be32 address)
{
	return (struct abi_addr){ .words = { 0, 0, V4_PREFIX, address } };
}

inline_always struct abi_addr address6(const struct in6_addr *address)
{
	return (struct abi_addr){ .words = {
					  address->in6_u.u6_addr32[0],
					  address->in6_u.u6_addr32[1],
					  address->in6_u.u6_addr32[2],
					  address->in6_u.u6_addr32[3],
				  } };
}

inline_always struct abi_addr loopback(bool v4)
{
	return v4 ? address4(bpf_htonl(0x7f000001))
		  : (struct abi_addr){ .words = { 0, 0, 0, bpf_htonl(1) } };
}

inline_always void address6_write(struct in6_addr *to, const struct abi_addr *address)
{
	to->in6_u.u6_addr32[0] = address->words[0];
	to->in6_u.u6_addr32[1] = address->words[1];
	to->in6_u.u6_addr32[2] = address->words[2];
	to->in6_u.u6_addr32[3] = address->words[3];
}

inline_always bool address_is_v4(const struct abi_addr *address)
{
	return !address->words[0] && !address->words[1] && address->words[2] == V4_PREFIX;
}

inline_always bool address_is_zero(const struct abi_addr *address)
{
	return !(address->words[0] | address->words[1] | address->words[2] | address->words[3]);
}

inline_always bool address_equal(const struct abi_addr *a, const struct abi_addr *b)
{
	return !((a->words[3] ^ b->words[3]) | (a->words[2] ^ b->words[2]) |
		 (a->words[1] ^ b->words[1]) | (a->words[0] ^ b->words[0]));
}

/* Whether address & mask is subnet. */
inline_always bool address_is_in(const struct abi_addr *address, const struct abi_addr *subnet,
				 const struct abi_addr *mask)
{
	return !(((address->words[0] ^ subnet->words[0]) & mask->words[0]) |
		 ((address->words[1] ^ subnet->words[1]) & mask->words[1]) |
		 ((address->words[2] ^ subnet->words[2]) & mask->words[2]) |
		 ((address->words[3] ^ subnet->words[3]) & mask->words[3]));
}

/* 127.0.0.0/8 and ::1 */
inline_always bool address_is_loopback(const struct abi_addr *address)
{
	if (address_is_v4(address))
		return (address->words[3] & bpf_htonl(0xff000000)) == bpf_htonl(0x7f000000);
	return !address->words[0] && !address->words[1] && !address->words[2] &&
	       address->words[3] == bpf_htonl(1);
}

/* 224.0.0.0/4 and what is above it, ff00::/8 */
inline_always bool address_is_multicast(const struct abi_addr *address)
{
	if (address_is_v4(address))
		return bpf_ntohl(address->words[3]) >= 0xe0000000;
	return (address->words[0] & bpf_htonl(0xff000000)) == bpf_htonl(0xff000000);
}

/* fe80::/10 */
inline_always bool address_is_link_local(const struct abi_addr *address)
{
	return (address->words[0] & bpf_htonl(0xffc00000)) == bpf_htonl(0xfe800000);
}

/* 32 bits to hash on. */
inline_always __u32 address_fold(const struct abi_addr *address)
{
	return ((address->words[0] * 31 ^ address->words[1]) * 31 ^ address->words[2]) * 31 ^
	       address->words[3];
}
