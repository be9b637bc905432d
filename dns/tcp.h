/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * One listening TCP socket of the server and its connections (RFC 7766): queries
 * may follow each other without waiting, answers go out in the order in which
 * they are known, idle connections are closed, and their number is bounded for
 * all and for each client.
 */
#include "origin.h"

#define DNS_TCP_CONNECTIONS_MAX 256
#define DNS_TCP_CLIENT_MAX 16     /* connections of one client address */
#define DNS_TCP_IDLE_MS 10000     /* without a whole query or an answer */
#define DNS_TCP_OUT_MAX (1 << 18) /* bytes that wait for a client that does not read */

struct dns_tcp;
/** Listens on ip:53. handler is called for each query, from the loop. */
int dns_tcp_create(struct loop *loop, struct ip ip, dns_query_handler *handler, void *context,
		   struct dns_tcp **ret_tcp, struct error *err);
/** Sends on a connection by its number; nothing if it is gone. */
void dns_tcp_send(struct dns_tcp *tcp, uint64_t connection, const uint8_t *data, size_t size);
void dns_tcp_free(struct dns_tcp *tcp);
DEFINE_FREEP(dns_tcp)
