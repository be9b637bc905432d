/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
#pragma once
/*
 * Read-only data that the loader sets before load: what never changes while an
 * instance lives. Weak, so that the objects that name them link into one.
 */
#include "lib/kernel.h"

const volatile __u64 host_netns_cookie __weak = 0;
const volatile __u16 masquerade_first __weak = 16384;
const volatile __u16 masquerade_count __weak = 16384;
const volatile __u32 jiffies_per_second __weak = 250;
const volatile __u32 know_ip_summed __weak = 0;

/* Seconds of the monotonic clock, near enough: a helper of its own costs 20 times as much. */
inline_always __u32 now_s(void)
{
	return bpf_jiffies64() / jiffies_per_second;
}
