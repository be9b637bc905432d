/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
#pragma once
/*
 * A packet as it stands at a hook: one parse fills `struct packet`, and every
 * later step reads it there. The pointers die with each helper that may move
 * the data; packet_open and the parsers set them anew.
 */
#include "lib/maps.h"
#include "lib/settings.h"

struct packet {
	struct __sk_buff *skb;
	struct ethhdr *ethernet;
	struct iphdr *ip;
	void *transport; /* valid for 8 bytes, for 20 with TCP */
	void *end;
	__u32 slot;         /* the endpoint that it comes from, 0 if none */
	__u16 network;      /* of that endpoint: the flow's zone */
	__be16 source_port; /* ICMP echo: the id in both */
	__be16 destination_port;
	__u8 hook; /* enum hook */
	__u8 protocol;
	__u8 tcp_flags;
	__u8 icmp_type;
	bool fragment;
	bool has_ports; /* TCP, UDP or ICMP echo, not a fragment */
};

#define TCP_FLAG_BYTE 13
#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10
#define IP_OFFSET_OR_MORE 0x3fff
#define HEADERS_MAX 74 /* Ethernet, IPv4 and TCP without options, and what an ICMP error quotes */

inline_always struct abi_addr address4(__be32 address)
{
	return (struct abi_addr){ .words = { 0, 0, bpf_htonl(0xffff), address } };
}

inline_always bool mac_equal(const __u8 *a, const __u8 *b)
{
	const __u16 *x = (const __u16 *)a, *y = (const __u16 *)b;

	return !((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]));
}

inline_always void mac_copy(__u8 *to, const __u8 *from)
{
	__u16 *x = (__u16 *)to;
	const __u16 *y = (const __u16 *)from;

	x[0] = y[0];
	x[1] = y[1];
	x[2] = y[2];
}

inline_always void packet_point(struct packet *packet)
{
	struct __sk_buff *skb = packet->skb;

	packet->ethernet = (void *)(long)skb->data;
	packet->ip = (void *)(long)skb->data + ETH_HLEN;
	packet->end = (void *)(long)skb->data_end;
}

/* Ensures that `bytes` from the start can be read and, in a program that writes, written. */
inline_always bool packet_open(struct packet *packet, __u32 bytes)
{
	packet_point(packet);
	if ((void *)packet->ethernet + bytes <= packet->end &&
	    (void *)(packet->ip + 1) <= packet->end)
		return true;
	if (packet->skb->len < bytes)
		return false;
	/* Some drivers leave little more than the Ethernet header in the linear part. */
	bpf_skb_pull_data(packet->skb,
			  packet->skb->len < HEADERS_MAX ? packet->skb->len : HEADERS_MAX);
	packet_point(packet);
	/* Said twice for the verifier, which knows no `bytes` that varies to be more than 34. */
	return (void *)packet->ethernet + bytes <= packet->end &&
	       (void *)(packet->ip + 1) <= packet->end;
}

/* Ethernet with IPv4: DROP_NONE, or why not. */
inline_always enum drop_reason packet_parse_ipv4(struct packet *packet)
{
	if (!packet_open(packet, ETH_HLEN + sizeof(struct iphdr)))
		return DROP_MALFORMED;
	if (packet->ip->version != 4 || packet->ip->ihl < 5)
		return DROP_MALFORMED;
	packet->protocol = packet->ip->protocol;
	packet->fragment = packet->ip->frag_off & bpf_htons(IP_OFFSET_OR_MORE);
	return DROP_NONE;
}

inline_always void packet_parse_icmp(struct packet *packet)
{
	struct icmphdr *icmp = packet->transport;

	packet->icmp_type = icmp->type;
	packet->has_ports = icmp->type == ICMP_ECHO || icmp->type == ICMP_ECHOREPLY;
	packet->source_port = packet->destination_port = icmp->un.echo.id;
}

/*
 * After packet_parse_ipv4: what stands in the transport header. Protocols and
 * fragments without ports are not an error, has_ports tells.
 */
inline_always enum drop_reason packet_parse_transport(struct packet *packet)
{
	__u32 start = ETH_HLEN + packet->ip->ihl * 4;
	__u32 bytes =
		packet->protocol == IPPROTO_TCP ? sizeof(struct tcphdr) : sizeof(struct udphdr);

	packet->has_ports = false;
	if (packet->fragment ||
	    (packet->protocol != IPPROTO_TCP && packet->protocol != IPPROTO_UDP &&
	     packet->protocol != IPPROTO_ICMP))
		return DROP_NONE;
	if (!packet_open(packet, start + bytes))
		return DROP_MALFORMED;
	packet->transport = (void *)packet->ethernet + start;
	if (packet->transport + sizeof(struct udphdr) > packet->end)
		return DROP_MALFORMED;
	if (packet->protocol == IPPROTO_ICMP) {
		packet_parse_icmp(packet);
		return DROP_NONE;
	}
	packet->source_port = ((__be16 *)packet->transport)[0];
	packet->destination_port = ((__be16 *)packet->transport)[1];
	packet->has_ports = true;
	if (packet->protocol == IPPROTO_UDP)
		return DROP_NONE;
	if (packet->transport + sizeof(struct tcphdr) > packet->end)
		return DROP_MALFORMED;
	packet->tcp_flags = ((__u8 *)packet->transport)[TCP_FLAG_BYTE];
	return DROP_NONE;
}

inline_always bool packet_is_syn(const struct packet *packet)
{
	return packet->protocol == IPPROTO_TCP &&
	       (packet->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
}

inline_always bool packet_is_icmp_error(const struct packet *packet)
{
	return packet->protocol == IPPROTO_ICMP && !packet->fragment &&
	       (packet->icmp_type == ICMP_DEST_UNREACH || packet->icmp_type == ICMP_TIME_EXCEEDED ||
		packet->icmp_type == ICMP_PARAMETERPROB);
}

/* After a redirect into a namespace the stack takes only what is addressed to it. */
inline_always void packet_to_me(struct __sk_buff *skb)
{
	if (skb->pkt_type != PACKET_HOST)
		bpf_skb_change_type(skb, PACKET_HOST);
}

/* Writes by a helper and only if it differs: the caller's program then writes nothing itself. */
inline_always void packet_set_destination_mac(struct packet *packet, const __u8 *mac)
{
	if (!mac_equal(packet->ethernet->h_dest, mac))
		bpf_skb_store_bytes(packet->skb, 0, mac, ETH_ALEN, 0);
}
