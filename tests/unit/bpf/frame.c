/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "frame.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/icmp.h>
#include <linux/ip.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <stdio.h>
#include <string.h>

#define PAYLOAD 16

static uint32_t sum_words(const void *data, size_t size, uint32_t sum)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < size; i++)
		sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
	return sum;
}

static uint16_t sum_end(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

static uint16_t transport_sum(const struct iphdr *ip, const void *data, size_t size)
{
	uint32_t sum = 0;

	if (ip->protocol != IPPROTO_ICMP) {
		sum = sum_words(&ip->saddr, 8, 0);
		sum += ip->protocol + (uint32_t)size;
	}
	return sum_end(sum_words(data, size, sum));
}

static uint32_t address_of(const char *text)
{
	struct in_addr in = { 0 };

	inet_pton(AF_INET, text, &in);
	return in.s_addr;
}

void frame_mac(const char *address, uint8_t mac[6])
{
	uint32_t in = address_of(address);

	mac[0] = 2;
	mac[1] = 0x42;
	memcpy(mac + 2, &in, 4);
}

static struct iphdr *start(struct frame *frame, const char *from, const char *to)
{
	struct ethhdr *ethernet = (void *)frame->bytes;
	struct iphdr *ip = (void *)(ethernet + 1);

	frame_mac(from, ethernet->h_source);
	ethernet->h_proto = htons(ETH_P_IP);
	*ip = (struct iphdr){ .version = 4, .ihl = 5, .ttl = 64, .saddr = address_of(from) };
	ip->daddr = address_of(to);
	return ip;
}

static void finish(struct frame *frame, struct iphdr *ip, size_t transport_size, uint16_t *check)
{
	ip->tot_len = htons((uint16_t)(sizeof *ip + transport_size));
	ip->check = sum_end(sum_words(ip, sizeof *ip, 0));
	*check = transport_sum(ip, ip + 1, transport_size);
	frame->size = sizeof(struct ethhdr) + sizeof *ip + transport_size;
}

/* CRC32c, bit by bit, of all but the field itself. */
static uint32_t sctp_sum(const uint8_t *packet, size_t size)
{
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < size; i++) {
		crc ^= i >= 8 && i < 12 ? 0 : packet[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
	}
	return ~crc;
}

static void finish_sctp(struct frame *frame, struct iphdr *ip, struct packet_words words)
{
	uint8_t *sctp = (void *)(ip + 1);
	uint16_t ports[2] = { htons(words.from_port), htons(words.to_port) };
	size_t size = 12 + 4 + PAYLOAD;
	uint16_t ignored;

	memset(sctp, 0x5a, size);
	memcpy(sctp, ports, sizeof ports);
	sctp[12] = words.flags;
	finish(frame, ip, size, &ignored);
	uint32_t sum = sctp_sum(sctp, size);
	memcpy(sctp + 8, &sum, sizeof sum);
}

struct frame frame_make(struct packet_words words)
{
	struct frame frame = { 0 };
	struct iphdr *ip = start(&frame, words.from, words.to);
	struct tcphdr *tcp = (void *)(ip + 1);
	struct udphdr *udp = (void *)(ip + 1);
	struct icmphdr *icmp = (void *)(ip + 1);

	ip->protocol = words.protocol;
	if (words.protocol == IPPROTO_SCTP) {
		finish_sctp(&frame, ip, words);
	} else if (words.protocol == IPPROTO_TCP) {
		*tcp = (struct tcphdr){ .source = htons(words.from_port), .doff = 5 };
		tcp->dest = htons(words.to_port);
		((uint8_t *)tcp)[13] = words.flags;
		memset(tcp + 1, 0x5a, PAYLOAD);
		finish(&frame, ip, sizeof *tcp + PAYLOAD, &tcp->check);
	} else if (words.protocol == IPPROTO_ICMP) {
		*icmp = (struct icmphdr){ .type = words.flags };
		icmp->un.echo.id = htons(words.from_port);
		memset(icmp + 1, 0x5a, PAYLOAD);
		finish(&frame, ip, sizeof *icmp + PAYLOAD, &icmp->checksum);
	} else {
		*udp = (struct udphdr){ .source = htons(words.from_port) };
		udp->dest = htons(words.to_port);
		udp->len = htons(sizeof *udp + PAYLOAD);
		memset(udp + 1, 0x5a, PAYLOAD);
		finish(&frame, ip, sizeof *udp + PAYLOAD, &udp->check);
	}
	return frame;
}

struct frame frame_error(const char *from, const char *to, uint8_t type, const struct frame *quoted)
{
	struct frame frame = { 0 };
	struct iphdr *ip = start(&frame, from, to);
	struct icmphdr *icmp = (void *)(ip + 1);
	size_t quoted_size = quoted->size - sizeof(struct ethhdr);

	ip->protocol = IPPROTO_ICMP;
	*icmp = (struct icmphdr){ .type = type, .code = 3 };
	memcpy(icmp + 1, quoted->bytes + sizeof(struct ethhdr), quoted_size);
	finish(&frame, ip, sizeof *icmp + quoted_size, &icmp->checksum);
	return frame;
}

struct frame frame_arp(const char *sender, const char *target, uint16_t operation)
{
	struct frame frame = { .size = 42 };
	struct ethhdr *ethernet = (void *)frame.bytes;
	uint8_t *arp = frame.bytes + sizeof *ethernet;
	uint32_t sender_address = address_of(sender), target_address = address_of(target);

	memset(ethernet->h_dest, 0xff, ETH_ALEN);
	frame_mac(sender, ethernet->h_source);
	ethernet->h_proto = htons(ETH_P_ARP);
	memcpy(arp, (uint8_t[]){ 0, 1, 8, 0, 6, 4, 0, (uint8_t)operation }, 8);
	memcpy(arp + 8, ethernet->h_source, ETH_ALEN);
	memcpy(arp + 14, &sender_address, 4);
	memcpy(arp + 24, &target_address, 4);
	return frame;
}

bool frame_sums_hold(const struct frame *frame)
{
	const struct iphdr *ip = (const void *)(frame->bytes + sizeof(struct ethhdr));
	size_t size = ntohs(ip->tot_len) - sizeof *ip;

	if (sum_end(sum_words(ip, sizeof *ip, 0)) != 0)
		return false;
	if (ip->protocol == IPPROTO_SCTP)
		return memcmp((const uint8_t *)(ip + 1) + 8,
			      &(uint32_t){ sctp_sum((const void *)(ip + 1), size) }, 4) == 0;
	return transport_sum(ip, ip + 1, size) == 0;
}

static const char *ip_text(const struct iphdr *ip)
{
	static _Thread_local char text[128];
	const uint16_t *ports = (const void *)(ip + 1);
	char from[INET_ADDRSTRLEN], to[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &ip->saddr, from, sizeof from);
	inet_ntop(AF_INET, &ip->daddr, to, sizeof to);
	if (ip->protocol == IPPROTO_ICMP)
		snprintf(text, sizeof text, "icmp %s > %s id %u", from, to, ntohs(ports[2]));
	else
		snprintf(text, sizeof text, "%s %s:%u > %s:%u",
			 ip->protocol == IPPROTO_TCP    ? "tcp"
			 : ip->protocol == IPPROTO_SCTP ? "sctp"
							: "udp",
			 from, ntohs(ports[0]), to, ntohs(ports[1]));
	return text;
}

const char *frame_text(const struct frame *frame)
{
	return ip_text((const void *)(frame->bytes + sizeof(struct ethhdr)));
}

const char *frame_quote_text(const struct frame *frame)
{
	return ip_text((const void *)(frame->bytes + sizeof(struct ethhdr) + sizeof(struct iphdr) +
				      sizeof(struct icmphdr)));
}
