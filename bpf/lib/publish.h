/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
#pragma once
/*
 * Published ports: one hash entry each, whatever their number, and the flows
 * that begin at one. The client's address is kept, unless client and server are
 * in one network: then the answers must come back this way (hairpin).
 */
#include "lib/create.h"
#include "lib/firewall.h"

inline_always struct publication *publication_get(struct abi_addr address, __be16 port,
						  __u8 protocol)
{
	struct port_key key = { .address = address, .port = port, .protocol = protocol };
	struct publication *found = bpf_map_lookup_elem(&wh1_ports, &key);

	return found && slot_is_alive(found->slot, found->generation) ? found : NULL;
}

/* By the exact address, then by any: the caller makes sure that the address is the host's. */
inline_always struct publication *publication_find(struct abi_addr address, __be16 port,
						   __u8 protocol)
{
	struct publication *found = publication_get(address, port, protocol);

	if (found)
		return found;
	return publication_get(address_is_v4(&address) ? address4(0) : (struct abi_addr){ 0 }, port,
			       protocol);
}

/* The direction to the container. */
inline_always enum drop_reason publish_towards(struct new_flow *new,
					       const struct publication *publication)
{
	struct endpoint *endpoint = endpoint_find(publication->network, publication->address);
	struct network *network = network_get(publication->network);
	struct flow *flow = &new->flow;

	if (!endpoint || !network)
		return DROP_STALE;
	flow->new_destination = publication->address;
	flow->new_destination_port = publication->port;
	flow->ifindex = publication->ifindex;
	flow->slot = publication->slot;
	flow->generation = publication->generation;
	flow->peer_zone = publication->network;
	flow->action = FLOW_TO_ENDPOINT;
	flow->flags |= FLOW_HAVE_NEXT_HOP;
	if (endpoint->flags & ENDPOINT_QUEUED)
		flow->flags |= FLOW_QUEUED;
	mac_copy(flow->source_mac, network->gateway_mac);
	mac_copy(flow->destination_mac, endpoint->mac);
	return DROP_NONE;
}

/* Answers to one that asked from outside leave where it came in. */
inline_always enum drop_reason publish_from_uplink(struct packet *packet, struct new_flow *new,
						   const struct publication *publication)
{
	enum drop_reason reason = publish_towards(new, publication);

	if (reason)
		return reason;
	if (publication->flags & PUBLICATION_RESPECT) {
		new->flow.flags |= FLOW_JUDGED;
		new->flow.state |= FLOW_ASKED | firewall_round();
	}
	new->peer.action = FLOW_TO_UPLINK;
	new->peer.ifindex = packet->skb->ifindex;
	return flow_create(new, packet->skb, PORT_KEEP_FIRST);
}

/*
 * While no hairpin has begun, what containers send to their gateway is the
 * host's without a look at the flows.
 */
inline_always bool hairpins_exist(void)
{
	__u32 index = SWITCH_HAIRPINS;
	__u32 *hairpins = bpf_map_lookup_elem(&wh1_switches, &index);

	return !hairpins || *(volatile __u32 *)hairpins;
}

inline_always void hairpins_begin(void)
{
	__u32 index = SWITCH_HAIRPINS;
	__u32 *hairpins = bpf_map_lookup_elem(&wh1_switches, &index);

	if (hairpins)
		*(volatile __u32 *)hairpins = 1;
}

/* Answers to a container go to its own link. */
inline_always enum drop_reason publish_from_container(struct packet *packet, struct new_flow *new,
						      const struct publication *publication,
						      const struct source *source)
{
	enum drop_reason reason = publish_towards(new, publication);
	bool hairpin = publication->network == source->network;

	if (reason)
		return reason;
	if (hairpin) {
		hairpins_begin();
		new->flow.new_source = source_family(source, packet->v6)->gateway;
	}
	new->flow.peer_slot = source->slot;
	new->flow.peer_generation = source->generation;
	new->peer.action = FLOW_TO_ENDPOINT;
	new->peer.ifindex = packet->skb->ifindex;
	new->peer.flags = flow_flags_to(source);
	mac_copy(new->peer.source_mac, source->gateway_mac);
	mac_copy(new->peer.destination_mac, source->mac);
	return flow_create(new, packet->skb,
			   hairpin && packet->protocol != IPPROTO_SCTP ? PORT_FROM_RANGE
								       : PORT_KEEP_FIRST);
}
