/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A container's places in its networks: leases before its namespaces exist,
 * endpoints once they do, and both taken away at its end.
 */
#include "network.h"
#include "record.h"

#define ATTACHMENTS_MAX 16 /* networks of one container */

struct attachment {
	struct engine_network *network;
	struct lease lease, lease6; /* of each family that the network has; ip unset: none */
	char interface[DEVICE_NAME_MAX];
};
struct attachments {
	struct attachment items[ATTACHMENTS_MAX];
	size_t count;
};
void attachments_release(struct attachments *attachments);

/** Takes an address in each network of the container (or finds what it holds). On failure none is
 * left. */
int attachments_lease(struct engine *engine, const struct container *container,
		      struct attachments *ret_attachments, struct error *err);
/** Makes the endpoints in the namespace of process pid. On failure none is left; leases stay. */
int attachments_add(struct engine *engine, const struct container *container,
		    const struct attachments *attachments, pid_t pid, struct error *err);
/** Removes all endpoints and leases of the container; nothing there is fine. */
int attachments_remove(struct engine *engine, const struct container *container,
		       enum endpoint_link_fate fate, struct error *err);
/** Removes the endpoints and keeps the leases: the container begins another life. */
int attachments_forget(struct engine *engine, const struct container *container, struct error *err);
/** Removes one, on `network disconnect`. */
int attachment_remove(struct engine *engine, const char *id, const char *network,
		      const char *interface, struct error *err);
/** Makes one, number `index` of the record's networks, in a running container. */
int attachment_add(struct engine *engine, const struct container *container, size_t index,
		   pid_t pid, struct error *err);
