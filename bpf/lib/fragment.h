/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
#pragma once
/*
 * Fragments of packets that are translated: the first tells the later ones its
 * ports. What comes before its first is unknown, and is never guessed at.
 * Between containers fragments pass untouched, and nothing of this runs.
 */
#include "lib/rate.h"

inline_always struct fragment_key fragment_key_of(const struct packet *packet)
{
	return (struct fragment_key){
		.source = packet_source(packet),
		.destination = packet_destination(packet),
		.id = packet->fragment_id,
		.zone = packet->hook == HOOK_FROM_UPLINK ? 0 : packet->network,
		.protocol = packet->protocol,
	};
}

/* Linux 6.1 takes a table's key and value only from what it knows to be a stack or a map. */
global_function int fragment_meet(const struct fragment_key *named, struct fragment *fragment,
				  __u32 later)
{
	if (!named || !fragment)
		return false;
	struct fragment_key key = *named;
	struct fragment value = *fragment;
	if (!later)
		return bpf_map_update_elem(&wh1_fragments, &key, &value, BPF_ANY) == 0;
	struct fragment *first = bpf_map_lookup_elem(&wh1_fragments, &key);
	if (!first || now_s() - first->seen > FRAGMENT_LIFE)
		return false;
	*fragment = *first;
	return true;
}

/* A later fragment gets its ports, if its first is known: has_ports tells. */
inline_always enum drop_reason fragment_resolve(struct packet *packet)
{
	struct fragment_key key = fragment_key_of(packet);
	struct fragment fragment = {
		.source_port = packet->source_port,
		.destination_port = packet->destination_port,
		.seen = now_s(),
		.echo_reply = packet->echo_reply,
	};

	if (!packet->later && packet->slot &&
	    !rate_allows(packet->slot, RATE_FRAGMENTS, RATE_FRAGMENTS_MAX))
		return DROP_RATE;
	if (!(packet->later || packet->has_ports) ||
	    !fragment_meet(&key, &fragment, packet->later) || !packet->later)
		return DROP_NONE;
	packet->source_port = fragment.source_port;
	packet->destination_port = fragment.destination_port;
	packet->echo_reply = fragment.echo_reply;
	packet->tcp_flags = TCP_ACK;
	packet->has_ports = true;
	return DROP_NONE;
}
