/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
/*
 * Egress of a network's gateway device: what the host sends to its containers.
 * Addresses that are no endpoint's belong to foreign members of the bridge, and
 * go their way. Containers that publish have a route of their own by their
 * link, so that what the host itself sends crosses one queue, not two:
 * onto_link stands at the egress of every host end.
 */
#include "lib/deliver.h"
#include "lib/reply.h"
#include "lib/tail.h"

int to_container_arp(struct __sk_buff *skb);

enum host_tail { HOST_ARP };

TAIL_MAP wh1_tails_host SEC(".maps") = { .values = { [HOST_ARP] = &to_container_arp } };

inline_always int to_container_arp_answer(struct packet *packet)
{
	struct arp *arp = arp_parse(packet);

	if (!arp || arp->operation != bpf_htons(ARP_REQUEST))
		return VERDICT_PASS;
	struct endpoint *endpoint =
		endpoint_find(packet->network, address4(arp_address(arp->target)));
	if (!endpoint)
		return VERDICT_PASS;
	arp_answer(packet, arp, endpoint->mac);
	return bpf_redirect(packet->skb->ifindex, BPF_F_INGRESS);
}

/* Forwarded by the host from another device, to a network that is not routed. */
inline_always bool is_direct(const struct packet *packet)
{
	__u32 from = packet->skb->ingress_ifindex;

	if (!from || from == packet->skb->ifindex)
		return false;
	struct network *network = network_get(packet->network);
	return !network || !(network->flags & NETWORK_ROUTED);
}

SEC("tc") int to_container(struct __sk_buff *skb)
{
	struct packet packet = { .skb = skb, .hook = HOOK_TO_CONTAINER };
	__u32 ifindex = skb->ifindex;
	__u32 *network = bpf_map_lookup_elem(&wh1_gateways, &ifindex);

	if (!network)
		return VERDICT_PASS;
	packet.network = *network;
	if (skb->protocol == bpf_htons(ETH_P_ARP))
		bpf_tail_call(skb, &wh1_tails_host, HOST_ARP);
	if (skb->protocol != bpf_htons(ETH_P_IP) || packet_parse_ipv4(&packet))
		return VERDICT_PASS;
	struct endpoint *target = endpoint_find(packet.network, address4(packet.ip->daddr));
	if (!target)
		return VERDICT_PASS;
	packet.slot = target->slot;
	if (is_direct(&packet))
		return drop(&packet, DROP_DIRECT);
	packet_set_destination_mac(&packet, target->mac);
	return bpf_redirect(target->ifindex, 0); /* onto_link counts it */
}

SEC("tc") int onto_link(struct __sk_buff *skb)
{
	struct packet packet = { .skb = skb, .hook = HOOK_TO_CONTAINER };
	__u32 ifindex = skb->ifindex;
	struct source *source = bpf_map_lookup_elem(&wh1_sources, &ifindex);

	if (!source)
		return VERDICT_PASS;
	if (skb->mark == MARK_QUEUED) {
		skb->mark = 0;
		return VERDICT_PASS;
	}
	packet.slot = source->slot;
	packet.network = source->network;
	if (is_direct(&packet))
		return drop(&packet, DROP_DIRECT);
	count_received(&packet, source->slot);
	return VERDICT_PASS;
}

SEC("tc") int to_container_arp(struct __sk_buff *skb)
{
	struct packet packet = { .skb = skb, .hook = HOOK_TO_CONTAINER };
	__u32 ifindex = skb->ifindex;
	__u32 *network = bpf_map_lookup_elem(&wh1_gateways, &ifindex);

	if (!network)
		return VERDICT_PASS;
	packet.network = *network;
	return to_container_arp_answer(&packet);
}
