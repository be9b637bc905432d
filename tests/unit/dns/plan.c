/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "packets.h"

/* The names of the test's one network. */
struct entry {
	const char *name, *address;
};
static const struct entry entries[] = {
	{ "web", "10.1.0.2" }, { "api", "10.1.0.3" },   { "api", "10.1.0.4" },
	{ "api", "10.1.0.5" }, { "dual", "10.1.0.6" },  { "dual", "fd00::6" },
	{ "six", "fd00::7" },  { "a.b.c", "10.1.0.8" },
};

static struct ip ip_of(const char *text)
{
	struct ip ip;
	struct error err;
	assert_int_equal(ip_parse(text, &ip, &err), 0);
	return ip;
}

static int test_resolve(void *context, const char *network, struct ip client, const char *name,
			struct ip *ret_ips, size_t max, struct error *err)
{
	int count = 0;
	(void)context;
	(void)network;
	(void)client;
	if (strcasecmp(name, "broken") == 0)
		return error_set(err, EIO, "the store is broken");
	if (strcasecmp(name, "many") == 0)
		for (; count < (int)max; count++)
			ret_ips[count] = ip_add(ip_of("10.2.0.1"), (uint64_t)count);
	for (size_t i = 0; i < ARRAY_SIZE(entries); i++)
		if (strcasecmp(entries[i].name, name) == 0)
			ret_ips[count++] = ip_of(entries[i].address);
	return count;
}

static int test_reverse(void *context, const char *network, struct ip address, char *ret_name,
			size_t size, struct error *err)
{
	(void)context;
	(void)network;
	(void)err;
	for (size_t i = 0; i < ARRAY_SIZE(entries); i++)
		if (ip_equal(ip_of(entries[i].address), address)) {
			snprintf(ret_name, size, "%s", entries[i].name);
			return 1;
		}
	return 0;
}

static int test_owns(void *context, struct ip address)
{
	(void)context;
	return ip_is_v4(address) && address.bytes[12] == 10 && address.bytes[13] == 1;
}

static const struct dns_source source = {
	.resolve = test_resolve,
	.reverse = test_reverse,
	.owns = test_owns,
};

static struct dns_asker asker_of(enum dns_transport transport)
{
	return (struct dns_asker){ .network = "front",
				   .ip = ip_of("10.1.0.2"),
				   .transport = transport,
				   .forwards = true };
}

/* What the plan makes of a packet, as text: "drop", "forward" or the answer. */
static void plan_text(const struct packet *packet, const struct dns_asker *asker, char *text,
		      size_t size)
{
	static uint8_t reply[DNS_MESSAGE_SIZE_MAX];
	struct dns_message query;
	size_t reply_size;
	switch (dns_plan(packet->data, packet->size, asker, &source, &query, reply, &reply_size)) {
	case DNS_FATE_DROP:
		snprintf(text, size, "drop");
		break;
	case DNS_FATE_FORWARD:
		snprintf(text, size, "forward");
		break;
	case DNS_FATE_REPLY:
		assert_int_equal(dns_get16(reply), dns_get16(packet->data));
		packet_describe(reply, reply_size, text, size);
		break;
	}
}

enum { TYPE_MX = 15, TYPE_SRV = 33 };
#define REVERSE6 "6.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa"

