/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
#pragma once
/*
 * ARP is answered, not flooded: the request becomes its own reply in place and
 * goes back where it came from.
 */
#include "lib/packet.h"

struct arp {
	__be16 hardware, protocol;
	__u8 hardware_length, protocol_length;
	__be16 operation;
	__u8 sender_mac[ETH_ALEN];
	__be16 sender[2]; /* addresses stand at odd multiples of two */
	__u8 target_mac[ETH_ALEN];
	__be16 target[2];
} __attribute__((packed));
_Static_assert(sizeof(struct arp) == 28, "arp");

#define ARP_ETHERNET 1
#define ARP_REQUEST 1
#define ARP_REPLY 2
#define ARP_FRAME (ETH_HLEN + sizeof(struct arp))

inline_always __be32 arp_address(const __be16 halves[2])
{
	__be32 address;

	__builtin_memcpy(&address, halves, sizeof address);
	return address;
}

/* The ARP part of an opened packet, NULL if it is not IPv4 over Ethernet. */
inline_always struct arp *arp_parse(struct packet *packet)
{
	if (!packet_open(packet, ARP_FRAME))
		return NULL;
	struct arp *arp = (void *)packet->ip;
	if (arp->hardware != bpf_htons(ARP_ETHERNET) || arp->protocol != bpf_htons(ETH_P_IP) ||
	    arp->hardware_length != ETH_ALEN || arp->protocol_length != sizeof(__be32))
		return NULL;
	return arp;
}

/* Turns the request into the answer that `mac` has the target address. */
inline_always void arp_answer(struct packet *packet, struct arp *arp, const __u8 *mac)
{
	__be16 asked[2] = { arp->target[0], arp->target[1] };

	arp->operation = bpf_htons(ARP_REPLY);
	mac_copy(arp->target_mac, arp->sender_mac);
	arp->target[0] = arp->sender[0];
	arp->target[1] = arp->sender[1];
	mac_copy(arp->sender_mac, mac);
	arp->sender[0] = asked[0];
	arp->sender[1] = asked[1];
	mac_copy(packet->ethernet->h_dest, arp->target_mac);
	mac_copy(packet->ethernet->h_source, mac);
}
