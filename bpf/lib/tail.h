/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
#pragma once
/*
 * Rare work sits behind tail calls, so that the hot programs stay small, and
 * write nothing into packets themselves: a program with one direct write makes
 * the kernel copy the header of every cloned packet (all that TCP sends) first.
 * What the first program found out travels in skb->cb.
 */
#include "lib/packet.h"

#define TAIL_MAX 32
#define TAIL_MAP                                          \
	struct {                                          \
		__uint(type, BPF_MAP_TYPE_PROG_ARRAY);    \
		__uint(key_size, sizeof(__u32));          \
		__uint(max_entries, TAIL_MAX);            \
		__array(values, int(struct __sk_buff *)); \
	}

enum tail_cb { CB_NETWORK = 0, CB_SLOT = 1, CB_MTU = 2, CB_REASON = 3 };

inline_always void tail_leave(const struct packet *packet)
{
	packet->skb->cb[CB_NETWORK] = packet->network;
	packet->skb->cb[CB_SLOT] = packet->slot;
}

inline_always void tail_enter(struct packet *packet)
{
	packet->network = packet->skb->cb[CB_NETWORK];
	packet->slot = packet->skb->cb[CB_SLOT];
}
