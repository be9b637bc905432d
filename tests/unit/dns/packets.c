/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "packets.h"

#include <ctype.h>
#include <string.h>

static void put16(struct packet *packet, unsigned value)
{
	dns_set16(packet->data + packet->size, (uint16_t)value);
	packet->size += 2;
}

void packet_query(struct packet *packet, const char *text, enum dns_type type, unsigned edns)
{
	struct dns_name name;
	struct error err;
	assert_int_equal(dns_name_parse(text, &name, &err), 0);
	packet->size = 0;
	put16(packet, 0x1234);
	put16(packet, DNS_FLAG_RECURSION_DESIRED);
	put16(packet, 1);
	put16(packet, 0);
	put16(packet, 0);
	put16(packet, edns ? 1 : 0);
	memcpy(packet->data + packet->size, name.wire, name.size);
	packet->size += name.size;
	put16(packet, type);
	put16(packet, DNS_CLASS_IN);
	if (!edns)
		return;
	packet->data[packet->size++] = 0;
	put16(packet, DNS_TYPE_OPT);
	put16(packet, edns);
	for (int i = 0; i < 3; i++)
		put16(packet, 0);
}

static int hex_digit(char character)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = strchr(digits, tolower((unsigned char)character));
	assert_true(found && *found);
	return (int)(found - digits);
}

void packet_hex(struct packet *packet, const char *hex)
{
	packet->size = 0;
	for (const char *at = hex; *at; at++) {
		if (*at == ' ')
			continue;
		if (*at == '\'') {
			for (at++; *at != '\''; at++)
				packet->data[packet->size++] = (uint8_t)*at;
			continue;
		}
		packet->data[packet->size++] = (uint8_t)(hex_digit(at[0]) << 4 | hex_digit(at[1]));
		at++;
	}
}

struct line {
	char *text;
	size_t size, used;
};

static void put(struct line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(struct line *line, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	int written =
		vsnprintf(line->text + line->used, line->size - line->used, format, arguments);
	va_end(arguments);
	assert_true(written >= 0 && (size_t)written < line->size - line->used);
	line->used += (size_t)written;
}

static void put_rdata(struct line *line, unsigned type, const uint8_t *data, size_t size,
		      size_t offset)
{
	struct dns_name name;
	char text[DNS_NAME_TEXT_MAX];
	size_t length = dns_get16(data + offset - 2);
	struct in_addr v4;
	struct ip ip;

	switch (type) {
	case DNS_TYPE_A:
		assert_int_equal(length, 4);
		memcpy(&v4, data + offset, 4);
		put(line, "A %s", ip_format(ip_from_v4(v4)).text);
		break;
	case DNS_TYPE_AAAA:
		assert_int_equal(length, 16);
		memcpy(ip.bytes, data + offset, 16);
		put(line, "AAAA %s", ip_format(ip).text);
		break;
	case DNS_TYPE_PTR:
		assert_true(dns_name_read(data, size, &offset, &name));
		dns_name_format(&name, text);
		put(line, "PTR %s", text);
		break;
	case DNS_TYPE_SOA:
		put(line, "SOA %u", dns_get16(data + offset + length - 2));
		break;
	default:
		put(line, "TYPE%u", type);
	}
}

static void put_records(struct line *line, const uint8_t *data, size_t size, size_t *offset,
			size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct dns_name owner;
		char text[DNS_NAME_TEXT_MAX];
		assert_true(dns_name_read(data, size, offset, &owner));
		dns_name_format(&owner, text);
		unsigned type = dns_get16(data + *offset);
		put(line, i ? "; " : " ");
		if (type != DNS_TYPE_SOA)
			put(line, "%s ", text);
		*offset += 10;
		put_rdata(line, type, data, size, *offset);
		*offset += dns_get16(data + *offset - 2);
	}
}

void packet_describe(const uint8_t *data, size_t size, char *text, size_t text_size)
{
	static const char *const rcodes[] = { "NOERROR",  "FORMERR", "SERVFAIL",
					      "NXDOMAIN", "NOTIMP",  "REFUSED" };
	struct line line = { .text = text, .size = text_size };
	struct dns_message message;
	enum dns_parse parsed = dns_message_parse(data, size, &message);
	assert_true(parsed == DNS_PARSE_OK || size == DNS_HEADER_SIZE);
	assert_true(message.flags & DNS_FLAG_RESPONSE);

	unsigned rcode = message.flags & DNS_MASK_RCODE;
	if (parsed == DNS_PARSE_OK && message.has_edns)
		rcode |= (unsigned)data[message.edns_offset + 4] << 4;
	if (rcode < ARRAY_SIZE(rcodes))
		put(&line, "%s", rcodes[rcode]);
	else
		put(&line, "RCODE%u", rcode);
	put(&line, "%s%s:", message.flags & DNS_FLAG_AUTHORITATIVE ? " aa" : "",
	    message.flags & DNS_FLAG_TRUNCATED ? " tc" : "");
	if (parsed != DNS_PARSE_OK)
		return;
	size_t offset = message.question_end;
	put_records(&line, data, size, &offset, dns_get16(data + 6));
	if (dns_get16(data + 8))
		put(&line, " |");
	put_records(&line, data, size, &offset, dns_get16(data + 8));
	if (message.has_edns && dns_get16(data + message.edns_offset + 8))
		put(&line, " ede %u", dns_get16(data + message.edns_offset + 14));
}
