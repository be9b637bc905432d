/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
/*
 * Ingress of each uplink: what comes from outside. Answers of masqueraded flows
 * and packets of published flows go straight to their container; all that is
 * not ours passes on untouched, to other filters and to the host.
 */
#include "lib/act.h"
#include "lib/admit.h"
#include "lib/error.h"
#include "lib/fragment.h"
#include "lib/tail.h"

int from_uplink(struct __sk_buff *skb);
int uplink_flow6(struct __sk_buff *skb);
int uplink_new(struct __sk_buff *skb);
int uplink_new6(struct __sk_buff *skb);
int uplink_error(struct __sk_buff *skb);
int uplink_error6(struct __sk_buff *skb);
int uplink_mapped(struct __sk_buff *skb);
int uplink_mapped6(struct __sk_buff *skb);
int uplink_judge(struct __sk_buff *skb);
int uplink_judge6(struct __sk_buff *skb);
int uplink_guard(struct __sk_buff *skb);
int uplink_guard6(struct __sk_buff *skb);

/* IPv6 has the program behind the one of IPv4. */
enum uplink_tail {
	UPLINK_ETHERNET = 0,
	UPLINK_FLOW6 = 1,
	UPLINK_NEW = 2,
	UPLINK_ERROR = 4,
	UPLINK_MAPPED = 6,
	UPLINK_JUDGE = 8,
	UPLINK_GUARD = 10,
};

TAIL_MAP wh1_tails_upl SEC(".maps") = {
	.values = {
		[UPLINK_ETHERNET] = &from_uplink,
		[UPLINK_FLOW6] = &uplink_flow6,
		[UPLINK_NEW] = &uplink_new,
		[UPLINK_NEW + 1] = &uplink_new6,
		[UPLINK_ERROR] = &uplink_error,
		[UPLINK_ERROR + 1] = &uplink_error6,
		[UPLINK_MAPPED] = &uplink_mapped,
		[UPLINK_MAPPED + 1] = &uplink_mapped6,
		[UPLINK_JUDGE] = &uplink_judge,
		[UPLINK_JUDGE + 1] = &uplink_judge6,
		[UPLINK_GUARD] = &uplink_guard,
		[UPLINK_GUARD + 1] = &uplink_guard6,
	},
};

/* Not ours: the host's, once it has been seen that it does not forward it for our sake. */
inline_always int uplink_pass(struct packet *packet)
{
	__u32 index = packet->v6 ? SWITCH_JUDGED6 : SWITCH_JUDGED;
	__u32 *judged = bpf_map_lookup_elem(&wh1_switches, &index);

	if (judged && *judged)
		bpf_tail_call(packet->skb, &wh1_tails_upl, UPLINK_GUARD + packet->v6);
	return VERDICT_PASS;
}

/* Whole packets, addressed to this host's link. */
inline_always bool uplink_parse(struct packet *packet)
{
	struct __sk_buff *skb = packet->skb;

	if (skb->protocol != (packet->v6 ? bpf_htons(ETH_P_IPV6) : bpf_htons(ETH_P_IP)) ||
	    skb->pkt_type != PACKET_HOST || skb->vlan_present)
		return false;
	return !packet_parse_ip(packet) && !packet_parse_transport(packet);
}

inline_always int uplink_flow(struct packet *packet)
{
	if (!uplink_parse(packet))
		return uplink_pass(packet);
	if (packet->fragment)
		fragment_resolve(packet);
	if (packet->has_ports) {
		struct flow_key key = flow_key_of(packet);
		struct flow *flow = flow_find(&key);

		packet->key = &key;
		if (flow && flow_fits(flow, packet)) {
			if (firewall_is_due(flow, packet))
				bpf_tail_call(packet->skb, &wh1_tails_upl,
					      UPLINK_JUDGE + packet->v6);
			flow_touch(flow, packet);
			return act_to_endpoint(packet, flow);
		}
		if (packet_is_syn(packet) || packet->protocol == IPPROTO_UDP)
			bpf_tail_call(packet->skb, &wh1_tails_upl, UPLINK_NEW + packet->v6);
	} else if (packet_is_icmp_error(packet)) {
		bpf_tail_call(packet->skb, &wh1_tails_upl, UPLINK_ERROR + packet->v6);
	}
	return uplink_pass(packet);
}

SEC("tc") int from_uplink(struct __sk_buff *skb)
{
	struct packet packet = { .skb = skb, .hook = HOOK_FROM_UPLINK };

	if (skb->protocol == bpf_htons(ETH_P_IPV6))
		bpf_tail_call(skb, &wh1_tails_upl, UPLINK_FLOW6);
	return uplink_flow(&packet);
}

SEC("tc") int uplink_flow6(struct __sk_buff *skb)
{
	struct packet packet = { .skb = skb, .hook = HOOK_FROM_UPLINK, .v6 = true };

	return uplink_flow(&packet);
}

/* A container's address on the wire is forged: what the kernel makes of it is its business. */
inline_always bool uplink_source_is_forged(struct abi_addr source)
{
	struct subnet_key key = { .prefix_length = 128, .address = source };

	return address_is_loopback(&source) || address_is_link_local(&source) ||
	       bpf_map_lookup_elem(&wh1_subnets, &key);
}

