/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a query and as a response. What must hold: every answer is itself a
 * sound message within its limit, and every name survives being printed and read.
 */
#include <assert.h>

#include "fuzz.h"
#include "plan.h"

static int fuzz_resolve(void *context, const char *network, struct ip client, const char *name,
			struct ip *ret_ips, size_t max, struct error *err)
{
	(void)context;
	(void)network;
	(void)client;
	(void)err;
	/* The first byte decides, so that all sizes of answers come to be. */
	size_t count = (unsigned char)name[0] % (max + 1);
	for (size_t i = 0; i < count; i++) {
		ret_ips[i] = ip_from_v4((struct in_addr){ .s_addr = (unsigned)i });
		if (i % 3 == 2)
			ret_ips[i].bytes[0] = 0xfd;
	}
	return (int)count;
}

static int fuzz_reverse(void *context, const char *network, struct ip address, char *ret_name,
			size_t size, struct error *err)
{
	(void)context;
	(void)network;
	(void)err;
	snprintf(ret_name, size, "host%u", address.bytes[15]);
	return address.bytes[15] % 2;
}

static int fuzz_owns(void *context, struct ip address)
{
	(void)context;
	return address.bytes[14] % 2;
}

static void check_name(const struct dns_name *name)
{
	char text[DNS_NAME_TEXT_MAX];
	struct dns_name again;
	struct error err;
	dns_name_format(name, text);
	int r = dns_name_parse(text, &again, &err);
	assert(r == 0 && dns_name_equal(name, &again));
	struct ip ip;
	dns_name_to_address(name, &ip);
}

static void check_plan(const uint8_t *data, size_t size, enum dns_transport transport)
{
	static const struct dns_source source = { .resolve = fuzz_resolve,
						  .reverse = fuzz_reverse,
						  .owns = fuzz_owns };
	struct dns_asker asker = { .network = "n",
				   .transport = transport,
				   .forwards = size % 2,
				   .rotation = (unsigned)size };
	uint8_t *reply = malloc(DNS_MESSAGE_SIZE_MAX);
	struct dns_message query, answer;
	size_t reply_size = 0;
	enum dns_fate fate = dns_plan(data, size, &asker, &source, &query, reply, &reply_size);
	if (fate == DNS_FATE_REPLY) {
		assert(transport == DNS_TCP || reply_size <= DNS_UDP_SIZE_EDNS);
		enum dns_parse parsed = dns_message_parse(reply, reply_size, &answer);
		assert(parsed == DNS_PARSE_OK || reply_size == DNS_HEADER_SIZE);
		assert(answer.id == query.id && answer.flags & DNS_FLAG_RESPONSE);
		assert(parsed != DNS_PARSE_OK || dns_question_equal(&query, &answer));
	}
	free(reply);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dns_message message;
	if (dns_message_parse(data, size, &message) == DNS_PARSE_OK) {
		check_name(&message.name);
		assert(message.question_end <= size);
		assert(!message.has_edns || message.edns_offset + 10 <= size);
	}
	check_plan(data, size, DNS_UDP);
	check_plan(data, size, DNS_TCP);
	return 0;
}
