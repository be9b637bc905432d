/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
#pragma once
/*
 * How a flow is born: the caller describes the direction that begins and where
 * answers go; flow_create finds a source port under which no other flow's
 * answers come back, and writes both entries.
 *
 * Ports keep the order of the client's own: the same client port meets the same
 * port here, always, so sequence numbers and timestamps stay monotonic for the
 * server's TIME_WAIT, and a flow whose entries were lost heals.
 */
#include "lib/mapping.h"
#include "lib/seat.h"

#define PORT_TRIES 64
#define PORT_STEP 7919 /* prime: tries do not pile up */

enum port_choice {
	PORT_KEEP_FIRST, /* the one that the flow has been given (the client's own) if it is free */
	PORT_MAPPED,     /* the one of its mapping, most often */
	PORT_FROM_RANGE, /* one of those set apart, which no socket of the host has */
};

/* The rest of the wish is in new->wish: stacks are short. */
struct port_search {
	struct new_flow *new;
	struct __sk_buff *skb;
};

/* Cleared, with the packet's key, and the entries' common part. */
inline_always struct new_flow *new_flow_begin(const struct packet *packet)
{
	struct new_flow *new = scratch_get();

	if (!new)
		return NULL;
	__builtin_memset(new, 0, sizeof *new);
	new->key = flow_key_of(packet);
	new->flow.new_source = new->key.source;
	new->flow.new_destination = new->key.destination;
	new->flow.new_source_port = new->key.source_port;
	new->flow.new_destination_port = new->key.destination_port;
	new->flow.seen = now_s();
	new->flow.state = flow_state_of(packet) | FLOW_OPENING;
	if (packet->hook == HOOK_FROM_UPLINK)
		new->flow.flags = FLOW_FROM_OUTSIDE;
	new->flow.answer_us = now_us();
	new->flow.packets = 1;
	new->flow.bytes = packet->skb->len;
	return new;
}

/* Of a direction that leads to the container of `source`. */
inline_always __u8 flow_flags_to(const struct source *source)
{
	return source->flags & ENDPOINT_QUEUED ? FLOW_HAVE_NEXT_HOP | FLOW_QUEUED
					       : FLOW_HAVE_NEXT_HOP;
}

/* The other direction follows from the first. */
inline_always void new_flow_mirror(struct new_flow *new)
{
	struct flow *peer = &new->peer;

	peer->new_source = new->key.destination;
	peer->new_destination = new->key.source;
	peer->new_source_port = new->key.destination_port;
	peer->new_destination_port = new->key.source_port;
	peer->slot = new->flow.slot;
	peer->generation = new->flow.generation;
	peer->peer_slot = new->flow.peer_slot;
	peer->peer_generation = new->flow.peer_generation;
	peer->peer_zone = new->key.zone;
	peer->seen = new->flow.seen;
	peer->state = FLOW_ANSWERED | FLOW_OPENING;
	peer->flags |= FLOW_REPLY | (new->flow.flags &(FLOW_FROM_OUTSIDE | FLOW_JUDGED));
}

inline_always void new_flow_set_port(struct new_flow *new, __be16 port)
{
	new->flow.new_source_port = port;
	if (protocol_is_echo(new->key.protocol))
		new->flow.new_destination_port = port;
	new->peer_key = flow_peer_key(&new->flow, new->key.protocol);
}

/* Returns the tuple's size, by which the kernel tells the families apart. */
inline_always __u32 socket_tuple(struct bpf_sock_tuple *tuple, const struct flow_key *key)
{
	if (address_is_v4(&key->source)) {
		tuple->ipv4.saddr = key->source.words[3];
		tuple->ipv4.daddr = key->destination.words[3];
		tuple->ipv4.sport = key->source_port;
		tuple->ipv4.dport = key->destination_port;
		return sizeof tuple->ipv4;
	}
	__builtin_memcpy(tuple->ipv6.saddr, &key->source, sizeof key->source);
	__builtin_memcpy(tuple->ipv6.daddr, &key->destination, sizeof key->destination);
	tuple->ipv6.sport = key->source_port;
	tuple->ipv6.dport = key->destination_port;
	return sizeof tuple->ipv6;
}

