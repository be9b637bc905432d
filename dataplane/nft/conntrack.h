/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The kernel's own flows, where nf_tables carries the packets. */
#include "base/error.h"
#include "base/ip.h"

/**
 * Ends all flows from and to a container's address, translated ones too: no
 * later container with this address meets them. Reads the whole table: the
 * kernel has no index by address.
 */
int conntrack_end(struct ip address, struct error *err);
