/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What the rules that drop have counted. */
#include "nft/mirror.h"

struct nft_count {
	uint32_t reason;  /* enum drop_reason */
	uint32_t ifindex; /* the host end of the container that it is about */
	uint64_t packets, bytes;
};
/** Visits each count. A non-zero result of visit ends the walk and is returned. */
int nft_counts_each(struct nft_mirror *mirror,
		    int (*visit)(const struct nft_count *count, void *context, struct error *err),
		    void *context, struct error *err);