/* Taken for local is what the kernel would, asked from the container's side, which forwards. */
inline_always bool uplink_is_local(struct packet *packet, const struct publication *publication)
{
	struct network *network = network_get(publication->network);
	struct route route;

	return network && route_ask(packet, &route, network->gateway_ifindex) == ROUTE_LOCAL;
}

/* Already addressed to the container, but received by the host, whose rules it meets. */
inline_always int uplink_hand_up(struct packet *packet, const struct flow *flow)
{
	struct translation to = translation_of(flow);
	enum drop_reason reason = translation_refusal(packet, &to);

	if (reason)
		return drop(packet, reason);
	translate(packet, &to);
	return VERDICT_PASS;
}

inline_always int uplink_begin(struct packet *packet)
{
	if (!uplink_parse(packet) || !packet->has_ports)
		return uplink_pass(packet);
	struct abi_addr to = packet_destination(packet);
	if (address_is_loopback(&to))
		return uplink_pass(packet);
	struct publication *publication =
		publication_find(to, packet->destination_port, packet->protocol);
	if (!publication && mappings_exist())
		bpf_tail_call(packet->skb, &wh1_tails_upl, UPLINK_MAPPED + packet->v6);
	if (!publication || uplink_source_is_forged(packet_source(packet)) ||
	    !uplink_is_local(packet, publication))
		return uplink_pass(packet);
	struct new_flow *new = new_flow_begin(packet);
	if (!new)
		return drop(packet, DROP_INTERNAL_ERROR);
	if (host_talks(packet->skb, &new->key))
		return uplink_pass(packet);
	packet->slot = publication->slot;
	if (!publication_allows(publication, &new->key.source))
		return drop(packet, DROP_PUBLISH_SOURCE);
	bool judged = publication->flags & PUBLICATION_RESPECT;
	if (judged && !firewall_is_reached(packet->skb, &new->key.source, publication))
		return drop(packet, DROP_HOST_ROUTE);
	enum drop_reason reason = publish_from_uplink(packet, new, publication);
	if (reason)
		return drop(packet, reason);
	return judged ? uplink_hand_up(packet, &new->flow) : act_to_endpoint(packet, &new->flow);
}

SEC("tc") int uplink_new(struct __sk_buff *skb)
{
	struct packet packet = { .skb = skb, .hook = HOOK_FROM_UPLINK };

	return uplink_begin(&packet);
}

SEC("tc") int uplink_new6(struct __sk_buff *skb)
{
	struct packet packet = { .skb = skb, .hook = HOOK_FROM_UPLINK, .v6 = true };

	return uplink_begin(&packet);
}

/* As if the container's port were published, for mappings that are open. */
inline_always int uplink_to_mapping(struct packet *packet, struct publication *publication)
{
	struct mapping_key outside = { .address = packet_destination(packet),
				       .port = packet->destination_port,
				       .protocol = packet->protocol };
	struct mapping *mapping = mapping_find(&outside);

	if (!mapping || !(mapping->flags & MASQUERADE_OPEN) ||
	    uplink_source_is_forged(packet_source(packet)))
		return uplink_pass(packet);
	struct endpoint *endpoint = endpoint_find(mapping->network, mapping->address);
	if (!endpoint)
		return uplink_pass(packet);
	publication->address = mapping->address;
	publication->port = mapping->port;
	publication->network = mapping->network;
	publication->slot = mapping->slot;
	publication->generation = mapping->generation;
	publication->ifindex = endpoint->ifindex;
	struct new_flow *new = new_flow_begin(packet);
	if (!new)
		return drop(packet, DROP_INTERNAL_ERROR);
	if (host_talks(packet->skb, &new->key))
		return uplink_pass(packet);
	packet->slot = publication->slot;
	enum drop_reason reason = publish_from_uplink(packet, new, publication);
	if (reason)
		return drop(packet, reason);
	return act_to_endpoint(packet, &new->flow);
}

inline_always int uplink_mapped_of(struct __sk_buff *skb, bool v6)
{
	struct packet packet = { .skb = skb, .hook = HOOK_FROM_UPLINK, .v6 = v6 };
	struct publication publication = { .flags = 0 };

	if (!uplink_parse(&packet) || !packet.has_ports)
		return uplink_pass(&packet);
	return uplink_to_mapping(&packet, &publication);
}

SEC("tc") int uplink_mapped(struct __sk_buff *skb)
{
	return uplink_mapped_of(skb, false);
}

SEC("tc") int uplink_mapped6(struct __sk_buff *skb)
{
	return uplink_mapped_of(skb, true);
}

inline_always int uplink_error_of(struct packet *packet)
{
	struct quote quote;

	if (packet_parse_ip(packet))
		return uplink_pass(packet);
	struct flow *flow = error_find(packet, &quote, 0);
	if (!flow)
		return uplink_pass(packet);
	count_received(packet, flow_receiver(flow));
	return error_send(packet, &quote, flow);
}

SEC("tc") int uplink_error(struct __sk_buff *skb)
{
	struct packet packet = { .skb = skb, .hook = HOOK_FROM_UPLINK };

	return uplink_error_of(&packet);
}

SEC("tc") int uplink_error6(struct __sk_buff *skb)
{
	struct packet packet = { .skb = skb, .hook = HOOK_FROM_UPLINK, .v6 = true };

	return uplink_error_of(&packet);
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
