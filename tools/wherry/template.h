/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Go's text/template as people use it with --format: {{.Field.Inner}}, {{$x := …}}, pipes,
 * {{if}} {{else if}} {{else}}, {{range $i, $v := .List}}, {{with}}, {{end}}, "{{-" and "-}}",
 * comments; and the functions json, join, split, index, len, upper, lower, title, truncate, pad,
 * print, println, printf, eq, ne, lt, le, gt, ge, and, or, not. "\t" and "\n" mean a tab and a
 * newline.
 */
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

/** Appends the template filled from value. -EINVAL names what is not understood. */
int template_fill(const char *format, const struct json_t *value, struct text *ret_text,
		  struct error *err);
