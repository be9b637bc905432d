/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The tables of the store that are the data path's, and their keys. All
 * functions run inside the caller's transaction.
 *
 *	dp/meta       word -> number
 *	dp/networks   name -> network record
 *	dp/endpoints  container id, 0, interface -> endpoint record
 *	dp/intents    the same key -> struct process_identity of who works on it
 *	dp/addresses  network id (2), address (16) -> endpoint key
 *	dp/names      network id (2), name, 0, slot (4) -> its addresses (16 each)
 *	dp/slots      slot (4) -> endpoint key
 *	dp/rested     serial of its release (4) -> slot (4)
 *	dp/ports      protocol (1), host address (16), first port (2) -> struct port_range, key
 *
 * Numbers in keys are big-endian, so that they sort.
 */
#include "base/process.h"
#include "base/store.h"
#include "dataplane/dataplane.h"

#define TABLE_META "dp/meta"
#define TABLE_NETWORKS "dp/networks"
#define TABLE_ENDPOINTS "dp/endpoints"
#define TABLE_INTENTS "dp/intents"
#define TABLE_ADDRESSES "dp/addresses"
#define TABLE_NAMES "dp/names"
#define TABLE_SLOTS "dp/slots"
#define TABLE_RESTED "dp/rested"
#define TABLE_PORTS "dp/ports"

/* A key under construction; longer than LMDB allows is an assertion in its makers. */
struct key {
	uint8_t bytes[STORE_KEY_MAX];
	size_t size;
};
struct bytes key_bytes(const struct key *key);
void key_put(struct key *key, const void *data, size_t size);
void key_put_number(struct key *key, uint64_t number, size_t size);
/** The key of an endpoint. */
struct key endpoint_key_of(const char *container_id, const char *interface);
/** network id and address. */
struct key address_key_of(uint16_t network_id, struct ip address);

/** A number of dp/meta; *ret_number stays as it is if there is none. */
int meta_get(struct store_txn *txn, const char *word, uint64_t *ret_number, struct error *err);
int meta_put(struct store_txn *txn, const char *word, uint64_t number, struct error *err);
#define META_SERIAL "serial"       /* last generation given */
#define META_SLOT_NEXT "slot-next" /* first slot that was never given */
#define META_HOST "host-cookie"    /* namespace that the instance serves */
#define META_BLOCK "block"         /* tc block of the host ends */
#define META_ATTACH "attach"       /* enum attach_kind */
#define META_ADDRESSES "addresses" /* fingerprint of the host's addresses */

/** A number that was never given before: generations of endpoints and networks. */
int serial_take(struct store_txn *txn, uint32_t *ret_serial, struct error *err);

struct slot_grant {
	uint32_t slot;
	uint32_t generation; /* that no flow has seen */
	bool used_before;    /* counters of an earlier endpoint stand there */
};
/** -ENOSPC: all `capacity` slots are in use. */
int slot_take(struct store_txn *txn, uint32_t capacity, const struct key *endpoint,
	      struct slot_grant *ret_grant, struct error *err);
/** 1 if an endpoint has the slot, 0 if none. */
int slot_is_taken(struct store_txn *txn, uint32_t slot, struct error *err);
/** Gives the slot back; it rests behind all that were given back before. */
int slot_release(struct store_txn *txn, uint32_t slot, struct error *err);

/** Writes the record. */
int endpoint_save(struct store_txn *txn, const struct endpoint_info *info, struct error *err);
/** 1 and *ret_info (release it) or 0. */
int endpoint_load(struct store_txn *txn, struct bytes key, struct endpoint_info *ret_info,
		  struct error *err);
/** 1 and *ret_info or 0. */
int network_load(struct store_txn *txn, const char *name, struct network_info *ret_info,
		 struct error *err);

/** Writes down who works on the endpoint: this process. */
int intent_put(struct store_txn *txn, const struct key *endpoint, struct error *err);
/** 1 if a living process works on the endpoint, 0 if nobody does. */
int intent_is_alive(struct store_txn *txn, struct bytes endpoint, struct error *err);
