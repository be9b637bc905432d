/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mischief6.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/ipv6.h>
#include <string.h>

#include "base/cleanup.h"
#include "mischief.h"

#define HOP_BY_HOP 0
#define ROUTING 43
#define FRAGMENT 44
#define AUTHENTICATION 51
#define DESTINATION 60

static uint32_t draw(struct mischief6 *mischief)
{
	return mischief_draw(&mischief->state);
}

static uint32_t draw_below(struct mischief6 *mischief, uint32_t end)
{
	return draw(mischief) % end;
}

/* True once in `times`. */
static int luck(struct mischief6 *mischief, uint32_t times)
{
	return draw_below(mischief, times) == 0;
}

static void scribble(struct mischief6 *mischief, void *data, size_t size)
{
	uint8_t *bytes = data;
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)draw(mischief);
}

static struct in6_addr any_target(struct mischief6 *mischief)
{
	struct in6_addr any;
	if (!luck(mischief, 8))
		return mischief->targets[draw_below(mischief, (uint32_t)mischief->target_count)];
	scribble(mischief, &any, sizeof any);
	return any;
}

/* An address of the own network that nobody has. */
static struct in6_addr nobody(struct mischief6 *mischief)
{
	struct in6_addr address = mischief->address;
	scribble(mischief, address.s6_addr + 8, 8);
	address.s6_addr[8] |= 1;
	return address;
}

/* fe80:: and the own MAC */
static struct in6_addr link_local(const struct mischief6 *mischief)
{
	const uint8_t *m = mischief->mac;
	return (struct in6_addr){ { { 0xfe, 0x80, 0, 0, 0, 0, 0, 0, (uint8_t)(m[0] ^ 2), m[1], m[2],
				      0xff, 0xfe, m[3], m[4], m[5] } } };
}

/* Ethernet and IPv6 of a packet from the own address to a target. */
static struct ipv6hdr *put_head(struct mischief6 *mischief, uint8_t *frame, uint8_t next)
{
	struct ethhdr *ethernet = (void *)frame;
	struct ipv6hdr *ip = (void *)(ethernet + 1);
	memcpy(ethernet->h_dest, mischief->gateway_mac, ETH_ALEN);
	memcpy(ethernet->h_source, mischief->mac, ETH_ALEN);
	ethernet->h_proto = htons(ETH_P_IPV6);
	*ip = (struct ipv6hdr){ .version = 6, .nexthdr = next, .hop_limit = 64 };
	ip->saddr = mischief->address;
	ip->daddr = any_target(mischief);
	return ip;
}

static size_t finish(struct ipv6hdr *ip, size_t payload)
{
	ip->payload_len = htons((uint16_t)payload);
	return ETH_HLEN + sizeof *ip + payload;
}

/* Something like TCP, UDP, SCTP or ICMPv6; returns its size. */
static size_t put_transport(struct mischief6 *mischief, uint8_t *at, uint8_t protocol)
{
	static const uint16_t ports[] = { 80, 81, 53, 8080, 1, 5353 };
	size_t size = protocol == IPPROTO_TCP ? 20 : 8;
	uint16_t port = htons(luck(mischief, 2) ? ports[draw_below(mischief, ARRAY_SIZE(ports))]
						: (uint16_t)draw(mischief));
	scribble(mischief, at, size + 64);
	memcpy(at + 2, &port, sizeof port);
	if (protocol == IPPROTO_TCP && luck(mischief, 2)) {
		at[12] = 5 << 4;
		at[13] = 2; /* SYN */
	}
	if (protocol == IPPROTO_SCTP && luck(mischief, 2))
		at[12] = 1; /* INIT */
	if (protocol == IPPROTO_ICMPV6)
		at[0] = luck(mischief, 2) ? 128 : (uint8_t)(1 + draw_below(mischief, 4));
	if (protocol == IPPROTO_ICMPV6 && luck(mischief, 2)) { /* quotes something like a packet */
		at[8] = 0x60;
		at[14] = luck(mischief, 2) ? IPPROTO_TCP : IPPROTO_UDP;
		memcpy(at + 16, &mischief->targets[0], 16);
		memcpy(at + 32, &mischief->address, 16);
	}
	return size + draw_below(mischief, 64);
}

