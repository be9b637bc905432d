/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * wherry-ipam: leases for other main plugins, in host-local's place (spec
 * section 5, delegated plugins). Only the store is opened: no data path.
 */
#include "call.h"

int ipam_plugin_run(struct cni_call *call, struct json_t **ret_document, struct error *err);
