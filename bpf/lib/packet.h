/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
#pragma once
/*
 * A packet as it stands at a hook: one parse fills `struct packet`, and every
 * later step reads it there. The pointers die with each helper that may move
 * the data; packet_open and the parsers set them anew. The family is a constant
 * of each program, so that the compiler leaves out what is the other's.
 */
#include "lib/address.h"
#include "lib/extensions.h"
#include "lib/maps.h"
#include "lib/settings.h"

struct packet {
	struct __sk_buff *skb;
	struct ethhdr *ethernet;
	struct iphdr *ip;
	struct ipv6hdr *ip6; /* the same place */
	void *transport;     /* valid for 8 bytes, for 20 with TCP */
	void *end;
	const struct flow_key *key; /* of its flow, where one was found */
	__u32 transport_start;      /* bytes from the start of the frame */
	__u32 slot;                 /* the endpoint that it comes from, 0 if none */
	__u16 network;              /* of that endpoint: the flow's zone */
	__be16 source_port;         /* ICMP echo: the id in both */
	__be16 destination_port;
	__u8 hook; /* enum hook */
	bool v6;
	__u8 protocol;
	__u8 tcp_flags;
	__u8 icmp_type;
	bool fragment; /* of more than one */
	bool later;    /* a fragment without the transport header */
	bool echo_reply;
	bool has_ports; /* TCP, UDP, SCTP or ICMP echo; of a later fragment once resolved */
	__u32 fragment_id;
};

#define TCP_FLAG_BYTE 13
#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10
#define IP_OFFSET_OR_MORE 0x3fff
#define IP_OFFSET 0x1fff
#define SCTP_BYTES 16 /* of the header and what each chunk begins with */
#define SCTP_CHUNK 12 /* the byte that names the first chunk */
#define SCTP_INIT 1
#define SCTP_INIT_ACK 2
#define SCTP_ABORT 6
#define SCTP_SHUTDOWN_COMPLETE 14
#define HEADERS_MAX 74 /* Ethernet, IP of both families and TCP without options */

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

/*
 * A field of 32 bits that the kernel turns into a pointer. Said in assembly, since
 * clang 19 moves such a value by 32-bit registers, and the verifier's pointer is lost.
 */
#define PACKET_EDGE(skb, field)                                                   \
	({                                                                        \
		void *edge_;                                                      \
		asm volatile("%0 = *(u32 *)(%1 + %2)"                             \
			     : "=r"(edge_)                                        \
			     : "r"(skb), "i"(offsetof(struct __sk_buff, field))); \
		edge_;                                                            \
	})

inline_always void packet_point(struct packet *packet)
{
	packet->ethernet = PACKET_EDGE(packet->skb, data);
	packet->ip = (void *)packet->ethernet + ETH_HLEN;
	packet->ip6 = (void *)packet->ethernet + ETH_HLEN;
	packet->end = PACKET_EDGE(packet->skb, data_end);
}

/*
 * The IP header's end is said too for the verifier, which knows no `bytes` that
 * varies; and hidden from the compiler, which does, and would drop the second.
 */
inline_always bool packet_is_within(const struct packet *packet, __u32 bytes)
{
	void *ip_end = packet->v6 ? (void *)(packet->ip6 + 1) : (void *)(packet->ip + 1);

	asm volatile("" : "+r"(ip_end));
	return (void *)packet->ethernet + bytes <= packet->end && ip_end <= packet->end;
}

/* Ensures that `bytes` from the start can be read and, in a program that writes, written. */
inline_always bool packet_open(struct packet *packet, __u32 bytes)
{
	__u32 length = packet->skb->len, wanted = bytes > HEADERS_MAX ? bytes : HEADERS_MAX;

	packet_point(packet);
	if (packet_is_within(packet, bytes))
		return true;
	if (length < bytes)
		return false;
	/* Some drivers leave little more than the Ethernet header in the linear part. */
	bpf_skb_pull_data(packet->skb, length < wanted ? length : wanted);
	packet_point(packet);
	return packet_is_within(packet, bytes);
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
	packet->later = packet->ip->frag_off & bpf_htons(IP_OFFSET);
	packet->fragment_id = packet->ip->id;
	packet->transport_start = ETH_HLEN + packet->ip->ihl * 4;
	return DROP_NONE;
}

/* Ethernet with IPv6. The protocol is that of the next header, be it an extension. */
inline_always enum drop_reason packet_parse_ipv6(struct packet *packet)
{
	if (!packet_open(packet, ETH_HLEN + sizeof(struct ipv6hdr)))
		return DROP_MALFORMED;
	if (packet->ip6->version != 6)
		return DROP_MALFORMED;
	packet->protocol = packet->ip6->nexthdr;
	packet->transport_start = ETH_HLEN + sizeof(struct ipv6hdr);
	return DROP_NONE;
}

inline_always enum drop_reason packet_parse_ip(struct packet *packet)
{
	return packet->v6 ? packet_parse_ipv6(packet) : packet_parse_ipv4(packet);
}

inline_always struct abi_addr packet_source(const struct packet *packet)
{
	return packet->v6 ? address6(&packet->ip6->saddr) : address4(packet->ip->saddr);
}