static void queries_have_their_fates(void **state)
{
	static const struct {
		const char *name;
		unsigned type;
		const char *fate;
	} rows[] = {
		{ "web", DNS_TYPE_A, "NOERROR aa: web A 10.1.0.2" },
		{ "wEB", DNS_TYPE_A, "NOERROR aa: wEB A 10.1.0.2" },
		{ "web.front", DNS_TYPE_A, "NOERROR aa: web.front A 10.1.0.2" },
		{ "web.FRONT", DNS_TYPE_A, "NOERROR aa: web.FRONT A 10.1.0.2" },
		{ "a.b.c", DNS_TYPE_A, "NOERROR aa: a.b.c A 10.1.0.8" },
		{ "api", DNS_TYPE_A, "NOERROR aa: api A 10.1.0.3; api A 10.1.0.4; api A 10.1.0.5" },
		{ "dual", DNS_TYPE_A, "NOERROR aa: dual A 10.1.0.6" },
		{ "dual", DNS_TYPE_AAAA, "NOERROR aa: dual AAAA fd00::6" },
		{ "dual", DNS_TYPE_ANY, "NOERROR aa: dual A 10.1.0.6; dual AAAA fd00::6" },
		/* The name is there, the type is not: never NXDOMAIN. */
		{ "web", DNS_TYPE_AAAA, "NOERROR aa: | SOA 1" },
		{ "six", DNS_TYPE_A, "NOERROR aa: | SOA 1" },
		{ "web", TYPE_MX, "NOERROR aa: | SOA 1" },
		{ "web", TYPE_SRV, "NOERROR aa: | SOA 1" },
		{ "web", DNS_TYPE_PTR, "NOERROR aa: | SOA 1" },
		/* Others may know it. */
		{ "nosuch", DNS_TYPE_A, "forward" },
		{ "web.back", DNS_TYPE_A, "forward" },
		{ "www.example.com", DNS_TYPE_A, "forward" },
		{ ".", 2, "forward" },
		{ "front", DNS_TYPE_A, "forward" },
		/* Reverse. */
		{ "2.0.1.10.in-addr.arpa", DNS_TYPE_PTR,
		  "NOERROR aa: 2.0.1.10.in-addr.arpa PTR web" },
		{ "2.0.1.10.in-addr.arpa", DNS_TYPE_A, "NOERROR aa: | SOA 1" },
		{ REVERSE6, DNS_TYPE_PTR, "NOERROR aa: " REVERSE6 " PTR dual" },
		{ "99.0.1.10.in-addr.arpa", DNS_TYPE_PTR, "NXDOMAIN aa: | SOA 1" },
		{ "1.1.1.1.in-addr.arpa", DNS_TYPE_PTR, "forward" },
		{ "1.10.in-addr.arpa", DNS_TYPE_SOA, "forward" },
		/* What we do not do. */
		{ "web", DNS_TYPE_AXFR, "REFUSED:" },
		{ "web", DNS_TYPE_IXFR, "REFUSED:" },
		{ "web", DNS_TYPE_OPT, "FORMERR:" },
		{ "broken", DNS_TYPE_A, "SERVFAIL:" },
	};
	struct dns_asker asker = asker_of(DNS_UDP);
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct packet packet;
		char text[512];
		packet_query(&packet, rows[i].name, rows[i].type, 0);
		plan_text(&packet, &asker, text, sizeof text);
		if (strcmp(text, rows[i].fate) != 0)
			fail_msg("row %zu: %s: \"%s\", not \"%s\"", i, rows[i].name, text,
				 rows[i].fate);
	}
}

static void odd_packets_have_their_fates(void **state)
{
	static const struct {
		const char *hex, *fate, *why;
	} rows[] = {
		{ "1234 8100 0001 0000 0000 0000 03'web'00 0001 0001", "drop", "a response" },
		{ "1234 01", "drop", "no header" },
		{ "1234 2800 0000 0000 0000 0000", "NOTIMP:", "UPDATE" },
		{ "1234 1000 0001 0000 0000 0000 03'web'00 0001 0001", "NOTIMP:", "STATUS" },
		{ "1234 0100 0000 0000 0000 0000", "FORMERR:", "no question" },
		{ "1234 0100 0001 0000 0000 0000 c00c 0001 0001", "FORMERR:", "a loop" },
		{ "1234 0100 0001 0000 0000 0000 03'web'00 0001 0003", "REFUSED:", "class CHAOS" },
		{ "1234 0100 0001 0000 0000 0001 03'web'00 0001 0001 00 0029 04d0 00010000 0000",
		  "RCODE16:", "EDNS version 1" },
		{ "1234 0100 0001 0000 0000 0001 06'broken'00 0001 0001"
		  "00 0029 04d0 00000000 0000",
		  "SERVFAIL: ede 0", "the cause is told" },
	};
	struct dns_asker asker = asker_of(DNS_UDP);
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct packet packet;
		char text[512];
		packet_hex(&packet, rows[i].hex);
		plan_text(&packet, &asker, text, sizeof text);
		if (strcmp(text, rows[i].fate) != 0)
			fail_msg("row %zu: %s: \"%s\", not \"%s\"", i, rows[i].why, text,
				 rows[i].fate);
	}
}

