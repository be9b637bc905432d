/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
/*
 * What from_container leaves to tail calls because a flow decides: packets of
 * flows, packets that begin one, errors about one, and what is told when none may
 * begin. The tables of tail calls are in from_container.bpf.c.
 */
inline_always int container_act(struct packet *packet, struct flow *flow)
{
	__u32 mtu = flow->action == FLOW_TO_UPLINK ? mtu_exceeded(packet, flow->ifindex) : 0;

	return mtu ? container_tail_too_big(packet, mtu) : act(packet, flow);
}

inline_always int container_flow_of(struct __sk_buff *skb, bool v6)
{
	struct packet packet = { .skb = skb, .hook = HOOK_FROM_CONTAINER, .v6 = v6 };

	tail_enter(&packet);
	enum drop_reason reason = packet_parse_ip(&packet);
	if (!reason)
		reason = packet_parse_transport(&packet);
	if (!reason && packet.fragment)
		reason = fragment_resolve(&packet);
	if (reason)
		return drop(&packet, reason);
	if (packet.has_ports) {
		struct flow_key key = flow_key_of(&packet);
		struct flow *flow = flow_find(&key);

		packet.key = &key;
		if (flow && flow_fits(flow, &packet))
			return container_act(&packet, flow);
	}
	bpf_tail_call(skb, &wh1_tails_cont,
		      (packet_is_icmp_error(&packet) ? CONTAINER_ERROR : CONTAINER_NEW) + v6);
	return drop(&packet, DROP_INTERNAL_ERROR);
}

SEC("tc") int container_flow(struct __sk_buff *skb)
{
	return container_flow_of(skb, false);
}

SEC("tc") int container_flow6(struct __sk_buff *skb)
{
	return container_flow_of(skb, true);
}

/* To an address of the host: a published port, or the host itself. */
inline_always int container_to_local(struct packet *packet, const struct source *source)
{
	/* TCP in mid-flow without a flow is the host's: it answers with a reset. */
	if (!packet->has_ports || protocol_is_echo(packet->protocol) ||
	    (protocol_has_states(packet->protocol) && !packet_is_syn(packet)))
		return deliver_to_host(packet, source);
	struct publication *publication = publication_find(
		packet_destination(packet), packet->destination_port, packet->protocol);
	if (!publication)
		return deliver_to_host(packet, source);
	if ((source->flags & NETWORK_INTERNAL) && publication->network != source->network)
		return drop(packet, DROP_INTERNAL);
	if (!flow_quota_allows(source->slot, source->generation))
		return container_tail_refuse(packet, DROP_FLOW_QUOTA);
	struct new_flow *new = new_flow_begin(packet);
	if (!new)
		return drop(packet, DROP_INTERNAL_ERROR);
	if (host_talks(packet->skb, &new->key))
		return deliver_to_host(packet, source);
	if (publication->network != source->network &&
	    !publication_allows(publication, &new->key.source))
		return drop(packet, DROP_PUBLISH_SOURCE);
	enum drop_reason reason = publish_from_container(packet, new, publication, source);
	if (reason)
		return container_tail_refuse(packet, reason);
	return act_to_endpoint(packet, &new->flow);
}

/* Why a packet may not leave at all; DROP_NONE if it may. */
inline_always enum drop_reason outside_refusal(const struct packet *packet,
					       const struct source *source)
{
	struct subnet_key key = { .prefix_length = 128, .address = packet_destination(packet) };

	if (bpf_map_lookup_elem(&wh1_subnets, &key))
		return DROP_ISOLATED;
	return source->flags & NETWORK_INTERNAL ? DROP_INTERNAL : DROP_NONE;
}

/* Why a packet begins no flow to outside; DROP_NONE if it does. */
inline_always enum drop_reason masquerade_refusal(const struct packet *packet)
{
	if (packet->later)
		return DROP_FRAGMENT;
	if (!packet->has_ports)
		return packet_is_icmp_error(packet) ? DROP_NO_FLOW : DROP_UNSUPPORTED;
	if (packet->echo_reply)
		return DROP_NO_FLOW;
	if (protocol_has_states(packet->protocol) &&
	    (packet->tcp_flags & TCP_RST ||
	     (packet->tcp_flags & TCP_SYN && !packet_is_syn(packet))))
		return DROP_NO_FLOW;
	return DROP_NONE;
}

