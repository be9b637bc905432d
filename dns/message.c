/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "message.h"

/*
 * Header:   id 2, flags 2, counts of question, answer, authority, additional 2 each
 * Question: name, type 2, class 2
 * Record:   name, type 2, class 2, ttl 4, length 2, data
 */
#define QUESTION_FIXED 4
#define RECORD_FIXED 10

static bool read_question(struct dns_message *message, size_t *offset)
{
	if (!dns_name_read(message->data, message->size, offset, &message->name))
		return false;
	if (message->size - *offset < QUESTION_FIXED)
		return false;
	message->type = dns_get16(message->data + *offset);
	message->class = dns_get16(message->data + *offset + 2);
	*offset += QUESTION_FIXED;
	message->question_end = *offset;
	return true;
}

static bool read_edns(struct dns_message *message, const struct dns_name *owner, size_t offset)
{
	const uint8_t *at = message->data + offset;
	if (message->has_edns || owner->size != 1)
		return false;
	message->has_edns = true;
	message->edns_offset = offset;
	message->edns_payload = dns_get16(at + 2);
	message->edns_version = at[5];
	return true;
}

enum section { SECTION_OTHER, SECTION_ADDITIONAL };

static bool read_record(struct dns_message *message, enum section section, size_t *offset)
{
	struct dns_name owner;
	if (!dns_name_read(message->data, message->size, offset, &owner))
		return false;
	if (message->size - *offset < RECORD_FIXED)
		return false;
	const uint8_t *fixed = message->data + *offset;
	size_t length = dns_get16(fixed + 8);
	if (message->size - *offset - RECORD_FIXED < length)
		return false;
	if (dns_get16(fixed) == DNS_TYPE_OPT &&
	    (section != SECTION_ADDITIONAL || !read_edns(message, &owner, *offset)))
		return false;
	*offset += RECORD_FIXED + length;
	return true;
}

static bool read_body(struct dns_message *message)
{
	const uint8_t *data = message->data;
	size_t offset = DNS_HEADER_SIZE;
	size_t others = (size_t)dns_get16(data + 6) + dns_get16(data + 8);
	size_t additionals = dns_get16(data + 10);

	if (dns_get16(data + 4) != 1 || !read_question(message, &offset))
		return false;
	/* A record has 11 bytes at least, so the counts cannot make this long. */
	for (size_t i = 0; i < others; i++)
		if (!read_record(message, SECTION_OTHER, &offset))
			return false;
	for (size_t i = 0; i < additionals; i++)
		if (!read_record(message, SECTION_ADDITIONAL, &offset))
			return false;
	return offset == message->size;
}

enum dns_parse dns_message_parse(const uint8_t *data, size_t size, struct dns_message *ret_message)
{
	if (size < DNS_HEADER_SIZE)
		return DNS_PARSE_SHORT;
	ret_message->data = data;
	ret_message->size = size;
	ret_message->id = dns_get16(data);
	ret_message->flags = dns_get16(data + 2);
	ret_message->has_edns = false;
	if (ret_message->flags & DNS_MASK_OPCODE)
		return DNS_PARSE_OPCODE;
	return read_body(ret_message) ? DNS_PARSE_OK : DNS_PARSE_BROKEN;
}

bool dns_question_equal(const struct dns_message *a, const struct dns_message *b)
{
	return a->type == b->type && a->class == b->class && dns_name_equal(&a->name, &b->name);
}

size_t dns_udp_size(const struct dns_message *query)
{
	if (!query->has_edns || query->edns_payload < DNS_UDP_SIZE_PLAIN)
		return DNS_UDP_SIZE_PLAIN;
	return query->edns_payload < DNS_UDP_SIZE_EDNS ? query->edns_payload : DNS_UDP_SIZE_EDNS;
}
