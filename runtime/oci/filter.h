/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * System call filters. A profile (Docker's default by our own table, or OCI's
 * linux.seccomp) becomes rules; the compiler makes a search tree of them: some
 * eight comparisons a call whatever the profile's length, and some ten
 * microseconds to make, so that nothing needs caching. Libseccomp knows the
 * numbers of calls and is asked for nothing else.
 */
#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/json.h"

/* A filter ready for the kernel; no instructions: no filter. */
struct filter_program {
	struct sock_filter *code;
	size_t count;
	unsigned int flags; /* SECCOMP_FILTER_FLAG_* */
};
void filter_program_release(struct filter_program *program);
#define auto_filter_program __attribute__((cleanup(filter_program_release))) struct filter_program

/** The default profile for a process that has these capabilities. */
int filter_default(uint64_t capabilities, struct filter_program *ret, struct error *err);
/** Gate: an OCI linux.seccomp object. */
int filter_read(const struct json_at *profile, struct filter_program *ret, struct error *err);
/** Puts the filter on this process, for good. Needs CAP_SYS_ADMIN or no_new_privs. */
int filter_load(const struct filter_program *program, struct error *err);

/* --- what the two sources of rules give to the compiler ----------------------- */

enum filter_compare {
	FILTER_EQUAL,
	FILTER_NOT_EQUAL,
	FILTER_LESS,
	FILTER_LESS_EQUAL,
	FILTER_GREATER,
	FILTER_GREATER_EQUAL,
	FILTER_MASKED_EQUAL, /* (argument & value) == value_two */
};
struct filter_condition {
	unsigned int argument; /* 0..5 */
	enum filter_compare compare;
	uint64_t value, value_two;
};
#define FILTER_CONDITIONS_MAX 6
/* If all conditions hold: action (a SECCOMP_RET_* value with its data). */
struct filter_rule {
	const char *name; /* lent */
	uint32_t action;
	struct filter_condition conditions[FILTER_CONDITIONS_MAX];
	unsigned int condition_count;
};
struct filter_rules {
	struct filter_rule *items;
	size_t count, capacity;
	uint32_t default_action;
	bool native_only; /* other architectures of this processor are killed, not filtered */
	unsigned int flags;
};
int filter_rules_add(struct filter_rules *rules, const struct filter_rule *rule, struct error *err);
void filter_rules_release(struct filter_rules *rules);
#define auto_filter_rules __attribute__((cleanup(filter_rules_release))) struct filter_rules
/** Calls that this host's libseccomp does not know are left out, as Docker does. */
int filter_compile(const struct filter_rules *rules, struct filter_program *ret, struct error *err);
