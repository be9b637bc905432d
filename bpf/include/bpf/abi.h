/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
#pragma once
/*
 * What the kernel's side and the user's side of the data path share: every
 * map's key and value, and the enums in them. Compiled by both; each layout is
 * pinned by a static assert. Change a layout, and ABI_VERSION and with it the
 * names of the pinned maps change.
 *
 * Addresses are 16 bytes in network order, IPv4 as ::ffff:a.b.c.d, the same as
 * `struct ip` of base. Ports are network order in __be16 fields, host order in
 * none. A slot is the small number of an endpoint (1 … SLOT_MAX - 1); 0 stands
 * for "no endpoint" (the host, or outside). A network id is 1 … NETWORK_MAX - 1;
 * 0 stands for outside.
 */
#include <linux/types.h>

#define ABI_VERSION 1
#define ABI_MAP(name) "wh1_" name /* names as the kernel shows them: 15 bytes at most */

#define SLOT_MAX 65536
#define NETWORK_MAX 4096
#define PORTS_MAX 131072 /* published (address, port, protocol) entries */
#define UPLINK_MAX 1024
#define LOCALS_MAX 16384
#define FLOWS_MAX                                                                                  \
	131072            /* answered flows' entries, two each; the loader may choose another size \
			   */
#define OPENING_MAX 16384 /* entries of flows without an answer so far */
#define SOCKETS_MAX 65536
#define DROPS_MAX 65536 /* (reason, slot) pairs */
#define EVENTS_BYTES 262144
#define NOTICES_BYTES 4096
#define ALLOWED_MAX 65536
#define EXCEPTS_MAX 65536
#define MAPPINGS_MAX 16384 /* entries, two each */

struct abi_addr {
	union {
		__u8 bytes[16];
		__be32 words[4];
	};
};
_Static_assert(sizeof(struct abi_addr) == 16, "abi_addr");

/*
 * Why a packet was dropped. Numbers are never used again; names for people are
 * made from the list below by both sides of everything (drops, docs, metrics).
 */
#define DROP_REASONS(X)                                                                            \
	X(0, NONE, "none", "not dropped")                                                          \
	X(1, MALFORMED, "malformed", "headers are cut short or contradict each other")             \
	X(2, UNKNOWN_ENDPOINT, "unknown-endpoint", "the sending device is no endpoint (any more)") \
	X(3, SPOOF_MAC, "spoof-mac", "source MAC is not the endpoint's")                           \
	X(4, SPOOF_ADDRESS, "spoof-address", "source address is not the endpoint's")               \
	X(5, PROTOCOL, "protocol", "an EtherType that the network does not carry")                 \
	X(6, NO_ENDPOINT, "no-endpoint", "nobody has this address in the network")                 \
	X(7, ISOLATED, "isolated", "the destination is in another network")                        \
	X(8, INTERNAL, "internal", "the network has no way outside (--internal)")                  \
	X(9, DIRECT, "direct", "from outside straight to a container, without a published port")   \
	X(10, NO_ROUTE, "no-route", "the host has no route to the destination")                    \
	X(11, PORTS_FULL, "ports-full",                                                            \
	  "no free source port for masquerading to this destination")                              \
	X(12, FLOWS_FULL, "flows-full", "the flow table is full")                                  \
	X(13, NO_FLOW, "no-flow", "a packet of a flow that is not known (any more)")               \
	X(14, FRAGMENT, "fragment", "a fragment whose first part has not been seen")               \
	X(15, UNSUPPORTED, "unsupported", "a protocol that cannot be translated")                  \
	X(16, PUBLISH_SOURCE, "publish-source", "the publication does not allow this client")      \
	X(17, STALE, "stale", "the flow's endpoint is gone")                                       \
	X(18, NO_UPLINK, "no-uplink", "the route leaves by a device that is no uplink")            \
	X(19, TOO_BIG, "too-big", "longer than the MTU of the way out, and may not be cut")        \
	X(20, LOOPBACK, "loopback", "an address of 127.0.0.0/8 or ::1 on the wire")                \
	X(21, MULTICAST, "multicast", "multicast and broadcast are not carried by this network")   \
	X(22, INTERNAL_ERROR, "internal-error", "a helper of the kernel failed")                   \
	X(23, NO_ICC, "no-icc", "containers of this network do not reach each other")              \
	X(24, ARP, "arp", "an ARP announcement or probe, which nobody needs to see")               \
	X(25, FLOW_QUOTA, "flow-quota", "the endpoint has as many open flows as one may have")     \
	X(26, SCTP_PORT, "sctp-port",                                                              \
	  "this kernel does not let the port of an SCTP packet change")                            \
	X(27, RATE, "rate", "more of this kind than one endpoint may send in a second")            \
	X(28, UPGRADE, "upgrade", "wherry was being upgraded: no flow began for a moment")         \
	X(29, DISCOVERY, "discovery", "a neighbour discovery message that nobody needs to see")    \
	X(30, ROUTER, "router", "router discovery: addresses and routes are given, not announced") \
	X(31, NO_SOURCE, "no-source", "the host does not have the address to masquerade from")     \
	X(32, HOST_FIREWALL, "host-firewall",                                                      \
	  "the host's own rules for what it forwards refused it")                                  \
	X(33, HOST_ROUTE, "host-route",                                                            \
	  "the host does not forward it to the container, so its firewall cannot be asked")        \
	X(34, NOT_FORWARDED, "not-forwarded",                                                      \
	  "this host is no router: it forwards to published ports alone")

