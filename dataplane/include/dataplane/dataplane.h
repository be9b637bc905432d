/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The data path's user side: networks, endpoints and published ports of one
 * instance. Opened by whoever needs it (wherry-cni, wherry, wherryd); the
 * kernel's side is pinned and works with none of them alive. What is wanted is
 * in the store (ROOT/run/wherry/state.mdb), what is done is in BPF maps and
 * links; dataplane_reconcile makes the second equal to the first.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/instance.h"
#include "base/ip.h"
#include "base/json.h"
#include "base/store.h"
#include "base/text.h"
#include "dataplane/masquerade.h"

#define NETWORK_NAME_MAX 128 /* bytes with NUL */
#define CONTAINER_ID_MAX 256
#define ENDPOINT_NAMES_MAX 32    /* names and aliases of one endpoint */
#define ENDPOINT_PORTS_MAX 65536 /* publications of one endpoint */
#define PUBLISH_FROM_MAX 64      /* prefixes that name who may reach them */
#define DEVICE_NAME_MAX 16
#define ENDPOINT_EXTRA_MAX 6     /* addresses beyond one of each family */
#define ENDPOINT_ADDRESSES_MAX 8 /* all of them */

struct dataplane;

/**
 * Opens the data path of an instance: its store, its pinned programs and maps
 * (loaded and pinned at the first use, under a lock), a netlink socket in the
 * calling thread's network namespace, which is the instance's host namespace.
 * instance is copied. Errors name what lacks: privileges, bpffs ("mount -t bpf
 * bpf /sys/fs/bpf"), a kernel feature. The caller owns *ret_dataplane.
 */
int dataplane_open(const struct instance *instance, struct dataplane **ret_dataplane,
		   struct error *err);
void dataplane_free(struct dataplane *dataplane);
DEFINE_FREEP(dataplane)

/** The instance's store of this boot, shared with ipam and dns; lent. */
struct store *dataplane_store(struct dataplane *dataplane);

/**
 * Opens only the state store of an instance (no BPF, no privileges beyond the
 * files): for dns, ps and inspect. The caller owns *ret_store. Makes the run
 * directory if it is missing.
 */
int dataplane_open_store(const struct instance *instance, struct store **ret_store,
			 struct error *err);

/**
 * Where containers of a network with this gateway send what they want resolved:
 * 127.0.0.11, which socket hooks lead to the gateway, or the gateway itself where
 * there are no hooks (the nft back end).
 */
struct ip dataplane_resolver(const struct dataplane *dataplane, struct ip gateway);

/* --- networks ------------------------------------------------------------- */

/*
 * TCP segments beyond 64 KiB between containers. Auto: in networks without a way
 * outside, and where every uplink takes such segments; another uplink would have
 * the kernel cut each of them into packets.
 */
enum big_tcp { BIG_TCP_AUTO, BIG_TCP_ON, BIG_TCP_OFF };

struct network_spec {
	char name[NETWORK_NAME_MAX];
	char device[DEVICE_NAME_MAX]; /* gateway device; "" : br- and a hash of the name */
	struct prefix subnet;         /* IPv4; unset: the network has IPv6 only */
	struct ip gateway;            /* inside subnet; unset: its first address */
	struct prefix subnet6;        /* IPv6; unset: the network has IPv4 only */
	struct ip gateway6;           /* inside subnet6; unset: its first address */
	uint32_t mtu;                 /* 0: the least of the uplinks' */
	bool masquerade;
	struct masquerade_options masquerade_options;
	bool internal;
	bool routed;
	bool no_icc;
	bool multicast; /* carries multicast and broadcast, at a bounded rate */
	bool dns;       /* containers' 127.0.0.11:53 leads to the gateway's :53 */
	enum big_tcp big_tcp;
};

struct network_info {
	struct network_spec spec; /* device, gateway and mtu filled */
	uint16_t id;
	uint32_t device_ifindex;
	struct mac device_mac;
};

