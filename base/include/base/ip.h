/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Addresses and prefixes, IPv4 and IPv6 in one type: 16 bytes in network
 * order, IPv4 as ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2). A value type:
 * copied freely, compared by ip_compare or ip_equal.
 */
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define IP_TEXT_MAX 46     /* INET6_ADDRSTRLEN */
#define PREFIX_TEXT_MAX 50 /* address, '/', 3 digits */
#define MAC_TEXT_MAX 18
#define MAC_SIZE 6

struct ip {
	uint8_t bytes[16]; /* network order */
};
struct ip_text {
	char text[IP_TEXT_MAX];
};

/**
 * A subnet (host bits zero) or an interface's address (host bits kept):
 * prefix_network makes the first of the second. `length` counts in the
 * family's own bits: 0-32 for IPv4, 0-128 for IPv6.
 */
struct prefix {
	struct ip ip;
	uint8_t length;
};
struct prefix_text {
	char text[PREFIX_TEXT_MAX];
};

struct mac {
	uint8_t bytes[MAC_SIZE];
};
struct mac_text {
	char text[MAC_TEXT_MAX];
};

/** Reads "10.1.2.3" or "fd00::1" (no zone, no blanks). Returns 0 or -EINVAL with a text. */
int ip_parse(const char *text, struct ip *ret_ip, struct error *err);
/** The shortest form of RFC 5952; IPv4 as dotted quad. */
struct ip_text ip_format(struct ip ip);
struct ip ip_from_v4(struct in_addr address);
/** The IPv4 address in network order; 0 if ip is not IPv4. */
struct in_addr ip_to_v4(struct ip ip);
struct ip ip_from_v6(const struct in6_addr *address);
bool ip_is_v4(struct ip ip);
/** True for 0.0.0.0, for :: and for all-zero bytes (no address given). */
bool ip_is_unset(struct ip ip);
bool ip_is_loopback(struct ip ip);
bool ip_is_multicast(struct ip ip);
bool ip_equal(struct ip a, struct ip b);
/** As memcmp: below 0, 0, above 0. */
int ip_compare(struct ip a, struct ip b);
/** to - from mod 2^128, cut off at UINT64_MAX. */
uint64_t ip_distance(struct ip from, struct ip to);
/** ip + offset, mod 2^128. */
struct ip ip_add(struct ip ip, uint64_t offset);

/** Reads "10.1.0.5/16"; host bits are kept. Returns 0 or -EINVAL with a text. */
int prefix_parse(const char *text, struct prefix *ret_prefix, struct error *err);
struct prefix_text prefix_format(struct prefix prefix);
/** The same prefix with host bits zero. */
struct prefix prefix_network(struct prefix prefix);
/** First address after the host bits are set to one: broadcast in IPv4. */
struct ip prefix_last(struct prefix prefix);
bool prefix_contains(struct prefix prefix, struct ip ip);
/** Same family and one contains the other's network. */
bool prefix_overlaps(struct prefix a, struct prefix b);
bool prefix_equal(struct prefix a, struct prefix b);
/** True if length 0 and all bytes zero: no prefix given. */
bool prefix_is_unset(struct prefix prefix);
/** The netmask of an IPv4 prefix, network order. */
struct in_addr prefix_netmask(struct prefix prefix);

/** Reads "02:42:0a:01:00:05", either case. Refuses all-zero and multicast. */
int mac_parse(const char *text, struct mac *ret_mac, struct error *err);
/** Lower case with colons. */
struct mac_text mac_format(struct mac mac);
bool mac_is_unset(struct mac mac);
bool mac_equal(struct mac a, struct mac b);