static void addresses_take_turns_at_the_front(void **state)
{
	static const char *const firsts[] = { "10.1.0.3", "10.1.0.4", "10.1.0.5", "10.1.0.3" };
	struct dns_asker asker = asker_of(DNS_UDP);
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(firsts); i++) {
		struct packet packet;
		char text[512], wanted[64];
		asker.rotation = (unsigned)i;
		packet_query(&packet, "api", DNS_TYPE_A, 0);
		plan_text(&packet, &asker, text, sizeof text);
		snprintf(wanted, sizeof wanted, "NOERROR aa: api A %s;", firsts[i]);
		CHECK_ROW(i, strncmp(text, wanted, strlen(wanted)) == 0);
	}
}

static void answer_too_long_for_udp_is_cut_and_says_so(void **state)
{
	static const struct {
		unsigned edns;
		enum dns_transport transport;
		size_t answers;
		bool cut;
	} rows[] = {
		{ 0, DNS_UDP, 30, true },     /* (512 - 12 - 10) / 16 */
		{ 1232, DNS_UDP, 64, false }, /* 64 * 16 + 33 fits */
		{ 0, DNS_TCP, 64, false },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		static uint8_t reply[DNS_MESSAGE_SIZE_MAX];
		struct packet packet;
		struct dns_message query;
		size_t size;
		struct dns_asker asker = asker_of(rows[i].transport);
		packet_query(&packet, "many", DNS_TYPE_A, rows[i].edns);
		CHECK_ROW(i, dns_plan(packet.data, packet.size, &asker, &source, &query, reply,
				      &size) == DNS_FATE_REPLY);
		CHECK_ROW(i, dns_get16(reply + 6) == rows[i].answers);
		CHECK_ROW(i, !(dns_get16(reply + 2) & DNS_FLAG_TRUNCATED) == !rows[i].cut);
		CHECK_ROW(i, dns_message_parse(reply, size, &query) == DNS_PARSE_OK);
	}
}

static void internal_network_knows_no_outside_names(void **state)
{
	struct dns_asker asker = asker_of(DNS_UDP);
	struct packet packet;
	char text[512];
	(void)state;
	asker.forwards = false;
	packet_query(&packet, "www.example.com", DNS_TYPE_A, 1232);
	plan_text(&packet, &asker, text, sizeof text);
	assert_string_equal(text, "NXDOMAIN aa: | SOA 1 ede 18");
}

/* The whole answer, byte by byte: what stands on the wire does not change unnoticed. */
static void golden_answers_are_byte_for_byte(void **state)
{
	static const struct {
		const char *query, *answer;
	} rows[] = {
		{ "abcd 0100 0001 0000 0000 0000 03'wEb'00 0001 0001",
		  "abcd 8580 0001 0001 0000 0000 03'wEb'00 0001 0001"
		  "c00c 0001 0001 00000001 0004 0a010002" },
		{ "abcd 0100 0001 0000 0000 0001 03'web'00 001c 0001 00 0029 1000 00008000 0000",
		  "abcd 8580 0001 0000 0001 0001 03'web'00 001c 0001"
		  "c00c 0006 0001 00000001 002c 06'wherry'08'internal'00 04'root'c021"
		  "00000001 00000e10 00000258 00015180 00000001"
		  "00 0029 04d0 00000000 0000" },
		{ "abcd 0000 0001 0000 0000 0000 01'2'01'0'01'1'02'10'07'in-addr'04'arpa'00"
		  "000c 0001",
		  "abcd 8480 0001 0001 0000 0000 01'2'01'0'01'1'02'10'07'in-addr'04'arpa'00"
		  "000c 0001 c00c 000c 0001 00000001 0005 03'web'00" },
	};
	struct dns_asker asker = asker_of(DNS_UDP);
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t reply[DNS_UDP_SIZE_EDNS];
		struct packet packet, wanted;
		struct dns_message query;
		size_t size;
		packet_hex(&packet, rows[i].query);
		packet_hex(&wanted, rows[i].answer);
		CHECK_ROW(i, dns_plan(packet.data, packet.size, &asker, &source, &query, reply,
				      &size) == DNS_FATE_REPLY);
		assert_int_equal(size, wanted.size);
		assert_memory_equal(reply, wanted.data, size);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(queries_have_their_fates),
		cmocka_unit_test(odd_packets_have_their_fates),
		cmocka_unit_test(addresses_take_turns_at_the_front),
		cmocka_unit_test(answer_too_long_for_udp_is_cut_and_says_so),
		cmocka_unit_test(internal_network_knows_no_outside_names),
		cmocka_unit_test(golden_answers_are_byte_for_byte),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
