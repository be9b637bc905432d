/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
/*
 * Egress of a network's gateway device: what the host sends to its containers.
 * Addresses that are no endpoint's belong to foreign members of the bridge, and
 * go their way. Containers that publish have a route of their own by their
 * link, so that what the host itself sends crosses one queue, not two:
 * onto_link stands at the egress of every host end.
 */
#include "lib/deliver.h"
#include "lib/discovery.h"
#include "lib/firewall.h"
#include "lib/fragment.h"
#include "lib/group.h"
#include "lib/reply.h"
#include "lib/tail.h"

int to_container_arp(struct __sk_buff *skb);
int to_container_discovery(struct __sk_buff *skb);
int to_container_group(struct __sk_buff *skb);
int to_container_group6(struct __sk_buff *skb);
int loopback_onto_link(struct __sk_buff *skb);
int to_container_forwarded(struct __sk_buff *skb);
int to_container_forwarded6(struct __sk_buff *skb);

enum host_tail {
	HOST_ARP = 0,
	HOST_DISCOVERY = 1,
	HOST_GROUP = 2,
	HOST_LOOPBACK = 4,
	HOST_FORWARDED = 6,
};

TAIL_MAP wh1_tails_host SEC(".maps") = {
	.values = { [HOST_ARP] = &to_container_arp,
		    [HOST_DISCOVERY] = &to_container_discovery,
		    [HOST_GROUP] = &to_container_group,
		    [HOST_GROUP + 1] = &to_container_group6,
		    [HOST_LOOPBACK] = &loopback_onto_link,
		    [HOST_FORWARDED] = &to_container_forwarded,
		    [HOST_FORWARDED + 1] = &to_container_forwarded6 },
};

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
	/* A copy for all of a network: what else containers send here has crossed the gateway. */
	struct source *source = bpf_map_lookup_elem(&wh1_sources, &from);
	if (source && source->network == packet->network)
		return false;
	struct network *network = network_get(packet->network);
	return !network || !(network->flags & NETWORK_ROUTED);
}

/* Only what the host's firewall was asked about may come this way. */
inline_always int direct(struct packet *packet, bool v6)
{
	tail_leave(packet);
	bpf_tail_call(packet->skb, &wh1_tails_host, HOST_FORWARDED + v6);
	return drop(packet, DROP_DIRECT);
}

inline_always int to_container_deliver(struct packet *packet)
{
	struct endpoint *target = endpoint_find(packet->network, packet_destination(packet));

	if (!target) {
		if (packet->ethernet->h_dest[0] & 1)
			bpf_tail_call(packet->skb, &wh1_tails_host, HOST_GROUP + packet->v6);
		return VERDICT_PASS;
	}
	packet->slot = target->slot;
	if (is_direct(packet))
		return direct(packet, packet->v6);
	packet_set_destination_mac(packet, target->mac);
	return bpf_redirect(target->ifindex, 0); /* onto_link counts it */
}

inline_always int to_container_ip(struct packet *packet)
{
	if (packet_parse_ip(packet))
		return VERDICT_PASS;
	/* Multicast and errors are for no endpoint: only solicitations are looked for. */
	if (packet->v6 && packet->protocol == IPPROTO_ICMPV6)
		bpf_tail_call(packet->skb, &wh1_tails_host, HOST_DISCOVERY);
	return to_container_deliver(packet);
}

SEC("tc") int to_container(struct __sk_buff *skb)
{
	struct packet packet = { .skb = skb, .hook = HOOK_TO_CONTAINER };
	__u32 ifindex = skb->ifindex;
	__u32 *network = bpf_map_lookup_elem(&wh1_gateways, &ifindex);

	if (!network)
		return VERDICT_PASS;
	packet.network = *network;
	if (skb->protocol == bpf_htons(ETH_P_IP))
		return to_container_ip(&packet);
	if (skb->protocol == bpf_htons(ETH_P_IPV6)) {
		struct packet packet6 = packet;

		packet6.v6 = true;
		return to_container_ip(&packet6);
	}
	if (skb->protocol == bpf_htons(ETH_P_ARP))
		bpf_tail_call(skb, &wh1_tails_host, HOST_ARP);
	return VERDICT_PASS;
}

