/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "name.h"

#include "packets.h"

/* Twelve bytes of header stand before every name of a message. */
#define HEADER "0000 0000 0000 0000 0000 0000 "

static void hostile_names_are_refused(void **state)
{
	static const struct {
		const char *hex;
		size_t start;
		const char *text; /* NULL: refused */
		const char *why;
	} rows[] = {
		{ HEADER "03 'web' 00", 12, "web", "plain" },
		{ HEADER "03 'web' 00 01 'a' c00c", 17, "a.web", "pointer back" },
		{ HEADER "00", 12, ".", "the root" },
		{ HEADER "c00c", 12, NULL, "points at itself" },
		{ HEADER "01 'a' c00c", 12, NULL, "points at its own start" },
		{ HEADER "c00e c00c", 14, NULL, "two pointers in a ring" },
		{ HEADER "c00f 00 00", 12, NULL, "points forward" },
		{ HEADER "c000", 12, NULL, "points into the header" },
		{ HEADER "03 'we'", 12, NULL, "label longer than the message" },
		{ HEADER "03 'web'", 12, NULL, "no end" },
		{ HEADER "c0", 12, NULL, "half a pointer" },
		{ HEADER "40 00", 12, NULL, "label type 01" },
		{ HEADER "80 00", 12, NULL, "label type 10" },
		{ HEADER "03 'a.b' 00", 12, "a\\.b", "a dot inside a label" },
		{ HEADER "02 0a7f 00", 12, "\\010\\127", "control bytes" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct packet packet;
		struct dns_name name;
		char text[DNS_NAME_TEXT_MAX];
		size_t offset = rows[i].start;
		packet_hex(&packet, rows[i].hex);
		bool read = dns_name_read(packet.data, packet.size, &offset, &name);
		CHECK_ROW(i, read == (rows[i].text != NULL));
		if (!read)
			continue;
		dns_name_format(&name, text);
		CHECK_ROW(i, strcmp(text, rows[i].text) == 0);
		CHECK_ROW(i, offset == packet.size || rows[i].start != 12);
	}
}

static void name_of_255_bytes_is_the_longest(void **state)
{
	struct packet packet = { .size = 0 };
	struct dns_name name;
	(void)state;
	/* 127 labels of one byte and the root: 255. One more label is too long. */
	for (size_t labels = 127; labels <= 128; labels++) {
		size_t offset = 0;
		for (packet.size = 0; packet.size < labels * 2; packet.size += 2) {
			packet.data[packet.size] = 1;
			packet.data[packet.size + 1] = 'x';
		}
		packet.data[packet.size++] = 0;
		assert_int_equal(dns_name_read(packet.data, packet.size, &offset, &name),
				 labels == 127);
	}
}

static void compression_bomb_is_refused(void **state)
{
	struct packet packet;
	struct dns_name name;
	size_t offset = 12;
	(void)state;
	packet_hex(&packet, HEADER "3f");
	memset(packet.data + packet.size, 'x', 63);
	packet.size += 63;
	packet.data[packet.size++] = 0;
	/* Each name is 63 bytes and a pointer to the one before: the fourth is over 255. */
	for (int i = 0; i < 4; i++) {
		size_t before = offset;
		offset = packet.size;
		packet.data[packet.size++] = 63;
		memset(packet.data + packet.size, 'y', 63);
		packet.size += 63;
		dns_set16(packet.data + packet.size, (uint16_t)(0xc000 | before));
		packet.size += 2;
		size_t at = offset;
		assert_int_equal(dns_name_read(packet.data, packet.size, &at, &name), i < 2);
	}
}

static void text_and_wire_are_the_same_name(void **state)
{
	static const struct {
		const char *text, *back; /* back NULL: refused */
	} rows[] = {
		{ "web", "web" },
		{ "Web.Example.", "Web.Example" },
		{ "a\\.b.c", "a\\.b.c" },
		{ "a\\032b", "a\\032b" },
		{ "a b", "a\\032b" },
		{ ".", "." },
		{ "", NULL },
		{ "a..b", NULL },
		{ ".a", NULL },
		{ "a\\", NULL },
		{ "a\\25", NULL },
		{ "a\\256", NULL },
		{ "0123456789012345678901234567890123456789012345678901234567890123", NULL },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct dns_name name;
		struct error err;
		char text[DNS_NAME_TEXT_MAX];
		int r = dns_name_parse(rows[i].text, &name, &err);
		CHECK_ROW(i, (r == 0) == (rows[i].back != NULL));
		if (r < 0)
			continue;
		dns_name_format(&name, text);
		CHECK_ROW(i, strcmp(text, rows[i].back) == 0);
	}
}

static void case_does_not_matter_to_equality(void **state)
{
	struct dns_name a, b;
	struct error err;
	(void)state;
	assert_int_equal(dns_name_parse("wEb.Example", &a, &err), 0);
	assert_int_equal(dns_name_parse("WeB.eXAMPLE", &b, &err), 0);
	assert_true(dns_name_equal(&a, &b));
	assert_int_equal(dns_name_parse("web.example1", &b, &err), 0);
	assert_false(dns_name_equal(&a, &b));
	/* '@' and '`' differ by the bit that makes letters lower. */
	assert_int_equal(dns_name_parse("@", &a, &err), 0);
	assert_int_equal(dns_name_parse("`", &b, &err), 0);
	assert_false(dns_name_equal(&a, &b));
}

static void reverse_names_are_read_as_addresses(void **state)
{
	static const struct {
		const char *name, *address; /* NULL: no address */
	} rows[] = {
		{ "2.0.1.10.in-addr.arpa", "10.1.0.2" },
		{ "2.0.1.10.IN-ADDR.ARPA", "10.1.0.2" },
		{ "255.255.255.255.in-addr.arpa", "255.255.255.255" },
		{ "256.0.1.10.in-addr.arpa", NULL },
		{ "02.0.1.10.in-addr.arpa", NULL },
		{ "x.0.1.10.in-addr.arpa", NULL },
		{ "0.1.10.in-addr.arpa", NULL },
		{ "2.0.1.10.in-addr.example", NULL },
		{ "2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.D.f.ip6.arpa",
		  "fd00::2" },
		{ "g.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa",
		  NULL },
		{ "2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.int", NULL },
		{ "web", NULL },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct dns_name name;
		struct error err;
		struct ip ip;
		CHECK_ROW(i, dns_name_parse(rows[i].name, &name, &err) == 0);
		bool found = dns_name_to_address(&name, &ip);
		CHECK_ROW(i, found == (rows[i].address != NULL));
		CHECK_ROW(i, !found || strcmp(ip_format(ip).text, rows[i].address) == 0);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(hostile_names_are_refused),
		cmocka_unit_test(name_of_255_bytes_is_the_longest),
		cmocka_unit_test(compression_bomb_is_refused),
		cmocka_unit_test(text_and_wire_are_the_same_name),
		cmocka_unit_test(case_does_not_matter_to_equality),
		cmocka_unit_test(reverse_names_are_read_as_addresses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
