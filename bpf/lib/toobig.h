/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
#pragma once
/*
 * Packets longer than the way out takes: a redirect would hand them to the
 * driver as they are. They become, in place, the ICMP error that tells the
 * container the MTU (RFC 1191), sent by the gateway.
 */
#include "lib/nat.h"

#define MTU_LEAST 576 /* what every IPv4 link takes: shorter packets need no look */
#define MTU_LEAST6 1280

struct too_big {
	struct iphdr ip;
	struct icmphdr icmp;
	struct iphdr quoted;
	__u8 quoted_transport[8];
};
_Static_assert(sizeof(struct too_big) == 56, "too_big");

/* 0, or the MTU of the device if the packet is longer; segments of GSO are cut later. */
inline_always __u32 mtu_exceeded(const struct packet *packet, __u32 ifindex)
{
	__u32 least = packet->v6 ? MTU_LEAST6 : MTU_LEAST;
	__u32 mtu =
		packet->skb->len - ETH_HLEN; /* what is compared, whatever header it gets there */

	if (mtu <= least || packet->skb->gso_size)
		return 0;
	return bpf_check_mtu(packet->skb, ifindex, &mtu, 0, 0) > 0 ? mtu : 0;
}

inline_always void unreachable_write(struct too_big *error, const struct source *source, __u8 code,
				     __u32 mtu)
{
	error->ip = (struct iphdr){
		.version = 4,
		.ihl = 5,
		.tot_len = bpf_htons(sizeof *error),
		.ttl = 64,
		.protocol = IPPROTO_ICMP,
		.saddr = source->v4.gateway.words[3],
		.daddr = source->v4.address.words[3],
	};
	error->ip.check = ~sum_fold(sum_words(&error->ip, sizeof error->ip));
	error->icmp = (struct icmphdr){ .type = ICMP_DEST_UNREACH, .code = code };
	error->icmp.un.frag.mtu = bpf_htons(mtu);
	error->icmp.checksum = ~sum_fold(sum_words(&error->icmp, sizeof *error - sizeof error->ip));
}

/* Makes the answer of the packet; false if it cannot be, and the packet is spoilt. */
inline_always bool unreachable_answer(struct packet *packet, const struct source *source, __u8 code,
				      __u32 mtu)
{
	const __u32 added = sizeof(struct iphdr) + sizeof(struct icmphdr);

	if (packet->ip->ihl != 5 ||
	    bpf_skb_change_tail(packet->skb, ETH_HLEN + sizeof(struct too_big) - added, 0) < 0 ||
	    bpf_skb_adjust_room(packet->skb, added, BPF_ADJ_ROOM_MAC, 0) < 0 ||
	    !packet_open(packet, ETH_HLEN + sizeof(struct too_big)))
		return false;
	struct too_big *error = (void *)packet->ip;
	unreachable_write(error, source, code, mtu);
	mac_copy(packet->ethernet->h_dest, source->mac);
	mac_copy(packet->ethernet->h_source, source->gateway_mac);
	return true;
}

inline_always bool too_big_answer(struct packet *packet, const struct source *source, __u32 mtu)
{
	return unreachable_answer(packet, source, ICMP_FRAG_NEEDED, mtu);
}
