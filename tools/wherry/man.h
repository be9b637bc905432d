/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The half of a verb's manual page that its table row knows: name, synopsis,
 * description and options, as scdoc's source. The other half (example, exit
 * status) is a file of docs/man; the build puts them together, so that no page
 * tells of an option that is not there.
 */
#include "base/options.h"
#include "base/text.h"

/** Appends the page's beginning for `wherry VERB`. */
void man_write(const struct verb_spec *verb, struct text *page);
