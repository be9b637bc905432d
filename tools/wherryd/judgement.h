/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Running flows are judged again by the host's firewall whenever its rules change. */
#include "base/log.h"
#include "base/loop.h"
#include "dataplane/dataplane.h"

struct judgement;
/** From now on, and once for what changed unseen. The caller owns *ret_judgement. */
int judgement_watch(struct loop *loop, struct dataplane *dataplane, const struct log *log,
		    struct judgement **ret_judgement, struct error *err);
void judgement_free(struct judgement *judgement);
