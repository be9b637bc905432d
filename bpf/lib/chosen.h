/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
#pragma once
/*
 * Masquerading as a network's options say: some destinations see the container's
 * own address, the source may be another than the uplink's, and a mapping may
 * give all flows of a client's port the same port outside.
 */
#include "lib/masquerade.h"

struct mapping_search {
	struct new_flow *new;
	struct __sk_buff *skb;
	__u32 base;
	__u32 found; /* boolean */
};

/* By 128 bits and the network. */
noinline_static bool destination_is_excepted(__u32 network, const struct abi_addr *destination)
{
	struct except_key key = { .prefix_length = 32 + 128,
				  .network = network,
				  .address = *destination };

	return bpf_map_lookup_elem(&wh1_excepts, &key);
}

static long mapping_try(__u32 turn, void *context)
{
	struct mapping_search *search = context;
	struct new_flow *new = search->new;
	__u32 offset = (search->base + turn * PORT_STEP) % masquerade_count;

	new_flow_set_port(new, bpf_htons(masquerade_first + offset));
	new->outside.port = new->flow.new_source_port;
	struct mapping *held = bpf_map_lookup_elem(&wh1_mappings, &new->outside);
	if (held && mapping_is_alive(held) && !mapping_leads_to(held, &new->key))
		return 0;
	if (host_has_socket(search->skb, &new->peer_key) ||
	    (held && bpf_map_delete_elem(&wh1_mappings, &new->outside) < 0) ||
	    bpf_map_update_elem(&wh1_mappings, &new->outside, &new->mapping, BPF_NOEXIST) < 0)
		return 0;
	search->found = 1;
	return 1;
}

/* The mapping that the client's port has; false if it has none that is whole. */
inline_always bool mapping_is_known(struct new_flow *new)
{
	struct mapping *known = bpf_map_lookup_elem(&wh1_mappings, &new->inside);

	if (!known || known->slot != new->flow.slot || known->generation != new->flow.generation ||
	    !address_equal(&known->address, &new->flow.new_source))
		return false;
	new->outside.port = known->port;
	struct mapping *other = bpf_map_lookup_elem(&wh1_mappings, &new->outside);
	if (!other || !mapping_leads_to(other, &new->key) ||
	    other->generation != new->flow.generation)
		return false;
	known->seen = other->seen = new->flow.seen;
	other->flags = new->mapping.flags;
	new->flow.new_source_port = known->port;
	return true;
}

/* Member by member: a whole struct would go by the stack. The scratch was cleared. */
inline_always void mapping_describe(struct new_flow *new, __u32 flags)
{
	struct mapping *mapping = &new->mapping;

	new->inside.address = mapping->address = new->key.source;
	new->inside.port = mapping->port = new->key.source_port;
	new->inside.zone = mapping->network = new->key.zone;
	new->inside.protocol = new->outside.protocol = new->key.protocol;
	new->outside.address = new->flow.new_source;
	mapping->slot = new->flow.slot;
	mapping->generation = new->flow.generation;
	mapping->seen = new->flow.seen;
	mapping->flags = flags;
}

/* Gives the flow, whose new source is known, the port of its mapping; false if none is free. */
inline_always bool mapping_choose(struct new_flow *new, struct __sk_buff *skb, __u32 flags)
{
	struct mapping_search search = { .new = new, .skb = skb };

	mapping_describe(new, flags);
	if (mapping_is_known(new))
		return true;
	mappings_begin();
	search.base = address_fold(&new->key.source) * 0x9e3779b1u;
	search.base = (search.base ^ search.base >> 15) + bpf_ntohs(new->key.source_port);
	bpf_loop(PORT_TRIES, mapping_try, &search, 0);
	if (!search.found)
		return false;
	new->mapping.address = new->flow.new_source;
	new->mapping.port = new->flow.new_source_port;
	bpf_map_update_elem(&wh1_mappings, &new->inside, &new->mapping, BPF_ANY);
	return true;
}

/* The source that outside will see; one that the host has no longer would get no answers. */
inline_always enum drop_reason chosen_source(const struct packet *packet, struct new_flow *new,
					     const struct uplink *uplink,
					     const struct masquerade_choice *choice)
{
	struct abi_addr *source = &new->flow.new_source;

	if (choice)
		*source = packet->v6 ? choice->source6 : choice->source;
	if (choice && !address_is_zero(source))
		return bpf_map_lookup_elem(&wh1_locals, source) ? DROP_NONE : DROP_NO_SOURCE;
	*source = packet->v6 ? uplink->masquerade6 : uplink->masquerade;
	return address_is_zero(source) ? DROP_NO_SOURCE : DROP_NONE;
}

/* new->flow has the client's source and port, as it began; choice may be NULL: all as usual. */
inline_always enum drop_reason masquerade_chosen(struct packet *packet, struct new_flow *new,
						 const struct uplink *uplink,
						 const struct masquerade_choice *choice)
{
	enum drop_reason reason = chosen_source(packet, new, uplink, choice);

	if (reason)
		return reason;
	if (packet->protocol == IPPROTO_SCTP)
		return flow_create(new, packet->skb, PORT_KEEP_FIRST);
	if (!choice || !(choice->flags & MASQUERADE_ENDPOINT_INDEPENDENT))
		return flow_create(new, packet->skb, PORT_FROM_RANGE);
	if (!mapping_choose(new, packet->skb, choice->flags))
		return DROP_PORTS_FULL;
	return flow_create(new, packet->skb, PORT_MAPPED);
}
