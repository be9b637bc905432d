/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
#pragma once
/*
 * What costs others more than it costs its sender is counted for each endpoint,
 * anew every second. Two CPUs may lose a count between them, which is no harm.
 */
#include "lib/packet.h"

global_function int rate_allows(__u32 slot, __u32 kind, __u32 most)
{
	struct rates *rates = bpf_map_lookup_elem(&wh1_rates, &slot);
	__u32 now = now_s();

	if (!rates || kind >= RATE_KINDS)
		return false;
	if (rates->second != now) {
		__builtin_memset(rates->counts, 0, sizeof rates->counts);
		rates->second = now;
	}
	return rates->counts[kind]++ < most;
}
