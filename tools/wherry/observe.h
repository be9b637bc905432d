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

int observe_drops(struct dataplane *dataplane, enum listing_format format, FILE *file,
		  struct error *err);
/**
 * Prints each dropped packet as it is seen, until SIGINT or SIGTERM, or until the
 * reader of `file` is gone.
 */
int observe_drops_follow(struct dataplane *dataplane, enum listing_format format, FILE *file,
			 struct error *err);
/** Reads the store only. */
int observe_ports(struct store *store, enum listing_format format, FILE *file, struct error *err);
int observe_maps(const struct instance *instance, enum listing_format format, FILE *file,
		 struct error *err);
/** What was probed and found. Returns 1 if something is wrong. */
int observe_doctor(const struct instance *instance, enum listing_format format, FILE *file,
		   struct error *err);
