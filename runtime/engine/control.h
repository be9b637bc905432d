/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A running container's processes: stopped where they are, let go on. */
#include "record.h"

/** Lets a paused one go on; one that is not paused is fine. */
int container_thaw(struct engine *engine, const struct container *container, struct error *err);
