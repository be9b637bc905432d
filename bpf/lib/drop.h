/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
#pragma once
/*
 * The end of a packet that goes no further: its reason is counted by endpoint,
 * reported while somebody listens, and the verdict returned, in one line:
 * `return drop(packet, DROP_SPOOF_MAC)`.
 */
#include "lib/packet.h"

inline_always void drop_count_one(struct drop_count *count, __u32 bytes)
{
	count->packets++;
	count->bytes += bytes;
	count->seen = now_s();
}

inline_always void drop_describe_ports(struct __sk_buff *skb, struct drop_event *event,
				       __u32 offset)
{
	__be16 ports[2] = { 0 };

	if (event->protocol != IPPROTO_TCP && event->protocol != IPPROTO_UDP)
		return;
	bpf_skb_load_bytes(skb, offset, ports, sizeof ports);
	event->source_port = ports[0];
	event->destination_port = ports[1];
}

inline_always void drop_describe6(struct __sk_buff *skb, struct drop_event *event)
{
	struct ipv6hdr ip;

	if (bpf_skb_load_bytes(skb, ETH_HLEN, &ip, sizeof ip) < 0)
		return;
	event->source = address6(&ip.saddr);
	event->destination = address6(&ip.daddr);
	event->protocol = ip.nexthdr;
	drop_describe_ports(skb, event, ETH_HLEN + sizeof ip);
}

/* Read anew from the packet: rare, and the callers need not keep what was parsed. */
inline_always void drop_describe(struct __sk_buff *skb, struct drop_event *event)
{
	struct iphdr ip;

	if (skb->protocol == bpf_htons(ETH_P_IPV6))
		return drop_describe6(skb, event);
	if (skb->protocol != bpf_htons(ETH_P_IP) ||
	    bpf_skb_load_bytes(skb, ETH_HLEN, &ip, sizeof ip) < 0)
		return;
	event->source = address4(ip.saddr);
	event->destination = address4(ip.daddr);
	event->protocol = ip.protocol;
	drop_describe_ports(skb, event, ETH_HLEN + (ip.ihl & 15) * 4);
}

inline_always void drop_report(struct __sk_buff *skb, struct drop_key key, __u32 network,
			       __u32 hook)
{
	struct drop_event *event = bpf_ringbuf_reserve(&wh1_events, sizeof *event, 0);

	if (!event)
		return;
	__builtin_memset(event, 0, sizeof *event);
	event->time_ns = bpf_ktime_get_ns();
	event->hook = hook;
	event->network = network;
	event->reason = key.reason;
	event->slot = key.slot;
	event->length = skb->len;
	event->ifindex = skb->ifindex;
	drop_describe(skb, event);
	bpf_ringbuf_submit(event, 0); /* the kernel wakes only a reader that has caught up */
}

global_function int drop_packet(struct __sk_buff *skb, __u32 reason, __u32 slot, __u32 network,
				__u32 hook)
{
	struct drop_key key = { .reason = reason, .slot = slot };
	struct drop_count *count = bpf_map_lookup_elem(&wh1_drops, &key);
	__u32 index = SWITCH_EVENTS;

	if (count) {
		drop_count_one(count, skb->len);
	} else {
		struct drop_count first = { .packets = 1, .bytes = skb->len, .seen = now_s() };

		bpf_map_update_elem(&wh1_drops, &key, &first, BPF_NOEXIST);
	}
	__u32 *listeners = bpf_map_lookup_elem(&wh1_switches, &index);
	if (listeners && *listeners)
		drop_report(skb, key, network, hook);
	return VERDICT_DROP;
}

inline_always int drop(const struct packet *packet, enum drop_reason reason)
{
	return drop_packet(packet->skb, reason, packet->slot, packet->network, packet->hook);
}
