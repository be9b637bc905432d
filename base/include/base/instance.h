/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * An instance of Wherry is one set of paths under one root. The default root
 * is "/"; --root DIR or WHERRY_ROOT moves all of it, so that tests, nested
 * use and several instances on one host never meet.
 */
#include "base/error.h"

#define INSTANCE_PATH_MAX 512

struct instance {
	char root[INSTANCE_PATH_MAX];   /* "" for the default root, else absolute, no final '/' */
	char run[INSTANCE_PATH_MAX];    /* ROOT/run/wherry: state of this boot */
	char lib[INSTANCE_PATH_MAX];    /* ROOT/var/lib/wherry: state that stays */
	char config[INSTANCE_PATH_MAX]; /* ROOT/etc/wherry */
	char bpf[INSTANCE_PATH_MAX];    /* /sys/fs/bpf/wherry, or wherry-TAG for another root */
	char tag[13]; /* "" for the default root, else 8 hex digits of the root's hash */
};

/**
 * Fills *ret. root NULL: WHERRY_ROOT, and without it "/". A relative root is
 * made absolute. WHERRY_BPFFS moves the bpffs mount from /sys/fs/bpf. Makes no
 * directory.
 */
int instance_init(const char *root, struct instance *ret, struct error *err);