/**
 * Makes the network, or takes it over if one of this name is there with the
 * same subnet (other settings are brought up to date). Idempotent; safe among
 * parallel callers. -EEXIST: the name has another subnet; -EADDRINUSE: subnet
 * overlaps another network (named) ; -EBUSY: device name is taken by a device
 * that is not ours to use (another kind).
 */
int network_ensure(struct dataplane *dataplane, const struct network_spec *spec,
		   struct network_info *ret_info, struct error *err);
/** Removes it with its device. -ENOENT; -EBUSY names an endpoint that is in it. */
int network_delete(struct dataplane *dataplane, const char *name, struct error *err);
/** Returns 1 if found, 0 if there is none of this name. Store only. */
int network_find(struct store *store, const char *name, struct network_info *ret_info,
		 struct error *err);
/** Visits all; a non-zero result of visit ends the walk and is returned. */
int network_each(struct store *store,
		 int (*visit)(const struct network_info *info, void *context, struct error *err),
		 void *context, struct error *err);
/** A subnet6 for a network of this name: a free /64 of the host's own ULA /48 (RFC 4193). */
int network_choose_subnet6(struct dataplane *dataplane, struct prefix *ret_subnet,
			   struct error *err);
/**
 * A subnet that overlaps no network of this instance and no route of the host:
 * the first free of 172.17.0.0/16 … 172.31.0.0/16, then 192.168.0.0/20 ….
 */
int network_choose_subnet(struct dataplane *dataplane, struct prefix *ret_subnet,
			  struct error *err);

/* --- endpoints ------------------------------------------------------------- */

enum protocol { PROTOCOL_TCP = 6, PROTOCOL_UDP = 17, PROTOCOL_SCTP = 132 };
/** "tcp", "udp" or "sctp". */
const char *publish_protocol_name(uint8_t protocol);
/** 1 and *ret_protocol if the text is one of these three, 0 if not. */
int publish_protocol_parse(const char *text, uint8_t *ret_protocol);

/*
 * Which of the host's addresses a publication is at, where it names none: all-zero bytes are :: and
 * "all" alike. A host_ip implies its family (0.0.0.0 as ::ffff:0.0.0.0: IPv4).
 */
enum publish_family {
	PUBLISH_BOTH = 0, /* each family that the endpoint has an address of */
	PUBLISH_IPV4 = 4,
	PUBLISH_IPV6 = 6, /* [::]:80:80 */
};
struct publish_spec {
	struct ip host_ip;       /* unset: all addresses of the family */
	uint16_t host_port;      /* first of the range; host order; 0: a free one is chosen */
	uint16_t container_port; /* first of the range */
	uint16_t count;          /* 1 for a single port */
	uint8_t protocol;        /* enum protocol */
	uint8_t family;          /* enum publish_family; host_ip's if that is set */
};
/** The family that host_ip implies, or else the one that is named. */
enum publish_family publish_family(const struct publish_spec *publish);

/** Gate: "192.0.2.0/24", or an address alone, as those that may reach a port are named. */
int publish_from_parse(const char *text, struct prefix *ret_prefix, struct error *err);

/* How publishing meets others (issue: the engine refuses, CNI does not). */
enum publish_policy {
	PUBLISH_REFUSE_LISTENERS, /* a host process that listens there is an error that names it */
	PUBLISH_IGNORE_LISTENERS, /* CNI: the publication wins for packets */
};

/* Who decides whether a client outside may begin a flow at a published port. */
enum host_firewall {
	HOST_FIREWALL_CONFIGURED, /* "hostFirewall" of the instance's config; else as publish_policy
				   */
	HOST_FIREWALL_RESPECT,    /* the host's rules for what it forwards are asked */
	HOST_FIREWALL_BYPASS,     /* they are not */
};
/** "respect" or "bypass". */
const char *host_firewall_name(enum host_firewall firewall);
/** Gate: reads one of these two; -EINVAL names what would be right. */
int host_firewall_parse(const char *text, enum host_firewall *ret_firewall, struct error *err);

/* A link: a name that only this endpoint resolves. */
struct endpoint_link {
	char name[64];
	char target[CONTAINER_ID_MAX]; /* container id */
};

