/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Writing of answers into the caller's memory: header, question, records, and
 * an OPT with an extended error. Names are compressed against those written
 * before. A record that does not fit leaves no trace but the TC flag, and room
 * for the OPT is kept back from the start.
 */
#include "message.h"

#define DNS_WRITER_NAMES_MAX 16

enum dns_section { DNS_SECTION_ANSWER, DNS_SECTION_AUTHORITY };

/* Info codes of RFC 8914. */
enum dns_cause {
	DNS_CAUSE_NONE = -1,
	DNS_CAUSE_OTHER = 0,
	DNS_CAUSE_NOT_READY = 14,
	DNS_CAUSE_PROHIBITED = 18,
	DNS_CAUSE_NO_REACHABLE_AUTHORITY = 22,
	DNS_CAUSE_NETWORK_ERROR = 23,
};

struct dns_writer {
	uint8_t *data;
	size_t size;
	size_t limit;
	bool truncated;
	size_t name_count;
	uint16_t names[DNS_WRITER_NAMES_MAX]; /* offsets of labels that later names may point to */
};

/* What an answer says beside its records. */
struct dns_verdict {
	enum dns_rcode rcode;
	enum dns_flag flags;  /* further ones: DNS_FLAG_AUTHORITATIVE */
	enum dns_cause cause; /* shown to clients that speak EDNS */
	const char *text;     /* of the cause; may be NULL */
};

/**
 * Starts the answer to a query at `data`, at most `limit` bytes (512 or more).
 * query may be a view of which only id and flags are filled: then `parsed` is
 * DNS_PARSE_OPCODE or _BROKEN and no question is written.
 */
void dns_writer_start(struct dns_writer *writer, uint8_t *data, size_t limit,
		      const struct dns_message *query, enum dns_parse parsed);
/* Records; sections in the order of the enum. False if it did not fit. */
bool dns_write_address(struct dns_writer *writer, const struct dns_name *owner, struct ip ip,
		       uint32_t ttl_s);
bool dns_write_ptr(struct dns_writer *writer, const struct dns_name *owner,
		   const struct dns_name *target, uint32_t ttl_s);
/** The SOA of a negative answer (RFC 2308): owner is its own zone, known for ttl_s. */
bool dns_write_soa(struct dns_writer *writer, const struct dns_name *owner, uint32_t ttl_s);
/** Writes the OPT if the query had one, and the final header. Returns the size of the message. */
size_t dns_writer_finish(struct dns_writer *writer, const struct dns_message *query,
			 const struct dns_verdict *verdict);
/** An answer without records. Returns its size. */
size_t dns_write_verdict(uint8_t *data, size_t limit, const struct dns_message *query,
			 enum dns_parse parsed, const struct dns_verdict *verdict);
