/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The plan: what becomes of one query. A pure function of the query's bytes, of
 * who asks, and of the source of local names; it knows no socket and no loop.
 *
 * Local names are answered here and never leave the host: A and AAAA with
 * addresses, every other type with "no such data" (NODATA), since NXDOMAIN would
 * make a resolver forget the name's other types as well. What no network of the
 * client knows is forwarded, single labels too, as Docker's users expect.
 */
#include "dns/dns.h"
#include "message.h"
#include "writer.h"

/*
 * Seconds that a local answer may be kept, positive or negative. A container's
 * address is good until it is removed, which nobody can tell a cache; with 0,
 * proxies that re-resolve by TTL would ask without pause. So: the least above 0.
 */
#define DNS_LOCAL_TTL_S 1

enum dns_transport { DNS_UDP, DNS_TCP };

struct dns_asker {
	const char *network;
	struct ip ip;
	enum dns_transport transport;
	bool forwards;     /* false: names that are not local do not exist */
	unsigned rotation; /* where a list of addresses begins */
};
enum dns_fate {
	DNS_FATE_DROP,    /* not a query: no answer, lest two servers answer each other for ever */
	DNS_FATE_REPLY,   /* *ret_size bytes at `reply` */
	DNS_FATE_FORWARD, /* *ret_query is a checked view of the query */
};
/**
 * reply has room for DNS_MESSAGE_SIZE_MAX bytes under DNS_TCP, DNS_UDP_SIZE_EDNS
 * under DNS_UDP.
 */
enum dns_fate dns_plan(const uint8_t *data, size_t size, const struct dns_asker *asker,
		       const struct dns_source *source, struct dns_message *ret_query,
		       uint8_t *reply, size_t *ret_size);
