/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Reading of DNS messages (RFC 1035 section 4, EDNS of RFC 6891) on the
 * caller's memory: no allocation, no I/O. One function turns hostile bytes into
 * a checked view; all that comes later may trust the view.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "name.h"

#define DNS_HEADER_SIZE 12
#define DNS_PORT 53
#define DNS_MESSAGE_SIZE_MAX 65535
#define DNS_UDP_SIZE_PLAIN 512 /* bytes of an answer to a client without EDNS */
/* Bytes that need no fragments on any path (DNS flag day 2020); also what we announce. */
#define DNS_UDP_SIZE_EDNS 1232
#define DNS_QUERY_SIZE_MAX 4096 /* bytes; a query is a name and a few options */

enum dns_flag {
	DNS_FLAG_RESPONSE = 0x8000,
	DNS_FLAG_AUTHORITATIVE = 0x0400,
	DNS_FLAG_TRUNCATED = 0x0200,
	DNS_FLAG_RECURSION_DESIRED = 0x0100,
	DNS_FLAG_RECURSION_AVAILABLE = 0x0080,
	DNS_FLAG_CHECKING_DISABLED = 0x0010,
	DNS_MASK_OPCODE = 0x7800,
	DNS_MASK_RCODE = 0x000f,
};
enum dns_type {
	DNS_TYPE_A = 1,
	DNS_TYPE_SOA = 6,
	DNS_TYPE_PTR = 12,
	DNS_TYPE_AAAA = 28,
	DNS_TYPE_OPT = 41,
	DNS_TYPE_IXFR = 251,
	DNS_TYPE_AXFR = 252,
	DNS_TYPE_ANY = 255,
};
enum { DNS_CLASS_IN = 1 };
enum dns_rcode {
	DNS_RCODE_OK = 0,
	DNS_RCODE_FORMAT = 1,
	DNS_RCODE_SERVER_FAILURE = 2,
	DNS_RCODE_NO_NAME = 3,
	DNS_RCODE_NOT_IMPLEMENTED = 4,
	DNS_RCODE_REFUSED = 5,
	DNS_RCODE_BAD_VERSION = 16, /* four bits in the header, the rest in OPT */
};

/* A checked message. Borrows its bytes; host byte order. */
struct dns_message {
	const uint8_t *data;
	size_t size;
	uint16_t id;
	uint16_t flags;       /* enum dns_flag */
	struct dns_name name; /* of the one question */
	uint16_t type, class;
	size_t question_end; /* offset behind the question */
	bool has_edns;
	size_t edns_offset; /* of the OPT record's type field */
	uint16_t edns_payload;
	uint8_t edns_version;
};

enum dns_parse {
	DNS_PARSE_OK,     /* all fields hold */
	DNS_PARSE_OPCODE, /* not a QUERY: only id and flags are filled */
	DNS_PARSE_BROKEN, /* only id and flags are filled */
	DNS_PARSE_SHORT,  /* no header: nothing is filled */
};
/**
 * Gate: checks a whole query or response of opcode QUERY: exactly one question,
 * every record's owner and length inside the message, at most one OPT, owned by
 * the root and in the additional section, no bytes behind the last record.
 * Record data is not looked at.
 */
enum dns_parse dns_message_parse(const uint8_t *data, size_t size, struct dns_message *ret_message);

/** Same name, type and class of the question. */
bool dns_question_equal(const struct dns_message *a, const struct dns_message *b);
/** Bytes that an answer by UDP to this query may have. */
size_t dns_udp_size(const struct dns_message *query);

static inline uint16_t dns_get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}
static inline void dns_set16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}
static inline void dns_set32(uint8_t *at, uint32_t value)
{
	dns_set16(at, (uint16_t)(value >> 16));
	dns_set16(at + 2, (uint16_t)value);
}
