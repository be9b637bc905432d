/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
#pragma once
/*
 * Rewriting of addresses and ports with their checksums (RFC 1624), in place.
 * Where the kernel tells how far a packet's checksum is done (skb->ip_summed),
 * this is arithmetic; else the helpers do it, at some 40 ns each.
 */
#include "lib/packet.h"
#include "lib/sum.h"

/* The part of the kernel's sk_buff that matters; relocated by its BTF. */
struct sk_buff {
	__u8 ip_summed : 2;
} __attribute__((preserve_access_index));

extern void *bpf_cast_to_kern_ctx(void *object) __ksym __weak;

enum { SUMMED_NONE = 0, SUMMED_UNNECESSARY = 1, SUMMED_COMPLETE = 2, SUMMED_PARTIAL = 3 };

struct translation {
	const struct abi_addr *source, *destination; /* not copied: the stack is short */
	__be16 source_port, destination_port;
};

/* Differences as sums of 16-bit words in ones' complement, not folded. */
struct sum_change {
	__u64 addresses, ports;
};

inline_always __u32 summed_of(struct __sk_buff *skb)
{
	if (!know_ip_summed)
		return SUMMED_COMPLETE; /* the one that only the helpers get right */
	struct sk_buff *kernel = bpf_cast_to_kern_ctx(skb);
	return BPF_CORE_READ_BITFIELD(kernel, ip_summed);
}

inline_always __u64 translate_ipv4(struct iphdr *ip, const struct translation *to)
{
	__be32 source = to->source->words[3], destination = to->destination->words[3];
	__u64 change = sum_diff32(ip->saddr, source) + sum_diff32(ip->daddr, destination);

	ip->saddr = source;
	ip->daddr = destination;
	ip->check = sum_update(ip->check, change);
	return change;
}

inline_always __u64 translate_ipv6(struct ipv6hdr *ip, const struct translation *to)
{
	struct abi_addr source = address6(&ip->saddr), destination = address6(&ip->daddr);

	address6_write(&ip->saddr, to->source);
	address6_write(&ip->daddr, to->destination);
	return sum_diff_address(&source, to->source) +
	       sum_diff_address(&destination, to->destination);
}

inline_always struct sum_change translate_ip(struct packet *packet, const struct translation *to)
{
	return (struct sum_change){
		.addresses = packet->v6 ? translate_ipv6(packet->ip6, to)
					: translate_ipv4(packet->ip, to),
		.ports = sum_diff16(packet->source_port, to->source_port) +
			 sum_diff16(packet->destination_port, to->destination_port),
	};
}

/* TCP and UDP by hand; `check` has been bounds-checked. */
inline_always void sum_by_hand(__u16 *check, __u32 summed, bool udp, struct sum_change change)
{
	if (summed == SUMMED_PARTIAL) {
		/* The field holds the pseudo header's sum, not complemented. */
		*check = sum_fold((__u64)*check + change.addresses);
		return;
	}
	if (udp && !*check)
		return;
	__u16 sum = sum_update(*check, change.addresses + change.ports);
	*check = udp && !sum ? 0xffff : sum;
}

inline_always void sum_by_helper(struct packet *packet, __u32 offset, bool udp,
				 struct sum_change change)
{
	__u64 flags = udp ? BPF_F_MARK_MANGLED_0 : 0;

	bpf_l4_csum_replace(packet->skb, offset, 0, sum_fold(change.addresses),
			    flags | BPF_F_PSEUDO_HDR);
	bpf_l4_csum_replace(packet->skb, offset, 0, sum_fold(change.ports), flags);
	/*
	 * The helper takes the addresses out of a COMPLETE sum, as a header with a
	 * checksum of its own wants it; IPv6 has none, and the sum stays what it was.
	 */
	if (packet->v6)
		bpf_csum_update(packet->skb, sum_fold(change.addresses));
}

inline_always void translate_echo(struct packet *packet, struct sum_change change, __be16 id)
{
	struct icmphdr *icmp = packet->transport;
	__u64 sum = sum_diff16(icmp->un.echo.id, id);

	/*
	 * Never PARTIAL: no checksum offload knows ICMP. COMPLETE stays right, the
	 * sum is neutral. ICMPv6 sums the addresses too.
	 */
	if (packet->v6)
		sum += change.addresses;
	icmp->checksum = sum_update(icmp->checksum, sum);
	icmp->un.echo.id = id;
}

/* By arithmetic where the kernel tells enough for that. IPv6 never changes a COMPLETE sum. */
inline_always bool sum_is_by_hand(const struct packet *packet, __u32 summed)
{
	return packet->v6 ? know_ip_summed : summed != SUMMED_COMPLETE;
}
