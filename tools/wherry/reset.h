/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * `wherry system reset`: an instance as if it had never run on this host.
 */
#include <stdio.h>

#include "base/instance.h"

/**
 * Ends wherryd, removes every container of the engine, then the data path and the
 * run directory. Endpoints of other runtimes (CNI) are detached, their processes
 * stay. Prints what it did.
 */
int reset_instance(const struct instance *instance, FILE *file, struct error *err);
