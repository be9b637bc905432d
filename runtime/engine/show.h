/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What ps and inspect share. */
#include "record.h"

/** "Up 3 minutes", "Exited (0) 2 hours ago". */
void status_text(const struct container_now *now, char *ret_text, size_t size);
/** Names of its networks; or its one other mode. */
int container_networks(const struct container *container, struct words *ret_names,
		       struct error *err);
