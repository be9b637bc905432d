/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What a person can do about an answer of `wherry why`. */
#include "why_place.h"

/**
 * Writes the command that would change the answer, for a packet that was dropped for `reason`
 * ("isolated") or, with "", found nobody at a port of the host. "" if nothing would.
 */
void change_describe(const char *reason, const struct place *from, const struct goal *to,
		     char *ret_text, size_t size);
