/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Answers of `wherry why` and `wherry trace`, for people and as JSON. */
#include <stdio.h>

#include "dataplane/why.h"
#include "listing.h"

/** Prints answers, one after the other; `steps` with each table looked at. */
int observe_answers(const struct why_answer *answers, size_t count, enum listing_format format,
		    bool steps, FILE *file, struct error *err);
