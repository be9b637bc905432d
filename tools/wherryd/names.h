/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Local names for the DNS server: read from the instance's store for each query,
 * so that a name is there from the moment in which an ADD commits it, and gone
 * with its DEL, whoever made either.
 */
#include "base/store.h"
#include "dns/dns.h"

/** The source that reads from this store, which is lent for the source's life. */
struct dns_source names_source(struct store *store);
