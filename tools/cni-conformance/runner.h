/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Runs points, each in a world and processes of its own, a few at a time. */
#include "conformance.h"
#include "report.h"

size_t runner_point_count(void);
const struct point *runner_point(size_t index);
/** Runs the points whose numbers are in `chosen` (empty: all) and reports them in order. */
int runner_run(const struct settings *settings, const struct words *chosen, struct report *report,
	       struct error *err);
