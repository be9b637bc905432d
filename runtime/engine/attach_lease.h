/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The addresses of a container in one network, taken and given back. */
#include "attach.h"

/**
 * Fills the leases of attachment: those that the container holds here already, or new ones, as
 * its row of the record asks.
 */
int attachment_take_lease(struct engine *engine, const struct container *container,
			  const struct json_at *row, struct attachment *attachment,
			  struct error *err);
/** Gives back all that container `id` holds in the network for this interface. */
int attachment_release_lease(struct engine *engine, const char *id, const char *network,
			     const char *interface, struct error *err);
