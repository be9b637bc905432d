/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Shell lines with `wherry` in a scene that has the image busybox: what they
 * print and how they end, compared whole.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "scene/scene.h"

/** Makes the scene with an uplink, and loads the image. */
int engine_set_up(void **state);
/** Removes containers and networks, ends wherryd, then the scene. */
int engine_tear_down(void **state);
#define ENGINE(test) cmocka_unit_test_setup_teardown(test, engine_set_up, engine_tear_down)

/** Runs a line of sh in the node; returns its exit status. Output and errors: of the scene. */
int shell(struct scene *scene, const char *line);
/** The line must end with 0; gives its output, lent. */
const char *done(struct scene *scene, const char *line);
/** Waits until the kernel has taken the links of ended namespaces away. */
void settle_links(struct scene *scene);
/** The line must end with this status and print this, and nothing on standard error. */
void expect(struct scene *scene, const char *line, int status, const char *output);
/** The line must end with this status and this one line on standard error, and print nothing. */
void expect_error(struct scene *scene, const char *line, int status, const char *errors);
