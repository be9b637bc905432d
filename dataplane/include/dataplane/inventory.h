/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What an instance holds in the kernel: its pinned maps, how full each is, for
 * people who want to see.
 */
#include <stdint.h>

#include "base/error.h"
#include "base/instance.h"

struct map_row {
	char name[64];                 /* of the pin */
	const char *kind;              /* "hash" */
	uint32_t key_size, value_size; /* bytes */
	uint32_t entries_max;
	uint32_t entries; /* of kinds that can be walked; else entries_max */
	uint32_t id;      /* for `bpftool map dump id` */
};
/**
 * Visits the pinned maps by name; a non-zero result of visit ends the walk and is
 * returned. -ENOENT: the instance has nothing pinned.
 */
int maps_each(const struct instance *instance,
	      int (*visit)(const struct map_row *row, void *context, struct error *err),
	      void *context, struct error *err);
