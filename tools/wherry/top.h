/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* `wherry top CONTAINER [PS-OPTION…]`: its processes, as the host's ps shows them. */
#include "verbs.h"

int top_processes(struct cli *cli, const struct words *words, struct error *err);