inline_always struct abi_addr packet_destination(const struct packet *packet)
{
	return packet->v6 ? address6(&packet->ip6->daddr) : address4(packet->ip->daddr);
}

inline_always bool protocol_is_echo(__u8 protocol)
{
	return protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
}

inline_always void packet_parse_icmp(struct packet *packet)
{
	struct icmphdr *icmp =
		packet->transport; /* an echo's fields stand alike in both families */

	packet->icmp_type = icmp->type;
	packet->echo_reply = icmp->type == (packet->v6 ? ICMPV6_ECHO_REPLY : ICMP_ECHOREPLY);
	packet->has_ports =
		packet->echo_reply || icmp->type == (packet->v6 ? ICMPV6_ECHO_REQUEST : ICMP_ECHO);
	packet->source_port = packet->destination_port = icmp->un.echo.id;
}

/* Goes over the extension headers to what they stand before. */
inline_always enum drop_reason packet_skip_extensions(struct packet *packet)
{
	__u64 found;

	if (!extension_is(packet->protocol))
		return DROP_NONE;
	found = extensions_walk(packet->skb, packet->protocol);
	if (!found)
		return DROP_MALFORMED;
	packet->protocol = (__u8)(found >> EXTENSIONS_PROTOCOL_SHIFT);
	packet->fragment = found & EXTENSIONS_FRAGMENT;
	packet->later = found & EXTENSIONS_LATER;
	packet->fragment_id = found >> EXTENSIONS_ID_SHIFT;
	packet->transport_start = found & EXTENSIONS_OFFSET_MASK;
	return DROP_NONE;
}

/* An IPv4 address in an IPv6 header would be taken for the other family's in every map. */
inline_always bool packet_has_mapped(const struct packet *packet)
{
	struct abi_addr source = packet_source(packet), destination = packet_destination(packet);

	return address_is_v4(&source) || address_is_v4(&destination);
}

/* SCTP's first chunk in the words of TCP: what begins, answers, and ends an association. */
inline_always __u8 sctp_flags(__u8 chunk)
{
	if (chunk == SCTP_INIT)
		return TCP_SYN;
	if (chunk == SCTP_INIT_ACK)
		return TCP_SYN | TCP_ACK;
	return chunk == SCTP_ABORT || chunk == SCTP_SHUTDOWN_COMPLETE ? TCP_RST : TCP_ACK;
}

inline_always __u32 transport_bytes(__u8 protocol)
{
	if (protocol == IPPROTO_TCP)
		return sizeof(struct tcphdr);
	return protocol == IPPROTO_SCTP ? SCTP_BYTES : sizeof(struct udphdr);
}

/*
 * After packet_parse_ip: what stands in the transport header. Protocols and
 * fragments without ports are not an error, has_ports tells.
 */
inline_always enum drop_reason packet_parse_transport(struct packet *packet)
{
	const __u8 icmp = packet->v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;

	packet->has_ports = false;
	packet->transport = packet->ip; /* for who asks nothing, of a later fragment */
	if (packet->v6 && (packet_has_mapped(packet) || packet_skip_extensions(packet)))
		return DROP_MALFORMED;
	if (packet->later || (packet->protocol != IPPROTO_TCP && packet->protocol != IPPROTO_UDP &&
			      packet->protocol != IPPROTO_SCTP && packet->protocol != icmp))
		return DROP_NONE;
	__u32 start = packet->transport_start;
	if (!packet_open(packet, start + transport_bytes(packet->protocol)))
		return DROP_MALFORMED;
	packet->transport = (void *)packet->ethernet + start;
	if (packet->transport + sizeof(struct udphdr) > packet->end)
		return DROP_MALFORMED;
	if (packet->protocol == icmp) {
		packet_parse_icmp(packet);
		return DROP_NONE;
	}
	packet->source_port = ((__be16 *)packet->transport)[0];
	packet->destination_port = ((__be16 *)packet->transport)[1];
	packet->has_ports = true;
	if (packet->protocol == IPPROTO_UDP)
		return DROP_NONE;
	if (packet->transport + SCTP_BYTES > packet->end)
		return DROP_MALFORMED;
	if (packet->protocol == IPPROTO_SCTP) {
		packet->tcp_flags = sctp_flags(((__u8 *)packet->transport)[SCTP_CHUNK]);
		return DROP_NONE;
	}
	if (packet->transport + sizeof(struct tcphdr) > packet->end)
		return DROP_MALFORMED;
	packet->tcp_flags = ((__u8 *)packet->transport)[TCP_FLAG_BYTE];
	return DROP_NONE;
}

/* Protocols whose flows begin and end in words. */
inline_always bool protocol_has_states(__u8 protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_SCTP;
}

inline_always bool packet_is_syn(const struct packet *packet)
{
	return protocol_has_states(packet->protocol) &&
	       (packet->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
}

inline_always bool packet_is_icmp_error(const struct packet *packet)
{
	if (packet->v6)
		return packet->protocol == IPPROTO_ICMPV6 && !packet->fragment &&
		       packet->icmp_type >= ICMPV6_DEST_UNREACH &&
		       packet->icmp_type <= ICMPV6_PARAMPROB;
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
