/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "craft.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <string.h>

#define PAYLOAD 16
#define IPV4_HEADER 20
#define IPV6_HEADER 40
#define TCP_HEADER 20
#define TTL 64
#define ICMP_ECHO_TYPE 8
#define ICMPV6_ECHO_TYPE 128
#define ICMPV6_ECHO_REPLY_TYPE 129

/* Bytes are appended one field after the other; a frame has room for all that is made here. */
static void put(struct frame *frame, const void *bytes, size_t size)
{
	memcpy(frame->bytes + frame->size, bytes, size);
	frame->size += (uint32_t)size;
}

static void put8(struct frame *frame, uint8_t number)
{
	put(frame, &number, sizeof number);
}

static void put16(struct frame *frame, uint16_t number)
{
	uint16_t wire = htons(number);
	put(frame, &wire, sizeof wire);
}

static void put32(struct frame *frame, uint32_t number)
{
	uint32_t wire = htonl(number);
	put(frame, &wire, sizeof wire);
}

static void put_zeros(struct frame *frame, size_t size)
{
	memset(frame->bytes + frame->size, 0, size);
	frame->size += (uint32_t)size;
}

static uint32_t sum_add(uint32_t sum, const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		sum += i & 1 ? bytes[i] : (uint32_t)bytes[i] << 8;
	return sum;
}

static uint16_t sum_end(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void set16(struct frame *frame, size_t offset, uint16_t number)
{
	frame->bytes[offset] = (uint8_t)(number >> 8);
	frame->bytes[offset + 1] = (uint8_t)number;
}

static size_t transport_size(uint8_t protocol)
{
	return (protocol == IPPROTO_TCP ? TCP_HEADER : protocol == IPPROTO_SCTP ? 12 : 8) + PAYLOAD;
}

static uint8_t wire_protocol(const struct craft_spec *spec)
{
	bool icmp = spec->protocol == IPPROTO_ICMP || spec->protocol == IPPROTO_ICMPV6;
	if (!icmp)
		return spec->protocol;
	return ip_is_v4(spec->source) ? IPPROTO_ICMP : IPPROTO_ICMPV6;
}

static void put_ip(struct frame *frame, const struct craft_spec *spec)
{
	size_t start = frame->size, size = transport_size(spec->protocol);
	if (!ip_is_v4(spec->source)) {
		put32(frame, 0x60000000);
		put16(frame, (uint16_t)size);
		put8(frame, wire_protocol(spec));
		put8(frame, TTL);
		put(frame, spec->source.bytes, 16);
		put(frame, spec->destination.bytes, 16);
		return;
	}
	put16(frame, 0x4500);
	put16(frame, (uint16_t)(IPV4_HEADER + size));
	put32(frame, 0x00004000); /* may not be cut */
	put8(frame, TTL);
	put8(frame, wire_protocol(spec));
	put16(frame, 0);
	put(frame, spec->source.bytes + 12, 4);
	put(frame, spec->destination.bytes + 12, 4);
	set16(frame, start + 10, sum_end(sum_add(0, frame->bytes + start, IPV4_HEADER)));
}

/* Appends the header without its checksum, and tells where that stands; 0: nowhere. */
static size_t put_transport(struct frame *frame, const struct craft_spec *spec)
{
	size_t start = frame->size;
	bool v4 = ip_is_v4(spec->source);
	if (spec->protocol == IPPROTO_ICMP || spec->protocol == IPPROTO_ICMPV6) {
		put8(frame, v4 ? (spec->reply ? 0 : ICMP_ECHO_TYPE)
			       : (spec->reply ? ICMPV6_ECHO_REPLY_TYPE : ICMPV6_ECHO_TYPE));
		put_zeros(frame, 3);
		put16(frame, spec->source_port);
		put16(frame, 1);
		return start + 2;
	}
	put16(frame, spec->source_port);
	put16(frame, spec->destination_port);
	if (spec->protocol == IPPROTO_UDP) {
		put16(frame, (uint16_t)transport_size(IPPROTO_UDP));
		put16(frame, 0);
		return start + 6;
	}
	if (spec->protocol == IPPROTO_SCTP) {
		put_zeros(frame, 8);
		return 0;
	}
	put32(frame, 1);
	put32(frame, spec->tcp_flags & CRAFT_TCP_ACK ? 1 : 0);
	put16(frame, (uint16_t)(5 << 12 | spec->tcp_flags));
	put16(frame, UINT16_MAX);
	put32(frame, 0);
	return start + 16;
}

static void put_sum(struct frame *frame, const struct craft_spec *spec, size_t start, size_t at)
{
	size_t size = frame->size - start;
	uint32_t sum = 0;
	if (at == 0)
		return;
	if (wire_protocol(spec) != IPPROTO_ICMP) {
		bool v4 = ip_is_v4(spec->source);
		sum = sum_add(sum, spec->source.bytes + (v4 ? 12 : 0), v4 ? 4 : 16);
		sum = sum_add(sum, spec->destination.bytes + (v4 ? 12 : 0), v4 ? 4 : 16);
		sum += (uint32_t)size + wire_protocol(spec);
	}
	set16(frame, at, sum_end(sum_add(sum, frame->bytes + start, size)));
}

int craft_frame(const struct craft_spec *spec, struct frame *ret_frame, struct error *err)
{
	struct frame frame = { .size = 0 };
	bool v4 = ip_is_v4(spec->source);
	if (v4 != ip_is_v4(spec->destination))
		return error_set(err, EINVAL, "%s and %s are of different families",
				 ip_format(spec->source).text, ip_format(spec->destination).text);
	if (spec->protocol != IPPROTO_TCP && spec->protocol != IPPROTO_UDP &&
	    spec->protocol != IPPROTO_SCTP && spec->protocol != IPPROTO_ICMP &&
	    spec->protocol != IPPROTO_ICMPV6)
		return error_set(err, EINVAL,
				 "protocol %u: packets are made for tcp, udp, sctp "
				 "and icmp",
				 spec->protocol);
	put(&frame, spec->destination_mac.bytes, MAC_SIZE);
	put(&frame, spec->source_mac.bytes, MAC_SIZE);
	put16(&frame, v4 ? ETH_P_IP : ETH_P_IPV6);
	put_ip(&frame, spec);
	size_t start = frame.size;
	size_t at = put_transport(&frame, spec);
	put_zeros(&frame, PAYLOAD);
	put_sum(&frame, spec, start, at);
	*ret_frame = frame;
	return 0;
}

static struct ip ip_at(const uint8_t *bytes, bool v4)
{
	struct ip ip = { .bytes = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff } };
	memcpy(ip.bytes + (v4 ? 12 : 0), bytes, v4 ? 4 : 16);
	return ip;
}

