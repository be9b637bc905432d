/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
/*
 * What the host sends to a container from 127.0.0.0/8: its client bound itself there
 * before it connected, and was led to the container (sockets.bpf.c). In there that
 * address would be the container's own, so the packet gets the gateway's. The answer
 * loses it again (act_to_host) and is received at the container's link, the only
 * device that lets an address of 127.0.0.0/8 in: nothing reaches the host by it but
 * what from_container lets pass.
 */
#include "lib/act.h"
#include "lib/publish.h"

inline_always enum drop_reason loopback_begin(struct packet *packet, struct new_flow *new,
					      const struct source *source)
{
	hairpins_begin();
	new->flow.new_source = source->v4.gateway;
	new->flow.slot = source->slot;
	new->flow.generation = source->generation;
	new->flow.peer_zone = source->network;
	new->flow.action = FLOW_TO_HOST;
	new->peer.action = FLOW_TO_HOST;
	return flow_create(new, packet->skb,
			   packet->protocol == IPPROTO_SCTP ? PORT_KEEP_FIRST : PORT_FROM_RANGE);
}

inline_always int loopback_new(struct packet *packet, const struct source *source)
{
	if (!packet->has_ports || packet->echo_reply ||
	    (protocol_has_states(packet->protocol) && !packet_is_syn(packet)))
		return drop(packet, DROP_NO_FLOW);
	struct new_flow *new = new_flow_begin(packet);
	if (!new)
		return drop(packet, DROP_INTERNAL_ERROR);
	enum drop_reason reason = loopback_begin(packet, new, source);
	return reason ? drop(packet, reason) : act_to_host(packet, &new->flow);
}

inline_always int loopback_send(struct packet *packet, const struct source *source)
{
	enum drop_reason reason = packet_parse_ip(packet);

	if (!reason)
		reason = packet_parse_transport(packet);
	if (!reason && packet->fragment)
		reason = fragment_resolve(packet);
	if (reason)
		return drop(packet, reason);
	struct flow_key key = flow_key_of(packet);
	struct flow *flow = packet->has_ports ? flow_find(&key) : NULL;
	packet->key = &key;
	if (!flow || !flow_fits(flow, packet))
		return loopback_new(packet, source);
	flow_touch(flow, packet);
	return act_to_host(packet, flow);
}

/* Behind onto_link. */
SEC("tc") int loopback_onto_link(struct __sk_buff *skb)
{
	struct packet packet = { .skb = skb, .hook = HOOK_TO_CONTAINER };
	__u32 ifindex = skb->ifindex;
	struct source *source = bpf_map_lookup_elem(&wh1_sources, &ifindex);

	if (!source)
		return drop(&packet, DROP_UNKNOWN_ENDPOINT);
	packet.slot = source->slot;
	packet.network = source->network;
	return loopback_send(&packet, source);
}
