/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The host's nftables, read only: which chains stand where packets pass. */
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define NFT_NAME_MAX 64

struct nft_chain {
	char table[NFT_NAME_MAX], name[NFT_NAME_MAX];
	uint8_t family; /* NFPROTO_* */
	bool is_base;   /* it stands at a hook */
	uint32_t hook;  /* NF_INET_* */
	bool drops;     /* what no rule accepts is dropped */
};
/** "inet", "ip" … */
const char *nft_family_name(uint8_t family);
/**
 * Visits the chains of the calling thread's namespace. A kernel without nftables has none. -EPERM
 * and others are told.
 */
int nft_chain_each(int (*visit)(const struct nft_chain *chain, void *context, struct error *err),
		   void *context, struct error *err);
