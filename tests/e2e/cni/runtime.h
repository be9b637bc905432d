/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A container runtime's part of the protocol, for scenes: one call of the real
 * plugin with its environment and configuration, and its answer read.
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
#include "base/json.h"
#include "scene/scene.h"

struct call {
	const char *command;   /* "ADD" */
	const char *container; /* of the scene; its id too */
	const char *netns;     /* NULL: the container's; "" is given as it is */
	const char *config;    /* ' for " */
	const char *plugin;    /* NULL: wherry-cni */
	const char *args;      /* CNI_ARGS, or NULL */
};

#define NETWORK "{'cniVersion':'1.0.0','name':'net','type':'wherry-cni','bridge':'cni0',"
#define ROUTED NETWORK "'isDefaultGateway':true,'ipMasq':true,"
#define IPAM(keys) "'ipam':{'type':'wherry-ipam'," keys "}"
#define SUBNET IPAM("'subnet':'10.1.0.0/16'")
#define CONFIG ROUTED SUBNET "}"
#define WITH(keys) ROUTED SUBNET "," keys "}"

/** Runs the plugin; gives its exit status. Its output is scene_output. */
int runtime_call(struct scene *scene, const struct call *call);
int runtime_run(struct scene *scene, const char *command, const char *container,
		const char *config);
/** ADD that must work; gives the address without its length, until the next call. */
const char *runtime_add(struct scene *scene, const char *container, const char *config);
/** A call that must fail with this code and message. */
void runtime_expect_error(struct scene *scene, const char *command, const char *container,
			  const char *config, int code, const char *message);
/** A call that must end with 0 and print nothing. */
void runtime_expect_silence(struct scene *scene, const char *command, const char *container,
			    const char *config);
/** A member of the last output: "ips[0].address" is path "ips", 0, "address". Lent until the next.
 */
const char *runtime_text(struct scene *scene, const char *list, size_t index, const char *key);
/** CNI_PATH: our programs, then Debian's plugins. */
const char *runtime_path(void);
/** For cmocka, in scene_tear_down's place: takes the instance apart first. */
int runtime_tear_down(void **state);
#define SCENE(test) cmocka_unit_test_setup_teardown(test, scene_set_up, runtime_tear_down)