static uint8_t any_transport(struct mischief6 *mischief)
{
	static const uint8_t protocols[] = { IPPROTO_TCP,  IPPROTO_TCP,    IPPROTO_UDP, IPPROTO_UDP,
					     IPPROTO_SCTP, IPPROTO_ICMPV6, 59,          99 };
	return protocols[draw_below(mischief, ARRAY_SIZE(protocols))];
}

static size_t make_transport(struct mischief6 *mischief, uint8_t *frame)
{
	uint8_t protocol = any_transport(mischief);
	struct ipv6hdr *ip = put_head(mischief, frame, protocol);
	size_t size = finish(ip, put_transport(mischief, (uint8_t *)(ip + 1), protocol));
	switch (draw_below(mischief, 12)) {
	case 0:
		ip->saddr = any_target(mischief);
		break;
	case 1:
		scribble(mischief, &ip->saddr, sizeof ip->saddr);
		break;
	case 2:
		scribble(mischief, ((struct ethhdr *)frame)->h_source, ETH_ALEN);
		break;
	case 3:
		ip->payload_len = htons((uint16_t)draw(mischief));
		break;
	case 4:
		ip->version = draw(mischief) & 15;
		break;
	case 5:
		ip->hop_limit = (uint8_t)draw_below(mischief, 3);
		break;
	default:
		break;
	}
	return size;
}

/* Options of discovery, some of them without a length or with one that goes beyond the end. */
static size_t put_options(struct mischief6 *mischief, uint8_t *at)
{
	size_t size = 0;
	for (uint32_t i = draw_below(mischief, 5); i > 0; i--) {
		scribble(mischief, at + size, 32);
		at[size] = (uint8_t)(1 + draw_below(mischief, 5));
		at[size + 1] = (uint8_t)(luck(mischief, 4) ? draw(mischief) : 1);
		size += 8 * (1 + draw_below(mischief, 4));
	}
	return size;
}

/* Any message of the link, but for a question for somebody who is there. */
static size_t make_discovery(struct mischief6 *mischief, uint8_t *frame)
{
	static const uint8_t types[] = {
		135, 135, 136, 136, 133, 134, 134, 137, 130, 131, 132, 143
	};
	struct ipv6hdr *ip = put_head(mischief, frame, IPPROTO_ICMPV6);
	uint8_t *at = (uint8_t *)(ip + 1);
	struct in6_addr target = nobody(mischief);
	scribble(mischief, at, 24);
	at[0] = types[draw_below(mischief, ARRAY_SIZE(types))];
	at[1] = luck(mischief, 8) ? (uint8_t)draw(mischief) : 0;
	if (at[0] != 135 && luck(mischief, 2))
		target = any_target(mischief); /* "that is me" */
	memcpy(at + 8, &target, sizeof target);
	ip->hop_limit = luck(mischief, 8) ? 64 : 255;
	if (luck(mischief, 4))
		ip->saddr = link_local(mischief);
	else if (luck(mischief, 4))
		memset(&ip->saddr, 0, sizeof ip->saddr);
	else if (luck(mischief, 4))
		ip->saddr = any_target(mischief);
	if (luck(mischief, 2)) {
		memset(&ip->daddr, 0, sizeof ip->daddr);
		ip->daddr.s6_addr[0] = 0xff;
		ip->daddr.s6_addr[1] = 2;
		ip->daddr.s6_addr[15] = (uint8_t)(1 + draw_below(mischief, 2));
	}
	return finish(ip, 24 + put_options(mischief, at + 24));
}

