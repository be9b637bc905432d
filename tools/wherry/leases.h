/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* `wherry ipam ls`: the leases of addresses, network by network. */
#include "dataplane/dataplane.h"
#include "listing.h"

/** network NULL: of all networks. -ENOENT: no network of this name. */
int leases_list(struct store *store, const char *network, enum listing_format format, FILE *file,
		struct error *err);
