/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Which network of a container leads everywhere: for each family the first that has a way out. */
#include "attach.h"

#define DEFAULT_ROUTES_MAX 2

/**
 * The default routes that an endpoint of this attachment brings beside the endpoints that the
 * container has: 0.0.0.0/0, ::/0, both or none. *ret_count: how many were written.
 */
int attachment_default_routes(struct engine *engine, const struct container *container,
			      const struct attachment *attachment,
			      struct prefix ret_routes[DEFAULT_ROUTES_MAX], size_t *ret_count,
			      struct error *err);
