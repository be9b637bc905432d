/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
#pragma once
/*
 * Who may stay in the table of answered flows. It evicts nobody, so that no
 * flood ends a flow of others; hence each flow takes a seat, the seats of flows
 * that have ended are found and freed, and an endpoint's open flows are counted
 * against a quota. A flow that finds no seat, or whose endpoint has
 * as many as it may, works on in the table of opening flows, where the oldest go.
 */
#include "lib/flow.h"
#include "lib/scratch.h"

#define SEAT_TRIES 32
#define SEAT_SWEEP 64      /* seats looked at for an endpoint that is full */
#define SEAT_CLOSED_REST 2 /* seconds for the last packets of a closed flow */
#define USE_TRIES 8

inline_always bool flow_is_closed(__u32 state)
{
	return (state & (FLOW_SEEN_RST | FLOW_PEER_RST)) ||
	       ((state & FLOW_SEEN_FIN) && (state & FLOW_PEER_FIN));
}

/* Of two containers the one that began pays. */
inline_always __u32 flow_payer(const struct flow *flow, __u32 *generation)
{
	*generation = flow->peer_slot ? flow->peer_generation : flow->generation;
	return flow->peer_slot ? flow->peer_slot : flow->slot;
}

inline_always __u32 flow_use(__u32 slot, __u32 generation)
{
	__u64 *use = bpf_map_lookup_elem(&wh1_flow_use, &slot);

	return use && *use >> 32 == generation ? (__u32)*use : 0;
}

/* One more, or one fewer; false if the quota forbids. */
global_function int flow_use_change(__u32 slot, __u32 generation, __u32 more)
{
	__u64 *use = bpf_map_lookup_elem(&wh1_flow_use, &slot);

	if (!use)
		return false;
	for (int i = 0; i < USE_TRIES; i++) {
		__u64 old = *(volatile __u64 *)use, count = (__u32)old;

		if (old >> 32 != generation)
			count = 0;
		if (more ? count >= flow_quota : !count)
			return false;
		count += more ? 1 : -1;
		if (__sync_val_compare_and_swap(use, old, (__u64)generation << 32 | count) == old)
			return true;
	}
	return false;
}

/* `flow` is the half that began. */
inline_always bool flow_charge(struct flow *flow)
{
	__u32 generation, slot = flow_payer(flow, &generation);

	if (!flow_use_change(slot, generation, true))
		return false;
	__sync_fetch_and_or(&flow->state, FLOW_CHARGED);
	return true;
}

inline_always void flow_discharge(struct flow *flow)
{
	__u32 generation, slot = flow_payer(flow, &generation);

	if (__sync_fetch_and_and(&flow->state, ~FLOW_CHARGED) & FLOW_CHARGED)
		flow_use_change(slot, generation, false);
}

/*
 * Frees the seat if its flow has ended, or if it is closed and `hurry` says that
 * seats are few; the caller has claimed it.
 */
inline_always bool seat_clear(struct flow_seat *seat, bool hurry)
{
	struct flow *flow = bpf_map_lookup_elem(&wh1_flows, &seat->key);
	struct new_flow *keys = scratch_get();
	__u8 protocol = seat->key.protocol;

	if (!flow || !keys)
		return !flow;
	bool rested = flow_is_closed(flow->state) && now_s() - flow->seen >= SEAT_CLOSED_REST;
	if (!(hurry && rested) && flow_is_alive(flow, protocol))
		return false;
	flow_discharge(flow);
	keys->old = flow_peer_key(flow, protocol);
	struct flow *peer = bpf_map_lookup_elem(&wh1_flows, &keys->old);
	if (peer && flow_leads_to(peer, &seat->key))
		bpf_map_delete_elem(&wh1_flows, &keys->old);
	bpf_map_delete_elem(&wh1_flows, &seat->key);
	return true;
}

struct seat_search {
	const struct flow_key *key; /* NULL: seats are freed, none is taken */
	__u32 found;                /* boolean */
};

/*
 * Seats are looked for by chance: one after the other, a crowd that sat down
 * together would be met as a wall. What is swept is swept in order.
 */
inline_always __u32 seat_next(const struct seat_search *search)
{
	__u32 index = SWITCH_HAND;

	if (search->key)
		return bpf_get_prandom_u32() % flow_seats;
	__u32 *hand = bpf_map_lookup_elem(&wh1_switches, &index);
	return hand ? __sync_fetch_and_add(hand, 1) % flow_seats : 0;
}

static long seat_try(__u32 turn, void *context)
{
	struct seat_search *search = context;
	__u32 index = seat_next(search);
	struct flow_seat *seat = bpf_map_lookup_elem(&wh1_seats, &index);

	if (!seat)
		return 1;
	__u32 state = *(volatile __u32 *)&seat->state;
	if (state == SEAT_BUSY || (!search->key && state == SEAT_FREE) ||
	    __sync_val_compare_and_swap(&seat->state, state, SEAT_BUSY) != state)
		return 0;
	bool hurry = search->key && turn >= SEAT_TRIES / 2;
	bool cleared = state == SEAT_FREE || seat_clear(seat, hurry);
	if (cleared && search->key) {
		seat->key = *search->key;
		search->found = 1;
	}
	*(volatile __u32 *)&seat->state = cleared && !search->key ? SEAT_FREE : SEAT_TAKEN;
	return search->found;
}

/* Takes a seat for the flow that begins with this key; false if none was found. */
inline_always bool seat_take(const struct flow_key *key)
{
	struct seat_search search = { .key = key };

	bpf_loop(SEAT_TRIES, seat_try, &search, 0);
	return search.found;
}

/*
 * Whether the endpoint may open one more. From half its quota on, its new flows
 * make the hand go round, so that what it had and ended is not held against it.
 */
global_function int flow_quota_allows(__u32 slot, __u32 generation)
{
	struct seat_search search = { 0 };

	if (flow_use(slot, generation) < flow_quota / 2)
		return true;
	bpf_loop(SEAT_SWEEP, seat_try, &search, 0);
	return flow_use(slot, generation) < flow_quota;
}
