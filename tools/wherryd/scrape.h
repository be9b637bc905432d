/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Metrics for Prometheus over HTTP: at the socket metrics.sock of the run directory, and at the
 * loopback port that config.json names. One page a connection, whatever is asked.
 */
#include "base/log.h"
#include "base/loop.h"
#include "dataplane/dataplane.h"

struct scrape;
/** Listens; a place that cannot be had is logged, and the rest goes on. The caller owns
 * *ret_scrape. */
int scrape_create(struct loop *loop, struct dataplane *dataplane, const struct instance *instance,
		  const struct log *log, struct scrape **ret_scrape, struct error *err);
void scrape_free(struct scrape *scrape);
