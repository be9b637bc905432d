/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Requests to nf_tables, in one transaction each: all of a batch is done, or
 * nothing. The messages are built by libnl, not by libnftnl: the plugin is
 * linked statically, and Debian has no archive of libmnl.
 */
#include <linux/netfilter/nf_tables.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

#define NFT_BATCH_MAX 96 /* requests of one transaction */

struct nft_batch;

/** An empty transaction for the table, whose name is copied. The caller owns *ret_batch. */
int nft_batch_open(int fd, const char *table, struct nft_batch **ret_batch, struct error *err);
void nft_batch_free(struct nft_batch *batch);
DEFINE_FREEP(nft_batch)
/**
 * Adds a request of NFT_MSG_type with NLM_F_… flags to the batch; its attributes
 * are the caller's to put. Lent. NULL when memory ran out or the batch is full,
 * which nft_batch_send reports.
 */
struct nl_msg *nft_batch_add(struct nft_batch *batch, int type, int flags);
/** Puts the table's name under `attribute`. */
void nft_put_table(const struct nft_batch *batch, struct nl_msg *message, int attribute);
/** Sends all of it and empties the batch. The error tells what the kernel refused: purpose. */
int nft_batch_send(struct nft_batch *batch, const char *purpose, struct error *err);

/** A socket of nf_tables in the calling thread's network namespace. */
int nft_socket(int *ret_fd, struct error *err);
/**
 * One request outside a transaction (NFT_MSG_GET…), whose answers go to visit;
 * a non-zero result of visit ends the walk and is returned. message is taken.
 */
int nft_ask(int fd, struct nl_msg *message,
	    int (*visit)(const struct nlmsghdr *header, void *context, struct error *err),
	    void *context, struct error *err);
/** A message for nft_ask; flags as NLM_F_DUMP. The caller owns it; NULL without memory. */
struct nl_msg *nft_question(int type, int flags);
/** The same to another part of netfilter: subsystem is NFNL_SUBSYS_…. */
struct nl_msg *netfilter_question(uint8_t subsystem, int type, int flags, uint8_t family);
