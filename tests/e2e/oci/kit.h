/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A container of a test: a root with the program `inside`, on a tmpfs that
 * nobody else sees, and a run whose output is kept.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "runtime/oci.h"

#define KIT_OUTPUT_MAX 8192

struct box {
	char directory[64]; /* own tmpfs: lower, upper, work */
	struct oci_spec spec;
	char output[KIT_OUTPUT_MAX];
	int status; /* as wait(2) gives it */
	struct error err;
};

/** The first thing in main: protects the program; a mount namespace of the test's own. */
void kit_begin(char **argv);
/** cmocka's set-up and tear-down; the latter fails if a cgroup is left. */
int box_setup(void **state);
int box_teardown(void **state);
/** Sets the arguments: "inside" and these words, split at blanks. */
void box_command(struct box *box, const char *words);
/** Path of something in the lower layer; valid until the next call. */
void box_path(const struct box *box, const char *path, char *ret_path, size_t size);
/** Creates, starts and waits; output and status are kept. The result of what failed. */
int box_run(struct box *box);
/** box_command and box_run, which must work; the output. */
const char *box_output(struct box *box, const char *words);
/** Reads all of fd into box->output. */
void box_read(struct box *box, int fd);
/** True if any hierarchy has a group at path. */
bool kit_group_exists(const char *path);

#define CHECK_ROW(i, name, condition)                                                  \
	do {                                                                           \
		if (!(condition))                                                      \
			fail_msg("row %zu (%s): %s", (size_t)(i), (name), #condition); \
	} while (0)
#define MUST(call, err)                                        \
	do {                                                   \
		if ((call) < 0)                                \
			fail_msg("%s: %s", #call, (err).text); \
	} while (0)
