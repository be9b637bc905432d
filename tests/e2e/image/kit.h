/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * For tests of whole image stores: a store in a folder of its own (a tmpfs in a
 * mount namespace of the test), listings of trees, the folder of test images.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/text.h"
#include "runtime/image.h"

#define CHECK(call, err)                                       \
	do {                                                   \
		if ((call) < 0)                                \
			fail_msg("%s: %s", #call, (err).text); \
	} while (0)

struct place {
	char path[64]; /* a tmpfs */
	char root[80]; /* of the instance */
	struct instance instance;
	struct image_store *store;
};
/** Once in main: a mount namespace of its own; 77 and a reason where that cannot be. */
int kit_begin(void);
int place_set_up(void **state);
int place_tear_down(void **state);
void place_open(struct place *place);
void place_close(struct place *place);

/** The folder of WHERRY_TEST_IMAGES, or skips the test with the reason. */
const char *kit_images(void);
/** All paths below folder, sorted, a line each; with modes and sizes. */
char *kit_list(const char *folder);
/** Loads images/NAME and says which names came out, joined by blanks. */
void kit_load(struct place *place, const char *path, char *ret_names, size_t size);
/** Mounts the image's layers for reading; the descriptor of its root. */
int kit_mount(struct place *place, const char *reference);
/** Output of a program with these words; fails the test if it fails. */
char *kit_run(const char *const *argv);
/** Writes a file. */
void kit_write(const char *folder, const char *name, const char *text);
/** The image's layers and config as an OCI layout in folder, tag "again". */
void kit_export(struct place *place, const char *reference, const char *folder);
