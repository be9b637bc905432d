/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
/*
 * What from_uplink leaves to tail calls because the host's firewall decides: flows
 * that are asked about, and what the host would forward only because of them. The
 * table of tail calls is in from_uplink.bpf.c.
 */
#include "lib/probe.h"

/*
 * A flow in the middle is asked about by a SYN in its name, as any other packet
 * would be invalid to the host's connection tracking, which has not seen the
 * answers. The packet itself waits behind the question: received once more, it
 * finds the flow allowed, or ends.
 */
inline_always int uplink_probe(struct packet *packet, struct flow *flow)
{
	struct __sk_buff *skb = packet->skb;

	flow_ask(flow, FLOW_PROBED);
	skb->mark = MARK_ASKED;
	bpf_clone_redirect(skb, skb->ifindex, BPF_F_INGRESS);
	skb->mark = 0;
	if (!uplink_parse(packet) || packet->protocol != IPPROTO_TCP || packet->later)
		return drop(packet, DROP_INTERNAL_ERROR);
	if (!probe_become(packet))
		return drop(packet, DROP_INTERNAL_ERROR);
	return uplink_hand_up(packet, flow);
}

inline_always int uplink_ask(struct packet *packet, struct flow *flow)
{
	struct __sk_buff *skb = packet->skb;
	bool probes = packet->protocol == IPPROTO_TCP && !packet_is_syn(packet);

	packet->slot = flow->slot;
	packet->network = flow->peer_zone;
	if (skb->mark == MARK_ASKED) {
		skb->mark = 0;
		return drop(packet, DROP_HOST_FIREWALL);
	}
	if (!firewall_is_reached_by(skb, packet->key, flow))
		return drop(packet, DROP_HOST_ROUTE);
	/* The one before did not come through, unless it waits for its other fragments. */
	if (!packet->later && (flow->state & (FLOW_ASKED | FLOW_PROBED)) == FLOW_ASKED)
		drop(packet, DROP_HOST_FIREWALL);
	if (probes)
		return uplink_probe(packet, flow);
	flow_touch(flow, packet);
	flow_ask(flow, 0);
	return uplink_hand_up(packet, flow);
}

inline_always int uplink_judge_of(struct packet *packet)
{
	if (!uplink_parse(packet))
		return VERDICT_PASS;
	if (packet->fragment)
		fragment_resolve(packet);
	if (!packet->has_ports)
		return VERDICT_PASS;
	struct flow_key key = flow_key_of(packet);
	struct flow *flow = flow_find(&key);
	packet->key = &key;
	return flow && flow_fits(flow, packet) ? uplink_ask(packet, flow) : VERDICT_PASS;
}

SEC("tc") int uplink_judge(struct __sk_buff *skb)
{
	struct packet packet = { .skb = skb, .hook = HOOK_FROM_UPLINK };

	return uplink_judge_of(&packet);
}

SEC("tc") int uplink_judge6(struct __sk_buff *skb)
{
	struct packet packet = { .skb = skb, .hook = HOOK_FROM_UPLINK, .v6 = true };

	return uplink_judge_of(&packet);
}

/* Where IPv6 is asked about: its look-up goes by a device that forwards. */
inline_always __u32 guard_from(const struct packet *packet)
{
	__u32 index = SWITCH_JUDGED6;

	if (!packet->v6)
		return packet->skb->ifindex;
	__u32 *gateway = bpf_map_lookup_elem(&wh1_switches, &index);
	return gateway ? *gateway : 0;
}

/*
 * This uplink forwards because publications ask the host's firewall. That does not
 * make the host a router: to others it forwards as little as before.
 */
inline_always int uplink_guard_of(struct packet *packet)
{
	struct __sk_buff *skb = packet->skb;
	__u32 ifindex = skb->ifindex;
	struct uplink *uplink = bpf_map_lookup_elem(&wh1_uplinks, &ifindex);
	struct route route;

	if (!uplink || !(uplink->flags & (packet->v6 ? UPLINK_OPENED6 : UPLINK_OPENED)) ||
	    skb->protocol != (packet->v6 ? bpf_htons(ETH_P_IPV6) : bpf_htons(ETH_P_IP)) ||
	    skb->pkt_type != PACKET_HOST || skb->vlan_present || packet_parse_ip(packet))
		return VERDICT_PASS;
	struct abi_addr to = packet_destination(packet);
	struct subnet_key ours = { .prefix_length = 128, .address = to };
	/* What is for a container meets the program of its gateway device. */
	if (address_is_link_local(&to) || bpf_map_lookup_elem(&wh1_subnets, &ours) ||
	    bpf_map_lookup_elem(&wh1_locals, &to) ||
	    route_ask(packet, &route, guard_from(packet)) != ROUTE_OUT)
		return VERDICT_PASS;
	return drop(packet, DROP_NOT_FORWARDED);
}

SEC("tc") int uplink_guard(struct __sk_buff *skb)
{
	struct packet packet = { .skb = skb, .hook = HOOK_FROM_UPLINK };

	return uplink_guard_of(&packet);
}

SEC("tc") int uplink_guard6(struct __sk_buff *skb)
{
	struct packet packet = { .skb = skb, .hook = HOOK_FROM_UPLINK, .v6 = true };

	return uplink_guard_of(&packet);
}
