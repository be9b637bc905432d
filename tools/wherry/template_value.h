/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Values and expressions of a template. */
#include "template.h"

#define TEMPLATE_ACTION_MAX 1024 /* bytes between the braces */
#define TEMPLATE_VARIABLES_MAX 16
#define TEMPLATE_ARGUMENTS_MAX 16

struct template_variable {
	char name[32]; /* "" for $ */
	struct json_t *value;
};
/* What names mean at a place of a template. */
struct template_scope {
	const struct json_t *dot; /* lent */
	struct template_variable variables[TEMPLATE_VARIABLES_MAX];
	size_t count;
};
/** Takes value. */
int template_set(struct template_scope *scope, const char *name, struct json_t *value,
		 struct error *err);
/** Forgets all variables but the first `count`. */
void template_forget(struct template_scope *scope, size_t count);

/** The value of a pipeline; the caller's. */
int template_evaluate(struct template_scope *scope, const char *pipeline, struct json_t **ret_value,
		      struct error *err);
/** Tells whether name is a function's. */
bool template_is_function(const char *name, size_t size);
int template_call(const char *name, const struct json_t *const *arguments, size_t count,
		  struct json_t **ret_value, struct error *err);

/** As Go prints: [a b], map[k:v]. */
void template_print(const struct json_t *value, struct text *text);
/** Empty, 0, false and null are not true. */
bool template_is_true(const struct json_t *value);
