/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
/*
 * Puts a frame's headers back as they came, and hands it on: a test run repeats on what the last
 * run left, and a translated packet is another one. A flow that begins each time has a source port
 * of its own each time.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "again.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, struct again);
	__uint(max_entries, 1);
} start SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__type(key, __u32);
	__type(value, __u32);
	__uint(max_entries, 1);
} judged SEC(".maps");

/* What a run costs before the program begins. */
SEC("tc")
int nothing(struct __sk_buff *skb)
{
	return TC_ACT_UNSPEC;
}

SEC("tc")
int again(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	__u32 zero = 0;
	struct again *from = bpf_map_lookup_elem(&start, &zero);

	if (!from || data + AGAIN_BYTES > end)
		return TC_ACT_SHOT;
	for (int i = 0; i < AGAIN_BYTES / 2; i++)
		((__u16 *)data)[i] = from->headers[i];
	if (from->fresh)
		((__u16 *)data)[AGAIN_PORT] = bpf_htons((__u16)from->fresh++);
	bpf_tail_call(skb, &judged, 0);
	return TC_ACT_SHOT;
}

char again_license[] SEC("license") = "Dual BSD/GPL";
