/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Elements of the sets of table.h. Keys and values are packed as written there. */
#include "nft/table.h"

struct nft_set {
	int fd;            /* borrowed */
	const char *table; /* borrowed */
	enum nft_set_id id;
};

/* Elements side by side: keys, values and notes as the set's shape has them. */
struct nft_elements {
	const void *keys, *values, *notes; /* values and notes: NULL without */
	uint32_t count;
};
/** Puts or replaces. */
int nft_elements_put(const struct nft_set *set, const struct nft_elements *elements,
		     struct error *err);
/** Takes `count` keys away; what is not there is no failure. */
int nft_elements_delete(const struct nft_set *set, const void *keys, uint32_t count,
			struct error *err);
/** 1 (and its note, if ret_note is not NULL) if the key is there, 0 if not. */
int nft_element_get(const struct nft_set *set, const void *key, void *ret_note, struct error *err);
/** All keys, side by side, in *ret_keys, which the caller frees. */
int nft_elements_keys(const struct nft_set *set, void **ret_keys, uint32_t *ret_count,
		      struct error *err);