/* A socket of the host that bound itself in the range set apart. */
global_function int host_has_socket(struct __sk_buff *skb, const struct flow_key *answer)
{
	if (!answer)
		return false;
	struct bpf_sock_tuple tuple = { 0 };
	struct bpf_sock *socket = NULL;
	__u32 size = socket_tuple(&tuple, answer);

	if (answer->protocol == IPPROTO_TCP)
		socket = bpf_skc_lookup_tcp(skb, &tuple, size, BPF_F_CURRENT_NETNS, 0);
	else if (answer->protocol == IPPROTO_UDP)
		socket = bpf_sk_lookup_udp(skb, &tuple, size, BPF_F_CURRENT_NETNS, 0);
	if (!socket)
		return false;
	bpf_sk_release(socket);
	return true;
}

/* Whether the flow that holds the answers' key keeps it. */
inline_always bool port_is_held(const struct port_search *search, struct flow *held)
{
	if (search->new->wish.hurry && flow_is_closed(held->state))
		return false;
	return flow_is_alive(held, search->new->key.protocol);
}

/*
 * Makes the answers' key free if it is this client's own or of a flow that has
 * ended; what was in the way is deleted, so that of two that find it one goes on.
 */
inline_always bool port_claim(const struct port_search *search)
{
	struct new_flow *new = search->new;
	struct flow *held = bpf_map_lookup_elem(&wh1_flows, &new->peer_key);

	if (held && !flow_leads_to(held, &new->key) && port_is_held(search, held))
		return false;
	if (held && bpf_map_delete_elem(&wh1_flows, &new->peer_key) < 0)
		return false;
	held = bpf_map_lookup_elem(&wh1_opening, &new->peer_key);
	if (held && !flow_leads_to(held, &new->key) && port_is_held(search, held))
		return false;
	if (new->wish.choice != PORT_KEEP_FIRST && host_has_socket(search->skb, &new->peer_key))
		return false;
	return !held || bpf_map_delete_elem(&wh1_opening, &new->peer_key) == 0;
}

static long port_try(__u32 turn, void *context)
{
	struct port_search *search = context;
	struct new_flow *new = search->new;
	__u32 offset = (new->wish.base + turn *PORT_STEP) % masquerade_count;

	if (new->wish.choice == PORT_FROM_RANGE || turn)
		new_flow_set_port(new, bpf_htons(masquerade_first + offset));
	else
		new_flow_set_port(new, new->wish.first);
	if ((new->wish.choice != PORT_KEEP_FIRST &&mapping_forbids(new)) || !port_claim(search) ||
	    bpf_map_update_elem(&wh1_opening, &new->peer_key, &new->peer, BPF_NOEXIST) < 0)
		return 0;
	new->wish.found = 1;
	return 1;
}

/* Without the source port: it is added, which keeps the order. */
inline_always __u32 port_base(const struct flow_key *key)
{
	__u32 hash = address_fold(&key->source) * 0x9e3779b1u ^
		     address_fold(&key->destination) * 0x85ebca77u ^
		     key->destination_port * 0xc2b2ae3du;

	hash ^= hash >> 15;
	hash *= 0x2c1b3c6du;
	hash ^= hash >> 12;
	return hash + bpf_ntohs(key->source_port);
}

/* While the tables move to others, a flow that began here would be left behind. */
inline_always bool flows_are_frozen(void)
{
	__u32 index = SWITCH_FROZEN;
	__u32 *until = bpf_map_lookup_elem(&wh1_switches, &index);

	return until && *(volatile __u32 *)until && (__s32)(*until - now_s()) > 0;
}

/* new->flow and what is special in new->peer are filled; DROP_NONE, or why there is no flow. */
inline_always enum drop_reason flow_create(struct new_flow *new, struct __sk_buff *skb,
					   enum port_choice choice)
{
	struct port_search search = { .new = new, .skb = skb };

	new->wish.base = port_base(&new->key);
	new->wish.choice = choice;
	new->wish.hurry = new->wish.found = 0;
	new->wish.first = new->flow.new_source_port;
	if (flows_are_frozen())
		return DROP_UPGRADE;
	new_flow_mirror(new);
	bpf_loop(PORT_TRIES, port_try, &search, 0);
	if (!new->wish.found) {
		new->wish.hurry = 1;
		bpf_loop(PORT_TRIES, port_try, &search, 0);
	}
	if (!new->wish.found)
		return DROP_PORTS_FULL;
	if (bpf_map_update_elem(&wh1_opening, &new->key, &new->flow, BPF_ANY) < 0)
		return DROP_FLOWS_FULL;
	return DROP_NONE;
}
