/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Where programs meet packets and sockets. Host ends share one clsact block for each direction;
 * uplinks and gateway devices get a tcx link, or clsact and a filter of our own
 * on kernels before 6.6; the socket programs sit at the cgroup root. Replacing
 * goes over what is there: no packet sees a gap.
 */
#include <stdint.h>

#include "handle.h"
#include "link/filter.h"

#define PROGRAM_FROM_CONTAINER "from_container"
#define PROGRAM_FROM_UPLINK "from_uplink"
#define PROGRAM_FROM_BARE_UPLINK "from_bare_uplink"
#define PROGRAM_TO_CONTAINER "to_container"
#define PROGRAM_ONTO_LINK "onto_link"

/** Asks the kernel, with a program that can be attached, whether it knows tcx. */
enum attach_kind attach_probe(int program_fd);
const char *attach_kind_name(enum attach_kind kind);
/* Descriptors of what host ends run; released by the caller. */
struct host_end_programs {
	int from_container, onto_link;
};
int host_end_programs_open(const struct instance *instance, struct host_end_programs *ret,
			   struct error *err);
void host_end_programs_close(struct host_end_programs *programs);

/** A block number that no other tool uses: it has no filter but perhaps ours. */
int attach_choose_block(struct netlink *netlink, const struct instance *instance,
			uint32_t *ret_block, struct error *err);

/** Queued: clsact on a host end, in the shared blocks, and the blocks' filters. */
int attach_queue_host_end(struct dataplane *dataplane, uint32_t ifindex,
			  const struct host_end_programs *programs, struct error *err);
/** Attaches a program to an uplink or gateway device; attached already: fine. */
int attach_device(struct dataplane *dataplane, const char *program, enum filter_place place,
		  uint32_t ifindex, struct error *err);
/** Takes it away; not there, or the device gone: fine. */
int attach_device_end(struct dataplane *dataplane, const char *program, enum filter_place place,
		      uint32_t ifindex, struct error *err);
/** 1 if the program is attached there, 0 if not. */
int attach_device_check(struct dataplane *dataplane, const char *program, enum filter_place place,
			uint32_t ifindex, struct error *err);
/** Attaches one socket program at the root of the cgroup tree and pins the link. */
int attach_socket_program(const struct instance *instance, const char *program, int program_fd,
			  int attach_type, struct error *err);
/** Visits the pinned programs that belong to sockets, by name. */
int attach_sockets_each(const struct instance *instance,
			int (*visit)(const char *program, void *context, struct error *err),
			void *context, struct error *err);
/** True if the socket program is attached to a cgroup that is there. */
bool attach_socket_check(const struct instance *instance, const char *program);
/** Where the cgroup2 tree is mounted. -ENOENT: nowhere. */
int attach_cgroup_root(char *ret_path, size_t size, struct error *err);
/** Puts newly pinned programs in the place of those that run: block, devices, sockets. */
int attach_replace_all(struct dataplane *dataplane, struct error *err);
