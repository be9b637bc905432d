/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What counted and followed drops share: words for reasons, and who was meant. */
#include "dataplane/dataplane.h"

struct drop_reason_text {
	const char *name, *meaning;
};
/** Never NULL: a number of another version is "unknown". */
const struct drop_reason_text *drop_reason_of(uint32_t number);
/** Container and network of a slot: 1, or 0 if nobody has it now. Release *ret_info. */
int drop_owner(struct store *store, uint32_t slot, struct endpoint_info *ret_info,
	       struct error *err);
