/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The forwarder: takes queries that are not ours to the upstreams. The next
 * server is tried when one does not answer within DNS_RETRY_MS, or at once when
 * it refuses; the first good answer wins, and its server is asked first from
 * then on. Every query ends with an answer: theirs, or SERVFAIL with the cause
 * (RFC 8914). The number in flight is bounded, for all and for each client, so
 * that a flood or a loop through another server ends there.
 */
#include "origin.h"
#include "upstreams.h"

#define DNS_RETRY_MS 250      /* until the second server is asked */
#define DNS_GIVE_UP_MS 4000   /* stub resolvers give up at 5 s: the cause must come before */
#define DNS_ATTEMPTS_MAX 8    /* of one query */
#define DNS_IN_FLIGHT_MAX 512 /* queries; each may hold a few sockets */
#define DNS_IN_FLIGHT_CLIENT_MAX 128
#define DNS_PREFER_MS 30000 /* until the first server of the list is tried first again */

struct dns_forward_settings {
	struct dns_upstreams *upstreams; /* lent */
	/** True for an address that we serve ourselves: asking it would be a loop. */
	bool (*is_ours)(void *context, struct ip address);
	/** Each query's end. The message has the client's id and spelling, and fits its transport.
	 */
	void (*reply)(void *context, const struct dns_origin *origin, const uint8_t *message,
		      size_t size);
	void *context;
};
struct dns_forwarder;
int dns_forwarder_create(struct loop *loop, const struct dns_forward_settings *settings,
			 struct dns_forwarder **ret_forwarder, struct error *err);
/** Forgets all queries without an answer. */
void dns_forwarder_free(struct dns_forwarder *forwarder);
DEFINE_FREEP(dns_forwarder)
/**
 * Takes over a checked query, which is copied. own: the client's own servers; NULL or empty: the
 * host's. reply may be called before this returns.
 */
void dns_forward(struct dns_forwarder *forwarder, const struct dns_message *query,
		 const struct dns_origin *origin, const struct dns_upstream_list *own);
