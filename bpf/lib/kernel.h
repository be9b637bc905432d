/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
#pragma once
/*
 * What every kernel program starts from: the kernel's own headers, libbpf's
 * helpers, abi.h, and the few constants that no header of user space has.
 */
#include <stdbool.h>

#include <sys/socket.h>

#include <linux/bpf.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bpf/abi.h"

#define inline_always static inline __attribute__((always_inline))
#define noinline_static static __attribute__((noinline))
/*
 * Verified once and by itself, not anew for each way that leads to it: for rare
 * work of many branches. Costs a call, and pointers must be asked for NULL.
 */
#define global_function __attribute__((noinline))

/*
 * "Not ours": the next filter sees the packet. TC_ACT_OK would end the walk and
 * hide it from every later one (a second instance, an administrator's).
 */
#define VERDICT_PASS TC_ACT_UNSPEC
#define VERDICT_DROP TC_ACT_SHOT

/*
 * Before Linux 6.4 what stands behind these returns an int, whose sign is not
 * carried into the upper half of the register: "< 0" was never true.
 */
#define bpf_map_delete_elem(map_, key_) ((int)(bpf_map_delete_elem)(map_, key_))
#ifdef WHERRY_TOLD
#include "lib/trace.h"
#else
#define bpf_map_update_elem(map_, key_, value_, flags_) \
	((int)(bpf_map_update_elem)(map_, key_, value_, flags_))
#endif
