/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * DNS for containers: a message codec on the caller's memory (dns/message), the
 * plan that turns a query into an answer (names of the client's network, PTR,
 * or forward), and a server on a loop (UDP and TCP). RFC 1035, 6891 (EDNS),
 * 2308, 7766. The server knows no container: names come from a resolver that
 * the caller gives, so that the codec, the plan, the fuzzer and the server run
 * the same lines.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/ip.h"
#include "base/loop.h"

#define DNS_NAME_TEXT_MAX 1025 /* text of 255 wire bytes, all escaped, with NUL */
#define DNS_ADDRESSES_MAX 64

/* Where local names come from. All functions return at once. */
struct dns_source {
	/** Addresses of `name` for `client`: how many were written; 0: no such name; -errno. */
	int (*resolve)(void *context, const char *network, struct ip client, const char *name,
		       struct ip *ret_ips, size_t max, struct error *err);
	/** 1 and the name of an address, or 0. */
	int (*reverse)(void *context, const char *network, struct ip address, char *ret_name,
		       size_t size, struct error *err);
	void *context;
};

struct dns_server;
/**
 * upstreams: servers for all other names (port 53), at most 8; NULL, 0: those of
 * /etc/resolv.conf. The loop and the source are lent for the server's life.
 */
int dns_server_create(struct loop *loop, const struct dns_source *source,
		      const struct ip *upstreams, size_t upstream_count,
		      struct dns_server **ret_server, struct error *err);
void dns_server_free(struct dns_server *server);
DEFINE_FREEP(dns_server)
/** Listens on address:53, UDP and TCP, for a network. Already listening: 0. */
int dns_server_listen(struct dns_server *server, const char *network, struct ip address,
		      struct error *err);
/** Stops listening for a network; unknown is fine. */
void dns_server_stop_listening(struct dns_server *server, const char *network);
