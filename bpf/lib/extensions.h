/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
#pragma once
/*
 * The extension headers of IPv6 (RFC 8200 section 4): a bounded walk to what
 * they stand before. Chains that are longer than any honest one, repeat
 * hop-by-hop options, or ask to be routed on are malformed.
 */
#include "lib/kernel.h"

#define EXTENSIONS_MAX 6
#define EXTENSIONS_OFFSET_MASK 0x1ff
#define EXTENSIONS_FRAGMENT 0x200
#define EXTENSIONS_LATER 0x400
#define EXTENSIONS_ID_SHIFT 32
#define EXTENSIONS_PROTOCOL_SHIFT 16
#define FRAGMENT_OFFSET 0xfff8
#define FRAGMENT_OFFSET_OR_MORE 0xfff9

/* What all of them begin with; the two that differ are read below. */
struct extension {
	__u8 next;
	__u8 length;   /* in units of 8 bytes beyond the first; AH: of 4 bytes, less 2 */
	__be16 offset; /* of a fragment header: offset, 2 bits of zero, more */
	__be32 rest;
};

inline_always bool extension_is(__u8 protocol)
{
	return protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_DSTOPTS ||
	       protocol == IPPROTO_ROUTING || protocol == IPPROTO_FRAGMENT ||
	       protocol == IPPROTO_AH;
}

inline_always __u32 extension_bytes(const struct extension *extension, __u8 protocol)
{
	if (protocol == IPPROTO_FRAGMENT)
		return sizeof *extension;
	return protocol == IPPROTO_AH ? (extension->length + 2) * 4 : (extension->length + 1) * 8;
}

/* The fourth byte of a routing header: segments that are still to come. */
inline_always bool extension_is_hostile(const struct extension *extension, __u8 protocol,
					bool first)
{
	if (protocol == IPPROTO_HOPOPTS)
		return !first;
	return protocol == IPPROTO_ROUTING && extension->offset & bpf_htons(0xff);
}

/*
 * Not static, so that the verifier looks at it once, and not at each of its ends
 * again for each caller. 0 if malformed, else the offset of what comes behind them, with
 * EXTENSIONS_FRAGMENT and the id, and its protocol. The later parts of a fragmented
 * packet hold no header there.
 */
global_function __u64 extensions_walk(struct __sk_buff *skb, __u32 protocol)
{
	__u32 offset = ETH_HLEN + sizeof(struct ipv6hdr);
	__u64 fragment = 0;
	struct extension extension;

	for (int i = 0; i < EXTENSIONS_MAX; i++) {
		if (bpf_skb_load_bytes(skb, offset, &extension, sizeof extension) < 0 ||
		    extension_is_hostile(&extension, protocol, i == 0))
			return 0;
		offset += extension_bytes(&extension, protocol);
		if (offset > EXTENSIONS_OFFSET_MASK)
			return 0;
		bool is_fragment = protocol == IPPROTO_FRAGMENT;
		protocol = extension.next;
		if (is_fragment && extension.offset & bpf_htons(FRAGMENT_OFFSET_OR_MORE))
			fragment = EXTENSIONS_FRAGMENT | (__u64)extension.rest
								 << EXTENSIONS_ID_SHIFT;
		bool later = is_fragment && extension.offset & bpf_htons(FRAGMENT_OFFSET);
		if (later)
			fragment |= EXTENSIONS_LATER;
		if (!extension_is(protocol) || later)
			return offset | fragment | (__u64)protocol << EXTENSIONS_PROTOCOL_SHIFT;
	}
	return 0;
}
