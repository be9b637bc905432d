/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Traffic for people: connections, entries of the flow table, endpoints and their rates. */
#include <stdio.h>

#include "dataplane/connections.h"
#include "listing.h"

int observe_connections(struct dataplane *dataplane, const struct connection_filter *filter,
			enum listing_format format, FILE *file, struct error *err);
/** The flow table as it is: each direction a row. */
int observe_entries(struct dataplane *dataplane, enum listing_format format, FILE *file,
		    struct error *err);
int observe_endpoints(struct dataplane *dataplane, enum listing_format format, FILE *file,
		      struct error *err);

/** What endpoints carry a second, between two looks. The caller owns *ret_rates. */
struct rates;
int rates_create(struct dataplane *dataplane, struct rates **ret_rates, struct error *err);
void rates_free(struct rates *rates);
DEFINE_FREEP(rates)
/** Lists the endpoints by what they carried since the last look, the busiest first. */
int observe_rates(struct rates *rates, enum listing_format format, FILE *file, struct error *err);
