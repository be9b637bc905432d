/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Records of --rm containers go with the boot, their directories on the disk do
 * not: the first verb after a boot removes those that no record names.
 */
#include "internal.h"

/** Removes what is older than the boot and has no record. Best effort: the verb goes on. */
void containers_sweep(struct engine *engine);
