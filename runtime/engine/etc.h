/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The files that make names work inside: /etc/hosts, /etc/hostname and
 * /etc/resolv.conf, written into the container's directory at each start.
 */
#include "attach.h"

/** attachments: the container's, with their leases; the first one's network resolves names. */
int etc_write(struct engine *engine, const struct container *container,
	      const struct attachments *attachments, struct error *err);
