/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What `network create` was told, checked. */
#include "network.h"

/** Gate: fills spec, ip_range and aux of the network from the options. */
int network_options_check(const char *name, const struct engine_network_options *options,
			  struct engine_network *network, struct error *err);
