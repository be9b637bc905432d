/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The work of each command for the main plugin. *ret_document is owned by the
 * caller and NULL where a command prints nothing.
 */
#include "call.h"

int cni_add(struct cni_call *call, struct json_t **ret_document, struct error *err);
int cni_del(struct cni_call *call, struct error *err);
int cni_check(struct cni_call *call, struct error *err);
int cni_gc(struct cni_call *call, struct error *err);
int cni_status(struct cni_call *call, struct error *err);

/** Whether this instance ever held anything: before that, DEL and GC make nothing. */
bool cni_has_state(const struct cni_call *call);
struct dataplane;
struct lease_owner;
/**
 * Takes an endpoint and its leases back. The lease goes last: its address must
 * not be given out before.
 */
int cni_detach(struct dataplane *dataplane, const char *network, const struct lease_owner *owner,
	       struct error *err);
