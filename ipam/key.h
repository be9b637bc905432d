/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Keys of ipam's tables: the parts of a key one after the other, a text with
 * its NUL behind it so that no name is the beginning of another, an address as
 * its 16 bytes, so that memcmp order is address order.
 */
#include <stdint.h>

#include "base/ip.h"
#include "base/store.h"

#define TABLE_LEASES "ipam/leases" /* network, address -> who holds it since when */
#define TABLE_OWNERS "ipam/owners" /* network, container, interface, address -> nothing */
#define TABLE_RUNS "ipam/runs"     /* network, first address -> last address of a leased run */
#define TABLE_LAST "ipam/last"     /* network, number of the set -> the address given last */

struct key {
	uint8_t bytes[STORE_KEY_MAX];
	size_t size;
};

/** The key that begins with network. Names are checked before: ipam_check_names. */
struct key key_of_network(const char *network);
struct key key_of_address(const char *network, struct ip ip);
void key_add(struct key *key, const void *data, size_t size);
void key_add_text(struct key *key, const char *text);

static inline struct bytes key_bytes(const struct key *key)
{
	return bytes_of(key->bytes, key->size);
}
/** True if `found` begins with all of key. */
bool key_begins(const struct key *key, struct bytes found);
/** The address at the end of a key or value of ipam's tables. */
struct ip key_last_ip(struct bytes found);