inline_always bool is_from_loopback(const struct __sk_buff *skb)
{
	struct iphdr *ip = PACKET_EDGE(skb, data) + ETH_HLEN;

	return skb->protocol == bpf_htons(ETH_P_IP) &&
	       (void *)(ip + 1) <= PACKET_EDGE(skb, data_end) &&
	       (ip->saddr & bpf_htonl(0xff000000)) == bpf_htonl(0x7f000000);
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
		return direct(&packet, skb->protocol == bpf_htons(ETH_P_IPV6));
	if (is_from_loopback(skb))
		bpf_tail_call(skb, &wh1_tails_host, HOST_LOOPBACK);
	count_received(&packet, source->slot);
	return VERDICT_PASS;
}

/* Behind the host's rules: by the gateway device, or by the container's own link. */
inline_always int forwarded_deliver(struct packet *packet)
{
	__u32 ifindex = packet->skb->ifindex;

	count_received(packet, packet->slot);
	if (bpf_map_lookup_elem(&wh1_sources, &ifindex))
		return VERDICT_PASS;
	struct endpoint *target = endpoint_find(packet->network, packet_destination(packet));
	if (!target)
		return drop(packet, DROP_NO_ENDPOINT);
	packet_set_destination_mac(packet, target->mac);
	packet->skb->mark = MARK_QUEUED;
	return bpf_redirect(target->ifindex, 0);
}

inline_always int forwarded_of(struct __sk_buff *skb, bool v6)
{
	struct packet packet = { .skb = skb, .hook = HOOK_TO_CONTAINER, .v6 = v6 };

	tail_enter(&packet);
	if (packet_parse_ip(&packet) || packet_parse_transport(&packet))
		return drop(&packet, DROP_MALFORMED);
	if (packet.fragment)
		fragment_resolve(&packet);
	if (!packet.has_ports)
		return drop(&packet, DROP_DIRECT);
	struct flow_key answer = answer_key_of(&packet);
	int answered = flow_confirm(&answer);
	if (answered == CONFIRMED)
		return forwarded_deliver(&packet);
	return answered == CONFIRMED_PROBE ? VERDICT_DROP : drop(&packet, DROP_DIRECT);
}

SEC("tc") int to_container_forwarded(struct __sk_buff *skb)
{
	return forwarded_of(skb, false);
}

SEC("tc") int to_container_forwarded6(struct __sk_buff *skb)
{
	return forwarded_of(skb, true);
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

inline_always int to_container_solicited(struct packet *packet)
{
	struct solicitation *question = solicitation_parse(packet);

	if (!question)
		return VERDICT_PASS;
	struct endpoint *endpoint = endpoint_find(packet->network, address6(&question->target));
	if (!endpoint)
		return VERDICT_PASS;
	if (!solicitation_answer(packet, question, endpoint->mac, false))
		return drop(packet, DROP_INTERNAL_ERROR);
	return bpf_redirect(packet->skb->ifindex, BPF_F_INGRESS);
}

/* ICMPv6 of the host: what is no solicitation goes its way. */
SEC("tc") int to_container_discovery(struct __sk_buff *skb)
{
	struct packet packet = { .skb = skb, .hook = HOOK_TO_CONTAINER, .v6 = true };
	__u32 ifindex = skb->ifindex;
	__u32 *network = bpf_map_lookup_elem(&wh1_gateways, &ifindex);

	if (!network)
		return VERDICT_PASS;
	packet.network = *network;
	if (packet_parse_ip(&packet) || packet_parse_transport(&packet))
		return VERDICT_PASS;
	if (packet.icmp_type == ND_SOLICITATION)
		return to_container_solicited(&packet);
	return discovery_is(&packet) ? VERDICT_PASS : to_container_deliver(&packet);
}

/* Multicast and broadcast of the host itself: a copy for each; what is left ends in the bridge. */
inline_always int to_container_group_of(struct __sk_buff *skb, bool v6)
{
	struct packet packet = { .skb = skb, .hook = HOOK_TO_CONTAINER, .v6 = v6 };
	__u32 ifindex = skb->ifindex;
	__u32 *id = bpf_map_lookup_elem(&wh1_gateways, &ifindex);
	struct network *network = id ? network_get(*id) : NULL;

	if (!network || !(network->flags & NETWORK_MULTICAST) || skb->ingress_ifindex)
		return VERDICT_PASS;
	packet.network = *id;
	group_send(&packet);
	return VERDICT_PASS;
}

SEC("tc") int to_container_group(struct __sk_buff *skb)
{
	return to_container_group_of(skb, false);
}

SEC("tc") int to_container_group6(struct __sk_buff *skb)
{
	return to_container_group_of(skb, true);
}
