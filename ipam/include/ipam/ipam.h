/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Addresses for endpoints: ranges, and leases in the store of the boot
 * (tables "ipam/…" of ROOT/run/wherry/state.mdb). Allocation is next-free after
 * the last one given, O(log n) whatever the size of the range, so that a
 * released address rests. All functions with a transaction run inside the
 * caller's, so that a lease and what it is for are one commit.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/ip.h"
#include "base/json.h"
#include "base/store.h"

#define IPAM_RANGES_MAX 16 /* in one set */
#define IPAM_SETS_MAX 8
#define IPAM_EXCLUDES_MAX 64
#define IPAM_ROUTES_MAX 64

struct ipam_range {
	struct prefix subnet;
	struct ip first, last; /* inclusive; unset: the subnet's first and last usable */
	struct ip gateway;     /* unset: the subnet's first address */
};
/* One address is given from each set; the ranges of a set are one pool. */
struct ipam_set {
	struct ipam_range ranges[IPAM_RANGES_MAX];
	size_t count;
};
struct ipam_route {
	struct prefix destination;
	struct ip gateway; /* unset: the family's gateway */
};
struct ipam_config {
	struct ipam_set sets[IPAM_SETS_MAX];
	size_t set_count;
	struct ip excludes[IPAM_EXCLUDES_MAX]; /* --aux-address */
	size_t exclude_count;
	struct ipam_route routes[IPAM_ROUTES_MAX];
	size_t route_count;
};

/** Fills defaults (first, last, gateway) and checks: host bits, ends outside, overlaps, families,
 * size. */
int ipam_config_finish(struct ipam_config *config, struct error *err);
/**
 * Gate: adds host-local's keys (subnet with rangeStart, rangeEnd and gateway;
 * ranges; routes) of a CNI "ipam" object to *config, behind the sets that are
 * in it, and finishes it. Errors name the key.
 */
int ipam_config_read(const struct json_at *at, struct ipam_config *config, struct error *err);
/** Gate: adds a list of sets only (runtimeConfig's "ipRanges"); no key is fine. */
int ipam_config_read_ranges(const struct json_at *at, const char *key, struct ipam_config *config,
			    struct error *err);
/** Gate: adds the routes only, for configurations whose addresses come from elsewhere. */
int ipam_config_read_routes(const struct json_at *at, struct ipam_config *config,
			    struct error *err);

/* Who holds a lease. */
struct lease_owner {
	const char *container_id;
	const char *interface;
};
struct lease {
	struct ip ip;
	struct prefix address; /* ip with the subnet's length */
	struct ip gateway;
};

/**
 * Takes one address from each set for owner in `network`. `wanted` are static
 * requests (each must lie in one set, free). Returns 0 and fills *ret_leases
 * (set_count of them). -EEXIST: owner has a lease here already (named);
 * -EADDRINUSE: a wanted address is taken (holder named); -ERANGE: a wanted
 * address is in no range, is the gateway or excluded; -ENOSPC: a range is full
 * (range named). On failure the caller aborts its transaction.
 */
int lease_take(struct store_txn *txn, const char *network, const struct ipam_config *config,
	       const struct lease_owner *owner, const struct ip *wanted, size_t wanted_count,
	       struct lease *ret_leases, struct error *err);
/**
 * Writes down a lease that another program gave, of whatever range. Returns 1,
 * or 0 if the address is held already.
 */
int lease_import(struct store_txn *txn, const char *network, const struct lease_owner *owner,
		 struct ip ip, struct error *err);
/** Releases all of owner's leases in network. Returns how many, or -errno. */
int lease_release(struct store_txn *txn, const char *network, const struct lease_owner *owner,
		  struct error *err);
/** 1 if ip is leased in network (holder's id and interface written), 0 if not. */
int lease_find(struct store_txn *txn, const char *network, struct ip ip, char *ret_container_id,
	       size_t size, char *ret_interface, size_t interface_size, struct error *err);
/** The leases of owner in network: how many were written (at most max), or -errno. */
int lease_of_owner(struct store_txn *txn, const char *network, const struct lease_owner *owner,
		   struct ip *ret_ips, size_t max, struct error *err);
/** Releases every lease of a network that is deleted. */
int lease_forget_network(struct store_txn *txn, const char *network, struct error *err);
/** Visits leases of a network in address order. */
int lease_each(struct store_txn *txn, const char *network,
	       int (*visit)(struct ip ip, const char *container_id, const char *interface,
			    int64_t taken_at_ns, void *context, struct error *err),
	       void *context, struct error *err);
/** 1 if each set of config has a free address, 0 if one has none (*ret_full is its number). */
int lease_available(struct store_txn *txn, const char *network, const struct ipam_config *config,
		    size_t *ret_full, struct error *err);
