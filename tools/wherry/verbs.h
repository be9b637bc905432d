/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The verbs of the command line. A row of a group's table is a verb: its words
 * and options (base/options.h), and the function that does it. A new verb is a
 * row in its group's file; a new group is a file and a line of verbs.c.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/instance.h"
#include "base/options.h"
#include "base/text.h"

struct engine;
struct steps_printer;

/* What lives as long as the program. */
struct cli {
	struct instance instance;
	struct engine *engine;         /* opened by cli_engine */
	struct steps_printer *printer; /* under `explain`, else NULL */
	char **argv;                   /* of the program */
};

enum verb_visibility { VERB_SHOWN, VERB_HIDDEN };

struct verb {
	struct verb_spec spec;
	size_t options_size;  /* of the struct that spec.options fills */
	const void *defaults; /* of that size; NULL: all zero */
	/**
	 * Does it. Returns the exit status (0 and above), or -errno with err
	 * filled, which becomes "wherry: VERB: text" and failure_status.
	 */
	int (*run)(struct cli *cli, const void *options, const struct words *words,
		   struct error *err);
	int failure_status; /* 0 means 1 */
	enum verb_visibility visibility;
};

struct verb_group {
	const char *title; /* over the group in `wherry help` */
	const struct verb *verbs;
	size_t count;
};

/* One a file. */
extern const struct verb_group verb_group_containers;
extern const struct verb_group verb_group_processes;
extern const struct verb_group verb_group_stats;
extern const struct verb_group verb_group_events;
extern const struct verb_group verb_group_prune;
extern const struct verb_group verb_group_info;
extern const struct verb_group verb_group_changing;
extern const struct verb_group verb_group_files;
extern const struct verb_group verb_group_volumes;
extern const struct verb_group verb_group_images;
extern const struct verb_group verb_group_image_files;
extern const struct verb_group verb_group_networks;
extern const struct verb_group verb_group_traffic;
extern const struct verb_group verb_group_why;
extern const struct verb_group verb_group_observing;
extern const struct verb_group verb_group_cni;
extern const struct verb_group verb_group_general;
extern const struct verb_group verb_group_pages;
extern const struct verb_group verb_group_internal;

extern const struct verb_group *const verb_groups[];
extern const size_t verb_group_count;

/**
 * Finds the verb that argv begins with: "run", or "network create" in two
 * words. NULL if there is none; *ret_words is how many words its name has.
 */
const struct verb *verb_find(int argc, char **argv, int *ret_words);
/** All verbs that are shown, in the order of the groups; fills at most max, returns how many. */
size_t verb_specs(const struct verb_spec **ret_specs, size_t max);

/** Copies of what Docker's second names stand for (alias.h), for the completion. */
size_t verb_alias_specs(struct verb_spec *ret_specs, size_t max);

/** Runs the verb that argv begins with; prints errors; returns the exit status. */
int cli_dispatch(struct cli *cli, int argc, char **argv);
/** The engine of the instance, opened at the first call; lent. */
int cli_engine(struct cli *cli, struct engine **ret_engine, struct error *err);
/** Writes the list of verbs to standard output. */
void cli_print_overview(void);
