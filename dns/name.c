/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "name.h"

#include <errno.h>
#include <string.h>

#define POINTER_MARK 0xc0
#define HEADER_SIZE 12 /* holds no names */

static uint8_t lower(uint8_t byte)
{
	return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + ('a' - 'A')) : byte;
}

static bool append_label(struct dns_name *name, size_t used, const uint8_t *label, size_t size)
{
	/* One byte stays free for the root. */
	if (used + 1 + size >= DNS_NAME_SIZE_MAX)
		return false;
	name->wire[used] = (uint8_t)size;
	memcpy(name->wire + used + 1, label, size);
	return true;
}

bool dns_name_read(const uint8_t *message, size_t size, size_t *offset, struct dns_name *ret_name)
{
	size_t at = *offset, used = 0;
	size_t barrier = at; /* pointers lead to before this */
	bool jumped = false;

	while (at < size) {
		uint8_t length = message[at];
		if (length >= POINTER_MARK) {
			if (at + 1 >= size)
				return false;
			size_t target = (size_t)(length & ~POINTER_MARK) << 8 | message[at + 1];
			if (target >= barrier || target < HEADER_SIZE)
				return false;
			if (!jumped)
				*offset = at + 2;
			jumped = true;
			barrier = at = target;
			continue;
		}
		if (length > DNS_LABEL_SIZE_MAX)
			return false;
		if (length == 0) {
			ret_name->wire[used] = 0;
			ret_name->size = (uint8_t)(used + 1);
			if (!jumped)
				*offset = at + 1;
			return true;
		}
		if (at + 1 + length > size ||
		    !append_label(ret_name, used, message + at + 1, length))
			return false;
		used += 1u + length;
		at += 1u + length;
	}
	return false;
}

/* One character of a text, escapes resolved; -1 if the escape is broken. */
static int next_character(const char **text)
{
	const char *at = *text;
	if (*at != '\\') {
		*text = at + 1;
		return (uint8_t)*at;
	}
	at++;
	if (*at < '0' || *at > '9') {
		*text = *at ? at + 1 : at;
		return *at ? (uint8_t)*at : -1;
	}
	int value = 0;
	for (int i = 0; i < 3; i++, at++) {
		if (*at < '0' || *at > '9')
			return -1;
		value = value * 10 + (*at - '0');
	}
	*text = at;
	return value <= UINT8_MAX ? value : -1;
}

/* Reads one label up to its dot or the end. Its size, 0 if it is empty, -1 if it is no label. */
static int parse_label(const char **text, uint8_t label[DNS_LABEL_SIZE_MAX])
{
	int size = 0;
	while (**text && **text != '.') {
		int character = next_character(text);
		if (character < 0 || size == DNS_LABEL_SIZE_MAX)
			return -1;
		label[size++] = (uint8_t)character;
	}
	return size;
}

int dns_name_parse(const char *text, struct dns_name *ret_name, struct error *err)
{
	const char *at = text;
	struct dns_name name = { .size = 1 };
	uint8_t label[DNS_LABEL_SIZE_MAX];

	if (text[0] == '.' && !text[1]) {
		*ret_name = name;
		return 0;
	}
	while (*at) {
		int size = parse_label(&at, label);
		if (size <= 0)
			return error_set(err, EINVAL,
					 "\"%s\" is no domain name: a label has 1 to %d bytes",
					 text, DNS_LABEL_SIZE_MAX);
		if (!append_label(&name, name.size - 1u, label, (size_t)size))
			return error_set(err, EINVAL, "\"%s\" is no domain name: over %d bytes",
					 text, DNS_NAME_SIZE_MAX);
		name.size = (uint8_t)(name.size + 1 + size);
		if (*at == '.')
			at++;
	}
	if (name.size == 1)
		return error_set(err, EINVAL, "a domain name is empty");
	name.wire[name.size - 1] = 0;
	*ret_name = name;
	return 0;
}

