/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
#pragma once
/*
 * The told variant: the same source, in which each helper that decides something also writes down
 * what it saw. Compiled by datapath_told.bpf.c alone; the programs that carry traffic do not
 * contain a word of it.
 */
#include "bpf/trace_abi.h"

#define TOLD_MAX 128 /* a packet's; what comes after is lost */

struct told {
	__u64 count;
	struct trace_event events[TOLD_MAX];
};

/* Written by the one simulation that the process runs; no ring, whose references the verifier
 * would follow through every path. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct told);
	__uint(max_entries, 1);
} wh1_told SEC(".maps");

#define TRACE_WORD(text)                                            \
	({                                                          \
		__u64 word_;                                        \
		__builtin_memcpy(&word_, text "\0\0\0\0\0\0\0", 8); \
		word_;                                              \
	})

/* Counters, switches and places to work decide nothing. Folded by the compiler. */
inline_always bool trace_matters(__u64 name)
{
	return name != TRACE_WORD("slot_sta") && name != TRACE_WORD("switches") &&
	       name != TRACE_WORD("scratch") && name != TRACE_WORD("seats") &&
	       name != TRACE_WORD("flow_use") && name != TRACE_WORD("events");
}

/*
 * All in registers: the programs' stacks are nearly full, and a call chain has one stack. The name
 * is the eight letters behind "&wh1_".
 */
noinline_static int trace_write(__u64 name, __u64 fact, const void *key, __u32 key_size,
				const void *value)
{
	__u32 zero = 0;
	struct told *told = (bpf_map_lookup_elem)(&wh1_told, &zero);

	if (!told)
		return 0;
	struct trace_event *event = &told->events[told->count++ & (TOLD_MAX - 1)];
	event->fact = fact;
	event->name = name;
	event->key_size = key_size;
	/* No pointer, no bytes: the helper then writes zeros. */
	event->has_value = bpf_probe_read_kernel(event->value, TRACE_VALUE_MAX, value) == 0;
	bpf_probe_read_kernel(event->key, key_size & (TRACE_KEY_MAX - 1), key);
	return 0;
}

#define TRACE(of, kind_, result_, key_, key_size_, value_)                                      \
	({                                                                                      \
		__u64 trace_name_;                                                              \
		__builtin_memcpy(&trace_name_, &(#of "\0\0\0\0\0\0\0\0\0\0\0\0\0")[5], 8);      \
		if (trace_matters(trace_name_))                                                 \
			trace_write(trace_name_, (__u64)(kind_) << 32 | (__u32)(result_), key_, \
				    key_size_, value_);                                         \
	})

#define bpf_map_lookup_elem(map_, key_)                                               \
	({                                                                            \
		void *trace_value_ = (bpf_map_lookup_elem)(map_, key_);               \
		TRACE(map_, TRACE_LOOKUP, trace_value_ != NULL, key_, sizeof *(key_), \
		      trace_value_);                                                  \
		trace_value_;                                                         \
	})

#define bpf_map_update_elem(map_, key_, value_, flags_)                                 \
	({                                                                              \
		int trace_result_ = (bpf_map_update_elem)(map_, key_, value_, flags_);  \
		TRACE(map_, TRACE_UPDATE, trace_result_, key_, sizeof *(key_), value_); \
		trace_result_;                                                          \
	})

#define bpf_tail_call(skb_, map_, index_)                       \
	({                                                      \
		TRACE(map_, TRACE_TAIL, index_, NULL, 0, NULL); \
		(bpf_tail_call)(skb_, map_, index_);            \
	})

/* The flags stand in place of a key's size. */
#define TRACE_WAY_OUT(kind_, ifindex_, flags_) TRACE(out, kind_, ifindex_, NULL, flags_, NULL)

#define bpf_redirect(ifindex_, flags_)                             \
	({                                                         \
		__u32 trace_out_ = (ifindex_);                     \
		TRACE_WAY_OUT(TRACE_REDIRECT, trace_out_, flags_); \
		(bpf_redirect)(trace_out_, flags_);                \
	})

#define bpf_redirect_peer(ifindex_, flags_)                             \
	({                                                              \
		__u32 trace_out_ = (ifindex_);                          \
		TRACE_WAY_OUT(TRACE_REDIRECT_PEER, trace_out_, flags_); \
		(bpf_redirect_peer)(trace_out_, flags_);                \
	})

#define bpf_redirect_neigh(ifindex_, hop_, size_, flags_)                \
	({                                                               \
		__u32 trace_out_ = (ifindex_);                           \
		TRACE_WAY_OUT(TRACE_REDIRECT_NEIGH, trace_out_, flags_); \
		(bpf_redirect_neigh)(trace_out_, hop_, size_, flags_);   \
	})

/* A simulation sends nothing. */
#define bpf_clone_redirect(skb_, ifindex_, flags_)                 \
	({                                                         \
		__u32 trace_out_ = (ifindex_);                     \
		TRACE_WAY_OUT(TRACE_REDIRECT, trace_out_, flags_); \
		0L;                                                \
	})

#define bpf_fib_lookup(skb_, fib_, size_, flags_)                                 \
	({                                                                        \
		long trace_result_ = (bpf_fib_lookup)(skb_, fib_, size_, flags_); \
		TRACE(route, TRACE_ROUTE, trace_result_, NULL, 0, fib_);          \
		trace_result_;                                                    \
	})
