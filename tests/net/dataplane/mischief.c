/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mischief.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <string.h>

#include "base/cleanup.h"

/* xorshift64*: good enough to be unkind, and the same everywhere. */
uint32_t mischief_draw(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (uint32_t)((*state * 0x2545f4914f6cdd1dull) >> 32);
}

static uint32_t draw(struct mischief *mischief)
{
	return mischief_draw(&mischief->state);
}

static uint32_t draw_below(struct mischief *mischief, uint32_t end)
{
	return draw(mischief) % end;
}

/* True once in `times`. */
static int luck(struct mischief *mischief, uint32_t times)
{
	return draw_below(mischief, times) == 0;
}

static void scribble(struct mischief *mischief, uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		data[i] = (uint8_t)draw(mischief);
}

static size_t put_ethernet(struct mischief *mischief, uint8_t *frame, uint16_t type)
{
	struct ethhdr *ethernet = (void *)frame;

	memcpy(ethernet->h_dest, mischief->gateway_mac, ETH_ALEN);
	memcpy(ethernet->h_source, mischief->mac, ETH_ALEN);
	if (luck(mischief, 16))
		scribble(mischief, ethernet->h_dest, ETH_ALEN);
	if (luck(mischief, 32))
		scribble(mischief, ethernet->h_source, ETH_ALEN);
	ethernet->h_proto = htons(type);
	return sizeof *ethernet;
}

/* All but a question for somebody who is there: the answer to that is no loss to anybody. */
static size_t make_arp(struct mischief *mischief, uint8_t *frame)
{
	static const uint8_t head[] = { 0, 1, 8, 0, 6, 4, 0, 1 };
	size_t start = put_ethernet(mischief, frame, ETH_P_ARP);
	uint8_t *arp = frame + start;

	scribble(mischief, arp, 28);
	memcpy(arp, head, sizeof head);
	memcpy(arp + 8, mischief->mac, ETH_ALEN);
	memcpy(arp + 14, &mischief->address, 4);
	arp[24] = 203; /* 203.x.x.x: not in the network */
	switch (draw_below(mischief, 4)) {
	case 0: /* any operation */
		arp[7] = (uint8_t)draw(mischief);
		break;
	case 1: /* another hardware, protocol or length */
		arp[draw_below(mischief, 6)] ^= (uint8_t)(1 + draw_below(mischief, 255));
		break;
	case 2: /* in the name of another */
		memcpy(arp + 14, &mischief->targets[0], 4);
		break;
	default:
		break;
	}
	return start + 28;
}

static uint32_t any_target(struct mischief *mischief)
{
	uint32_t any = draw(mischief);

	if (luck(mischief, 8))
		return any;
	return mischief->targets[any % mischief->target_count];
}

static size_t put_transport(struct mischief *mischief, uint8_t *at, uint8_t protocol)
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
	if (protocol == IPPROTO_UDP && luck(mischief, 2))
		memcpy(at + 4, (uint8_t[]){ 0, 72 }, 2);
	if ((protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6) && luck(mischief, 2))
		at[0] = (uint8_t)(protocol == IPPROTO_ICMP ? 3 + draw_below(mischief, 10)
							   : 1 + draw_below(mischief, 4));
	if (protocol == IPPROTO_ICMP && luck(mischief, 2)) { /* quotes something like a packet */
		at[8] = 0x45;
		at[17] = luck(mischief, 2) ? IPPROTO_TCP : IPPROTO_UDP;
		memcpy(at + 20, &mischief->targets[0], 4);
		memcpy(at + 24, &mischief->address, 4);
	}
	return size + draw_below(mischief, 64);
}

static void spoil_ipv4(struct mischief *mischief, struct iphdr *ip)
{
	switch (draw_below(mischief, 6)) {
	case 0:
		ip->ihl = draw(mischief) & 15;
		break;
	case 1:
		ip->version = draw(mischief) & 15;
		break;
	case 2:
		ip->tot_len = htons((uint16_t)draw(mischief));
		break;
	case 3:
		ip->saddr = any_target(mischief);
		break;
	case 4:
		ip->protocol = (uint8_t)draw(mischief);
		break;
	default:
		ip->ttl = (uint8_t)draw_below(mischief, 3);
		break;
	}
}

static uint16_t sum_of_header(const struct iphdr *ip)
{
	const uint16_t *words = (const void *)ip;
	uint32_t sum = 0;

	for (uint32_t i = 0; i < ip->ihl * 2u; i++)
		sum += words[i];
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t) ~((sum & 0xffff) + (sum >> 16));
}

