/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What the rules of nf_tables have to know of an entry of abi.h's maps. */
#include <stdbool.h>
#include <stddef.h>

#include "maps.h"
#include "nft/table.h"

#define ENTRY_VALUE_MAX 256
#define DERIVED_MAX 10

struct port_element {
	struct abi_addr address;
	__be16 port;
	uint16_t zero;
	uint8_t protocol;
	uint8_t zeros[3];
};
struct port_target {
	struct abi_addr address;
	__be16 port;
	uint16_t zero;
};
struct port_element port_element_of(const struct port_key *key);
struct port_key port_key_of_element(const struct port_element *element);
struct port_target port_target_of(const struct publication *publication);

struct derived_element {
	enum nft_set_id set;
	uint8_t key[32];
	uint8_t value[16];
};
struct derived {
	size_t count;
	struct derived_element items[DERIVED_MAX];
};
/** Whether entries of this map have anything for the rules, besides themselves. */
bool derives(enum map_id id);
/** Appends what the entry has for the rules. */
void derive(enum map_id id, const void *key, const void *value, struct derived *derived);
