/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The CNI protocol, versions 0.1.0 to 1.1.0 (spec sections 1 to 5), over the
 * data path and ipam. wherry-cni's main reads environment and standard input
 * and calls cni_run; the engine may call cni_add in-process.
 */
#include <stddef.h>

#include "base/error.h"
#include "base/instance.h"

/* The environment of one call (spec section 2). NULL: not set. */
struct cni_environment {
	const char *command, *container_id, *netns, *interface, *args, *path;
	const char *netns_override;
};

/**
 * Runs one command. config: the bytes of standard input. *ret_output is what
 * goes to standard output (a result, an error object, or ""), freed by the
 * caller. Returns the exit status of the plugin: 0, or 1 with an error object
 * in *ret_output.
 */
int cni_run(const struct instance *instance, const struct cni_environment *environment,
	    const char *config, size_t config_size, char **ret_output);
/** The same for `wherry-ipam`: type host-local's place, no interfaces. */
int cni_ipam_run(const struct instance *instance, const struct cni_environment *environment,
		 const char *config, size_t config_size, char **ret_output);
/** The error object for an environment that names no usable instance; freed by the caller, may be
 * NULL. */
char *cni_refuse(const struct error *err);
