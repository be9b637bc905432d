/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
#pragma once
/*
 * From a container to outside: the source becomes the uplink's address and a
 * port of the range set apart; SCTP keeps its own if it can.
 */
#include "lib/create.h"
#include "lib/nexthop.h"

/* Both halves, but for the source that outside will see. */
inline_always void masquerade_prepare(const struct packet *packet, struct new_flow *new,
				      const struct source *source, const struct route *route)
{
	struct flow *flow = &new->flow, *peer = &new->peer;

	flow->slot = source->slot;
	flow->generation = source->generation;
	flow->action = FLOW_TO_UPLINK;
	next_hop_keep(flow, route);
	peer->action = FLOW_TO_ENDPOINT;
	peer->ifindex = packet->skb->ifindex;
	peer->flags = flow_flags_to(source);
	mac_copy(peer->source_mac, source->gateway_mac);
	mac_copy(peer->destination_mac, source->mac);
}

inline_always enum drop_reason masquerade(struct packet *packet, struct new_flow *new,
					  const struct source *source, const struct route *route,
					  const struct uplink *uplink)
{
	new->flow.new_source = packet->v6 ? uplink->masquerade6 : uplink->masquerade;
	if (address_is_zero(&new->flow.new_source))
		return DROP_NO_SOURCE;
	masquerade_prepare(packet, new, source, route);
	return flow_create(new, packet->skb,
			   packet->protocol == IPPROTO_SCTP ? PORT_KEEP_FIRST : PORT_FROM_RANGE);
}
