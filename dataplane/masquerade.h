/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A network's options of masquerading in the kernel's tables: those of lib/chosen.h. */
#include "handle.h"

/**
 * Fills what the spec leaves to the instance's config, and checks what can be known without the
 * host's addresses.
 */
int masquerade_settle(struct dataplane *dataplane, struct network_spec *spec, struct error *err);
/** -EADDRNOTAVAIL: the host does not have the address that outside shall see. */
int masquerade_check_source(struct dataplane *dataplane, const struct network_spec *spec,
			    struct error *err);
/** Makes the tables' entries equal to the network's options. */
int masquerade_put(struct dataplane *dataplane, const struct network_info *info, struct error *err);
/** Takes them away. */
int masquerade_delete(struct dataplane *dataplane, uint16_t network_id, struct error *err);
/** 0 if they are there; -ENOENT names what is missing. */
int masquerade_check(struct dataplane *dataplane, const struct network_info *info,
		     struct error *err);