enum drop_reason {
#define X(number, name, text, meaning) DROP_##name = number,
	DROP_REASONS(X)
#undef X
		DROP_REASON_COUNT
};

/* Where a packet was seen. */
enum hook {
	HOOK_FROM_CONTAINER = 0,
	HOOK_FROM_UPLINK = 1,
	HOOK_TO_CONTAINER = 2, /* the gateway device and host ends, egress */
	HOOK_COUNT
};

/* --- endpoints and networks ------------------------------------------------ */

/*
 * TCP ports at which a container answers what the host leads to it (see
 * deliver_answer); host order, first 0: none.
 */
struct served_ports {
	__u16 first;
	__u16 more; /* how many follow the first */
};
#define SERVED_MAX 4

/* What an endpoint has of one family; all zero without NETWORK_IPV4 or NETWORK_IPV6. */
struct source_family {
	struct abi_addr address;
	struct abi_addr subnet_mask; /* 96 one bits in front for IPv4 */
	struct abi_addr subnet;      /* address & subnet_mask */
	struct abi_addr gateway;
};

/* wh1_sources: hash, key __u32 ifindex of the host end. Who sends here. */
struct source {
	struct source_family v4;
	__u32 slot;
	__u32 generation;
	__u32 gateway_ifindex;
	__u16 network;
	__u8 mac[6];
	__u8 gateway_mac[6];
	__u16 flags; /* NETWORK_* of its network; of the families, which it has an address of */
	struct served_ports served[SERVED_MAX];
	struct source_family v6;
};
_Static_assert(sizeof(struct source) == 172, "source");

/*
 * wh1_endpoints: hash. Who has this address in this network: what is sent to it
 * goes there, and its endpoint may send from it.
 */
struct endpoint_key {
	struct abi_addr address;
	__u16 network;
	__u16 zero;
};
_Static_assert(sizeof(struct endpoint_key) == 20, "endpoint_key");
struct endpoint {
	__u32 ifindex; /* of the host end */
	__u32 slot;
	__u32 generation;
	__u8 mac[6];
	__u16 flags;
};
_Static_assert(sizeof(struct endpoint) == 20, "endpoint");

/* wh1_slots: array by slot. A flow whose generation differs is dead. */
#define GENERATION_NONE 0xffffffffu /* no slot ever has it */
struct slot {
	__u32 generation; /* 0: free */
	__u32 ifindex;
	__u16 network;
	__u16 zero;
	__u32 zero2;
};
_Static_assert(sizeof(struct slot) == 16, "slot");

/* wh1_slot_stats: per-CPU array by slot, written by the kernel's side only. */
struct slot_stats {
	__u64 tx_packets, tx_bytes; /* from the container */
	__u64 rx_packets, rx_bytes; /* to the container */
};
_Static_assert(sizeof(struct slot_stats) == 32, "slot_stats");

