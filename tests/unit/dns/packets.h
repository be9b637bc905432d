/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Building and reading of DNS packets for tests: a query from words, packets from
 * hex, and the facts of an answer as one line of text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "message.h"

/* Prints the row that failed; used in loops over tables. */
#define CHECK_ROW(row, condition)                                           \
	do {                                                                \
		if (!(condition))                                           \
			fail_msg("row %zu: %s", (size_t)(row), #condition); \
	} while (0)

struct packet {
	size_t size;
	uint8_t data[DNS_MESSAGE_SIZE_MAX];
};

enum packet_edns { PACKET_PLAIN = 0 }; /* else: the payload size that the OPT announces */

/** A query with RD set, id 0x1234; edns 0: without OPT. */
void packet_query(struct packet *packet, const char *name, enum dns_type type, unsigned edns);
/** "12 34 0100 …", blanks anywhere; what stands between quotes goes in as it is. */
void packet_hex(struct packet *packet, const char *hex);
/**
 * "NOERROR aa: web A 10.1.0.2; web A 10.1.0.3 | SOA 1" : rcode, flags, answers,
 * then authority (SOA with its negative ttl). Fails the test if it is no message.
 */
void packet_describe(const uint8_t *data, size_t size, char *text, size_t text_size);
