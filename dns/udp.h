/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * One UDP socket of the server. Queries are taken, and the answers that are
 * known at once are sent, in batches of one system call each.
 */
#include "origin.h"

struct dns_udp;
/** Binds ip:53. handler is called for each datagram, from the loop. */
int dns_udp_create(struct loop *loop, struct ip ip, dns_query_handler *handler, void *context,
		   struct dns_udp **ret_udp, struct error *err);
/** An answer that cannot be sent at once is lost, as UDP may. size is at most DNS_UDP_SIZE_EDNS. */
void dns_udp_send(struct dns_udp *udp, const struct dns_address *peer, const uint8_t *data,
		  size_t size);
void dns_udp_free(struct dns_udp *udp);
DEFINE_FREEP(dns_udp)
