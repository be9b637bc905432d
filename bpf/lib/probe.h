/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
#pragma once
/*
 * The question about a TCP flow in the middle: one of its packets becomes a SYN,
 * which the host's connection tracking takes for a new connection whatever it has
 * seen of the flow before.
 */
#include "lib/nat.h"

#define TCP_FLAGS_WORD 6 /* the 16-bit word with the header's length and the flags */

inline_always bool probe_become(struct packet *packet)
{
	__be16 *word = (__be16 *)packet->transport + TCP_FLAGS_WORD;
	__u16 *check = packet->transport + offsetof(struct tcphdr, check);
	const __be16 flags = bpf_htons(0x01ff);

	if ((void *)(check + 1) > packet->end)
		return false;
	__be16 old = *word, new = (old & ~flags) | bpf_htons(TCP_SYN);
	struct sum_change change = { .ports = sum_diff16(old, new) };
	__u32 summed = summed_of(packet->skb);
	*word = new;
	packet->tcp_flags = TCP_SYN;
	if (sum_is_by_hand(packet, summed)) {
		sum_by_hand(check, summed, false, change);
		return true;
	}
	bpf_l4_csum_replace(packet->skb, (void *)check - (void *)packet->ethernet, old, new,
			    sizeof old);
	return packet_parse_ip(packet) == DROP_NONE && packet_parse_transport(packet) == DROP_NONE;
}
