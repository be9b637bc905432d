/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
#pragma once
/*
 * Read-only data that the loader sets before load: what never changes while an
 * instance lives.
 */
#include "lib/kernel.h"

const volatile __u64 host_netns_cookie = 0;
const volatile __u16 masquerade_first = 16384;
const volatile __u16 masquerade_count = 16384;
const volatile __u32 jiffies_per_second = 250;
const volatile __u32 know_ip_summed = 0;

/* Seconds of the monotonic clock, near enough: a helper of its own costs 20 times as much. */
inline_always __u32 now_s(void)
{
	return bpf_jiffies64() / jiffies_per_second;
}
