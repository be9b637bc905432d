/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Whether this program's own file can be written through /proc/PID/exe.
 */
#include <stdbool.h>

#include "base/error.h"

/** 0 if it cannot; -EPERM with a text that names oci_protect_self. */
int protect_check(struct error *err);
