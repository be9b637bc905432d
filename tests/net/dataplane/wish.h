/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A container whose ports are for some clients, or that the engine publishes. */
#include "world.h"

struct wish {
	const char *name, *address; /* as of world_container */
	struct publish_spec publish;
	enum publish_policy policy;
	const char *from; /* NULL: everybody */
};
/** A new container of the network "web". */
void world_wish(struct world *world, const struct wish *wish);
