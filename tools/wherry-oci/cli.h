/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * wherry-oci: an OCI runtime for engines (containerd's shim, conmon, podman),
 * with the command line that they know from runc.
 */
#include <stdbool.h>

#include "base/error.h"
#include "base/instance.h"
#include "base/options.h"
#include "base/text.h"

struct cli {
	char *const *argv;            /* of the whole program */
	char root[INSTANCE_PATH_MAX]; /* directory of the containers' states */
};

/* A verb: its options as a table, and what it does. Returns the exit code or -errno. */
struct verb {
	struct verb_spec spec;
	size_t target_size;
	int (*run)(struct cli *cli, void *options, const struct words *words, struct error *err);
};
/* Ends with a verb without a name. */
extern const struct verb verbs_create[], verbs_control[], verbs_show[], verbs_exec[];

#define OPTIONS_MAX_SIZE 512 /* bytes of a verb's struct of options */
#define FLAG(name, letter, type, member, help)                                \
	{                                                                     \
		name, letter, OPTION_FLAG, offsetof(type, member), NULL, help \
	}
#define TEXT(name, letter, type, member, argument, help)                          \
	{                                                                         \
		name, letter, OPTION_TEXT, offsetof(type, member), argument, help \
	}