#define ENDPOINT_SERVERS_MAX 8 /* DNS servers of its own */

/* A limit of bandwidth in one direction; a rate of 0 is none. */
struct rate_limit {
	uint64_t rate_bit_s; /* of frames with their Ethernet headers */
	uint64_t burst_bits; /* what may pass at once; 0: what 10 ms of the rate are */
};

struct endpoint_spec {
	const char *container_id;
	const char *interface; /* in the container: eth0 */
	const char *network;
	const char *netns_path; /* as the caller named it; "" if netns_fd has no path */
	int netns_fd;           /* borrowed */
	struct prefix address;  /* IPv4, with the subnet's length; unset: none */
	struct ip gateway;      /* for the default route; unset: none */
	struct prefix address6; /* IPv6, likewise; one of both is set */
	struct ip gateway6;
	const struct prefix *extra;  /* further addresses of either family, inside the subnets */
	size_t extra_count;          /* at most ENDPOINT_EXTRA_MAX */
	struct mac mac;              /* unset: made from the address: 02:42:a.b.c.d style, unique */
	uint32_t mtu;                /* 0: the network's */
	const struct prefix *routes; /* further routes via the gateway */
	size_t route_count;
	const struct publish_spec *publish;
	size_t publish_count;
	enum publish_policy publish_policy;
	/* Clients that may reach what it publishes; none: those of the instance's config, else all.
	 */
	const struct prefix *publish_from;
	size_t publish_from_count;
	enum host_firewall host_firewall;
	const char *const *names; /* NULL-terminated: container name, aliases; may be NULL */
	const struct endpoint_link *links;
	size_t link_count;
	const struct ip *servers; /* asked for names that are nobody's here; none: the host's */
	size_t server_count;
	const char *hostname;              /* may be NULL */
	bool default_route;                /* add one through gateway */
	struct rate_limit ingress, egress; /* what the container receives, and sends */
	const char *owner;                 /* "cni" or "engine": shown by ports and inspect */
};

enum endpoint_state { ENDPOINT_INTENT, ENDPOINT_READY };

struct endpoint_info {
	char container_id[CONTAINER_ID_MAX];
	char interface[DEVICE_NAME_MAX];
	char network[NETWORK_NAME_MAX];
	char netns_path[256];
	char owner[16];
	char hostname[256];
	enum endpoint_state state;
	struct prefix address;  /* unset: it has IPv6 only */
	struct prefix address6; /* unset: it has IPv4 only */
	struct ip gateway, gateway6;
	struct prefix extra[ENDPOINT_EXTRA_MAX];
	size_t extra_count;
	struct mac mac;
	struct mac host_mac;
	char host_device[DEVICE_NAME_MAX];
	uint32_t host_ifindex;
	uint32_t mtu;
	uint32_t slot;
	uint32_t generation;
	uint16_t network_id;
	uint64_t netns_cookie;
	struct rate_limit ingress, egress;
	size_t publish_count;
	struct publish_spec *publish; /* owned, chosen ports filled in */
	bool publish_reserves;        /* programs of the host may not bind these ports */
	bool publish_respects;        /* the host's firewall decides on clients outside */
	size_t publish_from_count;    /* 0: everybody may reach them */
	struct prefix *publish_from;  /* owned */
	struct words names;           /* owned */
	size_t link_count;
	struct endpoint_link *links; /* owned */
	size_t server_count;
	struct ip servers[ENDPOINT_SERVERS_MAX];
};
void endpoint_info_release(struct endpoint_info *info); /* frees what it owns; info is a value */
/** All addresses, IPv4 first, extra ones last. Returns how many: at least 1. */
size_t endpoint_addresses(const struct endpoint_info *info,
			  struct prefix ret_addresses[ENDPOINT_ADDRESSES_MAX]);

/**
 * Attaches a container: veth pair, address and routes in the container, map
 * entries, published ports. When it returns, the first packet passes in both
 * directions. On failure nothing is left. -EEXIST: (container id, interface)
 * is attached already; -EADDRINUSE: a port is taken, named with its holder;
 * -ENOENT: no such network. Filled *ret_info is released by the caller.
 */
