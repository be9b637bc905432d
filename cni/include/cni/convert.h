/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A list of the reference's plugins becomes one of Wherry's: bridge or ptp with
 * portmap, firewall, bandwidth and tuning are one plugin here; others stay in
 * the list where they are.
 */
#include "base/json.h"
#include "base/text.h"

/**
 * Makes the list in *ret_list (owned by the caller). *notes gets one line for
 * each key that is not carried over, and why. -EINVAL: it is no configuration,
 * or nothing in it makes an interface as bridge does.
 */
int cni_convert(const struct json_at *source, struct json_t **ret_list, struct words *notes,
		struct error *err);
