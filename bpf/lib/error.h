/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
#pragma once
/*
 * ICMP errors about translated flows, both ways. The packet that an error
 * quotes, read backwards, is the key of the flow's other direction, so an error
 * reaches only a flow that exists. Quoted address and quoted IP checksum cancel
 * out in the ICMP sum; it changes by the ports alone. The quoted transport
 * checksum is left: stacks do not look at it.
 */
#include "lib/flow.h"
#include "lib/nat.h"
#include "lib/onto.h"

struct quote {
	struct icmphdr *icmp; /* of the error */
	struct iphdr *ip;
	__be16 *ports; /* of TCP and UDP; the id of an ICMP echo stands third */
	bool echo;
};

inline_always bool quote_parse(struct packet *packet, struct quote *quote)
{
	__u32 start = ETH_HLEN + packet->ip->ihl * 4;
	__u32 bytes = start + sizeof(struct icmphdr) + sizeof(struct iphdr);

	if (!packet_open(packet, bytes + 8))
		return false;
	quote->icmp = (void *)packet->ethernet + start;
	quote->ip = (void *)(quote->icmp + 1);
	if ((void *)(quote->ip + 1) + 8 > packet->end)
		return false;
	/* Our own flows carry no options outward that would come back quoted. */
	if (quote->ip->version != 4 || quote->ip->ihl != 5 ||
	    quote->ip->frag_off & bpf_htons(IP_OFFSET_OR_MORE))
		return false;
	quote->ports = (void *)(quote->ip + 1);
	quote->echo = quote->ip->protocol == IPPROTO_ICMP;
	return quote->ip->protocol == IPPROTO_TCP || quote->ip->protocol == IPPROTO_UDP ||
	       quote->echo;
}

inline_always struct flow_key quote_key(const struct quote *quote, __u16 zone)
{
	return (struct flow_key){
		.source = address4(quote->ip->daddr),
		.destination = address4(quote->ip->saddr),
		.source_port = quote->ports[quote->echo ? 2 : 1],
		.destination_port = quote->ports[quote->echo ? 2 : 0],
		.zone = zone,
		.protocol = quote->ip->protocol,
	};
}

inline_always void quote_set_port(struct quote *quote, __be16 *field, __be16 port)
{
	quote->icmp->checksum = sum_update(quote->icmp->checksum, sum_diff16(*field, port));
	*field = port;
}

inline_always void quote_translate(struct quote *quote, const struct flow *flow)
{
	__u64 change = sum_diff32(quote->ip->saddr, flow->new_destination.words[3]) +
		       sum_diff32(quote->ip->daddr, flow->new_source.words[3]);

	quote->ip->saddr = flow->new_destination.words[3];
	quote->ip->daddr = flow->new_source.words[3];
	quote->ip->check = sum_update(quote->ip->check, change);
	if (quote->echo) {
		quote_set_port(quote, &quote->ports[2], flow->new_source_port);
		return;
	}
	quote_set_port(quote, &quote->ports[0], flow->new_destination_port);
	quote_set_port(quote, &quote->ports[1], flow->new_source_port);
}

/* A router on the way may have sent it: only the flow's own end changes its name. */
inline_always void error_translate(struct packet *packet, struct quote *quote,
				   const struct flow *flow)
{
	struct iphdr *ip = packet->ip;
	bool from_end = ip->saddr == quote->ip->daddr;
	__be32 source = from_end ? flow->new_source.words[3] : ip->saddr;
	__be32 destination = flow->new_destination.words[3];
	__u64 change = sum_diff32(ip->saddr, source) + sum_diff32(ip->daddr, destination);

	ip->saddr = source;
	ip->daddr = destination;
	ip->check = sum_update(ip->check, change);
	quote_translate(quote, flow);
}

/* The flow that an error is about, NULL if none is known. */
inline_always struct flow *error_find(struct packet *packet, struct quote *quote, __u16 zone)
{
	if (!quote_parse(packet, quote))
		return NULL;
	struct flow_key key = quote_key(quote, zone);
	return flow_find(&key);
}

inline_always int error_send(struct packet *packet, struct quote *quote, struct flow *flow)
{
	error_translate(packet, quote, flow);
	if (!(flow->flags & FLOW_HAVE_NEXT_HOP))
		return bpf_redirect_neigh(flow->ifindex, NULL, 0, 0);
	mac_copy(packet->ethernet->h_source, flow->source_mac);
	mac_copy(packet->ethernet->h_dest, flow->destination_mac);
	if (flow->action == FLOW_TO_UPLINK)
		return bpf_redirect(flow->ifindex, 0);
	packet_to_me(packet->skb);
	return onto_endpoint(packet, flow->ifindex, flow->flags & FLOW_QUEUED);
}
