/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The log's line for a program of the host that was refused a published port. */
#include "base/log.h"
#include "base/loop.h"
#include "dataplane/dataplane.h"

struct refusals;
/** Logs from now on, also what happened since the last reader. The caller owns *ret_refusals. */
int refusals_watch(struct loop *loop, struct dataplane *dataplane, const struct log *log,
		   struct refusals **ret_refusals, struct error *err);
void refusals_free(struct refusals *refusals);