/* The first packet of a flow, translated as the flow says. */
inline_always int container_leave(struct packet *packet, const struct route *route,
				  const struct new_flow *new)
{
	struct translation to = translation_of(&new->flow);
	enum drop_reason reason = translation_refusal(packet, &to);

	if (reason)
		return drop(packet, reason);
	count_sent(packet, packet->slot);
	translate(packet, &to);
	return next_hop_send(route);
}

inline_always int container_to_outside(struct packet *packet, const struct source *source,
				       const struct route *route)
{
	__u32 out = route->fib.ifindex;
	struct uplink *uplink = bpf_map_lookup_elem(&wh1_uplinks, &out);

	if (!uplink)
		return drop(packet, DROP_NO_UPLINK);
	__u32 mtu = mtu_exceeded(packet, out);
	if (mtu)
		return container_tail_too_big(packet, mtu);
	if (!(source->flags & NETWORK_MASQUERADE)) {
		count_sent(packet, source->slot);
		return next_hop_send(route);
	}
	enum drop_reason reason = masquerade_refusal(packet);
	if (reason)
		return drop(packet, reason);
	if (!flow_quota_allows(source->slot, source->generation))
		return container_tail_refuse(packet, DROP_FLOW_QUOTA);
	struct new_flow *new = new_flow_begin(packet);
	if (!new)
		return drop(packet, DROP_INTERNAL_ERROR);
	reason = masquerade(packet, new, source, route, uplink);
	if (reason)
		return container_tail_refuse(packet, reason);
	return container_leave(packet, route, new);
}

inline_always int container_begin(struct packet *packet, const struct source *source)
{
	const struct source_family *family = source_family(source, packet->v6);
	struct abi_addr destination = packet_destination(packet);
	struct route route;

	if (address_equal(&destination, &family->gateway))
		return container_tail(packet, CONTAINER_LOCAL);
	if (address_is_loopback(&destination))
		return drop(packet, DROP_LOOPBACK);
	if (address_is_multicast(&destination) || address_is_link_local(&destination))
		return drop(packet, DROP_MULTICAST);
	int kind = route_ask(packet, &route, source->gateway_ifindex);
	if (kind == ROUTE_LOCAL)
		return container_tail(packet, CONTAINER_LOCAL);
	enum drop_reason reason = outside_refusal(packet, source);
	if (reason)
		return drop(packet, reason);
	if (kind == ROUTE_NONE)
		return drop(packet, DROP_NO_ROUTE);
	if (source->flags & NETWORK_MASQUERADE_OPTIONS)
		return container_tail(packet, CONTAINER_CHOSEN);
	return container_to_outside(packet, source, &route);
}

/* A first packet anew, behind a tail call. */
inline_always enum drop_reason container_enter(struct packet *packet)
{
	tail_enter(packet);
	enum drop_reason reason = packet_parse_ip(packet);

	return reason ? reason : packet_parse_transport(packet);
}

inline_always int container_local_of(struct __sk_buff *skb, bool v6)
{
	struct packet packet = { .skb = skb, .hook = HOOK_FROM_CONTAINER, .v6 = v6 };
	__u32 ifindex = skb->ifindex;
	struct source *source = bpf_map_lookup_elem(&wh1_sources, &ifindex);
	enum drop_reason reason = container_enter(&packet);

	if (!source)
		return drop(&packet, DROP_UNKNOWN_ENDPOINT);
	return reason ? drop(&packet, reason) : container_to_local(&packet, source);
}

SEC("tc") int container_local(struct __sk_buff *skb)
{
	return container_local_of(skb, false);
}

SEC("tc") int container_local6(struct __sk_buff *skb)
{
	return container_local_of(skb, true);
}

inline_always int container_new_of(struct __sk_buff *skb, bool v6)
{
	struct packet packet = { .skb = skb, .hook = HOOK_FROM_CONTAINER, .v6 = v6 };
	__u32 ifindex = skb->ifindex;
	struct source *source = bpf_map_lookup_elem(&wh1_sources, &ifindex);

	tail_enter(&packet);
	if (!source)
		return drop(&packet, DROP_UNKNOWN_ENDPOINT);
	enum drop_reason reason = packet_parse_ip(&packet);
	if (!reason)
		reason = packet_parse_transport(&packet);
	if (reason)
		return drop(&packet, reason);
	return container_begin(&packet, source);
}

