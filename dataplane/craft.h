/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Frames that are never sent: what a simulation is asked about, made from words. */
#include "base/ip.h"
#include "simulate.h"

#define CRAFT_TCP_SYN 0x02
#define CRAFT_TCP_ACK 0x10

struct craft_spec {
	struct mac source_mac, destination_mac;
	struct ip source, destination; /* of one family */
	uint16_t source_port, destination_port;
	uint8_t protocol;  /* IPPROTO_TCP, _UDP, _SCTP or _ICMP (ICMPV6 for IPv6 is meant too) */
	uint8_t tcp_flags; /* CRAFT_TCP_* */
	bool reply;        /* ICMP: the echo's answer */
};
/** Makes the frame with right checksums. -EINVAL: families differ, or the protocol is unknown. */
int craft_frame(const struct craft_spec *spec, struct frame *ret_frame, struct error *err);

/* The addresses of a frame, for those who look at what came out. */
struct craft_view {
	struct ip source, destination;
	uint16_t source_port,
		destination_port; /* 0 where the protocol has none; ICMP echo: the id */
	uint8_t protocol;
	uint16_t ethertype;
};
/** Gate: reads at most what the frame has; what is not there stays zero. */
struct craft_view craft_look(const uint8_t *bytes, size_t size);