int endpoint_add(struct dataplane *dataplane, const struct endpoint_spec *spec,
		 struct endpoint_info *ret_info, struct error *err);
/**
 * Detaches: ports, flows and map entries are gone when it returns, the link
 * too unless `link` says that its namespace is about to end. Returns 1 if
 * something was removed, 0 if nothing was there (not an error).
 */
enum endpoint_link_fate { ENDPOINT_DELETE_LINK, ENDPOINT_LEAVE_LINK };
int endpoint_delete(struct dataplane *dataplane, const char *container_id, const char *interface,
		    enum endpoint_link_fate link, struct error *err);
/**
 * What the endpoint at `from` is for its container, the one at `to` becomes: its
 * published ports lead there, and the default route goes by it if it has a
 * gateway. Connections end as with a DEL of `from`, which follows. -ENOENT: the
 * container has not both.
 */
int endpoint_pass_on(struct dataplane *dataplane, const char *container_id, const char *from,
		     const char *to, struct error *err);
/** 1 if found, 0 if not. Store only; release *ret_info. */
int endpoint_find(struct store *store, const char *container_id, const char *interface,
		  struct endpoint_info *ret_info, struct error *err);
/** Visits the endpoints of one container (container_id), of one network, or all (both NULL). */
int endpoint_each(struct store *store, const char *container_id, const char *network,
		  int (*visit)(const struct endpoint_info *info, void *context, struct error *err),
		  void *context, struct error *err);
/**
 * Compares what is wanted with links, addresses, routes, map entries, programs
 * and ports. 0 if all is there; -ENOENT (or another) with a text that names
 * what is missing. Changes nothing.
 */
int endpoint_check(struct dataplane *dataplane, const char *container_id, const char *interface,
		   struct error *err);
/** Adds or takes names of a running endpoint (network connect --alias, rename). */
int endpoint_set_names(struct dataplane *dataplane, const char *container_id, const char *interface,
		       const char *const *names, struct error *err);

/* --- names, for dns ---------------------------------------------------------- */

/**
 * The addresses that `name` has for a client in `network`: names and aliases
 * of endpoints, container ids (full or first 12), hostnames, and the client's
 * own links; then those of the other networks that the client is in. Case does
 * not matter. Writes at most max; returns how many there
 * are, 0 if the name is unknown. O(log n): reads an index in the store.
 */
int names_resolve(struct store *store, const char *network, struct ip client, const char *name,
		  struct ip *ret_ips, size_t max, struct error *err);
/**
 * The DNS servers that the client in `network` was given for all other names. Returns how
 * many were written, 0 if it was given none.
 */
int names_servers(struct store *store, const char *network, struct ip client, struct ip *ret_ips,
		  size_t max, struct error *err);
/** The name of an address in a network. 1 if found, 0 if not. */
int names_reverse(struct store *store, const char *network, struct ip address, char *ret_name,
		  size_t size, struct error *err);

/* --- uplinks, state as a whole ------------------------------------------------ */

/**
 * Finds the devices that lead outside (of the default route and every device
 * with a global address that is neither ours nor a veth/bridge of another
 * tool's containers), attaches from_uplink, and fills uplinks and local
 * addresses. Called by network_ensure and by wherryd on link, address and
 * route events. Cheap when nothing changed.
 */
int uplinks_refresh(struct dataplane *dataplane, struct error *err);

/** Makes kernel state equal to the store's; undoes intents whose owner is dead. */
int dataplane_reconcile(struct dataplane *dataplane, struct error *err);
/**
 * Removes endpoints whose namespace is gone (by cookie and path). Returns how
 * many, or -errno.
 */
int dataplane_collect(struct dataplane *dataplane, struct error *err);
/** Removes all of the instance: endpoints, networks, programs, pins. Leases and names go with the
 * store. */
int dataplane_reset(const struct instance *instance, struct error *err);

/* --- drops, ports, flows, doctor ------------------------------------------------ */

