/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
#pragma once
/*
 * Endpoint-independent mappings, of networks that ask for them: a port of a
 * container that has one port outside, whomever it talks to. While there are
 * none, nobody looks here.
 */
#include "lib/flow.h"
#include "lib/scratch.h"

inline_always bool mappings_exist(void)
{
	__u32 index = SWITCH_MAPPINGS;
	__u32 *mappings = bpf_map_lookup_elem(&wh1_switches, &index);

	return !mappings || *(volatile __u32 *)mappings;
}

inline_always void mappings_begin(void)
{
	__u32 index = SWITCH_MAPPINGS;
	__u32 *mappings = bpf_map_lookup_elem(&wh1_switches, &index);

	if (mappings)
		*(volatile __u32 *)mappings = 1;
}

inline_always bool mapping_is_alive(const struct mapping *mapping)
{
	return slot_is_alive(mapping->slot, mapping->generation) &&
	       now_s() - mapping->seen <= MAPPING_LIFE;
}

/* By where packets from outside arrive; NULL if there is none, or its container is gone. */
inline_always struct mapping *mapping_find(const struct mapping_key *outside)
{
	struct mapping *mapping = bpf_map_lookup_elem(&wh1_mappings, outside);

	return mapping && mapping_is_alive(mapping) ? mapping : NULL;
}

/* Whether the entry by addresses outside is that of the flow's client. */
inline_always bool mapping_leads_to(const struct mapping *mapping, const struct flow_key *key)
{
	return address_equal(&mapping->address, &key->source) &&
	       mapping->port == key->source_port && mapping->network == key->zone;
}

/*
 * Whether the port that the flow would have outside is another's for all destinations. By a call:
 * the stacks of its callers are nearly full.
 */
noinline_static bool mapping_forbids(struct new_flow *new)
{
	if (!mappings_exist())
		return false;
	new->outside.address = new->flow.new_source;
	new->outside.port = new->flow.new_source_port;
	new->outside.protocol = new->key.protocol;
	struct mapping *held = mapping_find(&new->outside);
	return held && !mapping_leads_to(held, &new->key);
}
