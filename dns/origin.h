/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Where a query came from, and so where its answer goes: by the numbers of
 * listener and connection, never by pointers, since either may be gone when the
 * answer comes.
 */
#include "address.h"

struct dns_origin {
	uint64_t listener;
	enum dns_transport transport;
	uint64_t connection; /* under DNS_TCP */
	struct dns_address peer;
};
/** Takes one query; data is lent for the call. The listener's number is not filled yet. */
typedef void dns_query_handler(void *context, const struct dns_origin *origin, const uint8_t *data,
			       size_t size);
