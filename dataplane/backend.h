/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What carries the packets: BPF programs, or nf_tables where BPF is not to be had. */
#include <stdbool.h>

#include "base/error.h"
#include "base/instance.h"

enum backend { BACKEND_BPF = 1, BACKEND_NFT = 2 };

/**
 * What ROOT/etc/wherry/config.json "backend" says ("bpf", "nft"), else
 * ("auto") what the kernel can: a program of two instructions is loaded to see.
 */
struct backend_choice {
	enum backend backend;
	bool configured; /* not probed */
};
int backend_choose(const struct instance *instance, struct backend_choice *ret_choice,
		   struct error *err);
const char *backend_name(enum backend backend);
