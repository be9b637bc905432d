/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
/*
 * Ingress of the host end of each veth: what a container sends. Who it is
 * (source device, MAC and address) is settled here; a neighbour of the same
 * network is reached with two look-ups and no flow, all else behind tail calls.
 */
#include "lib/act.h"
#include "lib/admit.h"
#include "lib/chosen.h"
#include "lib/deliver.h"
#include "lib/discovery.h"
#include "lib/error.h"
#include "lib/fragment.h"
#include "lib/group.h"
#include "lib/refuse.h"
#include "lib/reply.h"
#include "lib/tail.h"
#include "lib/toobig6.h"

int container_arp(struct __sk_buff *skb);
int container_odd6(struct __sk_buff *skb);
int container_flow(struct __sk_buff *skb);
int container_flow6(struct __sk_buff *skb);
int container_new(struct __sk_buff *skb);
int container_new6(struct __sk_buff *skb);
int container_local(struct __sk_buff *skb);
int container_local6(struct __sk_buff *skb);
int container_error(struct __sk_buff *skb);
int container_error6(struct __sk_buff *skb);
int container_too_big(struct __sk_buff *skb);
int container_too_big6(struct __sk_buff *skb);
int container_refuse(struct __sk_buff *skb);
int container_refuse6(struct __sk_buff *skb);
int container_group(struct __sk_buff *skb);
int container_group6(struct __sk_buff *skb);
int container_chosen(struct __sk_buff *skb);
int container_chosen6(struct __sk_buff *skb);

/* IPv6 has the program behind the one of IPv4. */
enum container_tail {
	CONTAINER_ARP = 0,
	CONTAINER_ODD6 = 1,
	CONTAINER_FLOW = 2,
	CONTAINER_NEW = 4,
	CONTAINER_ERROR = 6,
	CONTAINER_TOO_BIG = 8,
	CONTAINER_LOCAL = 10,
	CONTAINER_REFUSE = 12,
	CONTAINER_GROUP = 14,
	CONTAINER_CHOSEN = 16, /* a network whose masquerading has options */
};

TAIL_MAP wh1_tails_cont SEC(".maps") = {
	.values = {
		[CONTAINER_ARP] = &container_arp,
		[CONTAINER_ODD6] = &container_odd6,
		[CONTAINER_FLOW] = &container_flow,
		[CONTAINER_FLOW + 1] = &container_flow6,
		[CONTAINER_NEW] = &container_new,
		[CONTAINER_NEW + 1] = &container_new6,
		[CONTAINER_ERROR] = &container_error,
		[CONTAINER_ERROR + 1] = &container_error6,
		[CONTAINER_LOCAL] = &container_local,
		[CONTAINER_LOCAL + 1] = &container_local6,
		[CONTAINER_TOO_BIG] = &container_too_big,
		[CONTAINER_TOO_BIG + 1] = &container_too_big6,
		[CONTAINER_REFUSE] = &container_refuse,
		[CONTAINER_REFUSE + 1] = &container_refuse6,
		[CONTAINER_GROUP] = &container_group,
		[CONTAINER_GROUP + 1] = &container_group6,
		[CONTAINER_CHOSEN] = &container_chosen,
		[CONTAINER_CHOSEN + 1] = &container_chosen6,
	},
};

/* To the program of the packet's family. */
inline_always int container_tail(const struct packet *packet, enum container_tail tail)
{
	tail_leave(packet);
	bpf_tail_call(packet->skb, &wh1_tails_cont, tail + packet->v6);
	return drop(packet, DROP_INTERNAL_ERROR);
}

inline_always int container_tail_too_big(const struct packet *packet, __u32 mtu)
{
	packet->skb->cb[CB_MTU] = mtu;
	return container_tail(packet, CONTAINER_TOO_BIG);
}

/* A flow that cannot begin: dropped, and told so where the container can do something about it. */
inline_always int container_tail_refuse(const struct packet *packet, enum drop_reason reason)
{
	if (reason != DROP_PORTS_FULL && reason != DROP_FLOW_QUOTA)
		return drop(packet, reason);
	packet->skb->cb[CB_REASON] = reason;
	return container_tail(packet, CONTAINER_REFUSE);
}

