/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The data path's counters in the text format of Prometheus (version 0.0.4). The number of series
 * is bounded: the METRICS_ENDPOINTS_MAX endpoints that have carried most have series of their own,
 * the others share one without a name; drops are by reason and network.
 */
#include "dataplane/dataplane.h"

#define METRICS_ENDPOINTS_MAX 1000
#define METRICS_NETWORKS_MAX 256

/** The whole page; the caller frees *ret_text. */
int metrics_format(struct dataplane *dataplane, char **ret_text, struct error *err);
/** Where wherryd serves it, from ROOT/etc/wherry/config.json "metrics": "127.0.0.1:PORT" or
 * "[::1]:PORT". 1 and the place, or 0 if there is none. */
int metrics_place(const struct instance *instance, struct ip *ret_address, uint16_t *ret_port,
		  struct error *err);
