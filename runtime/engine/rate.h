/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Limits of bandwidth as people write them: "100m", "1g/20m". */
#include "dataplane/dataplane.h"

/**
 * Gate: RATE[/BURST], bits a second and bits, with k, m or g for steps of 1,000.
 * -EINVAL: the text is none, or the rate is 0.
 */
int rate_parse(const char *text, struct rate_limit *ret_limit, struct error *err);
