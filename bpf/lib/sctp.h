/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
#pragma once
/*
 * SCTP under translation. Its checksum covers no addresses: they change for
 * nothing, and so the port is kept where it can be. A new port changes the CRC by
 * what bpf/sctp.h tells; but a packet that its sender left to the kernel to sum
 * (CHECKSUM_PARTIAL) has none yet, and where the kernel does not let us know,
 * ports cannot change. Addresses inside of INIT are left as they are: without
 * multi-homing there are none.
 */
#include "bpf/sctp.h"
#include "lib/nat.h"

const volatile __u32 sctp_powers[SCTP_WORDS_MAX] = { 0 };

/* a * b, polynomials modulo the CRC's. */
global_function __u32 sctp_multiply(__u32 a, __u32 b)
{
	__u32 product = 0;

	for (int bit = 31; bit >= 0; bit--) {
		/* Multiplied, not masked: the verifier would follow each bit both ways. */
		product ^= b * ((a >> bit) & 1);
		b = (b >> 1) ^ (SCTP_POLYNOMIAL * (b & 1));
	}
	return product;
}

/* Bytes of the SCTP packet, without what a link has padded. */
inline_always __u32 sctp_length(const struct packet *packet)
{
	__u32 end =
		packet->v6 ? ETH_HLEN + sizeof(struct ipv6hdr) + bpf_ntohs(packet->ip6->payload_len)
			   : ETH_HLEN + bpf_ntohs(packet->ip->tot_len);

	return end - packet->transport_start;
}

inline_always bool sctp_ports_change(const struct packet *packet, const struct translation *to)
{
	return packet->source_port != to->source_port ||
	       packet->destination_port != to->destination_port;
}

/* Why the ports cannot change; DROP_NONE if they can, or need not. */
inline_always enum drop_reason sctp_refusal(const struct packet *packet,
					    const struct translation *to)
{
	if (packet->protocol != IPPROTO_SCTP || packet->later || !sctp_ports_change(packet, to))
		return DROP_NONE;
	/* The checksum of a packet in parts is not in sight. */
	if (!know_ip_summed || packet->fragment)
		return DROP_SCTP_PORT;
	if (summed_of(packet->skb) == SUMMED_PARTIAL)
		return DROP_NONE;
	__u32 length = sctp_length(packet);
	return length % 4 || length / 4 >= SCTP_WORDS_MAX ? DROP_SCTP_PORT : DROP_NONE;
}

/* After sctp_refusal, before the IP header changes. */
inline_always void sctp_translate(struct packet *packet, const struct translation *to)
{
	__be32 *words = packet->transport;
	__u32 words_count = sctp_length(packet) / 4;

	if (!sctp_ports_change(packet, to) || (void *)(words + 3) > packet->end)
		return;
	__u32 old = words[0];
	((__be16 *)words)[0] = to->source_port;
	((__be16 *)words)[1] = to->destination_port;
	if (summed_of(packet->skb) == SUMMED_PARTIAL || words_count >= SCTP_WORDS_MAX)
		return;
	words[2] ^= sctp_multiply(old ^ words[0], sctp_powers[words_count]);
}
