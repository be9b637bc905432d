/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The entries of one map, converted into another. */
#include "upgrade.h"

enum copy_pass {
	COPY_ALL,
	COPY_MISSING, /* what the new map has not yet; arrays have all */
};
/** Copies while programs change both: what goes or comes meanwhile may be missed. */
int copy_map(const struct upgrade_map *map, enum copy_pass pass, struct error *err);
