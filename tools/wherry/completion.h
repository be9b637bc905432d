/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Completion for bash, zsh and fish, made from the verb table: verbs, the words
 * that follow them, and their options.
 */
#include "base/error.h"
#include "base/options.h"
#include "base/text.h"

/** Appends the script for `shell`; -EINVAL for another shell than the three. */
int completion_write(const char *shell, const struct verb_spec *const *verbs, size_t count,
		     struct text *script, struct error *err);