enum network_flags {
	NETWORK_MASQUERADE = 1 << 0,
	NETWORK_INTERNAL = 1 << 1, /* nothing in or out but the host and the network itself */
	NETWORK_ROUTED = 1 << 2,   /* outside may address containers directly */
	NETWORK_NO_ICC = 1 << 3,   /* containers do not reach each other */
	NETWORK_IPV4 = 1 << 4,     /* has a subnet of this family */
	NETWORK_IPV6 = 1 << 5,
	NETWORK_MULTICAST = 1 << 6,          /* carries multicast and broadcast */
	NETWORK_MASQUERADE_OPTIONS = 1 << 7, /* wh1_masquerade says how */
	ENDPOINT_LINK6 = 1 << 14,  /* of an endpoint: its link carries IPv6 to and from the host */
	ENDPOINT_QUEUED = 1 << 15, /* of an endpoint: what it receives is limited by a queue */
};

/* wh1_networks: array by network id; generation 0: no such network. */
struct network {
	struct abi_addr subnet;
	struct abi_addr gateway;
	__u32 prefix_length; /* of the 128-bit form: 96 + n for IPv4 */
	__u32 gateway_ifindex;
	__u32 generation;
	__u16 flags;
	__u8 gateway_mac[6];
	__u32 prefix_length6;
	struct abi_addr subnet6;
	struct abi_addr gateway6;
};
_Static_assert(sizeof(struct network) == 88, "network");

/* wh1_gateways: hash, key __u32 ifindex of a gateway device, value __u32 network id. */

/* wh1_subnets: LPM trie; value __u32 network id. */
struct subnet_key {
	__u32 prefix_length; /* of the 128-bit form */
	struct abi_addr address;
};
_Static_assert(sizeof(struct subnet_key) == 20, "subnet_key");

/* wh1_uplinks: hash, key __u32 ifindex. Devices that lead outside. */
struct uplink {
	struct abi_addr masquerade;  /* source address for what leaves here; all zero: none */
	struct abi_addr masquerade6; /* and for IPv6 */
	__u8 mac[6];
	__u16 mtu;
	__u32 segment_max; /* bytes of TCP that it takes at once; read by user space only */
	__u32 flags;       /* enum uplink_flags */
};
_Static_assert(sizeof(struct uplink) == 48, "uplink");
enum uplink_flags {
	UPLINK_OPENED = 1 << 0, /* forwards IPv4 for publications alone: the host is no router */
	UPLINK_OPENED6 = 1 << 1,
};

/* wh1_masquerade: hash, key __u32 network id; of networks with NETWORK_MASQUERADE_OPTIONS. */
struct masquerade_choice {
	struct abi_addr source, source6; /* all zero: the uplink's */
	__u32 flags;                     /* enum masquerade_flags */
	__u32 zero;
};
_Static_assert(sizeof(struct masquerade_choice) == 40, "masquerade_choice");
enum masquerade_flags {
	/* A port of a container has one port outside, whomever it talks to (RFC 4787, REQ-1). */
	MASQUERADE_ENDPOINT_INDEPENDENT = 1 << 0,
	MASQUERADE_OPEN = 1 << 1, /* and anybody may send there (REQ-8) */
};

/* wh1_excepts: LPM trie; value __u32 network id. Where a network keeps its own addresses. */
struct except_key {
	__u32 prefix_length; /* 32 + that of the 128-bit form */
	__u32 network;
	struct abi_addr address;
};
_Static_assert(sizeof(struct except_key) == 24, "except_key");

/*
 * wh1_mappings: LRU hash. An endpoint-independent mapping has two entries: by the
 * container's address and port (zone: its network) and by those outside (zone 0);
 * each leads to the other.
 */
struct mapping_key {
	struct abi_addr address;
	__be16 port;
	__u16 zone;
	__u8 protocol;
	__u8 zero[3];
};
_Static_assert(sizeof(struct mapping_key) == 24, "mapping_key");
struct mapping {
	struct abi_addr address;
	__be16 port;
	__u16 network;
	__u32 slot;
	__u32 generation;
	__u32 seen;  /* seconds, as in flows; when a flow last began by it */
	__u32 flags; /* enum masquerade_flags */
};
_Static_assert(sizeof(struct mapping) == 36, "mapping");
#define MAPPING_LIFE FLOW_LIFE_TCP /* then others may have its port */

/* wh1_locals: hash, key struct abi_addr, value __u32: the host's own addresses. */

/* wh1_netns: hash, key __u64 netns cookie. Containers, for the socket hooks. */
struct netns {
	struct abi_addr resolver; /* where 127.0.0.11:53 leads: the gateway */
	__u32 slot;
	__u32 zero;
};
_Static_assert(sizeof(struct netns) == 24, "netns");

