/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
#pragma once
/*
 * The same for IPv6: packet too big (RFC 4443 section 3.2). The answer quotes as
 * much as fits in 1280 bytes, which every packet that is too long has.
 */
#include "lib/toobig.h"

#define TOO_BIG6_BYTES 1280
#define TOO_BIG6_SUMMED (TOO_BIG6_BYTES - sizeof(struct ipv6hdr))
#define SUM_CHUNK 248 /* five of them are TOO_BIG6_SUMMED; one call of the helper takes 512 */
_Static_assert(TOO_BIG6_SUMMED % SUM_CHUNK == 0, "chunks of a sum");

struct too_big6 {
	struct ipv6hdr ip;
	struct icmp6hdr icmp;
};

inline_always void too_big6_write(struct too_big6 *error, const struct source *source, __u32 mtu)
{
	error->ip = (struct ipv6hdr){
		.version = 6,
		.payload_len = bpf_htons(TOO_BIG6_SUMMED),
		.nexthdr = IPPROTO_ICMPV6,
		.hop_limit = 64,
	};
	address6_write(&error->ip.saddr, &source->v6.gateway);
	address6_write(&error->ip.daddr, &source->v6.address);
	error->icmp = (struct icmp6hdr){ .icmp6_type = ICMPV6_PKT_TOOBIG };
	error->icmp.icmp6_mtu = bpf_htonl(mtu);
}

inline_always void too_big6_sum(struct too_big6 *error)
{
	void *data = &error->icmp;
	__u64 sum = sum_words(&error->ip.saddr, 2 * sizeof(struct abi_addr)) +
		    bpf_htons(TOO_BIG6_SUMMED) + bpf_htons(IPPROTO_ICMPV6);

#pragma unroll
	for (__u32 i = 0; i < TOO_BIG6_SUMMED; i += SUM_CHUNK)
		sum += (__u32)bpf_csum_diff(NULL, 0, data + i, SUM_CHUNK, 0);
	error->icmp.icmp6_cksum = ~sum_fold(sum);
}

/* Makes the answer of the packet; false if it cannot be, and the packet is spoilt. */
inline_always bool too_big6_answer(struct packet *packet, const struct source *source, __u32 mtu)
{
	const __u32 added = sizeof(struct too_big6), frame = ETH_HLEN + TOO_BIG6_BYTES;

	if (packet->skb->len < frame || bpf_skb_change_tail(packet->skb, frame - added, 0) < 0 ||
	    bpf_skb_adjust_room(packet->skb, added, BPF_ADJ_ROOM_MAC, 0) < 0 ||
	    !packet_open(packet, frame))
		return false;
	struct too_big6 *error = (void *)packet->ip6;
	too_big6_write(error, source, mtu);
	too_big6_sum(error);
	mac_copy(packet->ethernet->h_dest, source->mac);
	mac_copy(packet->ethernet->h_source, source->gateway_mac);
	return true;
}
