/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
#pragma once
/*
 * The host's firewall decides on flows that publications with PUBLICATION_RESPECT
 * begin. A packet that asks is handed to the host, already addressed to the
 * container; if the host's rules let it pass, it comes out at the gateway device
 * or the container's link, where the flow is confirmed. What follows flies, until
 * the rules change: then a new round of judgement begins, and each flow is asked
 * about again with its next packet.
 */
#include "lib/flow.h"
#include "lib/nexthop.h"
#include "lib/scratch.h"

#define MARK_ASKED 0x57481002u /* received once more, behind the question about its flow */

enum confirmation { CONFIRMED_NOT = 0, CONFIRMED = 1, CONFIRMED_PROBE = 2 };

/* As it stands in a flow's state. */
inline_always __u32 firewall_round(void)
{
	__u32 index = SWITCH_ROUND;
	__u32 *round = bpf_map_lookup_elem(&wh1_switches, &index);

	return round ? *(volatile __u32 *)round << FLOW_ROUND_SHIFT : 0;
}

/* For each packet of a flow from outside. A SYN begins anew, so it is always asked about. */
inline_always bool firewall_is_due(const struct flow *flow, const struct packet *packet)
{
	if (!(flow->flags & FLOW_JUDGED))
		return false;
	if (packet_is_syn(packet) ||
	    ((flow->state ^ firewall_round()) & (__u32)(FLOW_ROUND | FLOW_ASKED)))
		return true;
	if (packet->skb->mark == MARK_ASKED)
		packet->skb->mark = 0;
	return false;
}

/*
 * The host forwards from this uplink, and to the container: else all would be lost unseen. IPv6 is
 * asked about from the container's side: one setting of the whole host counts there, not the
 * device's, which is all that the look-up goes by.
 */
noinline_static int firewall_leads_to(struct __sk_buff *skb, const struct abi_addr *client,
				      const struct abi_addr *container, __u64 network_and_link)
{
	__u32 network_id = network_and_link >> 32, link = network_and_link;
	struct network *network = network_get(network_id);
	__u32 from = skb->ifindex;
	struct route route;

	if (!network)
		return false;
	/* Else the compiler chooses between two places to read, one of them no plain pointer. */
	asm volatile("" : "+r"(from));
	if (!address_is_v4(container))
		from = network->gateway_ifindex;
	return route_look_up(skb, &route, from, client, container) == ROUTE_OUT &&
	       (route.fib.ifindex == network->gateway_ifindex || route.fib.ifindex == link);
}

inline_always bool firewall_is_reached(struct __sk_buff *skb, const struct abi_addr *client,
				       const struct publication *publication)
{
	return firewall_leads_to(skb, client, &publication->address,
				 (__u64)publication->network << 32 | publication->ifindex);
}

inline_always bool firewall_is_reached_by(struct __sk_buff *skb, const struct flow_key *key,
					  const struct flow *flow)
{
	return firewall_leads_to(skb, &key->source, &flow->new_destination,
				 (__u64)flow->peer_zone << 32 | flow->ifindex);
}

/* Between the two it is of no round, which no packet takes for allowed. */
inline_always void flow_ask(struct flow *flow, __u32 how)
{
	__sync_fetch_and_and(&flow->state, ~(__u32)(FLOW_ROUND | FLOW_PROBED));
	__sync_fetch_and_or(&flow->state, FLOW_ASKED | how | firewall_round());
}

/* What the container would answer to this packet, which the host forwards to it. */
inline_always struct flow_key answer_key_of(const struct packet *packet)
{
	return (struct flow_key){
		.source = packet_destination(packet),
		.destination = packet_source(packet),
		.source_port = packet->destination_port,
		.destination_port = packet->source_port,
		.zone = packet->network,
		.protocol = packet->protocol,
	};
}

/* A packet of the flow has come through the host's rules. Returns enum confirmation. */
global_function int flow_confirm(const struct flow_key *named)
{
	struct new_flow *keys = scratch_get();

	if (!named || !keys)
		return CONFIRMED_NOT;
	__u8 protocol = named->protocol;
	keys->peer_key = *named;
	struct flow *answer = flow_find(&keys->peer_key);
	if (!answer || (answer->flags & (FLOW_REPLY | FLOW_JUDGED)) != (FLOW_REPLY | FLOW_JUDGED))
		return CONFIRMED_NOT;
	keys->key = flow_peer_key(answer, protocol);
	struct flow *flow = flow_with_key(answer, &keys->key);
	if (!flow)
		return CONFIRMED_NOT;
	__u32 state = __sync_fetch_and_and(&flow->state, ~(__u32)(FLOW_ASKED | FLOW_PROBED));
	return state & FLOW_PROBED ? CONFIRMED_PROBE : CONFIRMED;
}