struct drop_row {
	const char *reason;  /* "spoof-mac" */
	const char *meaning; /* one line */
	uint32_t slot;       /* 0: no endpoint */
	char container_id[CONTAINER_ID_MAX];
	char network[NETWORK_NAME_MAX];
	uint64_t packets, bytes;
	uint64_t ago_s; /* since the last one */
};
int drops_each(struct dataplane *dataplane,
	       int (*visit)(const struct drop_row *row, void *context, struct error *err),
	       void *context, struct error *err);

struct drop_sight { /* one dropped packet, seen while following */
	uint64_t time_ns;
	const char *reason;
	const char *hook;
	struct ip source, destination;
	uint16_t source_port, destination_port; /* host order */
	uint8_t protocol;
	uint32_t length;
	uint32_t slot;
	char container_id[CONTAINER_ID_MAX];
	char network[NETWORK_NAME_MAX];
};
struct drop_follower;
/** Starts to listen, beside any others. The descriptor to wait on is drops_follow_fd. */
int drops_follow(struct dataplane *dataplane, struct drop_follower **ret_follower,
		 struct error *err);
int drops_follow_fd(const struct drop_follower *follower);
/** Hands all that is there to visit, does not wait. */
int drops_follow_read(struct drop_follower *follower,
		      int (*visit)(const struct drop_sight *sight, void *context,
				   struct error *err),
		      void *context, struct error *err);
void drop_follower_free(struct drop_follower *follower);
DEFINE_FREEP(drop_follower)

/* A program of the host that was refused a port which a container has published. */
struct port_notice {
	struct ip address; /* that it asked for */
	uint16_t port;
	uint8_t protocol;
	char program[16];
	uint32_t pid;
	char container_id[CONTAINER_ID_MAX]; /* "" if it is gone */
	char container_name[CONTAINER_ID_MAX];
};
struct notice_reader;
/** For wherryd: *ret_fd, lent, is readable when there are notices. One reader at a time. */
int notices_open(struct dataplane *dataplane, struct notice_reader **ret_reader, int *ret_fd,
		 struct error *err);
int notices_read(struct notice_reader *reader,
		 int (*visit)(const struct port_notice *notice, void *context, struct error *err),
		 void *context, struct error *err);
void notice_reader_free(struct notice_reader *reader);
DEFINE_FREEP(notice_reader)

struct port_row {
	struct ip host_ip; /* unset: all of the family */
	uint16_t host_port, container_port, count;
	uint8_t protocol;
	uint8_t family; /* PUBLISH_IPV4 or PUBLISH_IPV6 */
	char container_id[CONTAINER_ID_MAX];
	char interface[DEVICE_NAME_MAX];
	char network[NETWORK_NAME_MAX];
	struct ip container_ip;            /* of the same family */
	bool respects;                     /* HOST_FIREWALL_RESPECT */
	const struct prefix *publish_from; /* lent for the visit */
	size_t publish_from_count;
};
/** Published ports, ranges as ranges; of both families: IPv4's row, then IPv6's. Store only. */
int ports_each(struct store *store,
	       int (*visit)(const struct port_row *row, void *context, struct error *err),
	       void *context, struct error *err);

struct flow_row {
	struct ip source, destination;
	uint16_t source_port, destination_port;
	struct ip new_source, new_destination;
	uint16_t new_source_port, new_destination_port;
	uint8_t protocol;
	uint32_t slot;
	uint32_t idle_s;
	uint16_t zone; /* network id of packets from containers, 0 from uplinks */
	uint64_t packets, bytes;
	char state[32];
};
int flows_each(struct dataplane *dataplane,
	       int (*visit)(const struct flow_row *row, void *context, struct error *err),
	       void *context, struct error *err);

/** What was probed and chosen ("uplink attach: tcx"), and what is wrong. For `wherry doctor`. */
enum doctor_level { DOCTOR_FACT, DOCTOR_WARNING, DOCTOR_FAILURE };
int doctor_each(const struct instance *instance,
		int (*visit)(enum doctor_level level, const char *subject, const char *finding,
			     void *context, struct error *err),
		void *context, struct error *err);
