/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
#pragma once
/* What a flow's entry says is done to a packet: touch, translate, redirect. */
#include "lib/nexthop.h"
#include "lib/onto.h"
#include "lib/touch.h"
#include "lib/translate.h"

inline_always struct translation translation_of(const struct flow *flow)
{
	return (struct translation){
		.source = &flow->new_source,
		.destination = &flow->new_destination,
		.source_port = flow->new_source_port,
		.destination_port = flow->new_destination_port,
	};
}

inline_always int act_to_endpoint(struct packet *packet, struct flow *flow)
{
	struct translation to = translation_of(flow);
	enum drop_reason reason = translation_refusal(packet, &to);

	if (reason)
		return drop(packet, reason);
	if (packet->hook == HOOK_FROM_CONTAINER)
		count_sent(packet, packet->slot);
	count_received(packet, flow_receiver(flow));
	next_hop_write(packet, flow);
	translate(packet, &to);
	packet_to_me(packet->skb);
	return onto_endpoint(packet, flow->ifindex, flow->flags & FLOW_QUEUED);
}

inline_always int act_to_uplink(struct packet *packet, struct flow *flow)
{
	struct translation to = translation_of(flow);
	enum drop_reason reason = translation_refusal(packet, &to);

	if (reason)
		return drop(packet, reason);
	if (next_hop_is_fresh(flow)) {
		count_sent(packet, packet->slot);
		next_hop_write(packet, flow);
		translate(packet, &to);
		return bpf_redirect(flow->ifindex, 0);
	}
	/* Answers of a publication are routed as what they become: sent by this host. */
	const struct abi_addr *source = flow->flags & FLOW_REPLY ? to.source : &packet->key->source;
	int verdict = next_hop_refresh(packet->skb, flow, packet->network, source);
	if (verdict < 0)
		return drop(packet, -verdict);
	count_sent(packet, packet->slot);
	translate(packet, &to);
	return verdict;
}

/* Between a client of the host and a container: at its link, in both directions. */
inline_always int act_to_host(struct packet *packet, const struct flow *flow)
{
	struct translation to = translation_of(flow);
	enum drop_reason reason = translation_refusal(packet, &to);

	if (reason)
		return drop(packet, reason);
	if (packet->hook == HOOK_FROM_CONTAINER) {
		count_sent(packet, packet->slot);
		packet_to_me(packet->skb);
	} else {
		count_received(packet, flow->slot);
	}
	translate(packet, &to);
	return VERDICT_PASS;
}

inline_always int act(struct packet *packet, struct flow *flow)
{
	flow_touch(flow, packet);
	if (flow->action == FLOW_TO_UPLINK)
		return act_to_uplink(packet, flow);
	if (flow->action == FLOW_TO_HOST)
		return act_to_host(packet, flow);
	return act_to_endpoint(packet, flow);
}
