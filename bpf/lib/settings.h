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
const volatile __u32 flow_seats = FLOWS_MAX / 2;
const volatile __u32 flow_quota = FLOWS_MAX / 4;

/* The kernel's count of jiffies begins so far before the wrap of 32 bits, to find bugs early. */
#define SECONDS_BEFORE_WRAP 300

/* Seconds of the monotonic clock, near enough: its own helper costs 20 times as much. */
inline_always __u32 now_s(void)
{
	__u64 at_boot = (1ULL << 32) - (__u64)SECONDS_BEFORE_WRAP * jiffies_per_second;

	return (bpf_jiffies64() - at_boot) / jiffies_per_second;
}

/* For intervals of up to an hour; where a flow begins and is answered only. */
inline_always __u32 now_us(void)
{
	return bpf_ktime_get_ns() / 1000;
}
