/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
/*
 * The way out of networks whose masquerading has options (lib/chosen.h), behind a
 * tail call: all others pay nothing for it.
 */

/* Without a flow, as from a network that is not masqueraded; outside may answer, or begin. */
inline_always int container_leave_as_it_is(const struct packet *packet, const struct source *source,
					   const struct route *route)
{
	count_sent(packet, source->slot);
	return next_hop_send(route);
}

inline_always int container_choose(struct packet *packet, const struct source *source,
				   const struct route *route, const struct uplink *uplink)
{
	__u32 network = source->network;
	struct masquerade_choice *choice = bpf_map_lookup_elem(&wh1_masquerade, &network);
	struct new_flow *new = new_flow_begin(packet);

	if (!new)
		return drop(packet, DROP_INTERNAL_ERROR);
	bool excepted = destination_is_excepted(network, &new->key.destination);
	if (excepted && (source->flags & NETWORK_ROUTED))
		return container_leave_as_it_is(packet, source, route);
	enum drop_reason reason = masquerade_refusal(packet);
	if (reason)
		return drop(packet, reason);
	if (!flow_quota_allows(source->slot, source->generation))
		return container_tail_refuse(packet, DROP_FLOW_QUOTA);
	masquerade_prepare(packet, new, source, route);
	reason = excepted ? flow_create(new, packet->skb, PORT_KEEP_FIRST)
			  : masquerade_chosen(packet, new, uplink, choice);
	if (reason)
		return container_tail_refuse(packet, reason);
	return container_leave(packet, route, new);
}

inline_always int container_chosen_of(struct __sk_buff *skb, bool v6)
{
	struct packet packet = { .skb = skb, .hook = HOOK_FROM_CONTAINER, .v6 = v6 };
	__u32 ifindex = skb->ifindex;
	struct source *source = bpf_map_lookup_elem(&wh1_sources, &ifindex);
	enum drop_reason reason = container_enter(&packet);
	struct route route;

	if (!source)
		return drop(&packet, DROP_UNKNOWN_ENDPOINT);
	if (reason)
		return drop(&packet, reason);
	if (route_ask(&packet, &route, source->gateway_ifindex) != ROUTE_OUT)
		return drop(&packet, DROP_NO_ROUTE);
	__u32 out = route.fib.ifindex;
	struct uplink *uplink = bpf_map_lookup_elem(&wh1_uplinks, &out);
	if (!uplink)
		return drop(&packet, DROP_NO_UPLINK);
	__u32 mtu = mtu_exceeded(&packet, out);
	if (mtu)
		return container_tail_too_big(&packet, mtu);
	return container_choose(&packet, source, &route, uplink);
}

SEC("tc") int container_chosen(struct __sk_buff *skb)
{
	return container_chosen_of(skb, false);
}

SEC("tc") int container_chosen6(struct __sk_buff *skb)
{
	return container_chosen_of(skb, true);
}