/*
 * wh1_tails_cont, wh1_tails_upl, wh1_tails_host: program arrays for the tail
 * calls of each attach point, filled by libbpf at load. Pinned like the others,
 * since a program array that neither a process nor a pin holds empties itself.
 */

/* --- published ports -------------------------------------------------------- */

/*
 * wh1_ports: hash. An all-zero address means every address of the host. A port
 * that the engine publishes at one address has a second entry at PORT_SOMEWHERE,
 * for who binds everywhere; that is no address that packets go to.
 */
#define PORT_SOMEWHERE 0xffffffff /* 255.255.255.255; in IPv6 each of four words */
struct port_key {
	struct abi_addr address; /* ::ffff:0.0.0.0 for all of IPv4, :: for all of IPv6 */
	__be16 port;
	__u8 protocol; /* IPPROTO_TCP, IPPROTO_UDP */
	__u8 zero;
};
_Static_assert(sizeof(struct port_key) == 20, "port_key");
struct publication {
	struct abi_addr address; /* the container's */
	__u32 slot;
	__u32 generation;
	__u32 ifindex; /* of the container's host end */
	__u16 network;
	__be16 port; /* the container's */
	__u16 flags; /* enum publication_flags */
	__u16 zero;
};
_Static_assert(sizeof(struct publication) == 36, "publication");
enum publication_flags {
	PUBLICATION_RESTRICTED = 1 << 0, /* for the clients of wh1_allowed only */
	PUBLICATION_RESERVED = 1 << 1,   /* programs of the host may not bind the port */
	PUBLICATION_RESPECT = 1 << 2,    /* the host's firewall decides on flows from outside */
};

/* wh1_allowed: LPM trie. Clients that may reach what an endpoint publishes. */
struct allowed_key {
	__u32 prefix_length; /* 32 + that of the 128-bit form */
	__u32 generation;    /* the endpoint's: never used again */
	struct abi_addr address;
};
_Static_assert(sizeof(struct allowed_key) == 24, "allowed_key");
struct allowed {
	__u32 slot, generation; /* whose entry it is */
};
_Static_assert(sizeof(struct allowed) == 8, "allowed");

/* wh1_notices: ring buffer, read by wherryd alone: a program of the host was refused a port. */
struct notice {
	__u64 time_ns; /* CLOCK_MONOTONIC */
	struct abi_addr address;
	__be16 port;
	__u8 protocol;
	__u8 zero;
	__u32 slot; /* of the endpoint that publishes it */
	__u32 pid;
	char program[16];
	__u32 zero2;
};
_Static_assert(sizeof(struct notice) == 56, "notice");

/* --- flows ------------------------------------------------------------------- */

/*
 * A flow has two entries, one for each direction, keyed by the packet as it
 * arrives at a hook. zone: the network for packets that come from a container, 0
 * for packets from an uplink. ICMP echo: the id stands in both ports.
 *
 * wh1_opening: LRU hash, where flows begin: a flood of them costs others nothing
 * but their place in here. wh1_flows: hash, flows that were answered and went on;
 * they leave when they end, never for the sake of others. Both halves of a flow
 * stand in the same table.
 */
struct flow_key {
	struct abi_addr source;
	struct abi_addr destination;
	__be16 source_port;
	__be16 destination_port;
	__u16 zone;
	__u8 protocol;
	__u8 zero;
};
_Static_assert(sizeof(struct flow_key) == 40, "flow_key");