inline_always bool is_for_group(const struct packet *packet, const struct source *source)
{
	return (source->flags & NETWORK_MULTICAST) && (packet->ethernet->h_dest[0] & 1);
}

/*
 * The host itself, most often; or a hairpin's packet, which a flow tells. TCP
 * in mid-flow without a flow is the host's, be it to answer with a reset.
 */
inline_always int from_container_to_gateway(struct packet *packet, const struct source *source)
{
	enum drop_reason reason = packet_parse_transport(packet);

	if (reason)
		return drop(packet, reason);
	if (packet->protocol != IPPROTO_TCP || !packet->has_ports || packet_is_syn(packet))
		return container_tail(packet, CONTAINER_FLOW);
	if (!hairpins_exist())
		return deliver_answer(packet, source);
	struct flow_key key = flow_key_of(packet);
	if (flow_exists(&key))
		return container_tail(packet, CONTAINER_FLOW);
	return deliver_answer(packet, source);
}

inline_always int from_container_ipv4(struct packet *packet, const struct source *source)
{
	enum drop_reason reason = packet_parse_ipv4(packet);

	if (reason)
		return drop(packet, reason);
	if (!mac_equal(packet->ethernet->h_source, source->mac))
		return drop(packet, DROP_SPOOF_MAC);
	if (packet->ip->saddr != source->v4.address.words[3] &&
	    !source_has_extra(source, address4(packet->ip->saddr)))
		return drop(packet, DROP_SPOOF_ADDRESS);
	if (is_for_group(packet, source))
		return container_tail(packet, CONTAINER_GROUP);
	__be32 destination = packet->ip->daddr;
	if (destination == source->v4.gateway.words[3])
		return from_container_to_gateway(packet, source);
	if (!((destination ^ source->v4.subnet.words[3]) & source->v4.subnet_mask.words[3]))
		return deliver_to_neighbour(packet, source);
	return container_tail(packet, CONTAINER_FLOW);
}

/* Whether the source is allowed and the way is known; all the rest is looked at behind. */
inline_always bool is_plain6(const struct abi_addr *from, const struct abi_addr *to,
			     const struct packet *packet, const struct source *source)
{
	return (packet->protocol == IPPROTO_TCP || packet->protocol == IPPROTO_UDP) &&
	       address_equal(from, &source->v6.address) && !address_is_multicast(to);
}

inline_always int from_container_onward6(struct packet *packet, const struct source *source)
{
	struct abi_addr to = packet_destination(packet);

	if (address_equal(&to, &source->v6.gateway))
		return from_container_to_gateway(packet, source);
	if (address_is_in(&to, &source->v6.subnet, &source->v6.subnet_mask))
		return deliver_to_neighbour(packet, source);
	return container_tail(packet, CONTAINER_FLOW);
}

inline_always int from_container_ipv6(struct packet *packet, const struct source *source)
{
	enum drop_reason reason = packet_parse_ipv6(packet);

	if (reason)
		return drop(packet, reason);
	if (!mac_equal(packet->ethernet->h_source, source->mac))
		return drop(packet, DROP_SPOOF_MAC);
	struct abi_addr from = packet_source(packet), to = packet_destination(packet);
	if (is_plain6(&from, &to, packet, source))
		return from_container_onward6(packet, source);
	bpf_tail_call(packet->skb, &wh1_tails_cont, CONTAINER_ODD6);
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
	if (skb->protocol == bpf_htons(ETH_P_IP) && source->flags & NETWORK_IPV4)
		return from_container_ipv4(&packet, source);
	if (skb->protocol == bpf_htons(ETH_P_IPV6) && source->flags & NETWORK_IPV6) {
		struct packet packet6 = packet;

		packet6.v6 = true;
		return from_container_ipv6(&packet6, source);
	}
	if (skb->protocol != bpf_htons(ETH_P_ARP))
		return drop(&packet, DROP_PROTOCOL);
	bpf_tail_call(skb, &wh1_tails_cont, CONTAINER_ARP);
	return drop(&packet, DROP_INTERNAL_ERROR);
}

