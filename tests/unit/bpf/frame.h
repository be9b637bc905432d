/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Ethernet frames for the programs under test: made from a line of text-like
 * fields, taken apart into the same fields, their checksums computed by plain
 * addition, independent of the code that they judge.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_MAX 1600
#define TCP_SYN 0x02
#define TCP_ACK 0x10
#define TCP_FIN 0x01
#define TCP_RST 0x04

struct frame {
	_Alignas(8) uint8_t two[2]; /* the IP header then stands at a multiple of four */
	uint8_t bytes[FRAME_MAX];
	size_t size;
};

/* A packet in words. Ports in host order; ICMP: type in flags, id in from_port. */
struct packet_words {
	uint8_t protocol; /* IPPROTO_* */
	const char *from;
	uint16_t from_port;
	const char *to;
	uint16_t to_port;
	uint8_t flags; /* of TCP, the type of ICMP, or of SCTP's first chunk */
};

/** MAC of an address in these tests: 02:42 and the four bytes. */
void frame_mac(const char *address, uint8_t mac[6]);
/** Makes the frame, 16 bytes of payload, all checksums right. Source MAC by address. */
struct frame frame_make(struct packet_words words);
/** Who has `target`? asked by `sender`; operation 1 is a request. */
struct frame frame_arp(const char *sender, const char *target, uint16_t operation);
/** An ICMP error of `type` from `from` to `to` that quotes the IP packet of `quoted`. */
struct frame frame_error(const char *from, const char *to, uint8_t type,
			 const struct frame *quoted);
/** True if the IP header's and the transport's checksums are right. */
bool frame_sums_hold(const struct frame *frame);
/** "tcp 10.0.0.1:80 > 10.0.0.2:99", or "icmp A > B id N"; lent until the next call. */
const char *frame_text(const struct frame *frame);
/** The same of the packet that an ICMP error quotes. */
const char *frame_quote_text(const struct frame *frame);