static size_t make_ipv4(struct mischief *mischief, uint8_t *frame)
{
	static const uint8_t protocols[] = { IPPROTO_TCP, IPPROTO_TCP,  IPPROTO_UDP,
					     IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_SCTP };
	size_t start = put_ethernet(mischief, frame, ETH_P_IP);
	struct iphdr *ip = (void *)(frame + start);
	uint8_t words = luck(mischief, 8) ? (uint8_t)(5 + draw_below(mischief, 11)) : 5;

	*ip = (struct iphdr){ .version = 4, .ttl = 64, .saddr = mischief->address };
	ip->ihl = words & 15;
	scribble(mischief, (uint8_t *)(ip + 1), (size_t)(words - 5) * 4);
	ip->id = htons((uint16_t)draw_below(mischief, 32));
	ip->protocol = protocols[draw_below(mischief, sizeof protocols)];
	ip->daddr = any_target(mischief);
	if (luck(mischief,
		 4)) /* a fragment: the first, a later one, the last, an overlapping one */
		ip->frag_off =
			htons((uint16_t)((draw(mischief) & 0x2000) |
					 (luck(mischief, 2) ? draw_below(mischief, 64) : 0)));
	size_t size =
		words * 4u + put_transport(mischief, (uint8_t *)ip + words * 4u, ip->protocol);
	ip->tot_len = htons((uint16_t)size);
	if (luck(mischief, 4))
		spoil_ipv4(mischief, ip);
	ip->check = sum_of_header(ip);
	if (luck(mischief, 16))
		ip->check ^= 1;
	return start + size;
}

static size_t make_ipv6(struct mischief *mischief, uint8_t *frame)
{
	static const uint8_t nexts[] = { 0, 43, 44, 60, 51, 58, 58, 58, 6, 17, 59, 132 };
	size_t start = put_ethernet(mischief, frame, ETH_P_IPV6), size = 0;
	struct ipv6hdr *ip = (void *)(frame + start);
	uint8_t *at = (uint8_t *)(ip + 1), next = nexts[draw_below(mischief, sizeof nexts)];

	scribble(mischief, (uint8_t *)ip, sizeof *ip);
	ip->version = 6;
	ip->nexthdr = next;
	if (luck(mischief, 2)) {
		ip->daddr.s6_addr[0] = 0xff; /* multicast, as discovery uses it */
		ip->daddr.s6_addr[1] = 2;
	}
	for (int i = 0; i < 8 && (next == 0 || next == 43 || next == 60 || next == 44); i++) {
		uint8_t length = next == 44 ? 0 : (uint8_t)draw_below(mischief, 3);

		scribble(mischief, at + size, (length + 1u) * 8);
		next = nexts[draw_below(mischief, sizeof nexts)];
		at[size] = next;
		at[size + 1] = luck(mischief, 16) ? 255 : length;
		size += (length + 1u) * 8;
	}
	size += put_transport(mischief, at + size, next);
	if (next == IPPROTO_ICMPV6 && luck(mischief, 2))
		at[0] = (uint8_t)(133 + draw_below(mischief, 5));
	ip->payload_len = htons((uint16_t)(luck(mischief, 8) ? draw(mischief) : size));
	return start + sizeof *ip + size;
}

static size_t make_noise(struct mischief *mischief, uint8_t *frame)
{
	static const uint16_t types[] = { ETH_P_8021Q, ETH_P_8021AD, ETH_P_IP,   ETH_P_IPV6,
					  ETH_P_ARP,   0x88cc,       ETH_P_LOOP, 4 };
	size_t start =
		put_ethernet(mischief, frame, types[draw_below(mischief, ARRAY_SIZE(types))]);
	size_t size = draw_below(mischief, 200);

	scribble(mischief, frame + start, size);
	return start + size;
}

size_t mischief_next(struct mischief *mischief, struct mischief_frame *frame)
{
	static size_t (*const makers[])(struct mischief *, uint8_t *) = {
		make_arp, make_ipv4, make_ipv4, make_ipv4, make_ipv6, make_noise,
	};
	size_t size = makers[draw_below(mischief, ARRAY_SIZE(makers))](mischief, frame->bytes);

	if (luck(mischief, 16)) /* cut short */
		size = ETH_HLEN + draw_below(mischief, (uint32_t)(size - ETH_HLEN + 1));
	return size;
}
