/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The servers for names that are not ours: a fixed list, or the "nameserver"
 * lines of the host's resolv.conf, read again as soon as the file is another
 * one. No server is ever asked that nobody named.
 */
#include "dns/dns.h"

struct dns_upstream {
	struct ip ip;
	uint32_t scope; /* interface index of fe80::1%eth0, else 0 */
};
struct dns_upstream_list {
	struct dns_upstream servers[DNS_UPSTREAMS_MAX];
	size_t count;
};

/**
 * Gate: the nameserver lines of a resolv.conf. Lines that make no address, and
 * servers beyond DNS_UPSTREAMS_MAX, are left out.
 */
void dns_upstreams_parse(const char *text, struct dns_upstream_list *ret_list);

struct dns_upstreams;
int dns_upstreams_create(const struct dns_settings *settings, struct dns_upstreams **ret_upstreams,
			 struct error *err);
void dns_upstreams_free(struct dns_upstreams *upstreams);
DEFINE_FREEP(dns_upstreams)
/**
 * The list of now; lent until the next call. Costs one stat. *ret_changed: it is
 * another list than at the last call.
 */
const struct dns_upstream_list *dns_upstreams_get(struct dns_upstreams *upstreams,
						  bool *ret_changed);
