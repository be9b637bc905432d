/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "writer.h"

#include <assert.h>
#include <string.h>

#define POINTER_MARK 0xc000
#define POINTER_MAX 0x3fff
#define OPT_SIZE 11  /* root, type, payload, ttl, length */
#define CAUSE_SIZE 6 /* option code, length, info code */
#define CAUSE_TEXT_MAX 80
#define OPTION_EXTENDED_ERROR 15
#define COUNT_OFFSET(section) (6 + 2 * (section)) /* answer 6, authority 8, additional 10 */
#define COUNT_ADDITIONAL 10

static bool append(struct dns_writer *writer, const void *data, size_t size)
{
	if (writer->limit - writer->size < size)
		return false;
	memcpy(writer->data + writer->size, data, size);
	writer->size += size;
	return true;
}

static bool append16(struct dns_writer *writer, uint16_t value)
{
	uint8_t bytes[2];
	dns_set16(bytes, value);
	return append(writer, bytes, sizeof bytes);
}

static bool append32(struct dns_writer *writer, uint32_t value)
{
	uint8_t bytes[4];
	dns_set32(bytes, value);
	return append(writer, bytes, sizeof bytes);
}

/* True if the name written at `offset` is `rest`, byte by byte: a client's spelling is kept. */
static bool is_written_at(const struct dns_writer *writer, size_t offset, const uint8_t *rest,
			  size_t size)
{
	struct dns_name written;
	return dns_name_read(writer->data, writer->size, &offset, &written) &&
	       written.size == size && memcmp(written.wire, rest, size) == 0;
}

static bool find_written(const struct dns_writer *writer, const uint8_t *rest, size_t size,
			 uint16_t *ret_offset)
{
	for (size_t i = 0; i < writer->name_count; i++) {
		if (!is_written_at(writer, writer->names[i], rest, size))
			continue;
		*ret_offset = writer->names[i];
		return true;
	}
	return false;
}

static void remember(struct dns_writer *writer, size_t offset)
{
	if (writer->name_count < DNS_WRITER_NAMES_MAX && offset <= POINTER_MAX)
		writer->names[writer->name_count++] = (uint16_t)offset;
}

static bool append_name(struct dns_writer *writer, const struct dns_name *name)
{
	size_t known = writer->name_count, first = writer->size;
	size_t at = 0;
	for (; name->wire[at]; at += 1u + name->wire[at]) {
		uint16_t offset;
		if (find_written(writer, name->wire + at, name->size - at, &offset))
			return append16(writer, (uint16_t)(POINTER_MARK | offset));
		if (!append(writer, name->wire + at, 1u + name->wire[at])) {
			writer->name_count = known;
			return false;
		}
	}
	if (!append(writer, "", 1)) {
		writer->name_count = known;
		return false;
	}
	/* Only a name that stands whole may be pointed to. */
	for (at = 0; name->wire[at]; at += 1u + name->wire[at])
		remember(writer, first + at);
	return true;
}

/* A record while it is written: where it began, and where its length goes. */
struct record {
	size_t start, names, length_offset;
};

static bool record_start(struct dns_writer *writer, const struct dns_name *owner,
			 enum dns_type type, uint32_t ttl_s, struct record *ret)
{
	*ret = (struct record){ .start = writer->size, .names = writer->name_count };
	bool fits = append_name(writer, owner) && append16(writer, (uint16_t)type) &&
		    append16(writer, DNS_CLASS_IN) && append32(writer, ttl_s);
	ret->length_offset = writer->size;
	return fits && append16(writer, 0);
}

static bool record_end(struct dns_writer *writer, enum dns_section section, bool fits,
		       const struct record *record)
{
	if (!fits) {
		writer->size = record->start;
		writer->name_count = record->names;
		writer->truncated = true;
		return false;
	}
	dns_set16(writer->data + record->length_offset,
		  (uint16_t)(writer->size - record->length_offset - 2));
	uint8_t *count = writer->data + COUNT_OFFSET(section);
	dns_set16(count, (uint16_t)(dns_get16(count) + 1));
	return true;
}

void dns_writer_start(struct dns_writer *writer, uint8_t *data, size_t limit,
		      const struct dns_message *query, enum dns_parse parsed)
{
	assert(limit >= DNS_UDP_SIZE_PLAIN);
	*writer = (struct dns_writer){ .data = data, .size = DNS_HEADER_SIZE, .limit = limit };
	memset(data, 0, DNS_HEADER_SIZE);
	dns_set16(data, query->id);
	if (parsed != DNS_PARSE_OK)
		return;
	/* A question has at most 259 bytes: it always fits. */
	dns_set16(data + 4, 1);
	append_name(writer, &query->name);
	append16(writer, query->type);
	append16(writer, query->class);
	if (query->has_edns)
		writer->limit -= OPT_SIZE + CAUSE_SIZE + CAUSE_TEXT_MAX;
}

