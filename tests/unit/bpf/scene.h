/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A host for the programs under test, in a network namespace of its own:
 *
 *	network 1 10.88.0.0/16 (gw1): "web" 10.88.0.11 slot 1, "client" 10.88.0.12 slot 2
 *	network 2 10.89.0.0/16 (gw2): "other" 10.89.0.13 slot 3
 *	uplink up0 192.0.2.1, default route by 192.0.2.254
 *
 * The maps are filled as the loader fills them; nothing is attached.
 */
#include <stdbool.h>
#include <stdint.h>

#include "bpf/abi.h"
#include "datapath.skel.h"
#include "frame.h"

#define WEB "10.88.0.11"
#define CLIENT "10.88.0.12"
#define OTHER "10.89.0.13"
#define GATEWAY "10.88.0.1"
#define GATEWAY2 "10.89.0.1"
#define HOST "192.0.2.1"
#define OUTSIDE "198.51.100.7" /* behind the default route */

enum { PASS = -1, DROPPED = 2, REDIRECTED = 7 };
#define SCENE_QUOTA 12000 /* open flows of one endpoint */
enum { SLOT_WEB = 1, SLOT_CLIENT = 2, SLOT_OTHER = 3 };

struct scene {
	struct wherry_datapath *bpf;
	uint32_t web, client, other; /* host ends */
	uint32_t gateway, gateway2, uplink;
};

/** cmocka set-up and tear-down for a group; *state is a struct scene. Skips (exit 77) without root.
 */
int scene_setup(void **state);
/** The same with the programs' other variant, which reads how far checksums are done. */
int scene_setup_summed(void **state);
/** With room for one opening flow and a half. */
int scene_setup_small(void **state);
/** Whether this kernel lets programs read that (6.2 and later). */
bool scene_knows_summed(void);
/** Runs a group of tests with each variant that the kernel has: the exit code of main. */
#define SCENE_RUN(tests)                                               \
	(cmocka_run_group_tests(tests, scene_setup, scene_teardown) || \
	 (scene_knows_summed() &&                                      \
	  cmocka_run_group_tests(tests, scene_setup_summed, scene_teardown)))
int scene_teardown(void **state);
/** For each test: no flows, no publications, no drops, all endpoints alive, flags as at set-up. */
int scene_clear(void **state);

/** Runs a program on a frame that comes in by `ifindex`; the frame is then what came out. */
int scene_run(const struct bpf_program *program, uint32_t ifindex, struct frame *frame);
int scene_from(struct scene *scene, uint32_t ifindex, struct frame *frame); /* from_container */
int scene_in(struct scene *scene, struct frame *frame);                     /* from_uplink */
int scene_to(struct scene *scene, uint32_t gateway, struct frame *frame);   /* to_container */
/** to_container, for what the host forwards from the device `from`. */
int scene_to_forwarded(struct scene *scene, uint32_t gateway, uint32_t from, struct frame *frame);

/** onto_link, for what the host sends (from 0) or forwards by a host end. */
int scene_onto(struct scene *scene, uint32_t ifindex, uint32_t from, struct frame *frame);

/** "client" answers the host at these TCP ports. */
void scene_serve(struct scene *scene, uint16_t first, uint16_t more);
void scene_publish(struct scene *scene, const char *address, uint16_t port, uint16_t web_port);
void scene_set_flags(struct scene *scene, uint16_t flags); /* of network 1 */
void scene_set_generation(struct scene *scene, uint32_t slot, uint32_t generation);
/** The same for the one behind the host end, as a new container with the old address has it. */
void scene_set_source_generation(struct scene *scene, uint32_t ifindex, uint32_t generation);
/** Packets dropped for this reason of this slot. */
uint64_t scene_drops(struct scene *scene, enum drop_reason reason, uint32_t slot);
/** The flow entry for a frame as it would arrive; false if there is none. */
bool scene_flow(struct scene *scene, struct packet_words words, uint16_t zone, struct flow *flow);
void scene_put_flow(struct scene *scene, struct packet_words words, uint16_t zone,
		    const struct flow *flow);
struct abi_addr scene_address(const char *text);
