/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What the runtime told about a container, kept with its endpoint for policies:
 * the pairs of CNI_ARGS, "labels" of args.cni (a list of key and value, as the
 * conventions have it) and the pod's annotations.
 */
#include "base/json.h"
#include "base/store.h"
#include "ipam/ipam.h"

/**
 * Reads the labels of an endpoint: an object with "args", "labels" and
 * "annotations", each only where there is any. Returns 1, and the caller owns
 * *ret_labels; 0 if none are kept.
 */
int cni_labels_read(struct store *store, const struct lease_owner *owner,
		    struct json_t **ret_labels, struct error *err);
