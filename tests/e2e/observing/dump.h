/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
#include "base/instance.h"

/** A line for each pinned map of the instance: its name, entries, and a sum over all bytes. */
char *dump_maps(const struct instance *instance);
