/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * `wherry explain VERB …`: the verb is done as always, and each step of the
 * engine is printed as it happens, with the outside command that shows it.
 */
#include "base/cleanup.h"
#include "base/error.h"

struct engine_steps;
struct steps_printer;

enum explain_pace { EXPLAIN_RUN, EXPLAIN_PAUSE };

/** Prints to standard error, so that the verb's own output stays whole. */
int steps_printer_create(enum explain_pace pace, struct steps_printer **ret_printer,
			 struct error *err);
void steps_printer_free(struct steps_printer *printer);
DEFINE_FREEP(steps_printer)
/** The callback for the engine; lent, valid as long as the printer. */
const struct engine_steps *steps_printer_steps(const struct steps_printer *printer);
