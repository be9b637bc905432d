/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
#pragma once
/*
 * The maps of an instance, by the names of abi.h. The loader may change the
 * sizes of hashes before load, and pins every map whose name begins with the
 * ABI's prefix.
 */
#include "lib/kernel.h"

#define MAP(kind, key_type, value_type, entries, flags) \
	struct {                                        \
		__uint(type, kind);                     \
		__type(key, key_type);                  \
		__type(value, value_type);              \
		__uint(max_entries, entries);           \
		__uint(map_flags, flags);               \
	}

MAP(BPF_MAP_TYPE_HASH, __u32, struct source, SLOT_MAX, BPF_F_NO_PREALLOC)
wh1_sources SEC(".maps");

MAP(BPF_MAP_TYPE_HASH, struct endpoint_key, struct endpoint, SLOT_MAX, BPF_F_NO_PREALLOC)
wh1_endpoints SEC(".maps");

MAP(BPF_MAP_TYPE_ARRAY, __u32, struct slot, SLOT_MAX, 0)
wh1_slots SEC(".maps");

MAP(BPF_MAP_TYPE_PERCPU_ARRAY, __u32, struct slot_stats, SLOT_MAX, 0)
wh1_slot_stats SEC(".maps");

MAP(BPF_MAP_TYPE_ARRAY, __u32, struct network, NETWORK_MAX, 0)
wh1_networks SEC(".maps");

MAP(BPF_MAP_TYPE_HASH, __u32, __u32, NETWORK_MAX, BPF_F_NO_PREALLOC)
wh1_gateways SEC(".maps");

MAP(BPF_MAP_TYPE_LPM_TRIE, struct subnet_key, __u32, 2 * NETWORK_MAX, BPF_F_NO_PREALLOC)
wh1_subnets SEC(".maps");

MAP(BPF_MAP_TYPE_HASH, __u32, struct uplink, UPLINK_MAX, BPF_F_NO_PREALLOC)
wh1_uplinks SEC(".maps");

MAP(BPF_MAP_TYPE_HASH, struct abi_addr, __u32, LOCALS_MAX, BPF_F_NO_PREALLOC)
wh1_locals SEC(".maps");

MAP(BPF_MAP_TYPE_HASH, __u64, struct netns, SLOT_MAX, BPF_F_NO_PREALLOC)
wh1_netns SEC(".maps");

MAP(BPF_MAP_TYPE_HASH, struct port_key, struct publication, PORTS_MAX, BPF_F_NO_PREALLOC)
wh1_ports SEC(".maps");

MAP(BPF_MAP_TYPE_LRU_HASH, struct flow_key, struct flow, OPENING_MAX, 0)
wh1_opening SEC(".maps");

MAP(BPF_MAP_TYPE_HASH, struct flow_key, struct flow, FLOWS_MAX, 0)
wh1_flows SEC(".maps");

MAP(BPF_MAP_TYPE_ARRAY, __u32, struct flow_seat, FLOWS_MAX / 2, 0)
wh1_seats SEC(".maps");

MAP(BPF_MAP_TYPE_ARRAY, __u32, __u64, SLOT_MAX, 0)
wh1_flow_use SEC(".maps");

MAP(BPF_MAP_TYPE_LRU_HASH, struct fragment_key, struct fragment, FRAGMENTS_MAX, 0)
wh1_fragments SEC(".maps");

MAP(BPF_MAP_TYPE_ARRAY, __u32, struct rates, SLOT_MAX, 0)
wh1_rates SEC(".maps");

MAP(BPF_MAP_TYPE_LRU_HASH, struct socket_key, struct socket_origin, SOCKETS_MAX, 0)
wh1_sockets SEC(".maps");

MAP(BPF_MAP_TYPE_PERCPU_HASH, struct drop_key, struct drop_count, DROPS_MAX, BPF_F_NO_PREALLOC)
wh1_drops SEC(".maps");

MAP(BPF_MAP_TYPE_ARRAY, __u32, __u32, SWITCH_COUNT, 0)
wh1_switches SEC(".maps");

/* Of user space alone; here because it lives as long as the other tables. */
MAP(BPF_MAP_TYPE_ARRAY, __u32, __u64, LATENCY_CELLS, BPF_F_MMAPABLE)
wh1_latency SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, EVENTS_BYTES);
} wh1_events SEC(".maps");

MAP(BPF_MAP_TYPE_LPM_TRIE, struct allowed_key, struct allowed, ALLOWED_MAX, BPF_F_NO_PREALLOC)
wh1_allowed SEC(".maps");

MAP(BPF_MAP_TYPE_HASH, __u32, struct masquerade_choice, NETWORK_MAX, BPF_F_NO_PREALLOC)
wh1_masquerade SEC(".maps");

MAP(BPF_MAP_TYPE_LPM_TRIE, struct except_key, __u32, EXCEPTS_MAX, BPF_F_NO_PREALLOC)
wh1_excepts SEC(".maps");

MAP(BPF_MAP_TYPE_LRU_HASH, struct mapping_key, struct mapping, MAPPINGS_MAX, 0)
wh1_mappings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, NOTICES_BYTES);
} wh1_notices SEC(".maps");
