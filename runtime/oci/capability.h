/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Capabilities as bit sets: their names, and giving them up for good.
 */
#include <stdint.h>

#include "base/error.h"

#define CAPABILITY_BIT(number) (UINT64_C(1) << (number))

/** "CAP_NET_RAW", "net_raw" … 0 or -EINVAL with a text. */
int capability_parse(const char *name, uint64_t *ret_bit, struct error *err);
/** "CAP_NET_RAW" for a number; NULL for one that has no name here. */
const char *capability_name(unsigned int number);
/** What Docker gives a container. */
uint64_t capability_defaults(void);
/** All that the kernel knows and this process may give. */
int capability_all(uint64_t *ret_set, struct error *err);
/** Takes all but `keep` out of the bounding set. */
int capability_drop_bounding(uint64_t keep, struct error *err);
/** Sets effective = permitted = set; inheritable and ambient to `ambient`. */
int capability_apply(uint64_t set, uint64_t ambient, struct error *err);
