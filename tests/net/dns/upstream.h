/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A name server that misbehaves on demand. The first label of a name says how
 * each of two servers takes it; every answer is the address 192.0.2.N of server
 * number N, so that the asker knows who answered.
 *
 *	ok        answered
 *	drop1     server 1 is silent, server 2 answers; drop12: both are silent
 *	late1     server 1 answers after 2 s
 *	wrongid1  server 1 answers with another id; strayid: that, and then rightly
 *	wrongname server 1 answers another question
 *	fail1     server 1 says SERVFAIL
 *	big       cut over UDP, whole (200 addresses) over TCP
 */
#include <sys/types.h>

#include "base/ip.h"

/** Starts a process that serves both addresses, port 53; it listens when this returns. */
pid_t upstream_start(struct ip first, struct ip second);
