/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A domain name as it goes over the wire: labels with a length byte in front,
 * the root's zero byte last, never compressed here. It is a value, 256 bytes.
 * Comparing ignores the case of ASCII letters (RFC 4343); copying keeps it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/ip.h"
#include "dns/dns.h"

#define DNS_NAME_SIZE_MAX 255 /* bytes on the wire, RFC 1035 section 2.3.4 */
#define DNS_LABEL_SIZE_MAX 63

struct dns_name {
	uint8_t size; /* bytes used, with the root's; 1 for the root itself */
	uint8_t wire[DNS_NAME_SIZE_MAX];
};

/**
 * Gate: reads the name at *offset of a message and moves *offset behind it.
 * Compression pointers (RFC 1035 section 4.1.4) must lead backwards each time,
 * so that no chain of them is endless, and the result fits 255 bytes, so that
 * none is a bomb. False for anything else; *offset and *ret_name are then
 * undefined.
 */
bool dns_name_read(const uint8_t *message, size_t size, size_t *offset, struct dns_name *ret_name);
/**
 * Reads "web.example", with or without a final dot, with \. and \DDD as escapes.
 * 0, or -EINVAL: an empty or too long label, or over 255 bytes.
 */
int dns_name_parse(const char *text, struct dns_name *ret_name, struct error *err);
/** The text without a final dot ("." for the root); dots and odd bytes of labels are escaped. */
void dns_name_format(const struct dns_name *name, char ret_text[DNS_NAME_TEXT_MAX]);
bool dns_name_equal(const struct dns_name *a, const struct dns_name *b);
/** Number of labels, without the root. */
size_t dns_name_labels(const struct dns_name *name);
/**
 * True if the name is that of a whole address under in-addr.arpa (RFC 1035
 * section 3.5) or ip6.arpa (RFC 3596 section 2.5).
 */
bool dns_name_to_address(const struct dns_name *name, struct ip *ret_ip);
