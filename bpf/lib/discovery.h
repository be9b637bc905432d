/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
#pragma once
/*
 * Neighbour discovery (RFC 4861) is answered, not flooded: a solicitation
 * becomes its own advertisement in place and goes back where it came from. What
 * else discovery, router discovery and multicast listeners say is for nobody.
 */
#include "lib/sum.h"
#include "lib/packet.h"

#define ND_ROUTER_SOLICITATION 133
#define ND_ROUTER_ADVERTISEMENT 134
#define ND_SOLICITATION 135
#define ND_ADVERTISEMENT 136
#define ND_REDIRECT 137
#define MLD_QUERY 130
#define MLD_DONE 132
#define MLD2_REPORT 143

#define ND_HOP_LIMIT 255 /* from this link, or forged */
#define ND_ROUTER bpf_htonl(0x80000000)
#define ND_SOLICITED bpf_htonl(0x40000000)
#define ND_OVERRIDE bpf_htonl(0x20000000)
#define ND_TARGET_MAC 2

/* A solicitation, and an advertisement with the one option that it has. */
struct solicitation {
	struct ipv6hdr ip;
	__u8 type, code;
	__sum16 checksum;
	__be32 flags;
	struct in6_addr target;
};
struct advertisement {
	struct solicitation head;
	__u8 option, units; /* of 8 bytes */
	__u8 mac[ETH_ALEN];
};
_Static_assert(sizeof(struct advertisement) == 72, "advertisement");
#define ND_MESSAGE (sizeof(struct advertisement) - sizeof(struct ipv6hdr))

/* Told on a link about the link: never carried further. */
inline_always bool discovery_is(const struct packet *packet)
{
	return packet->protocol == IPPROTO_ICMPV6 && !packet->fragment &&
	       ((packet->icmp_type >= MLD_QUERY && packet->icmp_type <= ND_REDIRECT) ||
		packet->icmp_type == MLD2_REPORT);
}

inline_always enum drop_reason discovery_refusal(__u8 type)
{
	if (type == ND_ROUTER_SOLICITATION || type == ND_ROUTER_ADVERTISEMENT)
		return DROP_ROUTER;
	return type <= MLD_DONE || type == MLD2_REPORT ? DROP_MULTICAST : DROP_DISCOVERY;
}

/* The solicitation of an opened packet, NULL if it is none as RFC 4861 section 7.1.1 wants it. */
inline_always struct solicitation *solicitation_parse(struct packet *packet)
{
	struct solicitation *found;

	if (!packet_open(packet, ETH_HLEN + sizeof(struct solicitation)))
		return NULL;
	found = (void *)packet->ip6;
	if ((void *)(found + 1) > packet->end || found->ip.nexthdr != IPPROTO_ICMPV6 ||
	    found->type != ND_SOLICITATION || found->code || found->ip.hop_limit != ND_HOP_LIMIT)
		return NULL;
	return found;
}

inline_always void advertisement_sum(struct advertisement *answer)
{
	__u64 sum = sum_words(&answer->head.ip.saddr, 2 * sizeof(struct abi_addr)) +
		    bpf_htons(ND_MESSAGE) + bpf_htons(IPPROTO_ICMPV6) +
		    sum_words(&answer->head.type, ND_MESSAGE);

	answer->head.checksum = ~sum_fold(sum);
}

/* The answer that `mac` has the target; to all on the link if the question names no sender. */
inline_always void advertisement_make(struct advertisement *answer,
				      const struct solicitation *question, const __u8 *mac,
				      bool router)
{
	struct abi_addr target = address6(&question->target), asker = address6(&question->ip.saddr);
	bool probe = address_is_zero(&asker);

	*answer = (struct advertisement){
		.head = { .ip = { .version = 6,
				  .payload_len = bpf_htons(ND_MESSAGE),
				  .nexthdr = IPPROTO_ICMPV6,
				  .hop_limit = ND_HOP_LIMIT },
			  .type = ND_ADVERTISEMENT,
			  .flags = ND_OVERRIDE | (probe ? 0 : ND_SOLICITED) |
				   (router ? ND_ROUTER : 0) },
		.option = ND_TARGET_MAC,
		.units = 1,
	};
	if (probe)
		asker = (struct abi_addr){ .words = { bpf_htonl(0xff020000), 0, 0, bpf_htonl(1) } };
	address6_write(&answer->head.ip.saddr, &target);
	address6_write(&answer->head.ip.daddr, &asker);
	address6_write(&answer->head.target, &target);
	mac_copy(answer->mac, mac);
	advertisement_sum(answer);
}

/* Turns the packet into the answer; false if that cannot be, and the packet is spoilt. */
inline_always bool advertisement_write(struct packet *packet, const struct advertisement *answer,
				       const __u8 *mac)
{
	struct __sk_buff *skb = packet->skb;
	__u8 asker[ETH_ALEN];

	mac_copy(asker, packet->ethernet->h_source);
	if (bpf_skb_change_tail(skb, ETH_HLEN + sizeof *answer, 0) < 0 ||
	    bpf_skb_store_bytes(skb, ETH_HLEN, answer, sizeof *answer, 0) < 0)
		return false;
	return bpf_skb_store_bytes(skb, 0, asker, ETH_ALEN, 0) == 0 &&
	       bpf_skb_store_bytes(skb, ETH_ALEN, mac, ETH_ALEN, 0) == 0;
}

inline_always bool solicitation_answer(struct packet *packet, const struct solicitation *question,
				       const __u8 *mac, bool router)
{
	struct advertisement answer;
	__u8 own[ETH_ALEN];

	mac_copy(own, mac);
	advertisement_make(&answer, question, own, router);
	return advertisement_write(packet, &answer, own);
}
