/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
#pragma once
/*
 * What a packet changes in its flow: when it was seen, what each half knows of
 * the other, and the move from the table of opening flows to that of answered
 * ones. A flow moves when the side that began it speaks again after an answer:
 * an answer alone proves nothing of a client whose address is forged. One that
 * is begun by a container moves also if answers go on for a second.
 */
#include "lib/scratch.h"
#include "lib/seat.h"

#define ACKNOWLEDGED_MAX (1u << 20) /* bytes of the answer that may be acknowledged at once */

/* A few times in a flow's life: its first packet, its answer, FIN, RST. */
global_function int flow_change(struct flow *flow, __u32 news, __u32 protocol, __u32 secret)
{
	if (!flow)
		return 0;
	struct flow *peer = flow_peer(flow, protocol);
	bool reply = flow->flags & FLOW_REPLY;
	__u32 state = __sync_fetch_and_or(&flow->state, news) | news;
	if (peer && reply && !(peer->state & FLOW_ANSWERED))
		peer->answer_us = now_us() - peer->answer_us;
	if (peer && reply && (news & FLOW_SEEN_SYN) && (peer->flags & FLOW_FROM_OUTSIDE))
		peer->acknowledgment = secret;
	if (peer)
		__sync_fetch_and_or(&peer->state, flow_state_for_peer(news));
	if (!flow_is_closed(state))
		return 0;
	if (!reply)
		flow_discharge(flow);
	else if (peer)
		flow_discharge(peer);
	return 0;
}

/* A SYN on a closed flow: all begins anew, in the same place. */
global_function int flow_reopen(struct flow *flow, __u32 protocol)
{
	if (!flow)
		return 0;
	struct flow *peer = flow_peer(flow, protocol);
	flow_discharge(flow);
	if (peer)
		flow_discharge(peer);
	flow->state = FLOW_SEEN_SYN | (flow->state & FLOW_OPENING);
	flow->answer_us = now_us();
	if (peer)
		peer->state = FLOW_ANSWERED | (peer->state & FLOW_OPENING);
	return 0;
}

inline_always bool flow_is_acknowledged(const struct flow *flow, __u32 protocol,
					__u32 acknowledgment)
{
	if (!protocol_has_states(protocol) || !(flow->flags & FLOW_FROM_OUTSIDE) ||
	    !(flow->state & FLOW_OPENING))
		return true;
	return acknowledgment - flow->acknowledgment < ACKNOWLEDGED_MAX;
}

/* An ended flow of the same addresses and ports leaves its seat to this one. */
inline_always bool flow_sit_down(const struct flow_key *key)
{
	struct flow *old = bpf_map_lookup_elem(&wh1_flows, key);

	if (!old)
		return seat_take(key);
	flow_discharge(old);
	return true;
}

/*
 * What stood in the table of opening flows is left for its place to be needed, as
 * this packet still reads it; nobody has its generation, so it is never met again.
 */
inline_always void flow_leave(struct flow *flow)
{
	flow->generation = GENERATION_NONE;
}

inline_always bool flow_move(struct flow *first, struct flow *second, __u32 protocol)
{
	struct new_flow *keys = scratch_get();

	if (!keys || !flow_charge(first))
		return false;
	keys->peer_key = flow_peer_key(first, protocol);
	keys->key = flow_peer_key(second, protocol);
	if (!flow_sit_down(&keys->key)) {
		flow_discharge(first);
		return false;
	}
	__sync_fetch_and_and(&first->state, ~(FLOW_OPENING | FLOW_REFUSED | FLOW_MOVING));
	__sync_fetch_and_and(&second->state, ~FLOW_OPENING);
	bpf_map_update_elem(&wh1_flows, &keys->peer_key, second, BPF_ANY);
	bpf_map_update_elem(&wh1_flows, &keys->key, first, BPF_ANY);
	flow_leave(first);
	flow_leave(second);
	return true;
}

/*
 * The flow has been answered: it is moved, or charged anew after it was reopened.
 * Named by its key, since Linux 6.1 takes a table's key or value only from what it
 * knows to be a stack or a map.
 */
global_function int flow_settle(const struct flow_key *named, __u32 opening, __u32 acknowledgment)
{
	struct new_flow *keys = scratch_get();

	if (!named || !keys)
		return 0;
	__u32 protocol = named->protocol;
	keys->key = *named;
	struct flow *flow = opening ? bpf_map_lookup_elem(&wh1_opening, &keys->key)
				    : bpf_map_lookup_elem(&wh1_flows, &keys->key);
	if (!flow)
		return 0;
	keys->peer_key = flow_peer_key(flow, protocol);
	struct flow *peer = flow_with_key(flow, &keys->peer_key);
	struct flow *first = flow->flags & FLOW_REPLY ? peer : flow;

	if (!peer || !first || flow_is_closed(flow->state) ||
	    !flow_is_acknowledged(flow, protocol, acknowledgment))
		return 0;
	__u32 state = __sync_fetch_and_or(&first->state, FLOW_MOVING);
	if (state & FLOW_MOVING)
		return 0; /* another CPU is at it */
	bool done = state & FLOW_CHARGED;
	if (!done && (state & FLOW_OPENING))
		done = flow_move(first, first == flow ? peer : flow, protocol);
	else if (!done)
		done = flow_charge(first);
	__sync_fetch_and_and(&first->state, ~FLOW_MOVING);
	if (!done)
		__sync_fetch_and_or(&flow->state, FLOW_REFUSED);
	return 0;
}

inline_always __u32 packet_word(const struct packet *packet, __u32 word)
{
	if (packet->transport + sizeof(struct tcphdr) > packet->end)
		return 0;
	return bpf_ntohl(((__be32 *)packet->transport)[word]);
}

/*
 * What only who has received the answer can know: the sequence number of TCP's, the
 * tag that SCTP's asks for.
 */
inline_always __u32 packet_secret(const struct packet *packet)
{
	return packet->protocol == IPPROTO_TCP ? packet_word(packet, 1) + 1
					       : packet_word(packet, 4);
}

inline_always __u32 packet_acknowledgment(const struct packet *packet)
{
	return packet_word(packet, packet->protocol == IPPROTO_TCP ? 2 : 1);
}

/* Whether this packet shows that the flow may stay; asked for each one. */
inline_always bool flow_is_due(const struct flow *flow, __u32 state, bool new_second)
{
	if (flow->flags & FLOW_REPLY)
		return new_second && (state & FLOW_OPENING) && !(flow->flags & FLOW_FROM_OUTSIDE);
	return (state & (FLOW_ANSWERED | FLOW_CHARGED)) == FLOW_ANSWERED &&
	       (!(state & FLOW_REFUSED) || new_second);
}

/* Called for each packet of a flow, before anything is rewritten. */
inline_always void flow_touch(struct flow *flow, const struct packet *packet)
{
	__u32 now = now_s(), state = flow->state, seen = flow_state_of(packet);
	bool new_second = flow->seen != now;

	flow->packets++;
	flow->bytes += packet->skb->len;
	if (new_second)
		flow->seen = now;
	if (packet_is_syn(packet) &&
	    (state & (FLOW_SEEN_FIN | FLOW_SEEN_RST | FLOW_PEER_FIN | FLOW_PEER_RST)))
		flow_reopen(flow, packet->protocol);
	else if (seen & ~state)
		flow_change(flow, seen & ~state, packet->protocol, packet_secret(packet));
	if (flow_is_due(flow, state, new_second))
		flow_settle(packet->key, state & FLOW_OPENING, packet_acknowledgment(packet));
}
