/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
/*
 * Ingress of each uplink: what comes from outside. Answers of masqueraded flows
 * and packets of published flows go straight to their container; all that is
 * not ours passes on untouched, to other filters and to the host.
 */
#include "lib/act.h"
#include "lib/admit.h"
#include "lib/error.h"
#include "lib/tail.h"

int from_uplink(struct __sk_buff *skb);
int uplink_new(struct __sk_buff *skb);
int uplink_error(struct __sk_buff *skb);

enum uplink_tail { UPLINK_NEW, UPLINK_ERROR, UPLINK_ETHERNET };

TAIL_MAP wh1_tails_upl SEC(".maps") = {
	.values = {
		[UPLINK_NEW] = &uplink_new,
		[UPLINK_ERROR] = &uplink_error,
		[UPLINK_ETHERNET] = &from_uplink,
	},
};

/* IPv4 in whole packets, addressed to this host's link. */
inline_always bool uplink_parse(struct packet *packet)
{
	struct __sk_buff *skb = packet->skb;

	if (skb->protocol != bpf_htons(ETH_P_IP) || skb->pkt_type != PACKET_HOST ||
	    skb->vlan_present)
		return false;
	return !packet_parse_ipv4(packet) && !packet_parse_transport(packet);
}

SEC("tc") int from_uplink(struct __sk_buff *skb)
{
	struct packet packet = { .skb = skb, .hook = HOOK_FROM_UPLINK };

	if (!uplink_parse(&packet))
		return VERDICT_PASS;
	if (packet.has_ports) {
		struct flow_key key = flow_key_of(&packet);
		struct flow *flow = flow_find(&key);

		if (flow && flow_fits(flow, &packet)) {
			flow_touch(flow, &packet);
			return act_to_endpoint(&packet, flow);
		}
		if (packet_is_syn(&packet) || packet.protocol == IPPROTO_UDP)
			bpf_tail_call(skb, &wh1_tails_upl, UPLINK_NEW);
	} else if (packet_is_icmp_error(&packet)) {
		bpf_tail_call(skb, &wh1_tails_upl, UPLINK_ERROR);
	}
	return VERDICT_PASS;
}

/* A container's address on the wire is forged: what the kernel makes of it is its business. */
inline_always bool uplink_source_is_forged(__be32 source)
{
	struct subnet_key key = { .prefix_length = 128, .address = address4(source) };

	return is_loopback(source) || bpf_map_lookup_elem(&wh1_subnets, &key);
}

/* Taken for local is what the kernel would, asked from the container's side, which forwards. */
inline_always bool uplink_is_local(struct packet *packet, const struct publication *publication)
{
	struct network *network = network_get(publication->network);
	struct route route;

	return network && route_ask(packet->skb, &route, network->gateway_ifindex,
				    packet->ip->saddr, packet->ip->daddr) == ROUTE_LOCAL;
}

SEC("tc") int uplink_new(struct __sk_buff *skb)
{
	struct packet packet = { .skb = skb, .hook = HOOK_FROM_UPLINK };

	if (!uplink_parse(&packet) || !packet.has_ports || is_loopback(packet.ip->daddr))
		return VERDICT_PASS;
	struct publication *publication =
		publication_find(packet.ip->daddr, packet.destination_port, packet.protocol);
	if (!publication || uplink_source_is_forged(packet.ip->saddr) ||
	    !uplink_is_local(&packet, publication))
		return VERDICT_PASS;
	struct new_flow *new = new_flow_begin(&packet);
	if (!new)
		return drop(&packet, DROP_INTERNAL_ERROR);
	if (host_talks(skb, &new->key))
		return VERDICT_PASS;
	packet.slot = publication->slot;
	if (!publication_allows(publication, &new->key.source))
		return drop(&packet, DROP_PUBLISH_SOURCE);
	enum drop_reason reason = publish_from_uplink(&packet, new, publication);
	if (reason)
		return drop(&packet, reason);
	return act_to_endpoint(&packet, &new->flow);
}

SEC("tc") int uplink_error(struct __sk_buff *skb)
{
	struct packet packet = { .skb = skb, .hook = HOOK_FROM_UPLINK };
	struct quote quote;

	if (packet_parse_ipv4(&packet))
		return VERDICT_PASS;
	struct flow *flow = error_find(&packet, &quote, 0);
	if (!flow)
		return VERDICT_PASS;
	count_received(&packet, flow_receiver(flow));
	return error_send(&packet, &quote, flow);
}

/*
 * Ingress of an uplink whose packets begin with IP (WireGuard, tun, ppp): they
 * get the header that a container's link needs, and go on as all others do. A
 * packet that is not ours loses it again when the kernel takes up the header
 * that it finds before it.
 */
SEC("tc") int from_bare_uplink(struct __sk_buff *skb)
{
	__be16 protocol = skb->protocol;

	if (protocol != bpf_htons(ETH_P_IP) && protocol != bpf_htons(ETH_P_IPV6))
		return VERDICT_PASS;
	if (bpf_skb_change_head(skb, ETH_HLEN, 0) < 0)
		return VERDICT_PASS;
	bpf_skb_store_bytes(skb, offsetof(struct ethhdr, h_proto), &protocol, sizeof protocol, 0);
	bpf_tail_call(skb, &wh1_tails_upl, UPLINK_ETHERNET);
	return VERDICT_PASS;
}