/* fe80:: and the interface's MAC (RFC 4291 appendix A). */
inline_always bool is_own_link_local(const struct abi_addr *address, const __u8 *mac)
{
	return address->words[0] == bpf_htonl(0xfe800000) && !address->words[1] &&
	       address->bytes[8] == (mac[0] ^ 2) && address->bytes[9] == mac[1] &&
	       address->bytes[10] == mac[2] && address->bytes[11] == 0xff &&
	       address->bytes[12] == 0xfe && address->bytes[13] == mac[3] &&
	       address->bytes[14] == mac[4] && address->bytes[15] == mac[5];
}

/*
 * Messages about the link may come from the link's own address, or from none yet; what is for
 * all of the network from the former too, as mDNS does it.
 */
inline_always bool container_may_send_from(const struct packet *packet, const struct source *source)
{
	struct abi_addr from = packet_source(packet), to = packet_destination(packet);

	if (is_own_link_local(&from, source->mac) &&
	    (discovery_is(packet) || address_is_multicast(&to)))
		return true;
	if (address_is_zero(&from))
		return discovery_is(packet);
	return address_equal(&from, &source->v6.address) || source_has_extra(source, from);
}

inline_always int container_discovery(struct packet *packet, const struct source *source)
{
	__u8 type = packet->icmp_type;
	struct endpoint *endpoint;

	if (type != ND_SOLICITATION)
		return drop(packet, discovery_refusal(type));
	struct solicitation *question = solicitation_parse(packet);
	if (!question)
		return drop(packet, DROP_MALFORMED);
	struct abi_addr target = address6(&question->target);
	if (address_equal(&target, &source->v6.gateway)) {
		if (!solicitation_answer(packet, question, source->gateway_mac, true))
			return drop(packet, DROP_INTERNAL_ERROR);
		return bpf_redirect(packet->skb->ifindex, 0);
	}
	endpoint = endpoint_find(source->network, target);
	/* Its own: it asks whether nobody else has it. */
	if (!endpoint || endpoint->slot == source->slot)
		return drop(packet, endpoint ? DROP_DISCOVERY : DROP_NO_ENDPOINT);
	if (!solicitation_answer(packet, question, endpoint->mac, false))
		return drop(packet, DROP_INTERNAL_ERROR);
	return bpf_redirect(packet->skb->ifindex, 0);
}

inline_always int container_odd(struct packet *packet, const struct source *source)
{
	enum drop_reason reason = packet_parse_ipv6(packet);

	if (!reason)
		reason = packet_parse_transport(packet);
	if (reason)
		return drop(packet, reason);
	if (!container_may_send_from(packet, source))
		return drop(packet, DROP_SPOOF_ADDRESS);
	if (discovery_is(packet))
		return container_discovery(packet, source);
	struct abi_addr to = packet_destination(packet);
	if (address_is_multicast(&to))
		return is_for_group(packet, source) ? container_tail(packet, CONTAINER_GROUP)
						    : drop(packet, DROP_MULTICAST);
	return from_container_onward6(packet, source);
}

/* IPv6 that is more than TCP and UDP from the own address: discovery, ICMP, extensions. */
SEC("tc") int container_odd6(struct __sk_buff *skb)
{
	struct packet packet = { .skb = skb, .hook = HOOK_FROM_CONTAINER, .v6 = true };
	__u32 ifindex = skb->ifindex;
	struct source *source = bpf_map_lookup_elem(&wh1_sources, &ifindex);

	if (!source)
		return drop(&packet, DROP_UNKNOWN_ENDPOINT);
	packet.slot = source->slot;
	packet.network = source->network;
	return container_odd(&packet, source);
}

/* Who has the target, for this container: its MAC, or NULL. */
inline_always const __u8 *container_arp_find(const struct source *source, __be32 target)
{
	if (target == source->v4.gateway.words[3])
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
	__be32 own = source->v4.address.words[3], sender = arp_address(arp->sender);
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
