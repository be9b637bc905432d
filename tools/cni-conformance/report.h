/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What held, point by point: for people, as JSON, as TAP. */
#include <stdio.h>

#include "conformance.h"

enum report_style { REPORT_TEXT, REPORT_FAILURES, REPORT_JSON, REPORT_TAP };

struct report;
int report_create(FILE *file, enum report_style style, const struct settings *settings,
		  struct report **ret, struct error *err);
void report_free(struct report *report);
DEFINE_FREEP(report)
/** A point begins; claims that follow are its own. */
void report_point(struct report *report, const struct point *point);
void report_claim(struct report *report, enum verdict verdict, const char *text,
		  const char *detail);
/** Ends the report; returns how many claims failed. */
size_t report_finish(struct report *report);
