/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
/*
 * Ingress of the host end of each veth: what a container sends. Who it is
 * (source device, MAC and address) is settled here; a neighbour of the same
 * network is reached with two look-ups and no flow, all else behind tail calls.
 */
#include "lib/deliver.h"
#include "lib/reply.h"
#include "lib/tail.h"

int container_arp(struct __sk_buff *skb);
int container_flow(struct __sk_buff *skb);

enum tail { TAIL_CONTAINER_ARP, TAIL_CONTAINER_FLOW };

TAIL_MAP wh1_tails_cont SEC(".maps") = {
	.values = {
		[TAIL_CONTAINER_ARP] = &container_arp,
		[TAIL_CONTAINER_FLOW] = &container_flow,
	},
};

inline_always int from_container_ipv4(struct packet *packet, const struct source *source)
{
	enum drop_reason reason = packet_parse_ipv4(packet);

	if (reason)
		return drop(packet, reason);
	if (!mac_equal(packet->ethernet->h_source, source->mac))
		return drop(packet, DROP_SPOOF_MAC);
	if (packet->ip->saddr != source->address.words[3])
		return drop(packet, DROP_SPOOF_ADDRESS);
	__be32 destination = packet->ip->daddr;
	if (!((destination ^ source->subnet.words[3]) & source->subnet_mask.words[3]) &&
	    destination != source->gateway.words[3])
		return deliver_to_neighbour(packet, source);
	tail_leave(packet);
	bpf_tail_call(packet->skb, &wh1_tails_cont, TAIL_CONTAINER_FLOW);
	return drop(packet, DROP_INTERNAL_ERROR);
}

SEC("tc") int from_container(struct __sk_buff *skb)
{
	struct packet packet = { .skb = skb, .hook = HOOK_FROM_CONTAINER };
	__u32 ifindex = skb->ifindex;
	struct source *source = bpf_map_lookup_elem(&wh1_sources, &ifindex);

	if (!source)
		return drop(&packet, DROP_UNKNOWN_ENDPOINT);
	packet.slot = source->slot;
	packet.network = source->network;
	if (skb->vlan_present)
		return drop(&packet, DROP_PROTOCOL);
	if (skb->protocol == bpf_htons(ETH_P_IP))
		return from_container_ipv4(&packet, source);
	if (skb->protocol != bpf_htons(ETH_P_ARP))
		return drop(&packet, DROP_PROTOCOL);
	bpf_tail_call(skb, &wh1_tails_cont, TAIL_CONTAINER_ARP);
	return drop(&packet, DROP_INTERNAL_ERROR);
}

/* Who has the target, for this container: its MAC, or NULL. */
inline_always const __u8 *container_arp_find(const struct source *source, __be32 target)
{
	if (target == source->gateway.words[3])
		return source->gateway_mac;
	struct endpoint *endpoint = endpoint_find(source->network, address4(target));
	return endpoint ? endpoint->mac : NULL;
}

inline_always int container_arp_answer(struct packet *packet, const struct source *source)
{
	struct arp *arp = arp_parse(packet);

	if (!arp)
		return drop(packet, DROP_MALFORMED);
	if (!mac_equal(packet->ethernet->h_source, source->mac) ||
	    !mac_equal(arp->sender_mac, source->mac))
		return drop(packet, DROP_SPOOF_MAC);
	__be32 own = source->address.words[3], sender = arp_address(arp->sender);
	if (sender != own && sender != 0) /* 0: a probe (RFC 5227) */
		return drop(packet, DROP_SPOOF_ADDRESS);
	__be32 target = arp_address(arp->target);
	if (target == own || arp->operation != bpf_htons(ARP_REQUEST))
		return drop(packet, DROP_ARP);
	const __u8 *mac = container_arp_find(source, target);
	if (!mac)
		return drop(packet, DROP_NO_ENDPOINT);
	arp_answer(packet, arp, mac);
	return bpf_redirect(packet->skb->ifindex, 0);
}

SEC("tc") int container_arp(struct __sk_buff *skb)
{
	struct packet packet = { .skb = skb, .hook = HOOK_FROM_CONTAINER };
	__u32 ifindex = skb->ifindex;
	struct source *source = bpf_map_lookup_elem(&wh1_sources, &ifindex);

	if (!source)
		return drop(&packet, DROP_UNKNOWN_ENDPOINT);
	packet.slot = source->slot;
	packet.network = source->network;
	return container_arp_answer(&packet, source);
}

SEC("tc") int container_flow(struct __sk_buff *skb)
{
	struct packet packet = { .skb = skb, .hook = HOOK_FROM_CONTAINER };
	__u32 ifindex = skb->ifindex;
	struct source *source = bpf_map_lookup_elem(&wh1_sources, &ifindex);

	tail_enter(&packet);
	if (!source)
		return drop(&packet, DROP_UNKNOWN_ENDPOINT);
	packet_point(&packet);
	if ((void *)packet.ip > packet.end)
		return drop(&packet, DROP_MALFORMED);
	return deliver_to_host(&packet, source);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
