/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
#pragma once
/*
 * A container's flow that cannot begin is told so, rather than left to wait: the
 * packet becomes, in place, the ICMP error "administratively prohibited", sent by
 * the gateway. TCP takes it for the end of its attempt as well as a reset.
 */
#include "lib/toobig.h"

#define UNREACHABLE_PROHIBITED ICMP_PKT_FILTERED

struct prohibited6 {
	struct ipv6hdr ip;
	struct icmp6hdr icmp;
	struct ipv6hdr quoted;
	__u8 quoted_transport[8];
};
_Static_assert(sizeof(struct prohibited6) == 96, "prohibited6");

inline_always void prohibited6_write(struct prohibited6 *error, const struct source *source)
{
	const __u32 summed = sizeof *error - sizeof error->ip;

	error->ip = (struct ipv6hdr){
		.version = 6,
		.payload_len = bpf_htons(summed),
		.nexthdr = IPPROTO_ICMPV6,
		.hop_limit = 64,
	};
	address6_write(&error->ip.saddr, &source->v6.gateway);
	address6_write(&error->ip.daddr, &source->v6.address);
	error->icmp = (struct icmp6hdr){ .icmp6_type = ICMPV6_DEST_UNREACH,
					 .icmp6_code = ICMPV6_ADM_PROHIBITED };
	__u64 sum = sum_words(&error->ip.saddr, 2 * sizeof(struct abi_addr)) + bpf_htons(summed) +
		    bpf_htons(IPPROTO_ICMPV6) + sum_words(&error->icmp, summed);
	error->icmp.icmp6_cksum = ~sum_fold(sum);
}

/* Makes the answer of the packet; false if it cannot be, and the packet is spoilt. */
inline_always bool refuse6_answer(struct packet *packet, const struct source *source)
{
	const __u32 added = sizeof(struct ipv6hdr) + sizeof(struct icmp6hdr);
	const __u32 frame = ETH_HLEN + sizeof(struct prohibited6);

	if (bpf_skb_change_tail(packet->skb, frame - added, 0) < 0 ||
	    bpf_skb_adjust_room(packet->skb, added, BPF_ADJ_ROOM_MAC, 0) < 0 ||
	    !packet_open(packet, frame))
		return false;
	prohibited6_write((void *)packet->ip6, source);
	mac_copy(packet->ethernet->h_dest, source->mac);
	mac_copy(packet->ethernet->h_source, source->gateway_mac);
	return true;
}

inline_always bool refuse_answer(struct packet *packet, const struct source *source)
{
	return packet->v6 ? refuse6_answer(packet, source)
			  : unreachable_answer(packet, source, UNREACHABLE_PROHIBITED, 0);
}
