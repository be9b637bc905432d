/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The part of Go's text/template that people use with --format: {{.Field}},
 * {{.Field.Inner}}, {{json .}}, {{json .Field}}, {{index .Field "key"}},
 * {{range $k, $v := .Field}}…{{end}} is refused with a word. "\t" and "\n" mean
 * a tab and a newline.
 */
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

/** Appends the template filled from value. -EINVAL names what is not understood. */
int template_fill(const char *format, const struct json_t *value, struct text *ret_text,
		  struct error *err);