static uint16_t get16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static void look_transport(const uint8_t *bytes, size_t size, struct craft_view *view)
{
	if (size < 8)
		return;
	if (view->protocol == IPPROTO_TCP || view->protocol == IPPROTO_UDP ||
	    view->protocol == IPPROTO_SCTP) {
		view->source_port = get16(bytes);
		view->destination_port = get16(bytes + 2);
	} else if (view->protocol == IPPROTO_ICMP || view->protocol == IPPROTO_ICMPV6) {
		view->source_port = view->destination_port = get16(bytes + 4);
	}
}

struct craft_view craft_look(const uint8_t *bytes, size_t size)
{
	struct craft_view view = { 0 };
	if (size < ETH_HLEN)
		return view;
	view.ethertype = get16(bytes + 12);
	const uint8_t *ip = bytes + ETH_HLEN;
	size_t left = size - ETH_HLEN;
	if (view.ethertype == ETH_P_IP && left >= IPV4_HEADER && ip[0] >> 4 == 4) {
		size_t header = (size_t)(ip[0] & 15) * 4;
		view.protocol = ip[9];
		view.source = ip_at(ip + 12, true);
		view.destination = ip_at(ip + 16, true);
		if (header >= IPV4_HEADER && header <= left && !(get16(ip + 6) & 0x1fff))
			look_transport(ip + header, left - header, &view);
	} else if (view.ethertype == ETH_P_IPV6 && left >= IPV6_HEADER && ip[0] >> 4 == 6) {
		view.protocol = ip[6];
		view.source = ip_at(ip + 8, false);
		view.destination = ip_at(ip + 24, false);
		look_transport(ip + IPV6_HEADER, left - IPV6_HEADER, &view);
	}
	return view;
}
