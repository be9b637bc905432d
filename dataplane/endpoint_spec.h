/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What a caller of endpoint_add wants, checked, and turned into the endpoint's record. */
#include "dataplane/dataplane.h"

/** Gate: the two words that name an endpoint. */
int endpoint_check_key(const char *container_id, const char *interface, struct error *err);
/** Gate: all of spec that can be judged before anything is made. */
int endpoint_check_spec(const struct endpoint_spec *spec, struct error *err);
/** Fills *ret_info from spec, state ENDPOINT_INTENT; release it also after a failure. */
int endpoint_fill(const struct endpoint_spec *spec, struct endpoint_info *ret_info,
		  struct error *err);