enum flow_action {
	FLOW_TO_ENDPOINT = 1, /* redirect_peer */
	FLOW_TO_UPLINK = 2,
	FLOW_TO_HOST = 3, /* a client of the host: on, at the container's link */
};
enum flow_flags {
	FLOW_NEW_SOURCE = 1 << 0,
	FLOW_NEW_DESTINATION = 1 << 1,
	FLOW_REPLY = 1 << 2, /* the direction of answers */
	FLOW_HAVE_NEXT_HOP = 1 << 3,
	FLOW_FROM_OUTSIDE = 1 << 4, /* both halves: begun by somebody outside */
	FLOW_QUEUED = 1 << 5,       /* the endpoint that it leads to has ENDPOINT_QUEUED */
	FLOW_JUDGED = 1 << 6,       /* both halves: the host's firewall decides, see FLOW_ASKED */
};
/* Bits, set by the entry's own direction. */
enum flow_state {
	FLOW_SEEN_SYN = 1 << 0,
	FLOW_SEEN_ACK = 1 << 1,
	FLOW_SEEN_FIN = 1 << 2,
	FLOW_SEEN_RST = 1 << 3,
	FLOW_ANSWERED = 1 << 4, /* the other direction has been seen */
	FLOW_PEER_FIN = 1 << 5, /* FIN and RST of the other direction */
	FLOW_PEER_RST = 1 << 6,
	FLOW_OPENING = 1 << 7,  /* stands in wh1_opening */
	FLOW_MOVING = 1 << 8,   /* somebody moves it to wh1_flows */
	FLOW_CHARGED = 1 << 9,  /* the half that began: counted in wh1_flow_use */
	FLOW_REFUSED = 1 << 10, /* was not moved; asked again once a second */
	/*
	 * The half that began, with FLOW_JUDGED: a packet is on its way through the host's rules,
	 * or was lost there. It flies when that packet has come through, in this round of
	 * judgement.
	 */
	FLOW_ASKED = 1 << 11,
	FLOW_PROBED = 1 << 12, /* the packet is a question alone, and ends behind the rules */
	FLOW_ROUND = (int)0xffff0000, /* SWITCH_ROUND when it was asked, as far as there is room */
};
#define FLOW_ROUND_SHIFT 16
struct flow {
	struct abi_addr new_source;
	struct abi_addr new_destination;
	__be16 new_source_port;
	__be16 new_destination_port;
	__u32 ifindex;    /* target: the container's host end, or the uplink */
	__u32 slot;       /* the endpoint that the flow belongs to */
	__u32 generation; /* of that slot */
	__u32 peer_slot;  /* the client's, where it is a container; else 0 */
	__u32 peer_generation;
	__u32 seen; /* seconds of the monotonic clock, by its own direction */
	union {
		__u32 next_hop_at;    /* FLOW_TO_UPLINK: when the MACs were asked for */
		__u32 acknowledgment; /* a client outside: what it must send to be real */
	};
	__u8 source_mac[6]; /* to write, valid with FLOW_HAVE_NEXT_HOP */
	__u8 destination_mac[6];
	__u16 peer_zone; /* zone of the other direction's key */
	__u8 action;     /* enum flow_action */
	__u8 flags;      /* enum flow_flags */
	__u32 state;     /* enum flow_state; changed by its own direction, or atomically */
	/* Of the direction that began: when, in microseconds; once answered, how long that took. */
	__u32 answer_us;
	__u64 packets; /* of this direction, written by it alone */
	__u64 bytes;   /* frames with their Ethernet headers */
};
_Static_assert(sizeof(struct flow) == 104, "flow");

/*
 * wh1_seats: array, half as long as wh1_flows. Each flow in there has a seat,
 * free again when the flow has ended. The key is that of the half that began.
 */
struct flow_seat {
	struct flow_key key;
	__u32 state; /* enum seat_state */
	__u32 zero;
};
_Static_assert(sizeof(struct flow_seat) == 48, "flow_seat");
enum seat_state { SEAT_FREE = 0, SEAT_BUSY = 1, SEAT_TAKEN = 2 };

/*
 * wh1_flow_use: array by slot, __u64: the generation in the upper half, how many
 * open flows it has in wh1_flows in the lower.
 */

/*
 * wh1_fragments: LRU hash, written by the first fragment of a packet, read by the
 * later ones, which have no ports.
 */
struct fragment_key {
	struct abi_addr source, destination;
	__u32 id; /* as it stands in the packet */
	__u16 zone;
	__u8 protocol;
	__u8 zero;
};
_Static_assert(sizeof(struct fragment_key) == 40, "fragment_key");
struct fragment {
	__be16 source_port;
	__be16 destination_port;
	__u32 seen; /* seconds, as in flows */
	__u32 echo_reply;
};
_Static_assert(sizeof(struct fragment) == 12, "fragment");
#define FRAGMENTS_MAX 8192
#define FRAGMENT_LIFE 30 /* seconds; as long as the kernel waits for the rest of a packet */

/* wh1_rates: array by slot. How many of a kind an endpoint has sent in this second. */
enum rate_kind { RATE_FRAGMENTS = 0, RATE_GROUP = 1, RATE_ANSWERS = 2, RATE_KINDS = 4 };
struct rates {
	__u32 second;
	__u32 counts[RATE_KINDS];
};
_Static_assert(sizeof(struct rates) == 20, "rates");
#define RATE_FRAGMENTS_MAX 30000 /* first fragments in a second */
#define RATE_GROUP_MAX 100       /* multicast and broadcast packets, each to all of a network */
#define RATE_ANSWERS_MAX 1000    /* refusals that are told */

