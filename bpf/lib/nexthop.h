/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
#pragma once
/*
 * The way out, by the kernel's own routes: asked when a flow begins and every
 * few seconds after. The packet that asks leaves through the kernel's neighbour
 * code, which so keeps the neighbour's entry fresh; the rest fly with the MACs
 * that it told.
 */
#include "lib/count.h"
#include "lib/drop.h"
#include "lib/endpoint.h"

enum route_kind { ROUTE_LOCAL, ROUTE_OUT, ROUTE_NONE };

/* As seen by a packet that comes in by the gateway device `from`, which forwards. */
struct route {
	struct bpf_fib_lookup fib;
	long result;
};

/* Newer than the headers: rules of routing that look at the packet's mark are kept. */
struct bpf_fib_lookup___marked {
	__u32 mark;
} __attribute__((preserve_access_index));
#define FIB_LOOKUP_MARK (1u << 5)

inline_always __u32 route_mark(struct __sk_buff *skb, struct bpf_fib_lookup *fib)
{
	if (!bpf_core_field_exists(((struct bpf_fib_lookup___marked *)0)->mark))
		return 0;
	__builtin_memcpy(fib->smac, &(__u32){ skb->mark }, sizeof(__u32)); /* its place */
	return FIB_LOOKUP_MARK;
}

/* How `source` gets to `destination`, if it comes in by `from`. */
noinline_static int route_look_up(struct __sk_buff *skb, struct route *route, __u32 from,
				  const struct abi_addr *source, const struct abi_addr *destination)
{
	bool v4 = address_is_v4(destination);

	__builtin_memset(&route->fib, 0, sizeof route->fib);
	route->fib.ifindex = from;
	route->fib.family = v4 ? AF_INET : AF_INET6;
	if (v4) {
		route->fib.ipv4_src = source->words[3];
		route->fib.ipv4_dst = destination->words[3];
	} else {
		__builtin_memcpy(route->fib.ipv6_src, source, sizeof *source);
		__builtin_memcpy(route->fib.ipv6_dst, destination, sizeof *destination);
	}
	__u32 flags = route_mark(skb, &route->fib);
	route->result = bpf_fib_lookup(skb, &route->fib, sizeof route->fib, flags);
	/* The IPv6 look-up says so of what it has no route to, too. */
	if (route->result == BPF_FIB_LKUP_RET_NOT_FWDED)
		return v4 || bpf_map_lookup_elem(&wh1_locals, destination) ? ROUTE_LOCAL
									   : ROUTE_NONE;
	/* FRAG_NEEDED: this one packet is too long for it. */
	if (route->result == BPF_FIB_LKUP_RET_SUCCESS ||
	    route->result == BPF_FIB_LKUP_RET_NO_NEIGH ||
	    route->result == BPF_FIB_LKUP_RET_FRAG_NEEDED)
		return ROUTE_OUT;
	return ROUTE_NONE;
}

/*
 * By the kernel's neighbour code, to the next hop that the route named: without
 * it the kernel would look again, for a packet of the host's own, which other
 * rules of routing may send elsewhere.
 */
inline_always int next_hop_send(const struct route *route)
{
	struct bpf_redir_neigh hop = { .nh_family = route->fib.family };

	__builtin_memcpy(hop.ipv6_nh, route->fib.ipv6_dst, sizeof hop.ipv6_nh);
	return bpf_redirect_neigh(route->fib.ifindex, &hop, sizeof hop, 0);
}

inline_always int route_ask(const struct packet *packet, struct route *route, __u32 from)
{
	struct abi_addr source = packet_source(packet), destination = packet_destination(packet);

	return route_look_up(packet->skb, route, from, &source, &destination);
}

inline_always void next_hop_keep(struct flow *flow, const struct route *route)
{
	flow->next_hop_at = now_s();
	flow->ifindex = route->fib.ifindex;
	if (route->result != BPF_FIB_LKUP_RET_SUCCESS) {
		flow->flags &= ~FLOW_HAVE_NEXT_HOP;
		return;
	}
	mac_copy(flow->source_mac, route->fib.smac);
	mac_copy(flow->destination_mac, route->fib.dmac);
	flow->flags |= FLOW_HAVE_NEXT_HOP;
}

inline_always bool next_hop_is_fresh(const struct flow *flow)
{
	return (flow->flags & FLOW_HAVE_NEXT_HOP) &&
	       now_s() - flow->next_hop_at < FLOW_NEXT_HOP_LIFE;
}

inline_always void next_hop_write(struct packet *packet, const struct flow *flow)
{
	mac_copy(packet->ethernet->h_source, flow->source_mac);
	mac_copy(packet->ethernet->h_dest, flow->destination_mac);
}

/*
 * Asks anew for a flow, and sets the redirect up; a route that is gone leaves the
 * flow as it was. TC_ACT_REDIRECT is 7, so reasons come negative.
 */
noinline_static int next_hop_refresh(struct __sk_buff *skb, struct flow *flow, __u32 network_id,
				     const struct abi_addr *source)
{
	struct network *network = network_get(network_id);
	struct route route;

	if (!network)
		return -DROP_INTERNAL_ERROR;
	if (route_look_up(skb, &route, network->gateway_ifindex, source, &flow->new_destination) !=
	    ROUTE_OUT)
		return -DROP_NO_ROUTE;
	__u32 out = route.fib.ifindex;
	if (!bpf_map_lookup_elem(&wh1_uplinks, &out))
		return -DROP_NO_UPLINK;
	next_hop_keep(flow, &route);
	return next_hop_send(&route);
}
