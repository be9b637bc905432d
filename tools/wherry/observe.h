/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What the data path does right now, for people: drops by reason, published
 * ports, flows, the maps. Nothing here changes anything.
 */
#include <stdio.h>

#include "base/instance.h"
#include "dataplane/dataplane.h"
#include "listing.h"

/* What to show of drops, in the user's words; NULL members select everything. */
struct drop_choice {
	const char *container, *network, *reason;
};
struct drop_filter {
	char container_id[CONTAINER_ID_MAX]; /* "": any */
	const char *network, *reason;        /* lent */
};
/** -ENOENT, -EINVAL name the word that is wrong. */
int drop_filter_fill(struct dataplane *dataplane, const struct drop_choice *choice,
		     struct drop_filter *ret_filter, struct error *err);
bool drop_is_wanted(const struct drop_filter *filter, const char *reason, const char *container_id,
		    const char *network);
int observe_drops(struct dataplane *dataplane, const struct drop_filter *filter,
		  enum listing_format format, FILE *file, struct error *err);
/**
 * Prints each dropped packet as it is seen, until SIGINT or SIGTERM, or until the
 * reader of `file` is gone.
 */
int observe_drops_follow(struct dataplane *dataplane, const struct drop_filter *filter,
			 enum listing_format format, FILE *file, struct error *err);
/** Reads the store only. */
int observe_ports(struct store *store, enum listing_format format, FILE *file, struct error *err);
/** Who can reach each published port, and why. Reads the store only. */
int observe_exposure(struct store *store, enum listing_format format, FILE *file,
		     struct error *err);
int observe_maps(const struct instance *instance, enum listing_format format, FILE *file,
		 struct error *err);
/** What was probed and found. Returns 1 if something is wrong. */
int observe_doctor(const struct instance *instance, enum listing_format format, FILE *file,
		   struct error *err);
