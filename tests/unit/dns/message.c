/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "message.h"

#include "packets.h"

#define QUERY_HEADER "1234 0100 0001 0000 0000 "

static void messages_are_checked_whole(void **state)
{
	static const struct {
		const char *hex;
		enum dns_parse result;
		const char *why;
	} rows[] = {
		{ QUERY_HEADER "0000 03'web'00 0001 0001", DNS_PARSE_OK, "a plain query" },
		{ QUERY_HEADER "0001 03'web'00 0001 0001 00 0029 04d0 00000000 0000", DNS_PARSE_OK,
		  "with EDNS" },
		{ "1234 0100 0001 0000 0000 00", DNS_PARSE_SHORT, "11 bytes" },
		{ "", DNS_PARSE_SHORT, "nothing" },
		{ QUERY_HEADER "0000", DNS_PARSE_BROKEN, "the question is missing" },
		{ "1234 0100 0000 0000 0000 0000", DNS_PARSE_BROKEN, "no question" },
		{ "1234 0100 0002 0000 0000 0000 00 0001 0001 00 0001 0001", DNS_PARSE_BROKEN,
		  "two questions" },
		{ QUERY_HEADER "0000 03'web'00 0001 00", DNS_PARSE_BROKEN, "cut in the class" },
		{ QUERY_HEADER "0000 03'web'00 0001 0001 ff", DNS_PARSE_BROKEN, "a byte behind" },
		{ QUERY_HEADER "0001 00 0001 0001 00 0029 04d0 00000000", DNS_PARSE_BROKEN,
		  "cut in the OPT" },
		{ QUERY_HEADER "0001 00 0001 0001 00 0029 04d0 00000000 0001", DNS_PARSE_BROKEN,
		  "OPT longer than the message" },
		{ QUERY_HEADER "0002 00 0001 0001 00 0029 04d0 00000000 0000"
			       "00 0029 04d0 00000000 0000",
		  DNS_PARSE_BROKEN, "two OPT" },
		{ QUERY_HEADER "0001 00 0001 0001 01'a'00 0029 04d0 00000000 0000",
		  DNS_PARSE_BROKEN, "OPT owned by a name" },
		{ "1234 0100 0001 0001 0000 0000 00 0001 0001 00 0029 04d0 00000000 0000",
		  DNS_PARSE_BROKEN, "OPT as an answer" },
		{ QUERY_HEADER "ffff 00 0001 0001", DNS_PARSE_BROKEN,
		  "65535 records are not there" },
		{ "1234 2800 0001 0000 0000 0000", DNS_PARSE_OPCODE, "UPDATE" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct packet packet;
		struct dns_message message;
		packet_hex(&packet, rows[i].hex);
		/* Of its own size, so that the sanitizer sees a read behind the end. */
		uint8_t *exact = malloc(packet.size + 1);
		memcpy(exact, packet.data, packet.size);
		enum dns_parse result = dns_message_parse(exact, packet.size, &message);
		free(exact);
		CHECK_ROW(i, result == rows[i].result);
	}
}

static void answers_by_udp_fit_what_the_client_takes(void **state)
{
	static const struct {
		unsigned edns;
		size_t size;
	} rows[] = {
		{ 0, 512 },   /* no EDNS */
		{ 100, 512 }, /* RFC 6891 section 6.2.3: less than 512 means 512 */
		{ 1000, 1000 },
		{ 4096, 1232 }, /* never in fragments */
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct packet packet;
		struct dns_message message;
		packet_query(&packet, "web", DNS_TYPE_A, rows[i].edns);
		CHECK_ROW(i, dns_message_parse(packet.data, packet.size, &message) == DNS_PARSE_OK);
		CHECK_ROW(i, dns_udp_size(&message) == rows[i].size);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_are_checked_whole),
		cmocka_unit_test(answers_by_udp_fit_what_the_client_takes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
