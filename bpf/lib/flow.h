/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
#pragma once
/*
 * Conntrack: a flow is two entries, one for each direction, each keyed by the
 * packet as it arrives. A direction writes its own entry; what the other must
 * know (an answer, FIN, RST) is set there once, atomically. Nothing runs to
 * expire flows: an entry too old, or of an endpoint that is gone, is a miss.
 * What packets change in a flow is in touch.h.
 */
#include "lib/endpoint.h"

inline_always struct flow_key flow_key_of(const struct packet *packet)
{
	return (struct flow_key){
		.source = packet_source(packet),
		.destination = packet_destination(packet),
		.source_port = packet->source_port,
		.destination_port = packet->destination_port,
		.zone = packet->hook == HOOK_FROM_UPLINK ? 0 : packet->network,
		.protocol = packet->protocol,
	};
}

/* The key of the other direction: what answers to the translated packet look like. */
inline_always struct flow_key flow_peer_key(const struct flow *flow, __u8 protocol)
{
	return (struct flow_key){
		.source = flow->new_destination,
		.destination = flow->new_source,
		.source_port = flow->new_destination_port,
		.destination_port = flow->new_source_port,
		.zone = flow->peer_zone,
		.protocol = protocol,
	};
}

/* Whether the entry `peer` is the other half of the one with this key. */
inline_always bool flow_leads_to(const struct flow *peer, const struct flow_key *key)
{
	return address_equal(&peer->new_destination, &key->source) &&
	       address_equal(&peer->new_source, &key->destination) &&
	       peer->new_destination_port == key->source_port &&
	       peer->new_source_port == key->destination_port && peer->peer_zone == key->zone;
}

inline_always __u32 flow_life(__u32 state, __u8 protocol)
{
	if (protocol == IPPROTO_UDP)
		return FLOW_LIFE_UDP;
	if (!protocol_has_states(protocol))
		return FLOW_LIFE_ICMP;
	if (state & (FLOW_SEEN_RST | FLOW_PEER_RST))
		return FLOW_LIFE_TCP_RESET;
	if ((state & FLOW_SEEN_FIN) && (state & FLOW_PEER_FIN))
		return FLOW_LIFE_TCP_CLOSING;
	if (!(state & FLOW_ANSWERED) || !(state & FLOW_SEEN_ACK))
		return FLOW_LIFE_TCP_OPENING;
	return FLOW_LIFE_TCP;
}

inline_always bool flow_is_young(const struct flow *flow, __u8 protocol)
{
	return now_s() - flow->seen <= flow_life(flow->state, protocol);
}

inline_always bool flow_has_endpoints(const struct flow *flow)
{
	return slot_is_alive(flow->slot, flow->generation) &&
	       slot_is_alive(flow->peer_slot, flow->peer_generation);
}

/* The other half, in the same table. */
inline_always struct flow *flow_with_key(const struct flow *flow, const struct flow_key *peer_key)
{
	if (flow->state & FLOW_OPENING)
		return bpf_map_lookup_elem(&wh1_opening, peer_key);
	return bpf_map_lookup_elem(&wh1_flows, peer_key);
}

inline_always struct flow *flow_peer(const struct flow *flow, __u8 protocol)
{
	struct flow_key key = flow_peer_key(flow, protocol);

	return flow_with_key(flow, &key);
}

/* Rare: a direction may be silent while the other one streams. */
global_function int flow_peer_is_young(struct flow *flow, __u32 protocol)
{
	struct flow *peer = flow ? flow_peer(flow, protocol) : NULL;

	return peer && flow_is_young(peer, protocol);
}

inline_always bool flow_is_alive(struct flow *flow, __u8 protocol)
{
	if (!flow_has_endpoints(flow))
		return false;
	return flow_is_young(flow, protocol) || flow_peer_is_young(flow, protocol);
}

/* Most are answered: their table is looked at first. */
inline_always struct flow *flow_find(const struct flow_key *key)
{
	struct flow *flow = bpf_map_lookup_elem(&wh1_flows, key);

	if (flow && flow_is_alive(flow, key->protocol))
		return flow;
	flow = bpf_map_lookup_elem(&wh1_opening, key);
	return flow && flow_is_alive(flow, key->protocol) ? flow : NULL;
}

/* Be it dead. */
inline_always bool flow_exists(const struct flow_key *key)
{
	return bpf_map_lookup_elem(&wh1_flows, key) || bpf_map_lookup_elem(&wh1_opening, key);
}

/* An echo request belongs to the direction that began, a reply to the other. */
inline_always bool flow_fits(const struct flow *flow, const struct packet *packet)
{
	if (!protocol_is_echo(packet->protocol))
		return true;
	return packet->echo_reply == !!(flow->flags & FLOW_REPLY);
}

inline_always __u32 flow_state_of(const struct packet *packet)
{
	__u32 state = FLOW_SEEN_ACK;

	if (!protocol_has_states(packet->protocol))
		return state;
	if (packet->tcp_flags & TCP_SYN)
		state = packet->tcp_flags & TCP_ACK ? FLOW_SEEN_SYN | FLOW_SEEN_ACK : FLOW_SEEN_SYN;
	if (packet->tcp_flags & TCP_FIN)
		state |= FLOW_SEEN_FIN;
	if (packet->tcp_flags & TCP_RST)
		state |= FLOW_SEEN_RST;
	return state;
}

/* What the other direction is told of a change in this one. */
inline_always __u32 flow_state_for_peer(__u32 news)
{
	__u32 state = FLOW_ANSWERED;

	if (news & FLOW_SEEN_FIN)
		state |= FLOW_PEER_FIN;
	if (news & FLOW_SEEN_RST)
		state |= FLOW_PEER_RST;
	return state;
}

/* Whose traffic a packet of this flow adds to, at its receiving end. */
inline_always __u32 flow_receiver(const struct flow *flow)
{
	return (flow->flags & FLOW_REPLY) && flow->peer_slot ? flow->peer_slot : flow->slot;
}
