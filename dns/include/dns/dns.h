/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * DNS for containers: a message codec on the caller's memory (dns/message,
 * dns/writer), the plan that turns a query into an answer (names of the client's
 * network, PTR, or forward), a forwarder, and a server on a loop (UDP and TCP).
 * RFC 1035, 6891 (EDNS), 2308, 7766, 8914. The server knows no container: names
 * come from a source that the caller gives, so that the codec, the plan, the
 * fuzzer and the server run the same lines.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/ip.h"
#include "base/loop.h"

#define DNS_NAME_TEXT_MAX 1025 /* text of 255 wire bytes, all escaped, with NUL */
#define DNS_ADDRESSES_MAX 64   /* addresses of one name that an answer shows */
#define DNS_UPSTREAMS_MAX 8
#define DNS_NETWORK_NAME_MAX 128 /* bytes with NUL */

/* Where local names come from. All functions return at once. */
struct dns_source {
	/**
	 * Addresses of `name` (no final dot, the case as asked) for `client`: how many were
	 * written; 0: no such name; -errno.
	 */
	int (*resolve)(void *context, const char *network, struct ip client, const char *name,
		       struct ip *ret_ips, size_t max, struct error *err);
	/** 1 and the name of an address, 0 if it has none, or -errno. */
	int (*reverse)(void *context, const char *network, struct ip address, char *ret_name,
		       size_t size, struct error *err);
	/** 1 if the address belongs to a network of ours, so that no one else knows its name; else
	 * 0. */
	int (*owns)(void *context, struct ip address);
	/**
	 * The servers that `client` wants asked for all other names, at most max: how many; 0 or
	 * -errno: the server's own. NULL: no client has any.
	 */
	int (*servers)(void *context, const char *network, struct ip client, struct ip *ret_ips,
		       size_t max, struct error *err);
	void *context;
};

/* A server's settings. */
struct dns_settings {
	const struct dns_source *source; /* lent for the server's life */
	/* Servers for all other names; none: those of resolv_conf, read again when it changes. */
	struct ip upstreams[DNS_UPSTREAMS_MAX];
	size_t upstream_count;
	const char *resolv_conf; /* copied; NULL: /etc/resolv.conf */
};

/* A network's listener for one family. */
struct dns_listen {
	const char *network;   /* copied */
	struct ip address;     /* of the gateway; port 53 */
	struct prefix clients; /* who may ask, beside this host itself */
	bool forwards;         /* false (an internal network): other names do not exist */
};

struct dns_server;
/** The loop is lent for the server's life. The caller owns *ret_server. */
int dns_server_create(struct loop *loop, const struct dns_settings *settings,
		      struct dns_server **ret_server, struct error *err);
void dns_server_free(struct dns_server *server);
DEFINE_FREEP(dns_server)
/**
 * Listens on address:53, UDP and TCP, for a network, on one address of each family; the
 * address need not be there yet. Already listening so: 0; with other settings: the new
 * ones hold from now on.
 * -EADDRINUSE: another program listens there.
 */
int dns_server_listen(struct dns_server *server, const struct dns_listen *listen,
		      struct error *err);
/** Stops listening for a network in the address's family; unknown is fine. */
void dns_server_stop_listening(struct dns_server *server, const char *network, struct ip address);
/** Visits each network and address that is listened for; `visit` may stop this listening. */
void dns_server_each(struct dns_server *server,
		     void (*visit)(struct dns_server *server, const char *network,
				   struct ip address, void *context),
		     void *context);