/* A question for somebody who is there: it is answered, and no loss to anybody. */
static size_t make_question(struct mischief6 *mischief, uint8_t *frame)
{
	struct ipv6hdr *ip = put_head(mischief, frame, IPPROTO_ICMPV6);
	uint8_t *at = (uint8_t *)(ip + 1);
	memset(at, 0, 32);
	at[0] = 135;
	memcpy(at + 8, &mischief->targets[0], 16);
	at[24] = 1; /* the sender's own MAC */
	at[25] = 1;
	memcpy(at + 26, mischief->mac, ETH_ALEN);
	ip->hop_limit = 255;
	ip->daddr = mischief->targets[0];
	mischief->questions++;
	return finish(ip, 32);
}

/* The first part of a packet, a later one, the last, one that overlaps, one within another. */
static size_t make_fragment(struct mischief6 *mischief, uint8_t *frame)
{
	uint8_t protocol = any_transport(mischief);
	struct ipv6hdr *ip = put_head(mischief, frame, FRAGMENT);
	uint8_t *at = (uint8_t *)(ip + 1);
	size_t size = 0;
	uint32_t depth = luck(mischief, 8) ? 2 + draw_below(mischief, 7) : 1;
	for (uint32_t i = 0; i < depth; i++) {
		uint16_t offset =
			htons((uint16_t)((luck(mischief, 2) ? draw_below(mischief, 64) << 3 : 0) |
					 luck(mischief, 2)));
		uint32_t id = draw_below(mischief, 32);
		at[size] = i + 1 < depth ? FRAGMENT : protocol;
		at[size + 1] = 0;
		memcpy(at + size + 2, &offset, 2);
		memcpy(at + size + 4, &id, 4);
		size += 8;
	}
	if (luck(mischief, 4)) /* a part of a few bytes */
		return finish(ip, size + draw_below(mischief, 9));
	return finish(ip, size + put_transport(mischief, at + size, protocol));
}

/* Headers in any order, too many, too long, with segments left, that end beyond the end. */
static size_t make_chain(struct mischief6 *mischief, uint8_t *frame)
{
	static const uint8_t kinds[] = { HOP_BY_HOP,  ROUTING,     FRAGMENT,
					 DESTINATION, DESTINATION, AUTHENTICATION };
	uint8_t protocol = any_transport(mischief);
	uint8_t next = kinds[draw_below(mischief, ARRAY_SIZE(kinds))];
	struct ipv6hdr *ip = put_head(mischief, frame, next);
	uint8_t *at = (uint8_t *)(ip + 1);
	size_t size = 0;
	for (uint32_t left = draw_below(mischief, 12); next != protocol; left--) {
		uint8_t units = next == FRAGMENT ? 0 : (uint8_t)draw_below(mischief, 3);
		scribble(mischief, at + size, (units + 1u) * 8);
		next = left > 12 || left == 0 ? protocol
					      : kinds[draw_below(mischief, ARRAY_SIZE(kinds))];
		at[size] = next;
		at[size + 1] = luck(mischief, 8) ? (uint8_t)draw(mischief) : units;
		if (luck(mischief, 2))
			at[size + 3] = 0; /* no segments left */
		size += (units + 1u) * 8;
	}
	size = finish(ip, size + put_transport(mischief, at + size, protocol));
	if (luck(mischief, 8))
		ip->payload_len = htons((uint16_t)draw(mischief));
	return size;
}

size_t mischief6_next(struct mischief6 *mischief, struct mischief_frame *frame)
{
	static size_t (*const makers[])(struct mischief6 *, uint8_t *) = {
		make_transport, make_transport, make_discovery, make_discovery,
		make_fragment,  make_fragment,  make_chain,
	};
	if (luck(mischief, 16))
		return make_question(mischief, frame->bytes);
	size_t size = makers[draw_below(mischief, ARRAY_SIZE(makers))](mischief, frame->bytes);
	if (luck(mischief, 16)) /* cut short */
		size = ETH_HLEN + draw_below(mischief, (uint32_t)(size - ETH_HLEN + 1));
	return size;
}
