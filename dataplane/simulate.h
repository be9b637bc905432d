/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What the programs would do with a packet, without doing it. The told variant of the same source
 * (bpf/lib/trace.h) is loaded over tables of its own, which are filled from the instance's by
 * reading, and run by BPF_PROG_TEST_RUN with the settings that the running programs have. Nothing
 * that the simulation writes can reach the instance, and nothing that a container sends can reach
 * the simulation: the two share no table, so there is no mark to forge.
 */
#include "bpf/trace_abi.h"
#include "handle.h"

#define SIMULATION_FRAME_MAX 2048
#define SIMULATION_EVENTS_MAX 128

struct frame {
	uint8_t bytes[SIMULATION_FRAME_MAX];
	uint32_t size;
};

struct simulation {
	struct frame frame;       /* in: as it arrives; out: as it was when the program ended */
	uint32_t ifindex;         /* where it is seen */
	uint32_t ingress_ifindex; /* where it had come in, when it is seen going out; else 0 */
	uint32_t mark;            /* in and out: skb->mark */
	int verdict;              /* TC_ACT_* */
	uint32_t event_count;
	struct trace_event events[SIMULATION_EVENTS_MAX];
};

struct simulator;
/** Loads the variant and fills its tables. The caller owns *ret_simulator. */
int simulator_create(struct dataplane *dataplane, struct simulator **ret_simulator,
		     struct error *err);
void simulator_free(struct simulator *simulator);
DEFINE_FREEP(simulator)
/** Runs one program ("from_container"). What it writes into the simulator's tables stays there. */
int simulator_run(struct simulator *simulator, const char *program, struct simulation *simulation,
		  struct error *err);
/** Value size of the table that an event is about; 0 if it is unknown. */
uint32_t simulator_value_size(const struct simulator *simulator, const struct trace_event *event);
/** The program that a TRACE_TAIL event leads to: "container_new", cut as the kernel cuts it. */
void simulator_tail_name(const struct simulator *simulator, const struct trace_event *event,
			 char *ret_name, size_t size);
