/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Traffic that goes on while something else happens: many TCP connections that are
 * asked in rounds, and UDP flows that never rest. Each packet is answered, so that
 * one that is lost is noticed, and each connection tells whether it broke.
 */
#include "world.h"

#define LOAD_TCP_PORT 7001
#define LOAD_UDP_PORT 7002

/** Answers on LOAD_TCP_PORT and LOAD_UDP_PORT of a host or container; ended by load_end. */
pid_t load_answer(struct world *world, const char *host);

struct load_spec {
	const char *host;    /* that asks */
	const char *address; /* that is asked */
	unsigned connections, udp_flows;
};
struct load_counts {
	unsigned broken;    /* connections that ended */
	uint64_t rounds;    /* in which all others were answered */
	uint64_t tcp_sent;  /* segments */
	uint64_t tcp_again; /* retransmitted */
	uint64_t udp_sent, udp_lost;
};
struct load {
	struct load_page *page; /* shared with the process */
	pid_t pid;
};
/** Starts to ask; returns when all connections have been answered once. */
void load_begin(struct world *world, const struct load_spec *spec, struct load *ret_load);
/** Waits until each connection has been answered anew since the call; fails the test if not. */
void load_wait_for_round(struct load *load);
/** Stops asking. */
struct load_counts load_stop(struct load *load);
/** Ends an answerer. */
void load_end(pid_t pid);