SEC("tc") int container_new(struct __sk_buff *skb)
{
	return container_new_of(skb, false);
}

SEC("tc") int container_new6(struct __sk_buff *skb)
{
	return container_new_of(skb, true);
}

inline_always int container_error_of(struct __sk_buff *skb, bool v6)
{
	struct packet packet = { .skb = skb, .hook = HOOK_FROM_CONTAINER, .v6 = v6 };
	struct quote quote;

	tail_enter(&packet);
	enum drop_reason reason = packet_parse_ip(&packet);
	if (reason)
		return drop(&packet, reason);
	struct flow *flow = error_find(&packet, &quote, packet.network);
	if (flow) {
		count_sent(&packet, packet.slot);
		return error_send(&packet, &quote, flow);
	}
	bpf_tail_call(skb, &wh1_tails_cont, CONTAINER_NEW + v6);
	return drop(&packet, DROP_INTERNAL_ERROR);
}

SEC("tc") int container_error(struct __sk_buff *skb)
{
	return container_error_of(skb, false);
}

SEC("tc") int container_error6(struct __sk_buff *skb)
{
	return container_error_of(skb, true);
}

inline_always int container_too_big_of(struct __sk_buff *skb, bool v6)
{
	struct packet packet = { .skb = skb, .hook = HOOK_FROM_CONTAINER, .v6 = v6 };
	__u32 ifindex = skb->ifindex, mtu = skb->cb[CB_MTU];
	struct source *source = bpf_map_lookup_elem(&wh1_sources, &ifindex);

	tail_enter(&packet);
	int verdict = drop(&packet, DROP_TOO_BIG);
	if (!source || packet_parse_ip(&packet) ||
	    !(v6 ? too_big6_answer(&packet, source, mtu) : too_big_answer(&packet, source, mtu)))
		return verdict;
	return bpf_redirect(skb->ifindex, 0);
}

SEC("tc") int container_too_big(struct __sk_buff *skb)
{
	return container_too_big_of(skb, false);
}

SEC("tc") int container_too_big6(struct __sk_buff *skb)
{
	return container_too_big_of(skb, true);
}

inline_always int container_refuse_of(struct __sk_buff *skb, bool v6)
{
	struct packet packet = { .skb = skb, .hook = HOOK_FROM_CONTAINER, .v6 = v6 };
	__u32 ifindex = skb->ifindex;
	struct source *source = bpf_map_lookup_elem(&wh1_sources, &ifindex);

	tail_enter(&packet);
	int verdict = drop(&packet, skb->cb[CB_REASON]);
	if (!source || !rate_allows(packet.slot, RATE_ANSWERS, RATE_ANSWERS_MAX) ||
	    packet_parse_ip(&packet) || !refuse_answer(&packet, source))
		return verdict;
	return bpf_redirect(skb->ifindex, 0);
}

SEC("tc") int container_refuse(struct __sk_buff *skb)
{
	return container_refuse_of(skb, false);
}

SEC("tc") int container_refuse6(struct __sk_buff *skb)
{
	return container_refuse_of(skb, true);
}

/* To all of the network, the host among them. */
inline_always int container_group_of(struct __sk_buff *skb, bool v6)
{
	struct packet packet = { .skb = skb, .hook = HOOK_FROM_CONTAINER, .v6 = v6 };
	__u32 ifindex = skb->ifindex;
	struct source *source = bpf_map_lookup_elem(&wh1_sources, &ifindex);

	tail_enter(&packet);
	if (!source)
		return drop(&packet, DROP_UNKNOWN_ENDPOINT);
	if (source->flags & NETWORK_NO_ICC)
		return drop(&packet, DROP_NO_ICC);
	if (!rate_allows(packet.slot, RATE_GROUP, RATE_GROUP_MAX))
		return drop(&packet, DROP_RATE);
	__u32 gateway = source->gateway_ifindex;
	count_sent(&packet, packet.slot);
	group_send(&packet);
	return bpf_redirect(gateway, BPF_F_INGRESS);
}

SEC("tc") int container_group(struct __sk_buff *skb)
{
	return container_group_of(skb, false);
}

SEC("tc") int container_group6(struct __sk_buff *skb)
{
	return container_group_of(skb, true);
}
