/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
#pragma once
/* Who has an address in a network, and who has a slot now. */
#include "lib/packet.h"

inline_always struct endpoint *endpoint_find(__u16 network, struct abi_addr address)
{
	struct endpoint_key key = { .address = address, .network = network };

	return bpf_map_lookup_elem(&wh1_endpoints, &key);
}

/* Slot 0 is nobody's and always there. */
inline_always bool slot_is_alive(__u32 slot, __u32 generation)
{
	if (!slot)
		return true;
	struct slot *entry = bpf_map_lookup_elem(&wh1_slots, &slot);
	return entry && entry->generation == generation;
}

inline_always const struct source_family *source_family(const struct source *source, bool v6)
{
	return v6 ? &source->v6 : &source->v4;
}

/* Beyond its own address an endpoint has those that lead to it. */
inline_always bool source_has_extra(const struct source *source, struct abi_addr address)
{
	struct endpoint *endpoint = endpoint_find(source->network, address);

	return endpoint && endpoint->slot == source->slot &&
	       endpoint->generation == source->generation;
}

inline_always struct network *network_get(__u32 id)
{
	return bpf_map_lookup_elem(&wh1_networks, &id);
}
