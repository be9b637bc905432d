/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The maps of abi.h where nf_tables carries the packets: each entry is kept as
 * it is, and what the rules have to know of it is put beside it. Same results as
 * the functions of maps.h. Tables that only programs write (flows, drops,
 * counters) are empty here.
 */
#include "base/cleanup.h"
#include "base/error.h"
#include "base/instance.h"
#include "maps.h"

struct nft_mirror;

/* Entries side by side. */
struct map_entries {
	const void *keys, *values;
	uint32_t count;
};

/** A socket of nf_tables; nothing is made. The caller owns *ret_mirror. */
int nft_mirror_open(const struct instance *instance, struct nft_mirror **ret_mirror,
		    struct error *err);
void nft_mirror_free(struct nft_mirror *mirror);
DEFINE_FREEP(nft_mirror)
/** Makes the instance's table if it is not there. */
int nft_mirror_load(struct nft_mirror *mirror, struct error *err);
/** 1 if the table is there, 0 if not. */
int nft_mirror_check(struct nft_mirror *mirror, struct error *err);
/** Removes the table. */
int nft_mirror_unload(struct nft_mirror *mirror, struct error *err);

/** Its socket and table; lent. */
int nft_mirror_fd(const struct nft_mirror *mirror);
const char *nft_mirror_table(const struct nft_mirror *mirror);

int nft_map_put(struct nft_mirror *mirror, enum map_id id, const void *key, const void *value,
		struct error *err);
int nft_map_put_many(struct nft_mirror *mirror, enum map_id id, const struct map_entries *entries,
		     struct error *err);
int nft_map_get(struct nft_mirror *mirror, enum map_id id, const void *key, void *ret_value,
		struct error *err);
int nft_map_delete(struct nft_mirror *mirror, enum map_id id, const void *key, struct error *err);
int nft_map_delete_many(struct nft_mirror *mirror, enum map_id id, const void *keys, uint32_t count,
			struct error *err);
/** A walk from key NULL sees what was there when it began. */
int nft_map_next(struct nft_mirror *mirror, enum map_id id, const void *key, void *ret_key,
		 struct error *err);
uint32_t nft_map_capacity(enum map_id id);
