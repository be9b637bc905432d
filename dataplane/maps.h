/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The pinned maps of an instance, opened one by one when they are first used:
 * an ADD opens five of them and loads nothing.
 */
#include <stdint.h>

#include "base/error.h"
#include "base/instance.h"
#include "base/ip.h"
#include "bpf/abi.h"

enum map_id {
	MAP_SOURCES,
	MAP_ENDPOINTS,
	MAP_SLOTS,
	MAP_SLOT_STATS,
	MAP_NETWORKS,
	MAP_GATEWAYS,
	MAP_SUBNETS,
	MAP_UPLINKS,
	MAP_LOCALS,
	MAP_NETNS,
	MAP_PORTS,
	MAP_FLOWS,
	MAP_OPENING,
	MAP_SEATS,
	MAP_FLOW_USE,
	MAP_SOCKETS,
	MAP_DROPS,
	MAP_SWITCHES,
	MAP_EVENTS,
	MAP_LATENCY,
	MAP_ALLOWED,
	MAP_NOTICES,
	MAP_MASQUERADE,
	MAP_EXCEPTS,
	MAP_MAPPINGS,
	MAP_COUNT
};

struct nft_mirror;

struct maps {
	struct nft_mirror *mirror; /* not NULL: nf_tables holds them */
	char directory[INSTANCE_PATH_MAX];
	int fds[MAP_COUNT];
};

/** Nothing is opened yet. */
void maps_init(struct maps *maps, const char *directory);
void maps_close(struct maps *maps);
/** "wh1_sources". */
const char *map_name(enum map_id id);
/** The descriptor, lent; opened at the first call. */
int map_open(struct maps *maps, enum map_id id, int *ret_fd, struct error *err);
/** Puts or replaces. -ENOSPC: the map is full, and named. */
int map_put(struct maps *maps, enum map_id id, const void *key, const void *value,
	    struct error *err);
/** Puts `count` entries in one system call. */
int map_put_many(struct maps *maps, enum map_id id, const void *keys, const void *values,
		 uint32_t count, struct error *err);
/** 1 and *ret_value if found, 0 if not. */
int map_get(struct maps *maps, enum map_id id, const void *key, void *ret_value, struct error *err);
/** 1 if it was there, 0 if not. */
int map_delete(struct maps *maps, enum map_id id, const void *key, struct error *err);
/** Deletes `count` keys, those that are not there too. */
int map_delete_many(struct maps *maps, enum map_id id, const void *keys, size_t key_size,
		    uint32_t count, struct error *err);
/** The key after `key` (NULL: the first). 1 or 0 at the end. */
int map_next(struct maps *maps, enum map_id id, const void *key, void *ret_key, struct error *err);
/** How many entries it can hold. */
int map_capacity(struct maps *maps, enum map_id id, uint32_t *ret_entries, struct error *err);

/** The form of addresses in maps: the same 16 bytes. */
struct abi_addr abi_addr_of(struct ip ip);
struct ip ip_of_abi(struct abi_addr address);
