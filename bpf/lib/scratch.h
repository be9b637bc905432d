/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
#pragma once
/*
 * Room for what is too large for the stack, which all functions of a call chain
 * share 512 bytes of. One packet at a time is at work on a CPU.
 */
#include "lib/packet.h"

/* How a port is looked for; see create.h. */
struct port_wish {
	__u32 base;
	__u32 choice; /* enum port_choice */
	__u32 hurry;  /* boolean: ports of flows that closed just now are taken, too */
	__u32 found;  /* boolean: it has been claimed */
	__be16 first; /* to be tried first */
	__u16 zero;
};

struct new_flow {
	struct flow_key key, peer_key;
	struct flow_key old; /* of a flow that has ended */
	struct flow flow, peer;
	struct mapping_key inside, outside;
	struct mapping mapping;
	struct port_wish wish;
};

/* Too large for the stack. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, __u32);
	__type(value, struct new_flow);
	__uint(max_entries, 1);
} wh1_scratch SEC(".maps");

inline_always struct new_flow *scratch_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&wh1_scratch, &zero);
}
