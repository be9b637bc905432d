/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The files that make names work inside: /etc/hosts, /etc/hostname and
 * /etc/resolv.conf, written into the container's directory at each start.
 */
#include "record.h"

/** addresses: one for each network of the container, in their order. */
int etc_write(struct engine *engine, const struct container *container, const struct ip *addresses,
	      size_t address_count, struct error *err);
