/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* `wherry top` without a container: what each endpoint carries a second. */
#include "verbs.h"

struct top_options {
	const char *output;
	bool follow;
};
#define TOP_OPTION_COUNT 2
extern const struct option_spec top_option_rows[TOP_OPTION_COUNT];
int top_rates(struct cli *cli, const struct top_options *options, struct error *err);
