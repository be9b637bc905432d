/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Published ports: a range is one entry of the store and one entry for each
 * port of the map, so that a packet's look-up does not know of ranges.
 */
#include "handle.h"
#include "state.h"

/** Gate: counts, protocols, addresses, ranges that run over 65535. */
int publish_check(const struct publish_spec *publish, size_t count, struct error *err);
/** All of publish_spec's families, for walks. */
extern const enum publish_family publish_families[2];
/** Whether info is reached by this family: it is published so, and info has an address of it. */
bool publish_has(const struct endpoint_info *info, const struct publish_spec *publish,
		 enum publish_family family);
/** The host's address of a publication; 0.0.0.0 or :: where it is at all of the family. */
struct ip publish_address(const struct publish_spec *publish, enum publish_family family);
/** The container's. */
struct ip publish_target(const struct endpoint_info *info, enum publish_family family);
/**
 * Inside the caller's transaction: reserves all of info's publications, chosen
 * ports filled in. Returns 0, or 1 with *ret_holder and *ret_port when another
 * endpoint holds one of them, or -errno.
 */
struct publish_conflict {
	struct key holder;
	struct publish_spec wanted;
};
int publish_reserve(struct store_txn *txn, struct endpoint_info *info, enum publish_policy policy,
		    struct publish_conflict *ret_conflict, struct error *err);
/** Writes down that info has its publications, whose ports are free. */
int publish_hold(struct store_txn *txn, const struct endpoint_info *info, struct error *err);
/** Gives them back, as far as they are info's. */
int publish_unreserve(struct store_txn *txn, const struct endpoint_info *info, struct error *err);
/** The container's TCP ports that the first publications lead to, as the kernel's side wants them.
 */
void publish_served(const struct endpoint_info *info, struct served_ports served[SERVED_MAX]);
/** Map entries of all of info's publications, and of who may reach them. */
int publish_put(struct dataplane *dataplane, const struct endpoint_info *info, struct error *err);
/** Takes them, unless they lead to another endpoint by now. */
int publish_delete(struct dataplane *dataplane, const struct endpoint_info *info,
		   struct error *err);
/** 1 if the map leads each port to info, 0 if not; *ret_port is the one that does not. */
int publish_verify(struct dataplane *dataplane, const struct endpoint_info *info,
		   uint16_t *ret_port, struct error *err);

/** -EADDRINUSE with the process's name if a socket of the host listens where info publishes. */
int listeners_check(const struct endpoint_info *info, struct error *err);
/** True if the port can be bound on the host at this address, which is of a family. */
bool listener_is_absent(struct ip host_ip, uint16_t port, uint8_t protocol);