static size_t format_byte(uint8_t byte, char *out)
{
	if (byte == '.' || byte == '\\') {
		out[0] = '\\';
		out[1] = (char)byte;
		return 2;
	}
	if (byte > ' ' && byte < 0x7f) {
		out[0] = (char)byte;
		return 1;
	}
	out[0] = '\\';
	out[1] = (char)('0' + byte / 100);
	out[2] = (char)('0' + byte / 10 % 10);
	out[3] = (char)('0' + byte % 10);
	return 4;
}

void dns_name_format(const struct dns_name *name, char ret_text[DNS_NAME_TEXT_MAX])
{
	size_t used = 0;
	for (size_t at = 0; name->wire[at]; at += 1u + name->wire[at]) {
		if (used)
			ret_text[used++] = '.';
		for (size_t i = 1; i <= name->wire[at]; i++)
			used += format_byte(name->wire[at + i], ret_text + used);
	}
	if (used == 0)
		ret_text[used++] = '.';
	ret_text[used] = '\0';
}

bool dns_name_equal(const struct dns_name *a, const struct dns_name *b)
{
	if (a->size != b->size)
		return false;
	/* Length bytes are below 64, where lower() changes nothing. */
	for (size_t i = 0; i < a->size; i++)
		if (lower(a->wire[i]) != lower(b->wire[i]))
			return false;
	return true;
}

size_t dns_name_labels(const struct dns_name *name)
{
	size_t labels = 0;
	for (size_t at = 0; name->wire[at]; at += 1u + name->wire[at])
		labels++;
	return labels;
}

/* True if what is left from `at` is the two labels of this zone. */
static bool ends_as(const struct dns_name *name, size_t at, const char *zone)
{
	struct dns_name rest = { .size = (uint8_t)(name->size - at) }, wanted;
	struct error ignored;
	memcpy(rest.wire, name->wire + at, rest.size);
	return dns_name_parse(zone, &wanted, &ignored) == 0 && dns_name_equal(&rest, &wanted);
}

static bool read_octet(const uint8_t *label, uint8_t *ret)
{
	unsigned value = 0;
	if (label[0] == 0 || label[0] > 3 || (label[0] > 1 && label[1] == '0'))
		return false;
	for (size_t i = 1; i <= label[0]; i++) {
		if (label[i] < '0' || label[i] > '9')
			return false;
		value = value * 10 + (label[i] - '0');
	}
	*ret = (uint8_t)value;
	return value <= UINT8_MAX;
}

static bool read_nibble(const uint8_t *label, uint8_t *ret)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = label[0] == 1 && label[1] ? strchr(digits, lower(label[1])) : NULL;
	if (!found)
		return false;
	*ret = (uint8_t)(found - digits);
	return true;
}

static bool read_v4(const struct dns_name *name, struct ip *ret_ip)
{
	struct in_addr address = { 0 };
	uint8_t *bytes = (uint8_t *)&address;
	size_t at = 0;
	for (int i = 3; i >= 0; i--, at += 1u + name->wire[at])
		if (!read_octet(name->wire + at, &bytes[i]))
			return false;
	if (!ends_as(name, at, "in-addr.arpa"))
		return false;
	*ret_ip = ip_from_v4(address);
	return true;
}

static bool read_v6(const struct dns_name *name, struct ip *ret_ip)
{
	struct ip ip = { 0 };
	for (size_t i = 0; i < 32; i++) {
		uint8_t nibble;
		if (!read_nibble(name->wire + 2 * i, &nibble))
			return false;
		size_t byte = 15 - i / 2;
		ip.bytes[byte] = (uint8_t)(ip.bytes[byte] | (i % 2 ? nibble << 4 : nibble));
	}
	if (!ends_as(name, 64, "ip6.arpa"))
		return false;
	*ret_ip = ip;
	return true;
}

bool dns_name_to_address(const struct dns_name *name, struct ip *ret_ip)
{
	size_t labels = dns_name_labels(name);
	if (labels == 6)
		return read_v4(name, ret_ip);
	return labels == 34 && read_v6(name, ret_ip);
}
