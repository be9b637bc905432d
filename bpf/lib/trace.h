/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
#pragma once
/*
 * The told variant: the same source, in which each helper that decides something also writes down
 * what it saw. Compiled by datapath_told.bpf.c alone; the programs that carry traffic do not
 * contain a word of it.
 */
#include "bpf/trace_abi.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 18);
} wh1_trace SEC(".maps");

struct trace_fact {
	char name[16];
	__u32 kind;
	__s32 result;
};

noinline_static int trace_write(const struct trace_fact *fact, const void *key, __u32 key_size,
				const void *value)
{
	struct trace_event *event = bpf_ringbuf_reserve(&wh1_trace, sizeof *event, 0);

	if (!event)
		return 0;
	__builtin_memset(event, 0, sizeof *event);
	event->kind = fact->kind;
	event->result = fact->result;
	__builtin_memcpy(event->map, fact->name, sizeof event->map);
	event->key_size = key_size > TRACE_KEY_MAX ? TRACE_KEY_MAX : key_size;
	if (key)
		bpf_probe_read_kernel(event->key, event->key_size, key);
	event->has_value = value != NULL;
	if (value)
		bpf_probe_read_kernel(event->value, TRACE_VALUE_MAX, value);
	bpf_ringbuf_submit(event, 0);
	return 0;
}

#define TRACE(of, kind_, result_, key_, key_size_, value_)                        \
	({                                                                        \
		struct trace_fact trace_fact_ = { #of, kind_, (__s32)(result_) }; \
		trace_write(&trace_fact_, key_, key_size_, value_);               \
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
		long trace_result_ = (bpf_map_update_elem)(map_, key_, value_, flags_); \
		TRACE(map_, TRACE_UPDATE, trace_result_, key_, sizeof *(key_), value_); \
		trace_result_;                                                          \
	})

#define bpf_tail_call(skb_, map_, index_)                       \
	({                                                      \
		TRACE(map_, TRACE_TAIL, index_, NULL, 0, NULL); \
		(bpf_tail_call)(skb_, map_, index_);            \
	})

#define TRACE_WAY_OUT(kind_, ifindex_, flags_)                                         \
	({                                                                             \
		__u32 trace_flags_ = (flags_);                                         \
		TRACE(out, kind_, ifindex_, &trace_flags_, sizeof trace_flags_, NULL); \
	})

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

#define bpf_fib_lookup(skb_, fib_, size_, flags_)                                 \
	({                                                                        \
		long trace_result_ = (bpf_fib_lookup)(skb_, fib_, size_, flags_); \
		TRACE(route, TRACE_ROUTE, trace_result_, NULL, 0, fib_);          \
		trace_result_;                                                    \
	})