/* Lifetimes in seconds since `seen`; RFC 5382 and RFC 4787 name the least. */
#define FLOW_LIFE_TCP_OPENING 60
#define FLOW_LIFE_TCP 7440
#define FLOW_LIFE_TCP_CLOSING 60
#define FLOW_LIFE_TCP_RESET 10
#define FLOW_LIFE_UDP 180
#define FLOW_LIFE_ICMP 30
#define FLOW_NEXT_HOP_LIFE 5 /* then one packet goes by the kernel's neighbour code */

/* --- the host's own sockets --------------------------------------------------- */

/* wh1_sockets: LRU hash. What a rewritten socket believes that it talks to. */
struct socket_key {
	__u64 cookie;
	struct abi_addr address; /* where it really goes */
	__be16 port;
	__u8 protocol;
	__u8 zero[5];
};
_Static_assert(sizeof(struct socket_key) == 32, "socket_key");
struct socket_origin {
	struct abi_addr address;
	__be16 port;
	__u16 zero;
};
_Static_assert(sizeof(struct socket_origin) == 20, "socket_origin");

/* --- drops --------------------------------------------------------------------- */

/* wh1_drops: per-CPU hash. */
struct drop_key {
	__u32 reason; /* enum drop_reason */
	__u32 slot;   /* 0: no endpoint is known */
};
_Static_assert(sizeof(struct drop_key) == 8, "drop_key");
struct drop_count {
	__u64 packets, bytes;
	__u64 seen; /* seconds of the monotonic clock, of the last */
};
_Static_assert(sizeof(struct drop_count) == 24, "drop_count");

/* wh1_events: ring buffer; written only while wh1_switches[SWITCH_EVENTS] is not 0. */
struct drop_event {
	__u64 time_ns; /* CLOCK_MONOTONIC */
	struct abi_addr source, destination;
	__be16 source_port, destination_port;
	__u8 protocol;
	__u8 hook; /* enum hook */
	__u16 network;
	__u32 reason;
	__u32 slot;
	__u32 length;  /* bytes of the packet */
	__u32 ifindex; /* where it arrived */
};
_Static_assert(sizeof(struct drop_event) == 64, "drop_event");

/*
 * wh1_latency: array of __u64, written by user space through a mapping: how long each endpoint took
 * to be added. Cell n counts those of up to 2^n * LATENCY_FIRST_US; then the three named ones.
 */
#define LATENCY_BUCKETS 16 /* the last one counts all */
#define LATENCY_FIRST_US 125
#define LATENCY_COUNT 16
#define LATENCY_SUM_US 17
#define LATENCY_FAILURES 18
#define LATENCY_CELLS 32

/* wh1_switches: array of __u32 that change while programs run. */
enum switches {
	SWITCH_EVENTS = 0,   /* number of listeners; set by user space */
	SWITCH_HAIRPINS = 1, /* not 0 once a hairpin began; set by the kernel's side */
	SWITCH_HAND = 2,     /* where wh1_seats were swept last */
	SWITCH_FROZEN = 3,   /* while maps are carried over: second until which no flow begins */
	SWITCH_MAPPINGS = 4, /* not 0 once there was a mapping; set by the kernel's side */
	SWITCH_ROUND = 5,    /* counted up by user space when the host's firewall changed */
	SWITCH_JUDGED = 6,   /* not 0 once a publication asks the host's firewall */
	SWITCH_JUDGED6 = 7,  /* the same of IPv6: ifindex of a gateway device */
	SWITCH_COUNT
};

/*
 * Read-only data, set before load: what never changes while an instance lives.
 * (Names of the variables in every program.)
 *	__u64 host_netns_cookie;      sockets of other namespaces are not ours
 *	__u16 masquerade_first;       host order; first source port given out
 *	__u16 masquerade_count;       ports given out
 *	__u32 jiffies_per_second;     CONFIG_HZ
 *	__u32 know_ip_summed;         1 where the kernel lets us read skb->ip_summed
 *	__u32 flow_seats;             entries of wh1_seats
 *	__u32 flow_quota;             open flows of one endpoint in wh1_flows
 */
