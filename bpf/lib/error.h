/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
#pragma once
/*
 * ICMP errors about translated flows, both ways. The packet that an error
 * quotes, read backwards, is the key of the flow's other direction, so an error
 * reaches only a flow that exists. In IPv4 the quoted address and quoted IP
 * checksum cancel out in the ICMP sum, which changes by the ports alone; ICMPv6
 * sums all of it, and its own addresses. The quoted transport checksum is left:
 * stacks do not look at it.
 */
#include "lib/flow.h"
#include "lib/nat.h"
#include "lib/onto.h"

struct quote {
	struct icmphdr *icmp; /* of the error; the checksum stands alike in both families */
	struct iphdr *ip;
	struct ipv6hdr *ip6; /* the same place */
	__be16 *ports;       /* of TCP and UDP; the id of an ICMP echo stands third */
	__u8 protocol;
	bool v6;
	bool echo;
};

inline_always struct abi_addr quote_source(const struct quote *quote)
{
	return quote->v6 ? address6(&quote->ip6->saddr) : address4(quote->ip->saddr);
}

inline_always struct abi_addr quote_destination(const struct quote *quote)
{
	return quote->v6 ? address6(&quote->ip6->daddr) : address4(quote->ip->daddr);
}

/* Our own flows carry no options outward that would come back quoted. */
inline_always bool quote_is_plain(struct quote *quote)
{
	if (quote->v6) {
		quote->protocol = quote->ip6->nexthdr;
		quote->echo = quote->protocol == IPPROTO_ICMPV6;
		return quote->ip6->version == 6;
	}
	quote->protocol = quote->ip->protocol;
	quote->echo = quote->protocol == IPPROTO_ICMP;
	return quote->ip->version == 4 && quote->ip->ihl == 5 &&
	       !(quote->ip->frag_off & bpf_htons(IP_OFFSET_OR_MORE));
}

inline_always bool quote_parse(struct packet *packet, struct quote *quote)
{
	const __u32 header = packet->v6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);
	__u32 start = packet->transport_start;

	if (packet->v6 && packet->protocol != IPPROTO_ICMPV6)
		return false; /* behind extension headers */
	if (!packet_open(packet, start + sizeof(struct icmphdr) + header + 8))
		return false;
	quote->v6 = packet->v6;
	quote->icmp = (void *)packet->ethernet + start;
	quote->ip = (void *)(quote->icmp + 1);
	quote->ip6 = (void *)(quote->icmp + 1);
	quote->ports = (void *)(quote->icmp + 1) + header;
	if ((void *)quote->ports + 8 > packet->end || !quote_is_plain(quote))
		return false;
	return quote->protocol == IPPROTO_TCP || quote->protocol == IPPROTO_UDP ||
	       quote->protocol == IPPROTO_SCTP || quote->echo;
}

inline_always struct flow_key quote_key(const struct quote *quote, __u16 zone)
{
	return (struct flow_key){
		.source = quote_destination(quote),
		.destination = quote_source(quote),
		.source_port = quote->ports[quote->echo ? 2 : 1],
		.destination_port = quote->ports[quote->echo ? 2 : 0],
		.zone = zone,
		.protocol = quote->protocol,
	};
}

inline_always void quote_set_port(struct quote *quote, __be16 *field, __be16 port)
{
	quote->icmp->checksum = sum_update(quote->icmp->checksum, sum_diff16(*field, port));
	*field = port;
}

inline_always void quote_translate(struct quote *quote, const struct flow *flow)
{
	const struct translation to = { .source = &flow->new_destination,
					.destination = &flow->new_source };

	if (quote->v6)
		quote->icmp->checksum =
			sum_update(quote->icmp->checksum, translate_ipv6(quote->ip6, &to));
	else
		translate_ipv4(quote->ip, &to);
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
	struct abi_addr source = packet_source(packet), end = quote_destination(quote);
	const struct translation to = {
		.source = address_equal(&source, &end) ? &flow->new_source : &source,
		.destination = &flow->new_destination,
	};

	if (packet->v6)
		quote->icmp->checksum =
			sum_update(quote->icmp->checksum, translate_ipv6(packet->ip6, &to));
	else
		translate_ipv4(packet->ip, &to);
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
	if (flow->action == FLOW_TO_HOST) {
		packet_to_me(packet->skb);
		return VERDICT_PASS;
	}
	if (!(flow->flags & FLOW_HAVE_NEXT_HOP))
		return bpf_redirect_neigh(flow->ifindex, NULL, 0, 0);
	mac_copy(packet->ethernet->h_source, flow->source_mac);
	mac_copy(packet->ethernet->h_dest, flow->destination_mac);
	if (flow->action == FLOW_TO_UPLINK)
		return bpf_redirect(flow->ifindex, 0);
	packet_to_me(packet->skb);
	return onto_endpoint(packet, flow->ifindex, flow->flags & FLOW_QUEUED);
}