bool dns_write_address(struct dns_writer *writer, const struct dns_name *owner, struct ip ip,
		       uint32_t ttl_s)
{
	struct record record;
	bool v4 = ip_is_v4(ip);
	struct in_addr address = ip_to_v4(ip);
	bool fits = record_start(writer, owner, v4 ? DNS_TYPE_A : DNS_TYPE_AAAA, ttl_s, &record) &&
		    (v4 ? append(writer, &address, sizeof address)
			: append(writer, ip.bytes, sizeof ip.bytes));
	return record_end(writer, DNS_SECTION_ANSWER, fits, &record);
}

bool dns_write_ptr(struct dns_writer *writer, const struct dns_name *owner,
		   const struct dns_name *target, uint32_t ttl_s)
{
	struct record record;
	bool fits = record_start(writer, owner, DNS_TYPE_PTR, ttl_s, &record) &&
		    append_name(writer, target);
	return record_end(writer, DNS_SECTION_ANSWER, fits, &record);
}

bool dns_write_soa(struct dns_writer *writer, const struct dns_name *owner, uint32_t ttl_s)
{
	/* .internal is set aside for private use: no one else's server is named. */
	static const struct dns_name server = { 17, "\006wherry\010internal" };
	static const struct dns_name mailbox = { 22, "\004root\006wherry\010internal" };
	struct record record;
	bool fits = record_start(writer, owner, DNS_TYPE_SOA, ttl_s, &record) &&
		    append_name(writer, &server) && append_name(writer, &mailbox);
	/* serial, refresh, retry, expire: nobody transfers this zone. */
	static const uint32_t times[] = { 1, 3600, 600, 86400 };
	for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
		fits = fits && append32(writer, times[i]);
	fits = fits && append32(writer, ttl_s);
	return record_end(writer, DNS_SECTION_AUTHORITY, fits, &record);
}

static void append_opt(struct dns_writer *writer, const struct dns_verdict *verdict)
{
	const char *text = verdict->text ? verdict->text : "";
	size_t text_size = strnlen(text, CAUSE_TEXT_MAX);
	bool cause = verdict->cause != DNS_CAUSE_NONE;

	writer->limit += OPT_SIZE + CAUSE_SIZE + CAUSE_TEXT_MAX;
	append(writer, "", 1);
	append16(writer, DNS_TYPE_OPT);
	append16(writer, DNS_UDP_SIZE_EDNS);
	append32(writer, (uint32_t)verdict->rcode >> 4 << 24);
	append16(writer, (uint16_t)(cause ? CAUSE_SIZE + text_size : 0));
	dns_set16(writer->data + COUNT_ADDITIONAL, 1);
	if (!cause)
		return;
	append16(writer, OPTION_EXTENDED_ERROR);
	append16(writer, (uint16_t)(2 + text_size));
	append16(writer, (uint16_t)verdict->cause);
	append(writer, text, text_size);
}

size_t dns_writer_finish(struct dns_writer *writer, const struct dns_message *query,
			 const struct dns_verdict *verdict)
{
	uint16_t kept = DNS_MASK_OPCODE | DNS_FLAG_RECURSION_DESIRED | DNS_FLAG_CHECKING_DISABLED;
	unsigned flags = DNS_FLAG_RESPONSE | DNS_FLAG_RECURSION_AVAILABLE | (query->flags & kept) |
			 (unsigned)verdict->flags | (verdict->rcode & DNS_MASK_RCODE);
	if (writer->truncated)
		flags |= DNS_FLAG_TRUNCATED;
	dns_set16(writer->data + 2, (uint16_t)flags);
	/* Without a question the query was not read, and its OPT not either. */
	if (dns_get16(writer->data + 4) == 1 && query->has_edns)
		append_opt(writer, verdict);
	return writer->size;
}

size_t dns_write_verdict(uint8_t *data, size_t limit, const struct dns_message *query,
			 enum dns_parse parsed, const struct dns_verdict *verdict)
{
	struct dns_writer writer;
	dns_writer_start(&writer, data, limit, query, parsed);
	return dns_writer_finish(&writer, query, verdict);
}
