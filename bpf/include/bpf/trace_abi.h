/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
#pragma once
/*
 * What the told variant of the programs writes down about a packet: each look-up and change of a
 * table, each tail call, each way out, in order. Only simulations load that variant.
 */
#include <linux/types.h>

#define TRACE_KEY_MAX 64
#define TRACE_VALUE_MAX 192

enum trace_kind {
	TRACE_LOOKUP = 1,   /* result: 1 found */
	TRACE_UPDATE = 2,   /* result: what the kernel said */
	TRACE_TAIL = 3,     /* result: index in the program array `map` */
	TRACE_REDIRECT = 4, /* result: ifindex; key_size: flags */
	TRACE_REDIRECT_PEER = 5,
	TRACE_REDIRECT_NEIGH = 6,
	TRACE_ROUTE = 7, /* result: BPF_FIB_LKUP_RET_*; value: struct bpf_fib_lookup */
};

struct trace_event {
	union {
		__u64 fact;
		struct {
			__s32 result;
			__u32 kind;
		};
	};
	union {
		__u64 name;
		char map[8]; /* "flows" for wh1_flows; cut, without NUL if it is longer */
	};
	__u32 key_size;
	__u32 has_value;
	__u8 key[TRACE_KEY_MAX];
	__u8 value[TRACE_VALUE_MAX]; /* the value and what lies behind it: the map knows its size */
};
_Static_assert(sizeof(struct trace_event) == 280, "trace_event");
